from frappe.model.document import Document


class TVDevice(Document):
	pass
