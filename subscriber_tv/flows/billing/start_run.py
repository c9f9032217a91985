"""Checks a TV Bill Run and hands it to workers; takes up again what was left."""

import frappe
from dateutil.relativedelta import relativedelta
from frappe import _
from frappe.utils import add_days, formatdate, getdate, nowdate

from subscriber_tv.flows.billing import chunks
from subscriber_tv.flows.billing.preview_run import LONGEST_PREVIEW
from subscriber_tv.flows.settings import phase_on, require_phase
from subscriber_tv.ledger.books import check_open

DEFAULT_MONTHS_AHEAD = 12

STATUS_OPEN = ("Previewing", "Queued", "Running")


def check_run(doc) -> None:
	"""Refuse a TV Bill Run that could post nothing: billing off, books closed, a horizon that is a slip."""
	require_phase("billing")
	posting_date = getdate(doc.posting_date)
	settings = frappe.get_cached_doc("TV Settings")
	if not doc.bill_until:
		doc.bill_until = add_days(posting_date, settings.bill_days_ahead or 0)
	months = settings.get("max_months_ahead") or DEFAULT_MONTHS_AHEAD
	if getdate(doc.bill_until) > posting_date + relativedelta(months=months):
		frappe.throw(
			_(
				"Periods starting until {0} lie more than {1} months after the posting date {2}. TV Settings set the limit."
			).format(formatdate(doc.bill_until), months, formatdate(posting_date)),
			title=_("Too Far Ahead"),
		)
	check_open(doc.company, posting_date)


def new_run(
	*,
	company: str | None = None,
	posting_date: str | None = None,
	bill_until: str | None = None,
	payer: str | None = None,
	history: bool = False,
) -> str:
	"""Submit a TV Bill Run for a caller who then runs it himself; no worker is asked. Commits; returns its name.

	Days are ISO; left out they come from today and TV Settings. A run of `history` that is only loaded waits for
	nobody's approval. ValidationError as for `check_run`.
	"""
	doc = frappe.get_doc(
		{
			"doctype": "TV Bill Run",
			"company": company or frappe.get_cached_doc("TV Settings").company,
			"posting_date": posting_date or nowdate(),
			"bill_until": bill_until,
			"payer": payer,
		}
	)
	doc.flags.run_here = True
	doc.flags.history = history
	doc.submit()
	# The run must be there for others before its first payer is billed.
	frappe.db.commit()  # nosemgrep
	return doc.name


def enqueue(bill_run: str) -> None:
	"""Let a worker begin the run once this transaction commits; it is a new attempt, whatever became of the last."""
	attempt = (frappe.db.get_value("TV Bill Run", bill_run, "attempt", for_update=True) or 0) + 1
	frappe.db.set_value("TV Bill Run", bill_run, "attempt", attempt, update_modified=False)
	frappe.enqueue(
		"subscriber_tv.flows.billing.run.begin",
		queue="long",
		# It may make the preview first.
		timeout=LONGEST_PREVIEW,
		job_id=chunks.job_id(bill_run, attempt),
		deduplicate=True,
		enqueue_after_commit=True,
		bill_run=bill_run,
	)


def start(bill_run: str) -> None:
	"""Start or resume a submitted run: payers that have an outcome are left alone.

	ValidationError when the books were closed since, or it waits for approval.
	"""
	require_phase("billing")
	run = frappe.db.get_value("TV Bill Run", bill_run, ["company", "posting_date", "approval"], as_dict=True)
	if run.approval == "Needed":
		frappe.throw(_("Bill run {0} waits for approval.").format(bill_run))
	check_open(run.company, getdate(run.posting_date))
	frappe.db.set_value("TV Bill Run", bill_run, {"status": "Queued", "failure": None})
	enqueue(bill_run)


def retry_parked(bill_run: str) -> int:
	"""Put the parked payers of a run back and start it again; returns their number."""
	return retry_lines(frappe.get_all(chunks.LINE, _parked(parent=bill_run), pluck="name", limit=0))


def retry_lines(lines: list[str]) -> int:
	"""Put these parked payers, of whatever runs, back and start their runs again; returns their number.

	Rows that are not parked (any longer) are left alone. Errors as for `start`.
	"""
	found = frappe.get_all(chunks.LINE, _parked(name=("in", lines or [""])), ["name", "parent"], limit=0)
	if found:
		names = ("in", [row.name for row in found])
		frappe.db.set_value(
			chunks.LINE,
			_parked(name=names),
			{"outcome": chunks.PENDING, "reason": None},
			update_modified=False,
		)
	for bill_run in sorted({row.parent for row in found}):
		start(bill_run)
	return len(found)


def _parked(**values) -> dict:
	return {"parenttype": "TV Bill Run", "docstatus": 1, "outcome": chunks.PARKED, **values}


def resume_abandoned() -> int:
	"""Start runs again whose workers died; returns their number. Every ten minutes."""
	if not phase_on("billing"):
		return 0
	runs = frappe.get_all(
		"TV Bill Run", {"docstatus": 1, "status": ("in", STATUS_OPEN)}, ["name", "attempt"], order_by="name"
	)
	left = [run.name for run in runs if chunks.abandoned(run.name, run.attempt or 0)]
	for name in left:
		enqueue(name)
	return len(left)
