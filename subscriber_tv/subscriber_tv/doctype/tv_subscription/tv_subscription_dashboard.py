from frappe import _


def get_data() -> dict:
	"""Connections of a subscription; invoices and stock documents name it in fields of this app."""
	return {
		"fieldname": "subscription",
		"non_standard_fieldnames": {
			"Sales Invoice": "tv_subscription",
			"Stock Entry": "tv_subscription",
			"Delivery Note": "tv_subscription",
		},
		"transactions": [
			{
				"label": _("Contract"),
				"items": ["TV Subscription Change", "TV Renewal Notice", "TV Campaign Target"],
			},
			{"label": _("Televisions"), "items": ["TV Device", "TV Activation", "TV Provisioning Order"]},
			{"label": _("Stock"), "items": ["Stock Entry", "Delivery Note"]},
			{"label": _("Billing"), "items": ["Sales Invoice", "TV Billed Period", "TV Usage Record"]},
		],
	}
