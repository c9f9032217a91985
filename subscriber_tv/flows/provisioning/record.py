"""Writes down what became of sent orders, and how the platform does.

Only the claim that sent an order may record it: a worker that was taken for dead comes too late, and whoever took the order up
tells what became of it.
"""

from collections.abc import Callable, Iterable, Sequence

import frappe
from frappe.utils import add_to_date, now_datetime

from subscriber_tv.core.provisioning import orders
from subscriber_tv.flows.provisioning.claim import Claimed, lock_subjects
from subscriber_tv.flows.provisioning.platforms import DOCTYPE
from subscriber_tv.flows.provisioning.tell_owner import close_assignments
from subscriber_tv.flows.provisioning.write_orders import ORDER, SUBJECT

Tried = tuple[Claimed, orders.Outcome]

SETTLED = (orders.DONE, orders.SUPERSEDED)


def record(tried: Iterable[Tried], claim: str, now: int, jitter: Callable[[], float]) -> None:
	"""Record these outcomes, subject by subject under its lock. Commits: what is recorded stays recorded.

	:param jitter: random numbers in [0, 1)
	"""
	left = {one.subject_row: (one, outcome) for one, outcome in tried}
	while left:
		# Nothing is held while a lock is waited for, so nobody waits in a circle.
		locked = lock_subjects(list(left), skip=True) or lock_subjects([next(iter(left))], skip=False)
		_record([left.pop(name) for name in locked] if locked else [left.popitem()[1]], claim, now, jitter)
		frappe.db.commit()  # nosemgrep


def _record(tried: Sequence[Tried], claim: str, now: int, jitter: Callable[[], float]) -> None:
	rows = _rows([one.subject_row for one, _outcome in tried])
	newest = {row.subject_row: row.sequence for row in rows.values() if row.state == orders.PENDING}
	groups: dict[tuple[orders.Step, str], list[Claimed]] = {}
	for one, outcome in tried:
		mine = rows.get(one.order.key)
		if mine and mine.claim == claim and mine.state == orders.SENT:
			newer = newest.get(one.subject_row, 0) > mine.sequence
			step = orders.follow(one.order, outcome, now, jitter(), newer)
			groups.setdefault((step, outcome.text), []).append(one)
	for (step, text), found in groups.items():
		_write(found, step, text, now)
	assigned = [name for name, row in rows.items() if row.responsible]
	settled = [
		one.order.key for (step, _text), found in groups.items() if step.state in SETTLED for one in found
	]
	close_assignments(ORDER, set(assigned) & set(settled))


def _rows(subject_rows: list[str]) -> dict[str, dict]:
	"""The open orders of these subjects, by name, in the order of their numbers."""
	table = frappe.qb.DocType(ORDER)
	query = frappe.qb.from_(table).select(
		table.name, table.subject_row, table.sequence, table.state, table.claim, table.responsible
	)
	query = query.where(table.subject_row.isin(subject_rows) & table.state.isin(orders.OPEN))
	return {row.name: row for row in query.orderby(table.sequence).for_update().run(as_dict=True)}


def _write(found: list[Claimed], step: orders.Step, text: str, now: int) -> None:
	"""Write one step for all orders that take it."""
	is_open = step.state in orders.OPEN
	values = {
		"state": step.state,
		"due": step.due,
		"next_try": add_to_date(now_datetime(), seconds=step.due - now) if is_open else None,
		"in_doubt": int(step.in_doubt),
		"settled_at": None if is_open else now_datetime(),
		"last_error": text,
	}
	if step.state != orders.SENT:
		values["claim"] = ""
	frappe.db.set_value(ORDER, {"name": ("in", [one.order.key for one in found])}, values)
	opening = [one.subject_row for one in found if one.message.action != orders.REVOKE]
	if step.state == orders.DONE:
		closing = [one.subject_row for one in found if one.message.action == orders.REVOKE]
		_note_subjects(opening, {"known": 1, "settled_at": now})
		_note_subjects(closing, {"known": 0, "settled_at": now})
	elif step.in_doubt:
		_note_subjects(opening, {"known": 1})


def _note_subjects(names: list[str], values: dict) -> None:
	if names:
		frappe.db.set_value(SUBJECT, {"name": ("in", names)}, values, update_modified=False)


def note_health(platform: str, outcomes: Sequence[orders.Outcome], now: int, jitter: float) -> int:
	"""Note whether the platform answers, and leave it alone for a while when it does not; its fruitless rounds. The caller commits."""
	before = frappe.db.get_value(DOCTYPE, platform, ["failures", "failing_since"], as_dict=True)
	failures = orders.failures_after(before.failures, outcomes)
	if not failures and not before.failures:
		return 0
	values = {
		"failures": failures,
		"paused_until": now + orders.pause(failures, jitter) if failures else 0,
		"failing_since": (before.failing_since or now_datetime()) if failures else None,
	}
	if failures:
		values["last_error"] = next((one.text for one in outcomes if one.text), "")
	frappe.db.set_value(DOCTYPE, platform, values, update_modified=False)
	return failures
