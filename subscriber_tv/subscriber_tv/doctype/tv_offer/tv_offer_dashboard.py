from frappe import _


def get_data() -> dict:
	"""An offer and its versions."""
	return {
		"fieldname": "offer",
		"transactions": [{"label": _("Versions"), "items": ["TV Offer Version"]}],
	}
