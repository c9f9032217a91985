"""Keeps rows of a table from being written behind the back of the document they belong to.

Frappe's REST API takes a row for a document of its own: whoever may write the document may add, change or delete its
rows one by one, and none of the document's checks would run.
"""

import frappe
from frappe import _
from frappe.model.document import Document


class GuardedRow(Document):
	"""A row that only its document writes. Frappe calls none of these methods when the document is saved."""

	def validate(self) -> None:
		self._refuse()

	def on_trash(self) -> None:
		self._refuse()

	def _refuse(self) -> None:
		frappe.throw(
			_("A row of {0} is not written by itself. Open {1} and use its form.").format(
				frappe.bold(_(self.parenttype)), frappe.bold(self.parent)
			),
			title=_("Part of a Document"),
		)
