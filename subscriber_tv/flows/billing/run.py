"""Runs a TV Bill Run: payer after payer, each committed for himself, so that a crash costs one payer's work.

Payers are listed in the run as Pending before the first is billed. Outcome and invoice are written in one
transaction; whoever starts the run again, now or beside us, goes on with those still Pending.

	begin      a worker: preview and approval if they are asked for, list the payers, ask for chunks
	run_chunk  a worker: one chunk with one invoice series, then ask for the next
	run        everything in this process: the command, the demo
"""

import time

import frappe
from frappe import _
from frappe.utils import getdate, now_datetime, strip_html
from rq.timeouts import JobTimeoutException

from subscriber_tv.core.money import money
from subscriber_tv.flows.billing import chunks, facts
from subscriber_tv.flows.billing.ahead import Ahead, read_ahead
from subscriber_tv.flows.billing.approve_run import may_go
from subscriber_tv.flows.billing.bill_payer import Outcome, settle
from subscriber_tv.flows.billing.chunks import INVOICED, LINE, NOTHING_DUE, PARKED, PENDING
from subscriber_tv.flows.billing.lock import named_lock, under_payer_lock
from subscriber_tv.flows.billing.series import borrowed_series
from subscriber_tv.flows.billing.watch import quiet_payers
from subscriber_tv.flows.billing.words import in_users_language
from subscriber_tv.flows.settings import require_phase
from subscriber_tv.ledger.books import check_open
from subscriber_tv.ledger.posting.memory import looking_seldom
from subscriber_tv.ledger.posting.totals import count_sales

LONGEST_WAIT = 1800  # seconds for a series, half of what a chunk's job may take
SHOW_EVERY = 1.0  # seconds between two messages to open forms


def run(*, bill_run: str) -> dict:
	"""Bill every payer of a submitted TV Bill Run that is still Pending, in this process; returns its counters.

	A run that has to be approved first bills nobody: its `status` says so. Commits per payer. A payer that fails is
	parked with the reason and the next one follows; a job that runs out of time stops and can be resumed. Several
	processes share the chunks. Errors: PhaseOff; ValidationError for a run that is not submitted, or closed books.
	"""
	require_phase("billing")
	_refuse_draft(bill_run)
	if may_go(bill_run):
		_open(bill_run)
		while _bill_any_chunk(bill_run):
			pass
	return close(bill_run)


def begin(*, bill_run: str) -> None:
	"""Begin a submitted run in a worker and ask other workers for its chunks. Errors as for `run`."""
	require_phase("billing")
	_refuse_draft(bill_run)
	try:
		with in_users_language():
			if not may_go(bill_run):
				return
			_open(bill_run)
	except Exception as error:
		_fail(bill_run, error)
		raise
	if not chunks.dispatch(bill_run):
		close(bill_run)


def run_chunk(*, bill_run: str, chunk: int) -> None:
	"""Bill the Pending payers of one chunk in a worker, then ask for the next chunk.

	Does nothing when another worker has the chunk. Waits for a series while all are lent.
	"""
	require_phase("billing")
	with in_users_language():
		_bill_chunk(bill_run, chunk, wait=LONGEST_WAIT)
	close(bill_run)
	chunks.dispatch(bill_run)


def close(bill_run: str) -> dict:
	"""Write the counters of a run, read from its rows; it is over when nothing is Pending, whoever was last."""
	frappe.db.rollback()  # the lock is the first statement, see lock.py
	fields = ["docstatus", "status", "started_at"]
	run = frappe.db.get_value("TV Bill Run", bill_run, fields, as_dict=True, for_update=True)
	counters = chunks.outcomes(bill_run)
	pending = counters.pop("payers_pending")
	status = run.status
	if run.docstatus == 1 and run.started_at:
		over = "Completed with Errors" if counters["payers_parked"] else "Completed"
		status = "Running" if pending else over
		finished = None if pending else now_datetime()
		frappe.db.set_value("TV Bill Run", bill_run, {**counters, "status": status, "finished_at": finished})
	count_sales()
	# Ends the work of this process on the run, or on a chunk of it.
	frappe.db.commit()  # nosemgrep
	if not pending:
		frappe.publish_realtime(
			"tv_bill_run_over", {"bill_run": bill_run}, doctype="TV Bill Run", docname=bill_run
		)
	return {**counters, "payers_pending": pending, "status": status}


def _refuse_draft(bill_run: str) -> None:
	if frappe.db.get_value("TV Bill Run", bill_run, "docstatus") != 1:
		frappe.throw(_("Bill run {0} is not submitted.").format(bill_run))


def _open(bill_run: str) -> None:
	"""List the payers once, under the lock of the run's row, and mark the run as working."""
	frappe.db.rollback()  # the lock is the first statement, see lock.py
	fields = ["company", "payer", "posting_date", "bill_until", "look_at_all", "started_at", "docstatus"]
	doc = frappe.db.get_value("TV Bill Run", bill_run, fields, as_dict=True, for_update=True)
	if doc.docstatus != 1:
		frappe.throw(_("Bill run {0} is not submitted.").format(bill_run))
	# Resumed days later the books may have been closed: refused here, before the first payer.
	check_open(doc.company, getdate(doc.posting_date))
	if not frappe.db.exists(LINE, {"parent": bill_run}):
		everybody = doc.payer or doc.look_at_all
		quiet = () if everybody else quiet_payers(doc.company, getdate(doc.bill_until))
		chunks.list_payers(bill_run, facts.payers(doc.company, doc.payer), quiet)
	values = {"status": "Running", "started_at": doc.started_at or now_datetime(), "finished_at": None}
	frappe.db.set_value("TV Bill Run", bill_run, values)
	# The list must outlive a crash of the first payer.
	frappe.db.commit()  # nosemgrep


