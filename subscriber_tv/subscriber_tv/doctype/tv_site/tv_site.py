from frappe.model.document import Document


class TVSite(Document):
	pass
