from frappe.model.document import Document


class TVOffer(Document):
	pass
