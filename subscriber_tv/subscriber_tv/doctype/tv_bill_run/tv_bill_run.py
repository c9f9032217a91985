import frappe
from frappe import _
from frappe.model.document import Document

from subscriber_tv.flows.billing.start_run import check_run, enqueue


class TVBillRun(Document):
	"""One run of billing: a submitted document, so that it can be read, resumed and repeated."""

	def validate(self):
		# The run lists its payers itself when it starts: rows sent along, or kept by a copy, would hide the others.
		self.payers = []
		check_run(self)

	def on_submit(self):
		self.db_set("status", "Queued")
		# The command runs in its own process and needs no worker.
		if not self.flags.run_here:
			enqueue(self.name)

	def before_cancel(self):
		standing = frappe.get_all(
			"Sales Invoice", {"tv_bill_run": self.name, "docstatus": 1}, pluck="name", limit=5
		)
		if standing:
			frappe.throw(
				_(
					"The invoices of this run stand, {0} among them. Cancel or credit the invoices; the run itself remains as their record."
				).format(", ".join(standing)),
				title=_("Invoices Stand"),
			)

	def on_cancel(self):
		self.db_set("status", "Cancelled")
