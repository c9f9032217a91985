from frappe import _


def get_data() -> dict:
	"""Connections of a profile: the files it has read."""
	return {
		"fieldname": "profile",
		"transactions": [{"label": _("Loaded"), "items": ["TV Import"]}],
	}
