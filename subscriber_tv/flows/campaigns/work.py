"""Works a submitted campaign off: lists its contracts, changes one after the other, or takes its changes back.

Each contract is one transaction under its own lock, with its outcome written in it: whoever starts the work again,
after a crash or beside us, finds what is left to do and does nothing twice. A contract that fails is parked with the
reason and the next one follows. After each chunk the counters of the form are read from the rows anew.

	list       every contract once, with its day, its steps and what they bring
	apply      Pending -> Applied, Parked, or Left Out when nothing is to be done any longer
	take back  Applied -> Taken Back
"""

import random
import time
from collections.abc import Callable

import frappe
from frappe import _
from frappe.utils import formatdate, getdate, strip_html
from rq.timeouts import JobTimeoutException

from subscriber_tv.flows.campaigns import targets
from subscriber_tv.flows.campaigns.kinds import kind_of, why_left_out
from subscriber_tv.flows.campaigns.select import subscriptions_of
from subscriber_tv.flows.campaigns.targets import (
	APPLIED,
	CHUNK,
	LEFT_OUT,
	PARKED,
	PENDING,
	TAKEN_BACK,
	TARGET,
)
from subscriber_tv.flows.contracts.change_lines import change_lines
from subscriber_tv.flows.contracts.change_state import lock
from subscriber_tv.flows.contracts.change_terms import withdraw_change

LISTING, WAITING, RUNNING, TAKING_BACK = "Listing", "Waiting for Letters", "Running", "Taking Back"
WORKING = ("Queued", LISTING, RUNNING, TAKING_BACK)
COMPLETED, WITH_ERRORS = "Completed", "Completed with Errors"

ATTEMPTS = 5
LONGEST_PAUSE = 0.5  # seconds before the last try
CONFLICTS = (frappe.QueryDeadlockError, frappe.QueryTimeoutError)


def run(*, doctype: str, campaign: str) -> dict:
	"""Work a campaign off to its end in this process; returns its counters and status. Commits per contract."""
	while _step(doctype, campaign):
		pass
	return _close(doctype, campaign)


def work_chunk(*, doctype: str, campaign: str) -> bool:
	"""Do one chunk in a worker; True when there is more to do, be it that somebody has it taken back meanwhile."""
	more = _step(doctype, campaign)
	return _close(doctype, campaign)["status"] == TAKING_BACK or more


def _step(doctype: str, campaign: str) -> bool:
	frappe.db.rollback()  # a fresh look at what others have done
	doc = frappe.get_doc(doctype, campaign)
	if doc.docstatus != 1 or doc.status not in WORKING:
		return False
	if doc.status in ("Queued", LISTING):
		return _list_chunk(doc)
	if doc.status == TAKING_BACK:
		return _each(doc, _take_back, {"outcome": APPLIED, "reason": ("is", "not set")})
	return _each(doc, _apply, {"outcome": PENDING})


def _list_chunk(doc) -> bool:
	"""Write the rows of contracts that have none yet; afterwards the campaign runs, or waits for its letters."""
	# One lister at a time: the lock is the first statement, so what another has listed is read after it.
	frappe.db.rollback()
	if frappe.db.get_value(doc.doctype, doc.name, "status", for_update=True) not in ("Queued", LISTING):
		return True  # somebody beside us has listed the last
	listed = set(frappe.get_all(TARGET, targets.of_campaign(doc), pluck="subscription", limit=0))
	left = [name for name in subscriptions_of(doc) if name not in listed]
	targets.write_targets(doc, kind_of(doc.doctype), left[:CHUNK])
	status = LISTING
	if len(left) <= CHUNK:
		status = WAITING if doc.get("letters_first") else RUNNING
	frappe.db.set_value(doc.doctype, doc.name, {"status": status, **targets.counters(doc)})
	# A chunk of rows must outlive a crash in the next.
	frappe.db.commit()  # nosemgrep
	return status != WAITING


def _each(doc, act: Callable, which: dict) -> bool:
	"""Act on a chunk of rows; True when there are more."""
	rows = frappe.get_all(
		TARGET, targets.of_campaign(doc, **which), ["name", "subscription"], order_by="name", limit=CHUNK
	)
	shown = 0.0
	for row in rows:
		if not _one(doc, row, act):
			return False
		if time.monotonic() > shown + 1:
			shown = time.monotonic()
			show_progress(doc)
	return len(rows) == CHUNK


def _one(doc, row, act: Callable) -> bool:
	"""Act on one contract and commit; False when the campaign was stopped meanwhile."""
	for attempt in range(1, ATTEMPTS + 1):
		try:
			going_on = _locked(doc, row, act)
			# The change of the contract and its outcome together.
			frappe.db.commit()  # nosemgrep
			return going_on
		except JobTimeoutException:
			frappe.db.rollback()
			raise
		except CONFLICTS as error:
			frappe.db.rollback()
			if attempt == ATTEMPTS:
				return _fail(doc, row, act, error)
			time.sleep(random.uniform(0, LONGEST_PAUSE * attempt / ATTEMPTS))
		except Exception as error:
			frappe.db.rollback()
			return _fail(doc, row, act, error)
	raise AssertionError("unreachable")


