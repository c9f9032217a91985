"""What the documents of campaigns share: submitted, a campaign changes contract after contract in the background."""

import frappe
from frappe.model.document import Document

from subscriber_tv.flows.campaigns.start import enqueue, refuse_cancel_while_applied


class Campaign(Document):
	"""A TV Price Revision or a TV Migration."""

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
