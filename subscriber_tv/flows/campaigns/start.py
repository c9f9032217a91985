"""Starts, retries, resumes and takes back campaigns; a worker does the work."""

import frappe
from frappe import _
from frappe.utils import add_days, formatdate, getdate, nowdate, strip_html
from frappe.utils.background_jobs import get_job_status
from rq.job import JobStatus
from rq.timeouts import JobTimeoutException

from subscriber_tv.flows.billing.lock import is_held, named_lock
from subscriber_tv.flows.campaigns import targets, work
from subscriber_tv.flows.campaigns.kinds import KINDS
from subscriber_tv.flows.campaigns.targets import APPLIED, LEFT_OUT, PARKED, PENDING, TAKEN_BACK, TARGET

LONGEST_JOB = 6 * 3600  # seconds; ten thousand contracts at a second and a half, with room


def job_id(campaign: str, number: int = 0) -> str:
	"""A job of a campaign, the first unless numbered."""
	return f"tv-campaign::{campaign}" + (f"::{number}" if number else "")


def work_lock(campaign: str) -> str:
	"""Name of the lock that the worker of a campaign holds."""
	return f"campaign {campaign}"


def enqueue(doctype: str, campaign: str) -> None:
	"""Let a worker take the campaign once this transaction commits, unless one has it or will.

	A job that says it was started proves nothing: it goes on saying so for minutes after its worker was killed, and keeps
	its name as long. The next one then bears another.
	"""
	if is_held(work_lock(campaign)):
		return
	job, status = _free_job(campaign)
	if status == JobStatus.QUEUED:
		return
	frappe.enqueue(
		"subscriber_tv.flows.campaigns.start.work_on",
		queue="long",
		timeout=LONGEST_JOB,
		job_id=job,
		deduplicate=True,
		enqueue_after_commit=True,
		doctype=doctype,
		campaign=campaign,
	)


def _free_job(campaign: str) -> tuple[str, JobStatus | None]:
	"""The first job of a campaign that is not said to have been started, and what it is."""
	number = 0
	while (status := get_job_status(job_id(campaign, number))) == JobStatus.STARTED:
		number += 1
	return job_id(campaign, number), status


def work_on(*, doctype: str, campaign: str) -> None:
	"""Do chunk after chunk in this worker, for as long as a job may take; a later look resumes what is left.

	Does nothing while another worker does. What stops the whole campaign, and not one contract, is shown on its form.
	"""
	with named_lock(work_lock(campaign)) as mine:
		if mine:
			_work_on(doctype, campaign)


def _work_on(doctype: str, campaign: str) -> None:
	try:
		while work.work_chunk(doctype=doctype, campaign=campaign):
			pass
	except JobTimeoutException:
		raise
	except Exception as error:
		frappe.db.rollback()
		reason = strip_html(str(error)).strip() or type(error).__name__
		frappe.db.set_value(doctype, campaign, {"status": "Failed", "note": reason})
		# The job's own error handling rolls back.
		frappe.db.commit()  # nosemgrep
		raise


def start(doc) -> None:
	"""Start a submitted campaign, or go on with it: contracts that have an outcome are left alone."""
	if doc.status in ("Completed", "Taken Back", "Cancelled"):
		frappe.throw(_("{0} is over: {1}.").format(frappe.bold(doc.name), _(doc.status)))
	if doc.status in (work.WAITING, work.WITH_ERRORS):
		doc.db_set("status", work.RUNNING, notify=True)
	elif doc.status in ("Draft", "Failed"):
		back = frappe.db.exists(TARGET, targets.of_campaign(doc, outcome=TAKEN_BACK))
		doc.db_set({"status": work.TAKING_BACK if back else "Queued", "note": None}, notify=True)
	enqueue(doc.doctype, doc.name)


def retry_parked(doc) -> int:
	"""Put the parked contracts back and start again; returns their number."""
	_refuse_taken_back(doc)
	parked = targets.of_campaign(doc, outcome=PARKED)
	number = frappe.db.count(TARGET, parked)
	if number:
		# Those that never had a plan are listed anew; the others keep theirs, and the letter that told of it.
		unplanned = {**parked, "details": ("is", "not set")}
		status = work.LISTING if frappe.db.count(TARGET, unplanned) else work.RUNNING
		frappe.db.delete(TARGET, unplanned)
		frappe.db.set_value(TARGET, parked, {"outcome": PENDING, "reason": None})
		doc.db_set("status", status, notify=True)
		enqueue(doc.doctype, doc.name)
	return number


def take_back(doc) -> int:
	"""Take back every change of the campaign; returns their number. The next bills put right what was billed.

	Contracts not changed yet are left out. ValidationError when the time for it is over.
	"""
	if doc.get("undo_until") and getdate(nowdate()) > getdate(doc.undo_until):
		frappe.throw(
			_("{0} could be taken back until {1}. Make a campaign that leads the other way.").format(
				frappe.bold(doc.name), formatdate(doc.undo_until)
			),
			title=_("Too Late"),
		)
	number = frappe.db.count(TARGET, targets.of_campaign(doc, outcome=APPLIED))
	waiting = targets.of_campaign(doc, outcome=("in", (PENDING, PARKED)))
	frappe.db.set_value(
		TARGET, waiting, {"outcome": LEFT_OUT, "reason": _("Taken back before it was applied.")}
	)
	frappe.db.set_value(TARGET, targets.of_campaign(doc, outcome=APPLIED), "reason", None)
	doc.db_set("status", work.TAKING_BACK, notify=True)
	enqueue(doc.doctype, doc.name)
	return number


def resume_abandoned() -> int:
	"""Start campaigns again whose worker died; returns their number. Every ten minutes."""
	abandoned = [
		(doctype, name)
		for doctype in KINDS
		for name in frappe.get_all(doctype, {"docstatus": 1, "status": ("in", work.WORKING)}, pluck="name")
		if not is_held(work_lock(name)) and _free_job(name)[1] != JobStatus.QUEUED
	]
	for doctype, name in abandoned:
		enqueue(doctype, name)
	return len(abandoned)


def refuse_cancel_while_applied(doc) -> None:
	"""A campaign whose changes stand is taken back, not cancelled."""
	if frappe.db.exists(TARGET, targets.of_campaign(doc, outcome=APPLIED)):
		frappe.throw(
			_("The changes of {0} stand. Use {1}; the campaign itself remains as their record.").format(
				frappe.bold(doc.name), frappe.bold(_("Take Back"))
			),
			title=_("Changes Stand"),
		)


def undo_until(doc) -> str | None:
	"""The last day on which a migration submitted today may be taken back."""
	return add_days(nowdate(), doc.undo_days) if doc.undo_days else None


def _refuse_taken_back(doc) -> None:
	if doc.status in (work.TAKING_BACK, "Taken Back", "Cancelled"):
		frappe.throw(_("{0} is over: {1}.").format(frappe.bold(doc.name), _(doc.status)))
