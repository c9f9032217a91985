from frappe import _


def get_data() -> dict:
	"""Where a bouquet is sold."""
	return {
		"fieldname": "bouquet",
		"transactions": [{"label": _("Offers"), "items": ["TV Offer Version"]}],
	}
