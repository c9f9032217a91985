import frappe
from frappe import _
from frappe.model.document import Document

from subscriber_tv.flows.billing.approve_run import NOT_NEEDED
from subscriber_tv.flows.billing.preview_run import forget_preview
from subscriber_tv.flows.billing.start_run import check_run, enqueue

#: What a preview was made of: another value makes it worthless.
PREVIEWED = ("company", "posting_date", "bill_until", "payer", "look_at_all")
PREVIEW = {
	"preview_status": None,
	"previewed_at": None,
	"preview_payers": 0,
	"preview_net": 0,
	"preview_outliers": 0,
	"preview_refused": 0,
	"preview_first_bills": 0,
	"preview_summary": None,
	"failure": None,
}

WRITTEN_BY_FLOWS = (
	"approval",
	"approval_reason",
	"approved_by",
	"approved_at",
	"submitted_by",
	"started_at",
	"finished_at",
	"attempt",
)


class TVBillRun(Document):
	"""One run of billing: a submitted document, so that it can be read, resumed and repeated."""

	def validate(self):
		# The run lists its payers itself when it starts: rows sent along, or kept by a copy, would hide the others.
		self.payers = []
		check_run(self)
		self._keep_what_flows_wrote()

	def before_submit(self):
		self.submitted_by = frappe.session.user
		if self.flags.history:
			self.approval = NOT_NEEDED

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

	def on_trash(self):
		forget_preview(self.name)

	def _keep_what_flows_wrote(self) -> None:
		"""Approval and preview are written by flows alone: values sent along are dropped, and a stale preview with them."""
		before = None if self.is_new() else self.get_doc_before_save()
		stale = before is None or any(self.has_value_changed(field) for field in PREVIEWED)
		for field, nothing in PREVIEW.items():
			self.set(field, nothing if stale else before.get(field))
		if before and stale:
			forget_preview(self.name)
		self.status = "Draft"
		for field in WRITTEN_BY_FLOWS:
			self.set(field, None)
		if not self.flags.scheduled:
			self.scheduled_for = self.schedule_key = None
