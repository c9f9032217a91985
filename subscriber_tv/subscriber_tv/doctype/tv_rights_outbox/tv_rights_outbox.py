from frappe.model.document import Document


class TVRightsOutbox(Document):
	"""A subject whose rights may have changed, until the publisher has worked it out. Written by flows only."""
