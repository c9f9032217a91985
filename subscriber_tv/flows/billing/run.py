"""Runs a TV Bill Run: payer after payer, each committed for himself, so that a crash costs one payer's work.

Payers are listed in the run as Pending before the first is billed. Outcome and invoice are written in one
transaction; whoever starts the run again, now or beside us, goes on with those still Pending.
"""

import frappe
from frappe import _
from frappe.utils import now_datetime, strip_html
from rq.timeouts import JobTimeoutException

from subscriber_tv.flows.billing import facts
from subscriber_tv.flows.billing.bill_payer import Outcome, default_series, settle
from subscriber_tv.flows.billing.lock import under_payer_lock
from subscriber_tv.flows.settings import require_phase

LINE = "TV Bill Run Line"
PENDING, INVOICED, NOTHING_DUE, PARKED = "Pending", "Invoiced", "Nothing Due", "Parked"


def run(*, bill_run: str) -> dict:
	"""Bill every payer of a submitted TV Bill Run that is still Pending; returns its counters.

	Commits per payer. A payer that fails is parked with the reason and the next one follows; a job that runs out of
	time stops and can be resumed. Errors: PhaseOff; ValidationError for a run that is not submitted.
	"""
	require_phase("billing")
	_open(bill_run)
	# Once more, until nothing is left: parked payers may be put back while the others are billed.
	while pending := _pending(bill_run):
		for number, line in enumerate(pending, start=1):
			if not _bill_line(bill_run, line):
				return _close(bill_run)
			_show_progress(bill_run, number, len(pending))
	return _close(bill_run)


def _open(bill_run: str) -> None:
	"""List the payers once, under the lock of the run's row, and mark the run as working."""
	frappe.db.rollback()  # the lock is the first statement, see lock.py
	doc = frappe.get_doc("TV Bill Run", bill_run, for_update=True)
	if doc.docstatus != 1:
		frappe.throw(_("Bill run {0} is not submitted.").format(bill_run))
	if not frappe.db.exists(LINE, {"parent": bill_run}):
		_list_payers(doc)
	values = {"status": "Running", "started_at": doc.started_at or now_datetime(), "finished_at": None}
	frappe.db.set_value("TV Bill Run", bill_run, values)
	# The list must outlive a crash of the first payer.
	frappe.db.commit()  # nosemgrep


def _pending(bill_run: str) -> list[dict]:
	return frappe.get_all(
		LINE, {"parent": bill_run, "outcome": PENDING}, ["name", "payer"], order_by="idx", limit=0
	)


def _list_payers(doc) -> None:
	now, user = now_datetime(), frappe.session.user
	fields = ("name", "parent", "parenttype", "parentfield", "idx", "docstatus", "payer", "outcome")
	rows = [
		(frappe.generate_hash(length=10), doc.name, doc.doctype, "payers", idx, 1, payer, PENDING)
		for idx, payer in enumerate(facts.payers(doc.company, doc.payer), start=1)
	]
	stamps = ("creation", "modified", "owner", "modified_by")
	if rows:
		frappe.db.bulk_insert(LINE, [*fields, *stamps], [(*row, now, now, user, user) for row in rows])
	frappe.db.set_value("TV Bill Run", doc.name, "payers_total", len(rows))


def _bill_line(bill_run: str, line: dict) -> bool:
	"""Bill one payer and record what came of it; False when the run was cancelled meanwhile."""
	try:
		going_on = under_payer_lock(line.payer, lambda: _unit(bill_run, line))
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


def _unit(bill_run: str, line: dict) -> bool:
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
		series=default_series(),
	)
	frappe.db.set_value(LINE, line.name, _recorded(outcome), update_modified=False)
	return True


def _recorded(outcome: Outcome) -> dict:
	if outcome.refused:
		state = PARKED
	else:
		state = INVOICED if outcome.document else NOTHING_DUE
	return {
		"outcome": state,
		"invoice": outcome.document,
		"net_amount": float(outcome.net),
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


def _show_progress(bill_run: str, done: int, total: int) -> None:
	"""Tell open forms of the run; an event of our own, since Frappe's "progress" opens a dialog over the page."""
	percent = done * 100 // total
	if done == total or percent != (done - 1) * 100 // total:
		frappe.publish_realtime(
			"tv_bill_run_progress",
			{"bill_run": bill_run, "percent": percent, "text": f"{done} / {total}"},
			doctype="TV Bill Run",
			docname=bill_run,
		)


def _close(bill_run: str) -> dict:
	"""Count the outcomes; the run is over when nothing is Pending, whoever billed the last payer."""
	frappe.db.rollback()
	doc = frappe.get_doc("TV Bill Run", bill_run, for_update=True)
	line = frappe.qb.DocType(LINE)
	rows = (
		frappe.qb.from_(line)
		.select(line.outcome, line.invoice, line.net_amount)
		.where(line.parent == bill_run)
		.run(as_dict=True)
	)
	left = sum(row.outcome == PENDING for row in rows)
	parked = sum(row.outcome == PARKED for row in rows)
	counters = {
		"payers_total": len(rows),
		"payers_done": len(rows) - left,
		"payers_parked": parked,
		"invoices": sum(bool(row.invoice) for row in rows),
		"net_total": sum(row.net_amount or 0 for row in rows),
	}
	if doc.docstatus == 1:
		status = "Running" if left else "Completed with Errors" if parked else "Completed"
		finished = None if left else now_datetime()
		frappe.db.set_value("TV Bill Run", bill_run, {**counters, "status": status, "finished_at": finished})
	# Ends the work of this process.
	frappe.db.commit()  # nosemgrep
	doc.notify_update()
	return {**counters, "payers_pending": left}
