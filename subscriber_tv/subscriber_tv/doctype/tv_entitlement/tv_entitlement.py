from frappe.model.document import Document


class TVEntitlement(Document):
	pass
