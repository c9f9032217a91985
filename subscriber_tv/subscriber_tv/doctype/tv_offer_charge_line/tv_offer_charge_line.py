from frappe.model.document import Document


class TVOfferChargeLine(Document):
	pass