def _locked(doc, row, act: Callable) -> bool:
	frappe.db.rollback()  # the lock is the first statement: what is read afterwards is what others have committed
	lock(row.subscription)
	order = frappe.db.get_value(doc.doctype, doc.name, ["docstatus", "status"], as_dict=True)
	if order.docstatus != 1 or order.status != doc.status:
		return False
	target = frappe.get_doc(TARGET, row.name, for_update=True)
	act(doc, target)
	return True


def _apply(doc, target) -> None:
	"""Change the contract as the rule says today, under its lock."""
	if target.outcome != PENDING:
		return  # somebody beside us was faster
	kind = kind_of(doc.doctype)
	candidates, decide = kind.prepare(doc, [target.subscription])
	plan = decide(candidates[0])
	if plan.left_out:
		_write(target, outcome=LEFT_OUT, reason=why_left_out(plan.left_out))
		return
	details = targets.written(plan.details)
	if problem := _letter_problem(doc, target, details):
		if target.details != details:
			# Its next letter says what holds now; the one already sent stays in the history of the contract.
			target.db_set({"details": details, "letter_sent_on": None})
		_write(target, outcome=PARKED, reason=problem)
		return
	change = change_lines(
		subscription=target.subscription,
		steps=[
			{
				"line_id": step.line_id,
				"offer_version": step.offer_version,
				"quantity": step.quantity,
				"prices": dict(step.prices),
			}
			for step in plan.steps
		],
		effective_date=plan.effective,
		reason=doc.title,
		source=(doc.doctype, doc.name),
	)
	fresh = targets.planned(doc, kind, candidates[0], decide)
	_write(target, **(fresh | {"outcome": APPLIED, "reason": None, "change": change, "details": details}))


def _letter_problem(doc, target, details: str) -> str | None:
	"""Why the new price may not be applied yet: no letter in time, or a letter that says something else."""
	if not doc.get("letters_first"):
		return None
	due = formatdate(target.letter_due_by)
	if not target.letter_sent_on:
		return _("No letter was sent; it had to be out by {0}. Send it, then retry.").format(due)
	if getdate(target.letter_sent_on) > getdate(target.letter_due_by) and not doc.short_notice_reason:
		return _(
			"The letter went out on {0}, and had to be out by {1}. Choose a later day in a new revision."
		).format(formatdate(target.letter_sent_on), due)
	if target.details != details:
		return _("The contract has changed since its letter. Send a new letter, then retry.")
	return None


def _take_back(doc, target) -> None:
	if target.outcome != APPLIED:
		return
	change_no = frappe.db.get_value("TV Subscription Change", target.change, "change_no")
	undo = withdraw_change(
		subscription=target.subscription,
		change_no=change_no,
		reason=_("{0} is taken back").format(doc.title),
		source=(doc.doctype, doc.name),
	)
	_write(target, outcome=TAKEN_BACK, undo_change=undo, reason=None)


def _fail(doc, row, act: Callable, error: Exception) -> bool:
	"""Keep the reason where the list shows it; a change that cannot be taken back still stands."""
	reason = strip_html(str(error)).strip() or type(error).__name__
	if not isinstance(error, frappe.ValidationError):
		frappe.log_error(
			title=f"Campaign {doc.name}", reference_doctype="TV Subscription", reference_name=row.subscription
		)
	frappe.clear_messages()
	standing, values = (PENDING, {"outcome": PARKED}) if act is _apply else (APPLIED, {})
	frappe.db.set_value(TARGET, {"name": row.name, "outcome": standing}, {**values, "reason": reason})
	# The reason stays although the contract's work is undone.
	frappe.db.commit()  # nosemgrep
	return True


def _write(target, **values) -> None:
	target.db_set(values, update_modified=True)


def _close(doctype: str, campaign: str) -> dict:
	"""Write the counters of a campaign; it is over when nothing is left to do, whoever was last."""
	frappe.db.rollback()  # the lock is the first statement
	frappe.db.get_value(doctype, campaign, "name", for_update=True)
	doc = frappe.get_doc(doctype, campaign)
	found = targets.counters(doc)
	status = _status(doc, found)
	frappe.db.set_value(doctype, campaign, {**found, "status": status})
	doc.status = status
	# Ends the work of this process on the campaign, or on a chunk of it.
	frappe.db.commit()  # nosemgrep
	show_progress(doc, over=status not in WORKING)
	return {**found, "status": status}


def _status(doc, found: dict) -> str:
	"""The status the rows speak of; one that waits for somebody stays."""
	if doc.docstatus != 1 or doc.status not in (RUNNING, TAKING_BACK):
		return doc.status
	if doc.status == TAKING_BACK:
		if frappe.db.exists(TARGET, targets.of_campaign(doc, outcome=APPLIED, reason=("is", "not set"))):
			return TAKING_BACK
		return WITH_ERRORS if found["targets_applied"] else "Taken Back"
	if frappe.db.exists(TARGET, targets.of_campaign(doc, outcome=PENDING)):
		return RUNNING
	return WITH_ERRORS if found["targets_parked"] else COMPLETED


def show_progress(doc, over: bool = False) -> None:
	"""Tell open forms of the campaign; an event of our own, since Frappe's "progress" opens a dialog over the page."""
	message = {"campaign": doc.name, "over": over, "status": doc.status, **targets.counters(doc)}
	frappe.publish_realtime("tv_campaign_progress", message, doctype=doc.doctype, docname=doc.name)
