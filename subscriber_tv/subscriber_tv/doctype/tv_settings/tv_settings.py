from frappe.model.document import Document


class TVSettings(Document):
	pass
