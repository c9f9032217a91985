from frappe import _


def get_data() -> dict:
	"""Where a channel is shown."""
	return {
		"fieldname": "channel",
		"transactions": [{"label": _("Bouquets"), "items": ["TV Bouquet"]}],
	}
