from frappe.model.document import Document


class TVEntitlement(Document):
	"""One row of the projection: the rights of a TV, or the signed document of an offer. Only the publisher writes it."""
