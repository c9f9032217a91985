from frappe.model.document import Document


class TVBillPreviewLine(Document):
	"""What the preview of a bill run shows for one payer and currency; written with the preview only."""
