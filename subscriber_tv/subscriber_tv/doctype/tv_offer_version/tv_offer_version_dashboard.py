from frappe import _


def get_data() -> dict:
	"""Who bought this version."""
	return {
		"fieldname": "offer_version",
		"transactions": [{"label": _("Subscriptions"), "items": ["TV Subscription"]}],
	}
