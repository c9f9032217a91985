from frappe import _


def get_data() -> dict:
	"""The TVs of a model."""
	return {"fieldname": "model", "transactions": [{"label": _("Equipment"), "items": ["TV Device"]}]}
