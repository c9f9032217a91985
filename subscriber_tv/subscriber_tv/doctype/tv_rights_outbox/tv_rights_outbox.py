from frappe.model.document import Document


class TVRightsOutbox(Document):
	pass
