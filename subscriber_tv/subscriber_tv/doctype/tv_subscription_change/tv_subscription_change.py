import frappe
from frappe import _
from frappe.model.document import Document


class TVSubscriptionChange(Document):
	"""One dated, attributed event of a contract. Written once by a flow, never edited, cancelled or deleted."""

	def before_insert(self) -> None:
		if not self.flags.recorded_by_flow:
			frappe.throw(
				_(
					"Changes are recorded by the buttons of the subscription. Open {0} and choose an action."
				).format(frappe.bold(self.subscription)),
				title=_("Use the Subscription's Buttons"),
			)

	def validate(self) -> None:
		if not self.flags.recorded_by_flow:
			self._refuse(_("A recorded change is never edited."))

	def before_cancel(self) -> None:
		self._refuse(_("A recorded change is never cancelled."))

	def on_trash(self) -> None:
		self._refuse(_("A recorded change is never deleted."))

	def _refuse(self, what: str) -> None:
		frappe.throw(
			_("{0} Record the opposite event on subscription {1}, with its date.").format(
				what, frappe.bold(self.subscription)
			),
			title=_("History Stays"),
		)
