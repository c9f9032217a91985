from frappe import _


def get_data() -> dict:
	"""A site and what is served there."""
	return {
		"fieldname": "site",
		"non_standard_fieldnames": {"TV Command": "target"},
		"dynamic_links": {"target": ["TV Site", "target_type"]},
		"transactions": [
			{"label": _("Subscriptions"), "items": ["TV Subscription", "TV Device"]},
			{"label": _("Screens"), "items": ["TV Command"]},
		],
	}
