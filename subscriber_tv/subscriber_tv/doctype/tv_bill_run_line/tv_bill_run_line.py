from frappe.model.document import Document


class TVBillRunLine(Document):
	pass
