from frappe.model.document import Document


class TVOfferVersion(Document):
	pass
