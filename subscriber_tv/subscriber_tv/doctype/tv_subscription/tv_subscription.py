from frappe.model.document import Document


class TVSubscription(Document):
	pass
