from frappe.model.document import Document


class TVRenewalNotice(Document):
	"""The letter that tells of a coming renewal: when it is due, and the proof that it went out."""
