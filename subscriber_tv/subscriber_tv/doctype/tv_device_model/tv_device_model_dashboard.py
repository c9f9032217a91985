from frappe import _


def get_data() -> dict:
	"""The TVs of a model."""
	return {
		"fieldname": "model",
		"non_standard_fieldnames": {"TV Command": "target"},
		"dynamic_links": {"target": ["TV Device Model", "target_type"]},
		"transactions": [
			{"label": _("Equipment"), "items": ["TV Device"]},
			{"label": _("Screens"), "items": ["TV Command"]},
		],
	}
