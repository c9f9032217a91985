import frappe
from frappe.model.document import Document
from frappe.query_builder import Interval
from frappe.query_builder.functions import Now


class TVDeviceEvidence(Document):
	"""One sign that a TV may have a copy, rolled up per kind, network and slot of time. Only flows write it."""

	@staticmethod
	def clear_old_logs(days: int = 90) -> None:
		"""Delete signs last seen more than `days` days ago; the oldest that still weighs is 60. Called by Log Settings."""
		table = frappe.qb.DocType("TV Device Evidence")
		frappe.db.delete(table, filters=(table.last_noted < (Now() - Interval(days=max(days, 60)))))
