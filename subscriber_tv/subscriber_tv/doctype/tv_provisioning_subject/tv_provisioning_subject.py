import frappe
from frappe.model.document import Document


class TVProvisioningSubject(Document):
	"""What one platform was last told to hold about one TV or account, and how far its orders are numbered. Only flows write it.

	Its row is the lock under which orders of the subject are made, taken and settled.
	"""


def on_doctype_update():
	"""The comparison walks through a platform's subjects in their order."""
	frappe.db.add_index(
		"TV Provisioning Subject", ["platform", "kind", "held", "subject"], index_name="platform_held"
	)
