import frappe
from frappe.model.document import Document
from frappe.query_builder import Interval
from frappe.query_builder.functions import Now


class TVDeviceHour(Document):
	"""What one TV told within one hour, rolled up. Only flows write it; Log Settings clears it."""

	@staticmethod
	def clear_old_logs(days: int = 3) -> None:
		"""Delete the hours that began more than `days` days ago. Called by Log Settings."""
		table = frappe.qb.DocType("TV Device Hour")
		frappe.db.delete(table, filters=(table.hour < (Now() - Interval(days=days))))
