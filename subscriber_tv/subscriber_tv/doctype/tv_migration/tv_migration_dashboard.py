from frappe import _


def get_data() -> dict:
	"""Connections of a campaign: its contracts, and the changes it made of them."""
	return {
		"fieldname": "campaign",
		"non_standard_fieldnames": {"TV Subscription Change": "source_name"},
		"transactions": [
			{"label": _("Contracts"), "items": ["TV Campaign Target", "TV Subscription Change"]},
		],
	}
