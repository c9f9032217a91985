import frappe
from frappe import _
from frappe.model.document import Document
from frappe.query_builder import Interval
from frappe.query_builder.functions import Now


class TVCommand(Document):
	"""A command to one TV, a site's or a model's, and what became of it. Only flows write it; Log Settings clears it."""

	def validate(self) -> None:
		if self.flags.written_by_flow:
			return
		frappe.throw(
			_("A command is not edited by hand. Use {0} on a TV, a site or a model.").format(
				frappe.bold(_("Send Command"))
			),
			title=_("Not Edited by Hand"),
		)

	@staticmethod
	def clear_old_logs(days: int = 365) -> None:
		"""Delete the commands made more than `days` days ago. Called by Log Settings."""
		table = frappe.qb.DocType("TV Command")
		frappe.db.delete(table, filters=(table.creation < (Now() - Interval(days=days))))
