import frappe
from frappe.model.document import Document

from subscriber_tv.flows.campaigns.check import check_notice, check_revision
from subscriber_tv.flows.campaigns.start import enqueue, refuse_cancel_while_applied


class TVPriceRevision(Document):
	"""The yearly revision of a base's prices: submitted, it changes contract after contract in the background."""

	def validate(self) -> None:
		check_revision(self)

	def before_submit(self) -> None:
		check_notice(self)

	def on_submit(self) -> None:
		self.db_set("status", "Queued")
		# A command that runs it in its own process needs no worker.
		if not self.flags.run_here:
			enqueue(self.doctype, self.name)

	def before_cancel(self) -> None:
		refuse_cancel_while_applied(self)

	def on_cancel(self) -> None:
		self.db_set("status", "Cancelled")

	def on_trash(self) -> None:
		frappe.db.delete("TV Campaign Target", {"campaign_doctype": self.doctype, "campaign": self.name})
