from frappe import _


def get_data() -> dict:
	"""What a TV asked, and what it may watch."""
	return {
		"fieldname": "device",
		"non_standard_fieldnames": {"TV Usage Record": "serial", "TV Command": "target"},
		"dynamic_links": {"target": ["TV Device", "target_type"]},
		"transactions": [
			{
				"label": _("Activation"),
				"items": ["TV Activation", "TV Entitlement", "TV Command", "TV Provisioning Order"],
			},
			{"label": _("Fleet"), "items": ["TV Device Evidence", "TV Alarm", "TV Device Hour"]},
			{"label": _("Billing"), "items": ["TV Usage Record"]},
		],
	}
