from frappe.model.document import Document


class TVDeviceStatus(Document):
	"""What is known of a TV right now, and how the fleet's figures count it. Only flows write it."""
