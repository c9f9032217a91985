from frappe.model.document import Document


class TVQuoteLine(Document):
	pass
