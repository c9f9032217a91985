from frappe.model.document import Document


class TVBouquet(Document):
	pass
