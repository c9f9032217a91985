from frappe.model.document import Document


class TVDeviceModel(Document):
	pass
