from frappe.model.document import Document


class TVActivation(Document):
	pass
