"""The preview of a TV Bill Run: made in the background, kept with the run, shown on its form."""

import json
import time

import frappe
from frappe import _
from frappe.utils import getdate, now_datetime, strip_html
from rq.timeouts import JobTimeoutException

from subscriber_tv.core.billing.outliers import CODES, Forecast, movement
from subscriber_tv.core.billing.price import Refused
from subscriber_tv.core.money import ZERO, plain
from subscriber_tv.flows.billing import first_bills
from subscriber_tv.flows.billing.chunks import preview_lock
from subscriber_tv.flows.billing.forecast import Preview, forecast, runs_over
from subscriber_tv.flows.billing.lock import named_lock
from subscriber_tv.flows.billing.words import in_users_language, why_outlier, why_refused
from subscriber_tv.flows.settings import max_months, require_phase
from subscriber_tv.flows.usage.mark_held import why_held

LINE = "TV Bill Preview Line"
QUEUED, RUNNING, READY, FAILED = "Queued", "Running", "Ready", "Failed"

LONGEST_PREVIEW = 6 * 3600  # seconds
SHOW_EVERY = 1.0  # seconds between two messages to open forms
ON_FORM = 100  # outliers and reasons on the form; all of them stand in the preview's rows
RUNS_IN_PICTURE = 11


def ask_preview(bill_run: str) -> None:
	"""Let a worker preview a run, submitted or not. A run that bills already is left alone by it."""
	require_phase("billing")
	frappe.db.set_value("TV Bill Run", bill_run, "preview_status", QUEUED, update_modified=False)
	frappe.enqueue(
		"subscriber_tv.flows.billing.preview_run.make_preview",
		queue="long",
		timeout=LONGEST_PREVIEW,
		job_id=job_id(bill_run),
		deduplicate=True,
		enqueue_after_commit=True,
		bill_run=bill_run,
	)


def job_id(bill_run: str) -> str:
	"""The one job that previews a run."""
	return f"tv-bill-preview::{bill_run}"


