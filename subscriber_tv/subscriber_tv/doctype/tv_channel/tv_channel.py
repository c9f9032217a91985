from frappe.model.document import Document


class TVChannel(Document):
	pass
