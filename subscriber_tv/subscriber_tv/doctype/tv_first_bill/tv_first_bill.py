from frappe.model.document import Document


class TVFirstBill(Document):
	"""The first bill of a subscription taken over: who saw it in which preview, and who confirmed it.

	Written by flows/billing/first_bills.py only.
	"""
