"""The daily and hourly looks at contracts: one after the other, each at the day of its site, none keeping the others."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta, timezone

import frappe

from subscriber_tv.flows.contracts.today import site_today


def latest_day(today: date | None) -> date:
	"""The latest day it may be at any site: no time zone is more than a day ahead of UTC. `today` replaces it."""
	return today or datetime.now(timezone.utc).date() + timedelta(days=1)


def each_due(
	rows: Iterable[dict], act: Callable[[dict, date], int], *, today: date | None, failure: str
) -> int:
	"""Sum of what `act` does for each row (name and site of a TV Subscription) on the day at its site.

	`today` replaces the day at every site. One that fails is taken back, written to the Error Log under `failure` and
	does not keep the others.
	"""
	return sum(_one(row, act, today or site_today(row.site), failure) for row in rows)


def _one(row: dict, act: Callable[[dict, date], int], today: date, failure: str) -> int:
	frappe.db.savepoint("each_due")
	try:
		return int(act(row, today))
	except frappe.QueryDeadlockError:
		# The database has rolled everything back, so nothing may be counted; the next look finds them all.
		raise
	except Exception:
		frappe.db.rollback(save_point="each_due")
		frappe.log_error(title=failure, reference_doctype="TV Subscription", reference_name=row.name)
		return 0
