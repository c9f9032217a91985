"""Ends the contracts whose agreed end has come."""

from datetime import date, datetime, timedelta, timezone

import frappe

from subscriber_tv.core.contracts.states import CANCELLING
from subscriber_tv.core.contracts.timeline import is_due
from subscriber_tv.flows.contracts.change_state import change_state
from subscriber_tv.flows.contracts.today import site_today


def end_due(*, today: date | None = None) -> int:
	"""End every Cancelling subscription whose end date has come at its site; return how many.

	Runs hourly. Missed nights do no harm: the end takes effect on the day agreed, whenever it is recorded, and
	rights and billing stop on that day even before. `today` replaces the day at every site. One contract that
	fails is written to the Error Log and does not keep the others.
	"""
	ended = 0
	for row in _candidates(today):
		if is_due(CANCELLING, row.end_date, today or site_today(row.site)):
			ended += _end(row)
	return ended


def _candidates(today: date | None) -> list[frappe._dict]:
	"""Cancelling contracts that may be due somewhere on Earth: no time zone is more than a day ahead of UTC."""
	latest = today or datetime.now(timezone.utc).date() + timedelta(days=1)
	return frappe.get_all(
		"TV Subscription",
		{"state": CANCELLING, "end_date": ("<=", latest)},
		["name", "site", "end_date"],
		order_by="name",
		limit=0,
	)


def _end(row: frappe._dict) -> int:
	frappe.db.savepoint("end_due")
	try:
		change_state(subscription=row.name, event="end", effective_date=row.end_date)
	except frappe.QueryDeadlockError:
		# The database has rolled everything back, so nothing may be counted; the next hour finds them all.
		raise
	except Exception:
		frappe.db.rollback(save_point="end_due")
		frappe.log_error(
			title="A cancelled subscription could not be ended",
			reference_doctype="TV Subscription",
			reference_name=row.name,
		)
		return 0
	return 1
