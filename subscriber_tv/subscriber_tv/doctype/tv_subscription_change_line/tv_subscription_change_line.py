from frappe.model.document import Document


class TVSubscriptionChangeLine(Document):
	pass
