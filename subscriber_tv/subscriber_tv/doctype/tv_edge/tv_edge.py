from frappe.model.document import Document


class TVEdge(Document):
	"""One edge, by its name and its file: how far it has come and how old its data is. Only the feed writes it."""
