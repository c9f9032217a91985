from frappe.model.document import Document


class TVInvoiceSeriesLine(Document):
	pass
