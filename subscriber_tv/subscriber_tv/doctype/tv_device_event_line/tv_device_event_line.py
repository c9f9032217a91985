from frappe.model.document import Document


class TVDeviceEventLine(Document):
	pass
