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
	done: list[Claimed] = []
	for one, outcome in tried:
		mine = next((row for row in rows if row.name == one.order.key), None)
		if not mine or mine.claim != claim or mine.state != orders.SENT:
			continue
		newer = any(
			row.subject_row == one.subject_row
			and row.sequence > mine.sequence
			and row.state == orders.PENDING
			for row in rows
		)
		step = orders.follow(one.order, outcome, now, jitter(), newer)
		if step.state == orders.DONE and not outcome.text and not mine.responsible:
			done.append(one)
		else:
			_write(one, mine, step, outcome, now)
	_write_done(done, now)


def _rows(subject_rows: list[str]) -> list:
	table = frappe.qb.DocType(ORDER)
	query = frappe.qb.from_(table).select(
		table.name, table.subject_row, table.sequence, table.state, table.claim, table.responsible
	)
	return (
		query.where(table.subject_row.isin(subject_rows) & table.state.isin(orders.OPEN))
		.for_update()
		.run(as_dict=True)
	)


def _write(one: Claimed, row, step: orders.Step, outcome: orders.Outcome, now: int) -> None:
	is_open = step.state in orders.OPEN
	values = {
		"state": step.state,
		"due": step.due,
		"next_try": add_to_date(now_datetime(), seconds=step.due - now) if is_open else None,
		"in_doubt": int(step.in_doubt),
		"settled_at": None if is_open else now_datetime(),
		"last_error": "" if step.state == orders.DONE and not outcome.text else outcome.text or None,
		"claim": row.claim if step.state == orders.SENT else "",
	}
	frappe.db.set_value(ORDER, one.order.key, values)
	if row.responsible and not is_open and step.state != orders.FAILED:
		close_assignments(ORDER, [one.order.key])
	if step.state == orders.DONE:
		_settle([one], now)
	elif step.in_doubt and one.message.action != orders.REVOKE:
		frappe.db.set_value(SUBJECT, one.subject_row, "known", 1, update_modified=False)


def _write_done(done: list[Claimed], now: int) -> None:
	"""The usual case, in a few statements for all."""
	if not done:
		return
	values = {"state": orders.DONE, "due": 0, "next_try": None, "in_doubt": 0, "last_error": "", "claim": ""}
	values["settled_at"] = now_datetime()
	frappe.db.set_value(ORDER, {"name": ("in", [one.order.key for one in done])}, values)
	_settle(done, now)


def _settle(done: list[Claimed], now: int) -> None:
	for known in (0, 1):
		names = [one.subject_row for one in done if (one.message.action != orders.REVOKE) == bool(known)]
		if names:
			values = {"known": known, "settled_at": now}
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
