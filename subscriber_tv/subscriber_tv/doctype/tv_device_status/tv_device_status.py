import frappe
from frappe.model.document import Document


class TVDeviceStatus(Document):
	"""What is known of a TV right now, and how the fleet's figures count it. Only flows write it."""


def on_doctype_update() -> None:
	"""Each minute the TVs that fell silent are looked for: among those online, not among all that are off."""
	frappe.db.add_index("TV Device Status", ["online", "last_heard"])
