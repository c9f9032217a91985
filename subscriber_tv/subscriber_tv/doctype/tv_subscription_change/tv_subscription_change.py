from frappe.model.document import Document


class TVSubscriptionChange(Document):
	pass
