from frappe.model.document import Document


class TVBilledPeriod(Document):
	pass
