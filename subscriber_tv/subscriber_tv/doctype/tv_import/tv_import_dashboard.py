from frappe import _


def get_data() -> dict:
	"""Connections of an import: its records."""
	return {
		"fieldname": "tv_import",
		"transactions": [{"label": _("Loaded"), "items": ["TV Usage Record"]}],
	}
