from frappe.model.document import Document


class TVSalesChannel(Document):
	"""Where a contract was sold: own shop, web, partner, telephone."""
