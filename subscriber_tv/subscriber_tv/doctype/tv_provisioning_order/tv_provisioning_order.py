import frappe
from frappe.model.document import Document
from frappe.query_builder import Interval
from frappe.query_builder.functions import Now

from subscriber_tv.core.provisioning.orders import DONE, SUPERSEDED


class TVProvisioningOrder(Document):
	"""What a platform is told about one TV or account: its name is the idempotency key. Only flows write it; Log Settings clears it."""

	@staticmethod
	def clear_old_logs(days: int = 90) -> None:
		"""Delete orders settled more than `days` days ago; what is open or refused stays. Called by Log Settings."""
		table = frappe.qb.DocType("TV Provisioning Order")
		old = table.settled_at < (Now() - Interval(days=days))
		frappe.db.delete(table, filters=old & table.state.isin((DONE, SUPERSEDED)))


def on_doctype_update():
	"""Workers read what is due, and the open orders of a subject, from these alone."""
	frappe.db.add_index("TV Provisioning Order", ["platform", "state", "due"], index_name="platform_due")
	frappe.db.add_index(
		"TV Provisioning Order", ["subject_row", "state", "sequence"], index_name="subject_open"
	)
	frappe.db.add_index("TV Provisioning Order", ["batch", "platform"], index_name="batch_of_platform")
