from frappe.model.document import Document


class TVAlarm(Document):
	"""One rule about one TV or site: whether it is open, and its Issue. Its name is both, so there is never a second."""
