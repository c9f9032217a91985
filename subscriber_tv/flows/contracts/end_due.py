"""Ends the contracts whose agreed end has come."""

from datetime import date

import frappe

from subscriber_tv.core.contracts.states import CANCELLING
from subscriber_tv.core.contracts.timeline import is_due
from subscriber_tv.flows.contracts.change_state import change_state
from subscriber_tv.flows.contracts.each_due import each_due, latest_day


def end_due(*, today: date | None = None) -> int:
	"""End every Cancelling subscription whose end date has come at its site; return how many.

	Runs hourly. Missed nights do no harm: the end takes effect on the day agreed, whenever it is recorded, and
	rights and billing stop on that day even before. `today` replaces the day at every site. One contract that
	fails is written to the Error Log and does not keep the others.
	"""
	return each_due(
		_candidates(today), _end, today=today, failure="A cancelled subscription could not be ended"
	)


def _candidates(today: date | None) -> list[frappe._dict]:
	"""Cancelling contracts that may be due somewhere on Earth."""
	return frappe.get_all(
		"TV Subscription",
		{"state": CANCELLING, "end_date": ("<=", latest_day(today))},
		["name", "site", "end_date"],
		order_by="name",
		limit=0,
	)


def _end(row: frappe._dict, today: date) -> bool:
	if not is_due(CANCELLING, row.end_date, today):
		return False
	change_state(subscription=row.name, event="end", effective_date=row.end_date)
	return True
