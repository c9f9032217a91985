from frappe.model.document import Document


class TVBillRun(Document):
	pass
