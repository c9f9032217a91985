"""Checks a TV Bill Run and hands it to a worker."""

import frappe
from frappe import _
from frappe.utils import add_days, getdate, nowdate
from frappe.utils.background_jobs import is_job_enqueued

from subscriber_tv.flows.settings import phase_on, require_phase
from subscriber_tv.ledger.books import check_open

LONGEST_JOB = 6 * 3600  # seconds; ten thousand payers at a second and a half, with room
FARTHEST_AHEAD = 366  # days between posting date and the last period's first day: more is a typing error

STATUS_OPEN = ("Queued", "Running")


def check_run(doc) -> None:
	"""Refuse a TV Bill Run that could post nothing: billing off, books closed, a horizon that is a slip."""
	require_phase("billing")
	posting_date = getdate(doc.posting_date)
	if not doc.bill_until:
		ahead = frappe.get_cached_doc("TV Settings").bill_days_ahead or 0
		doc.bill_until = add_days(posting_date, ahead)
	if getdate(doc.bill_until) > getdate(add_days(posting_date, FARTHEST_AHEAD)):
		frappe.throw(
			_("Periods starting until {0} lie more than a year after the posting date {1}.").format(
				doc.bill_until, doc.posting_date
			),
			title=_("Too Far Ahead"),
		)
	check_open(doc.company, posting_date)


def new_run(
	*,
	company: str | None = None,
	posting_date: str | None = None,
	bill_until: str | None = None,
	payer: str | None = None,
) -> str:
	"""Submit a TV Bill Run for a caller who then runs it himself; no worker is asked. Commits; returns its name.

	Days are ISO; left out they come from today and TV Settings. ValidationError as for `check_run`.
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
	doc.submit()
	# The run must be there for others before its first payer is billed.
	frappe.db.commit()  # nosemgrep
	return doc.name


def job_id(bill_run: str) -> str:
	"""The one job of a run: while it waits or works, asking again starts no second one."""
	return f"tv-bill-run::{bill_run}"


def enqueue(bill_run: str) -> None:
	"""Let a worker take the run once this transaction commits."""
	frappe.enqueue(
		"subscriber_tv.flows.billing.run.run",
		queue="long",
		timeout=LONGEST_JOB,
		job_id=job_id(bill_run),
		deduplicate=True,
		enqueue_after_commit=True,
		bill_run=bill_run,
	)


def start(bill_run: str) -> None:
	"""Start or resume a submitted run: payers that have an outcome are left alone."""
	require_phase("billing")
	frappe.db.set_value("TV Bill Run", bill_run, "status", "Queued")
	enqueue(bill_run)


def retry_parked(bill_run: str) -> int:
	"""Put the parked payers back and start the run again; returns their number."""
	parked = {"parent": bill_run, "parenttype": "TV Bill Run", "outcome": "Parked"}
	number = frappe.db.count("TV Bill Run Line", parked)
	if number:
		frappe.db.set_value("TV Bill Run Line", parked, {"outcome": "Pending", "reason": None})
		start(bill_run)
	return number


def resume_abandoned() -> int:
	"""Start runs again whose worker died; returns their number. Hourly."""
	if not phase_on("billing"):
		return 0
	runs = frappe.get_all("TV Bill Run", {"docstatus": 1, "status": ("in", STATUS_OPEN)}, pluck="name")
	abandoned = [name for name in runs if not is_job_enqueued(job_id(name))]
	for name in abandoned:
		enqueue(name)
	return len(abandoned)
