from frappe.model.document import Document


class TVOfferBouquetLine(Document):
	pass
