from frappe import _


def get_data() -> dict:
	"""Connections of a dispute: the invoice, the credit note that settles it, the contracts it is about."""
	return {
		"fieldname": "tv_dispute",
		"internal_links": {
			"Sales Invoice": "invoice",
			"TV Subscription": ["lines", "subscription"],
		},
		"transactions": [
			{"label": _("Invoices"), "items": ["Sales Invoice"]},
			{"label": _("Contract"), "items": ["TV Subscription"]},
		],
	}
