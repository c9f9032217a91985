from frappe import _


def get_data() -> dict:
	"""Connections of a platform: its orders, and what it was told about whom."""
	return {
		"fieldname": "platform",
		"transactions": [
			{"label": _("Provisioning"), "items": ["TV Provisioning Order", "TV Provisioning Subject"]}
		],
	}
