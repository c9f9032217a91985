from frappe.model.document import Document

from subscriber_tv.flows.contracts.commitments import check_rule, refuse_cancel_while_used


class TVExitRule(Document):
	"""What leaving a contract before its end costs. Submitted it never changes: fees of contracts rest on it."""

	def validate(self) -> None:
		check_rule(self)

	def before_cancel(self) -> None:
		refuse_cancel_while_used(self)
