from frappe.model.document import Document


class TVServiceWarehouseLine(Document):
	pass
