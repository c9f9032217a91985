import frappe
from frappe.model.document import Document
from frappe.query_builder import Interval
from frappe.query_builder.functions import Now


class TVActivation(Document):
	"""What TVs asked and were answered, rolled up. Only flows write it; Log Settings clears it."""

	@staticmethod
	def clear_old_logs(days: int = 90) -> None:
		"""Delete the rows last counted more than `days` days ago; TV Settings may ask for less. Called by Log Settings."""
		days = min(days, frappe.get_cached_doc("TV Settings").activation_retention_days or days)
		table = frappe.qb.DocType("TV Activation")
		frappe.db.delete(table, filters=(table.last_at < (Now() - Interval(days=days))))
