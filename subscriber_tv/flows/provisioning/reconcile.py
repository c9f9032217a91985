"""Asks a platform what it holds, compares that with what it was told, and orders the differences. Daily, or by hand.

Left out of the comparison: subjects with an order under way, refused, or settled after the moment the platform speaks for.
"""

import itertools
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import frappe
from frappe.utils import now_datetime

from subscriber_tv.adapters.provisioning import NotHeld, Platform
from subscriber_tv.core.provisioning import compare, orders
from subscriber_tv.core.provisioning.desired import NOTHING, Desired
from subscriber_tv.core.provisioning.message import BadAnswer, Holding
from subscriber_tv.flows.activation import publish
from subscriber_tv.flows.provisioning import check, write_orders
from subscriber_tv.flows.provisioning.ask_for_check import ask_for_check
from subscriber_tv.flows.provisioning.platforms import DOCTYPE, NotSetUp, Served, adapter_of, of_name, served
from subscriber_tv.flows.provisioning.wake import start
from subscriber_tv.flows.provisioning.write_orders import ORDER, SUBJECT, Wish
from subscriber_tv.flows.settings import phase_on

CHUNK = 500
JOB_SECONDS = 4 * 3600


@dataclass
class Result:
	"""Subjects compared, ordered anew because they differed, and known to the platform alone."""

	compared: int = 0
	differing: int = 0
	unknown: int = 0


def reconcile_daily() -> int:
	"""Daily: queue the comparison of every platform that wants it; their number."""
	names = frappe.get_all(DOCTYPE, {"enabled": 1, "reconcile_daily": 1}, pluck="name", limit=0)
	known = {platform.name for platform in served()} if phase_on("activation") else set()
	for name in known.intersection(names):
		queue(name)
	return len(known.intersection(names))


def queue(platform: str) -> None:
	"""Let a worker compare a platform, unless one does."""
	frappe.enqueue(
		"subscriber_tv.flows.provisioning.reconcile.reconcile",
		queue="long",
		timeout=JOB_SECONDS,
		job_id=f"subscriber-tv-provisioning-compare-{platform}",
		deduplicate=True,
		enqueue_after_commit=True,
		platform=platform,
	)


def reconcile(platform: str) -> Result | None:
	"""Compare now; None when the platform is off or did not say what it holds, which its form then tells. Commits by the chunk."""
	found = of_name(platform)
	if not found:
		return None
	try:
		adapter = adapter_of(platform)
	except NotSetUp as error:
		_note_failure(platform, error)
		return None
	try:
		_check_all(found)
		result = Result()
		for kind in found.kinds:
			_reconcile(found, kind, adapter, result)
	except (NotHeld, BadAnswer) as error:
		frappe.db.rollback()
		_note_failure(platform, error)
		return None
	finally:
		adapter.close()
	_note(platform, result)
	return result


def _check_all(platform: Served) -> None:
	"""Bring the orders up to the rights first, so that what is told is what should be held."""
	ask_for_check([platform.name])
	while check.check_next(platform, int(time.time())):
		_end_chunk()


def _reconcile(platform: Served, kind: str, adapter: Platform, result: Result) -> None:
	as_of, seen = adapter.as_of(kind), set()
	for page in _chunks(adapter.holdings(kind)):
		held = {holding.subject: holding for holding in page}
		seen.update(held)
		_compare(platform, kind, held, as_of, result)
	last = ""
	while names := _told_after(platform.name, kind, last):
		last = names[-1]
		missing = {name: None for name in names if name not in seen}
		_compare(platform, kind, missing, as_of, result)


def _compare(
	platform: Served, kind: str, held: dict[str, Holding | None], as_of: int, result: Result
) -> None:
	"""Compare one chunk, and order what differs under the publisher's lock."""
	rows = _told(platform.name, kind, held, as_of)
	result.compared += len(held)
	result.unknown += len([subject for subject in held if subject not in rows])
	if any(_differs(kind, rows.get(subject), holding, platform) for subject, holding in held.items()):
		publish.lock_sequence()
		rows = _told(platform.name, kind, held, as_of)
		wishes = [
			_wish(kind, subject, rows.get(subject), holding)
			for subject, holding in held.items()
			if _differs(kind, rows.get(subject), holding, platform)
		]
		now = int(time.time())
		result.differing += write_orders.order(platform, wishes, now, write_orders.COMPARISON)
	_end_chunk()


def _differs(kind: str, row, holding: Holding | None, platform: Served) -> bool:
	if row is None:
		return platform.revoke_unknown and not compare.agrees(kind, NOTHING, holding)
	return row.comparable and not compare.agrees(kind, write_orders.told(row), holding)


def _wish(kind: str, subject: str, row, holding: Holding | None) -> Wish:
	wanted: Desired = write_orders.told(row) if row else NOTHING
	sequence = compare.sequence_after(row.sequence if row else 0, holding)
	subscription, changes_at = (row.subscription or "", row.changes_at) if row else ("", 0)
	return Wish(kind, subject, wanted, subscription, changes_at, sequence, again=True)


def _told(platform: str, kind: str, subjects: Iterable[str], as_of: int) -> dict[str, dict]:
	"""What was told about these subjects, each with whether it can be compared now."""
	by_name = {write_orders.subject_name(platform, kind, subject): subject for subject in subjects}
	rows = frappe.get_all(SUBJECT, {"name": ("in", list(by_name) or [""])}, ["*"], limit=0)
	table = frappe.qb.DocType(ORDER)
	query = frappe.qb.from_(table).select(table.subject_row).distinct()
	unsettled = (*orders.OPEN, orders.FAILED)
	busy = set(
		query.where(
			table.subject_row.isin([row.name for row in rows] or [""]) & table.state.isin(unsettled)
		).run(pluck=True)
	)
	for row in rows:
		row.comparable = row.name not in busy and row.settled_at < as_of
	return {row.subject: row for row in rows}


def _told_after(platform: str, kind: str, last: str) -> list[str]:
	filters = [["platform", "=", platform], ["kind", "=", kind], ["held", "=", 1], ["subject", ">", last]]
	return frappe.get_all(SUBJECT, filters, pluck="subject", order_by="subject", limit=CHUNK)


def _chunks(holdings: Iterable[Holding]) -> Iterator[list[Holding]]:
	found = iter(holdings)
	while page := list(itertools.islice(found, CHUNK)):
		yield page


def _note(platform: str, result: Result) -> None:
	values = {
		"compared_at": now_datetime(),
		"compared": result.compared,
		"differing": result.differing,
		"unknown_there": result.unknown,
		"comparison_error": "",
	}
	frappe.db.set_value(DOCTYPE, platform, values, update_modified=False)
	_end_chunk()
	if result.differing:
		start(platform)


def _note_failure(platform: str, error: Exception) -> None:
	frappe.db.set_value(DOCTYPE, platform, "comparison_error", str(error)[:500], update_modified=False)
	_end_chunk()


def _end_chunk() -> None:
	# A chunk is a unit of work, and it frees the publisher's lock.
	frappe.db.commit()  # nosemgrep
