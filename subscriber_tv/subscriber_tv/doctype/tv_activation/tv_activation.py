import frappe
from frappe.model.document import Document
from frappe.query_builder import Interval
from frappe.query_builder.functions import Now


class TVActivation(Document):
	"""What TVs asked and were answered, rolled up. Only flows write it; Log Settings clears it."""

	@staticmethod
	def clear_old_logs(days: int = 90) -> None:
		"""Delete the rows last counted in more than `days` days ago. Called daily by Log Settings."""
		table = frappe.qb.DocType("TV Activation")
		frappe.db.delete(table, filters=(table.last_seen < (Now() - Interval(days=days))))
