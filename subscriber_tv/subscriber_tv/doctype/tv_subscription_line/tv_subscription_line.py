from frappe.model.document import Document


class TVSubscriptionLine(Document):
	pass
