from frappe.model.document import Document

from subscriber_tv.flows.collections.guard_dispute import keep_hands_off, refuse_deletion


class TVDispute(Document):
	"""A part of an invoice that the payer does not accept: it waits until somebody has decided.

	Only flows write it: it is raised from the invoice, and its buttons take it from state to state.
	"""

	def validate(self) -> None:
		keep_hands_off(self)

	def on_trash(self) -> None:
		refuse_deletion(self)
