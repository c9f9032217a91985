from frappe import _


def get_data() -> dict:
	"""What a TV asked, and what it may watch."""
	return {
		"fieldname": "device",
		"transactions": [{"label": _("Activation"), "items": ["TV Activation", "TV Entitlement"]}],
	}
