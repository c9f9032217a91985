from frappe.model.document import Document


class TVPayerWatch(Document):
	"""Until when a payer has nothing to bill, and what that was seen from; see flows/billing/watch.py.

	It may be deleted at any time: the next run then looks at the payer.
	"""
