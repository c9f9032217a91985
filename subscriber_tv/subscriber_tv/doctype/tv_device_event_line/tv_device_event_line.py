from frappe.model.document import Document


class TVDeviceEventLine(Document):
	"""One thing that happened to a TV: a stock movement, a pairing, and where it stood afterwards."""
