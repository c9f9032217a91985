from frappe.model.document import Document


class TVCounter(Document):
	"""How far a TV (the name is its serial) has counted at the desk. Written by flows only, one row per TV."""
