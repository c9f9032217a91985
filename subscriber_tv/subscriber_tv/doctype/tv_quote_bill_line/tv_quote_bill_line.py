from frappe.model.document import Document


class TVQuoteBillLine(Document):
	pass
