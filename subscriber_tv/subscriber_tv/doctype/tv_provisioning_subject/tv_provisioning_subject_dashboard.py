from frappe import _


def get_data() -> dict:
	"""Connections of a subject: its orders."""
	return {
		"fieldname": "subject_row",
		"transactions": [{"label": _("Provisioning"), "items": ["TV Provisioning Order"]}],
	}
