from frappe.model.document import Document


class TVBilledPeriod(Document):
	"""A claim on the days that one invoice row bills; its name is the key, the amounts stand on the invoice.

	Written and freed with the invoice only, see flows/billing/claims.py.
	"""
