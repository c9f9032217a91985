from frappe.model.document import Document


class TVFleetCount(Document):
	"""How many TVs of one site run one firmware, and how they fare. Only `flows.fleet.count_fleet` writes it."""
