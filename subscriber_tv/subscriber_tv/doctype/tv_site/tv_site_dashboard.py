from frappe import _


def get_data() -> dict:
	"""A site and what is served there."""
	return {
		"fieldname": "site",
		"transactions": [{"label": _("Subscriptions"), "items": ["TV Subscription", "TV Device"]}],
	}
