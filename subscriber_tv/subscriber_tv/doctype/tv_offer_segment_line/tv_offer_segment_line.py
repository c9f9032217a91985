from frappe.model.document import Document


class TVOfferSegmentLine(Document):
	pass