def make_preview(*, bill_run: str) -> None:
	"""Preview a run and keep the result with it; what it held before is replaced in one transaction. Commits.

	A failure is written to the run, then raised. Does nothing while another process previews the same run.
	"""
	require_phase("billing")
	with named_lock(preview_lock(bill_run)) as mine:
		if not mine:
			return
		_set(bill_run, preview_status=RUNNING, failure=None)
		try:
			with in_users_language():
				_keep(bill_run, _preview(bill_run))
		except JobTimeoutException:
			_give_up(bill_run, _("It took longer than {0} hours.").format(LONGEST_PREVIEW // 3600))
			raise
		except Exception as error:
			_give_up(bill_run, strip_html(str(error)).strip() or type(error).__name__)
			raise
	_tell(bill_run, {"done": 1, "total": 1, "ready": True})


def forget_preview(bill_run: str) -> None:
	"""Delete the rows of a preview: its run is deleted, or asks for something else now. Confirmed bills stay."""
	frappe.db.delete(LINE, {"bill_run": bill_run})
	frappe.db.delete("TV First Bill", {"bill_run": bill_run, "status": first_bills.PREVIEWED})


def _preview(bill_run: str) -> Preview:
	fields = ["company", "posting_date", "bill_until", "payer", "look_at_all"]
	order = frappe.db.get_value("TV Bill Run", bill_run, fields, as_dict=True)
	shown = 0.0

	def show(done: int, total: int) -> None:
		nonlocal shown
		if time.monotonic() > shown + SHOW_EVERY:
			shown = time.monotonic()
			_tell(bill_run, {"done": done, "total": total})

	return forecast(
		company=order.company,
		posting_date=getdate(order.posting_date),
		bill_until=getdate(order.bill_until),
		payer=order.payer,
		look_at_all=bool(order.look_at_all),
		show=show,
	)


def _keep(bill_run: str, found: Preview) -> None:
	frappe.db.rollback()  # the lock is the first statement, see lock.py
	run = frappe.db.get_value(
		"TV Bill Run", bill_run, ["company", "docstatus"], as_dict=True, for_update=True
	)
	if not run or run.docstatus == 2:
		return
	forget_preview(bill_run)
	_insert_lines(bill_run, found)
	first_bills.note_previewed(
		bill_run,
		(
			{"subscription": name, "payer": payer, "currency": currency, "net_amount": float(net)}
			for name, payer, currency, net in found.first_bills
		),
	)
	currency = frappe.get_cached_value("Company", run.company, "default_currency")
	_set(
		bill_run,
		preview_status=READY,
		previewed_at=now_datetime(),
		preview_payers=len({one.payer for one in found.forecasts}),
		preview_net=float(found.net.get(currency, ZERO)),
		preview_outliers=len(found.outliers),
		preview_refused=len(found.refused),
		preview_first_bills=len(found.first_bills),
		preview_summary=json.dumps(summary(found, run.company, run.payer), default=plain),
	)


def _insert_lines(bill_run: str, found: Preview) -> None:
	codes: dict[tuple[str, str], list[str]] = {}
	for outlier in found.outliers:
		codes.setdefault((outlier.payer, outlier.currency), []).append(outlier.code)
	reasons: dict[str, list[str]] = {}
	for payer, refusal in found.refused:
		reasons.setdefault(payer, []).append(why_refused(refusal))
	for payer, charge in found.late:
		reasons.setdefault(payer, []).append(why_held(charge, max_months()))
	rows = [
		_line(one, codes.get((one.payer, one.currency), []), reasons.pop(one.payer, []))
		for one in found.forecasts
	]
	rows += [(payer, "", None, 0.0, 0.0, 0.0, 0, "\n".join(said)) for payer, said in reasons.items()]
	now, user = now_datetime(), frappe.session.user
	fields = (
		"payer",
		"outliers",
		"currency",
		"net_amount",
		"regular_amount",
		"last_amount",
		"rows",
		"reason",
	)
	company = frappe.db.get_value("TV Bill Run", bill_run, "company")
	stamps = ("name", "bill_run", "company", "creation", "modified", "owner", "modified_by")
	if rows:
		frappe.db.bulk_insert(
			LINE,
			[*stamps, *fields],
			[
				(frappe.generate_hash(length=10), bill_run, company, now, now, user, user, *row)
				for row in rows
			],
		)


def _line(one: Forecast, codes: list[str], reasons: list[str]) -> tuple:
	return (
		one.payer,
		", ".join(codes),
		one.currency,
		float(one.net),
		float(one.regular),
		float(one.last or ZERO),
		one.rows,
		"\n".join(reasons) or None,
	)


def summary(found: Preview, company: str, payer: str | None) -> dict:
	"""What the form draws: totals, comparison, movements, the last runs, the first outliers and refusals by code."""
	movements: dict[str, int] = {}
	for one in found.forecasts:
		movements[movement(one)] = movements.get(movement(one), 0) + 1
	kinds: dict[str, int] = {}
	for outlier in found.outliers:
		kinds[outlier.code] = kinds.get(outlier.code, 0) + 1
	return {
		"totals": [
			{"currency": currency, "net": net, "tax": found.tax.get(currency, ZERO)}
			for currency, net in sorted(found.net.items())
		],
		"payers": found.payers,
		"bills": len(found.forecasts),
		"last_run": found.last_run,
		"comparison": [
			{"currency": row.currency, "now": row.now, "last": row.last, "percent": row.percent}
			for row in found.comparison
		],
		"movements": movements,
		"outlier_kinds": kinds,
		"outliers": [
			{
				"payer": outlier.payer,
				"code": outlier.code,
				"currency": outlier.currency,
				"values": dict(outlier.values),
			}
			for outlier in sorted(found.outliers, key=lambda one: CODES.index(one.code))[:ON_FORM]
		],
		"refused": [
			{"payer": payer, "code": refusal.code, "values": refusal.values}
			for payer, refusal in found.refused[:ON_FORM]
		],
		"first_bills": [
			{"subscription": name, "payer": payer, "currency": currency, "net": net}
			for name, payer, currency, net in found.first_bills[:ON_FORM]
		],
		"runs": _last_runs(company, payer),
	}


def read_preview(bill_run: str) -> dict | None:
	"""The summary that is kept with a run, its outliers and refusals worded for the user; None without a preview."""
	kept = frappe.db.get_value("TV Bill Run", bill_run, "preview_summary")
	if not kept:
		return None
	found = json.loads(kept)
	for row in found["outliers"]:
		row["text"] = why_outlier(row["code"], row["currency"], row["values"])
	for row in found["refused"]:
		row["text"] = why_refused(Refused(row["code"], **row["values"]))
	return found


def _last_runs(company: str, payer: str | None) -> list[dict]:
	"""The finished runs over the same payers that billed anything, oldest first, for the picture."""
	runs = frappe.get_all(
		"TV Bill Run",
		runs_over(company, payer),
		["name", "posting_date", "net_total"],
		order_by="posting_date desc, creation desc",
		limit=RUNS_IN_PICTURE,
	)
	return [
		{"name": run.name, "day": run.posting_date.isoformat(), "net": str(run.net_total)}
		for run in reversed(runs)
	]


def _give_up(bill_run: str, reason: str) -> None:
	frappe.db.rollback()
	_set(bill_run, preview_status=FAILED, failure=reason)
	_tell(bill_run, {"done": 0, "total": 0, "failed": True})


def _set(bill_run: str, **values) -> None:
	"""Write the run's preview fields; the document itself has not changed for whoever edits it."""
	frappe.db.set_value("TV Bill Run", bill_run, values, update_modified=False)
	# Each stage of the background job is seen by others at once.
	frappe.db.commit()  # nosemgrep


def _tell(bill_run: str, message: dict) -> None:
	"""Tell open forms, and whoever asks later, how far the preview is."""
	frappe.cache.set_value(_cache_key(bill_run), message, expires_in_sec=3600)
	frappe.publish_realtime(
		"tv_bill_preview_progress",
		{"bill_run": bill_run, **message},
		doctype="TV Bill Run",
		docname=bill_run,
	)


def progress(bill_run: str) -> dict | None:
	"""How many payers of how many the preview has seen."""
	return frappe.cache.get_value(_cache_key(bill_run))


def _cache_key(bill_run: str) -> str:
	return f"tv-bill-preview|{bill_run}"
