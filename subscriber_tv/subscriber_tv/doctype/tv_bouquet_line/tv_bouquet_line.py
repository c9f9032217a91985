from frappe.model.document import Document


class TVBouquetLine(Document):
	pass