def _fail(bill_run: str, error: Exception) -> None:
	"""A run that cannot begin says why on its form."""
	frappe.db.rollback()
	reason = strip_html(str(error)).strip() or type(error).__name__
	frappe.db.set_value("TV Bill Run", bill_run, {"status": "Failed", "failure": reason})
	# The job's own error handling rolls back.
	frappe.db.commit()  # nosemgrep


def _bill_any_chunk(bill_run: str) -> bool:
	"""Bill one open chunk that nobody else has; False when there is none left, or the run was cancelled."""
	frappe.db.rollback()  # a new snapshot: others work on the run too
	return any(_bill_chunk(bill_run, chunk, wait=LONGEST_WAIT) for chunk in chunks.open_chunks(bill_run))


def _bill_chunk(bill_run: str, chunk: int, wait: float) -> bool:
	"""Bill the Pending payers of a chunk; False when somebody else has it, no series came free, or it was cancelled."""
	with named_lock(chunks.chunk_lock(bill_run, chunk)) as mine:
		if not mine:
			return False
		with borrowed_series(wait) as (found, series):
			return found and _bill_lines(bill_run, chunk, series)


def _bill_lines(bill_run: str, chunk: int, series: str | None) -> bool:
	shown = 0.0
	frappe.db.rollback()  # whoever had the chunk before may have billed some
	company = frappe.db.get_value("TV Bill Run", bill_run, "company")
	with looking_seldom():
		lines = {line.payer: line for line in chunks.pending_lines(bill_run, chunk)}
		for payer, ahead in read_ahead(company, list(lines)):
			if not _bill_line(bill_run, lines[payer], series, ahead):
				return False
			if time.monotonic() > shown + SHOW_EVERY:
				shown = time.monotonic()
				_show_progress(bill_run)
	_show_progress(bill_run)
	return True


def _bill_line(bill_run: str, line: dict, series: str | None, ahead: Ahead) -> bool:
	"""Bill one payer and record what came of it; False when the run was cancelled meanwhile."""
	try:
		going_on = under_payer_lock(line.payer, lambda: _unit(bill_run, line, series, ahead))
		# Invoice, claims and outcome together; releases the payer's lock.
		frappe.db.commit()  # nosemgrep
		return going_on
	except JobTimeoutException:
		frappe.db.rollback()
		raise
	except Exception as error:
		frappe.db.rollback()
		_park(line, error)
		# The reason stays although the payer's work is undone.
		frappe.db.commit()  # nosemgrep
		return True


def _unit(bill_run: str, line: dict, series: str | None, ahead: Ahead) -> bool:
	order = frappe.db.get_value(
		"TV Bill Run", bill_run, ["company", "posting_date", "bill_until", "docstatus"], as_dict=True
	)
	if order.docstatus != 1:
		return False
	if frappe.db.get_value(LINE, line.name, "outcome") != PENDING:
		return True  # another process working on the same run was faster
	outcome = settle(
		payer=line.payer,
		company=order.company,
		posting_date=order.posting_date,
		bill_until=order.bill_until,
		bill_run=bill_run,
		series=series,
		ahead=ahead,
	)
	frappe.db.set_value(LINE, line.name, _recorded(line.name, outcome), update_modified=False)
	return True


def _recorded(line: str, outcome: Outcome) -> dict:
	"""What the row of the payer says afterwards: a payer retried for a contract that waited keeps what he was billed."""
	before = frappe.db.get_value(LINE, line, ["invoice", "documents", "net_amount"], as_dict=True)
	if outcome.refused:
		state = PARKED
	else:
		state = INVOICED if outcome.document or before.invoice else NOTHING_DUE
	return {
		"outcome": state,
		"invoice": before.invoice or outcome.document,
		"documents": (before.documents or 0) + len(outcome.invoices) + len(outcome.credit_notes),
		"net_amount": float(money(before.net_amount) + outcome.net),
		"reason": "\n".join((*outcome.refused, *outcome.warnings)) or None,
	}


def _park(line: dict, error: Exception) -> None:
	reason = strip_html(str(error)).strip() or type(error).__name__
	if not isinstance(error, frappe.ValidationError):
		frappe.log_error(
			title=f"Bill run: {line.payer}", reference_doctype="Customer", reference_name=line.payer
		)
	frappe.clear_messages()
	# Only while it is Pending: another process may have billed the payer in the meantime.
	frappe.db.set_value(
		LINE,
		{"name": line.name, "outcome": PENDING},
		{"outcome": PARKED, "reason": reason},
		update_modified=False,
	)


def _show_progress(bill_run: str) -> None:
	"""Tell open forms of the run; an event of our own, since Frappe's "progress" opens a dialog over the page."""
	message = {"bill_run": bill_run, **chunks.outcomes(bill_run)}
	frappe.publish_realtime("tv_bill_run_progress", message, doctype="TV Bill Run", docname=bill_run)
