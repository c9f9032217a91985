"""Takes orders to be sent: one a subject, the lowest open one, by one worker at a time.

The claim is written and committed before anything is sent. A worker that dies leaves an order *Sent* whose time runs out; whoever
comes next sends it again under the same key.
"""

import json
import uuid
from dataclasses import dataclass

import frappe
from frappe.utils import now_datetime
from pypika.terms import ExistsCriterion

from subscriber_tv.core.provisioning import orders
from subscriber_tv.core.provisioning.message import Message
from subscriber_tv.flows.provisioning.platforms import DOCTYPE
from subscriber_tv.flows.provisioning.write_orders import ORDER, SUBJECT

CLAIM_SECONDS = 300
"""After so long without a word a worker is taken for dead; longer than it may take to send a round."""


@dataclass(frozen=True)
class Claimed:
	"""An order to send. `order` is as it was before this try, which its `attempts` count."""

	order: orders.Order
	message: Message
	subject_row: str


@dataclass(frozen=True)
class Round:
	"""What one worker sends at once; `batch` is its number at the platform. `contested`: another worker was faster, look again."""

	claim: str = ""
	batch: int = 0
	claimed: tuple[Claimed, ...] = ()
	contested: bool = False


def claim(platform: str, now: int, limit: int, *, numbered: bool) -> Round:
	"""Claim up to `limit` orders of different subjects. The caller commits before it sends.

	:param numbered: give the round a batch number, which its claim is then known by
	"""
	waiting = _waiting(platform, now, limit)
	if waiting and numbered:
		_last_batch(platform)  # locked before the subjects: whoever waits for it holds none of them
	subjects = lock_subjects(waiting, skip=True)
	found = _open_orders(subjects)
	taken = [(subject, row) for name, subject in subjects.items() if (row := _next(found.get(name, []), now))]
	if not taken:
		return Round(contested=bool(waiting))
	batch = _next_batch(platform) if numbered else 0
	token = batch_claim(batch) if numbered else uuid.uuid4().hex
	_write(taken, token, batch, now)
	return Round(token, batch, tuple(_claimed(subject, row) for subject, row in taken))


def batch_claim(batch: int) -> str:
	"""How the orders of a numbered batch are claimed until it is acknowledged."""
	return f"batch-{batch}"


def claimed_in(platform: str, batch: int) -> tuple[Claimed, ...]:
	"""The orders of a batch that still wait for its acknowledgement."""
	rows = frappe.get_all(
		ORDER,
		{"platform": platform, "batch": batch, "state": orders.SENT, "claim": batch_claim(batch)},
		["*"],
		limit=0,
	)
	return tuple(Claimed(order_of(row), message_of(row), row.subject_row) for row in rows)


def lock_subjects(names: list[str], *, skip: bool) -> dict[str, dict]:
	"""Lock these subjects' rows; those held by another transaction are waited for, or left out with `skip`."""
	if not names:
		return {}
	table = frappe.qb.DocType(SUBJECT)
	query = frappe.qb.from_(table).select(table.name, table.known).where(table.name.isin(sorted(names)))
	return {row.name: row for row in query.orderby(table.name).for_update(skip_locked=skip).run(as_dict=True)}


def order_of(row) -> orders.Order:
	"""The order as the decision needs it."""
	return orders.Order(row.name, row.sequence, row.state, row.attempts, bool(row.in_doubt), row.due)


def message_of(row) -> Message:
	"""The order as the platform reads it."""
	codes = tuple(json.loads(row.entitlements or "[]"))
	return Message(row.name, row.kind, row.subject, row.sequence, row.action, codes)


def _waiting(platform: str, now: int, limit: int) -> list[str]:
	"""Subjects with a due order that none before it blocks, the longest due first; first those whose worker died."""
	found: list[str] = []
	for state in (orders.SENT, orders.PENDING):
		if len(found) < limit:
			found += _due_in(platform, state, now, limit - len(found))
	return found


def _due_in(platform: str, state: str, now: int, limit: int) -> list[str]:
	"""One state at a time and in the order of its index: half a million waiting orders are not sorted for each round."""
	table, earlier = frappe.qb.DocType(ORDER), frappe.qb.DocType(ORDER).as_("earlier")
	blocked = (
		frappe.qb.from_(earlier)
		.select(earlier.name)
		.where((earlier.subject_row == table.subject_row) & (earlier.sequence < table.sequence))
		.where(earlier.state.isin(orders.OPEN))
	)
	query = frappe.qb.from_(table).select(table.subject_row).where(table.platform == platform)
	query = query.where((table.state == state) & (table.due <= now)).where(ExistsCriterion(blocked).negate())
	return query.orderby(table.due).limit(limit).run(pluck=True)


def _open_orders(subjects: dict) -> dict[str, list]:
	table = frappe.qb.DocType(ORDER)
	query = frappe.qb.from_(table).select(table.star).where(table.subject_row.isin(list(subjects) or [""]))
	found: dict[str, list] = {}
	for row in query.where(table.state.isin(orders.OPEN)).for_update().run(as_dict=True):
		found.setdefault(row.subject_row, []).append(row)
	return found


def _next(rows: list, now: int):
	found = orders.next_up([order_of(row) for row in rows], now)
	return next((row for row in rows if found and row.name == found.key), None)


def _last_batch(platform: str) -> int:
	table = frappe.qb.DocType(DOCTYPE)
	query = frappe.qb.from_(table).select(table.last_batch).where(table.name == platform)
	return query.for_update().run()[0][0] or 0


def _next_batch(platform: str) -> int:
	batch = _last_batch(platform) + 1
	frappe.db.set_value(DOCTYPE, platform, "last_batch", batch, update_modified=False)
	return batch


def _write(taken: list, token: str, batch: int, now: int) -> None:
	for subject, row in taken:
		# What it is called is settled when it is first sent: its key stands for these bytes.
		if (
			not row.sent_at
			and row.action != orders.REVOKE
			and row.action != orders.action(True, bool(subject.known))
		):
			row.action = orders.action(True, bool(subject.known))
			frappe.db.set_value(ORDER, row.name, "action", row.action)
	table = frappe.qb.DocType(ORDER)
	(
		frappe.qb.update(table)
		.set(table.state, orders.SENT)
		.set(table.attempts, table.attempts + 1)
		.set(table.in_doubt, 1)
		.set(table.due, now + CLAIM_SECONDS)
		.set(table.claim, token)
		.set(table.batch, batch)
		.set(table.sent_at, now_datetime())
		.where(table.name.isin([row.name for _subject, row in taken]))
		.run()
	)


def _claimed(subject, row) -> Claimed:
	before = order_of(row)
	tried = orders.Order(
		before.key, before.sequence, before.state, before.attempts + 1, _doubtful(row), before.due
	)
	return Claimed(tried, message_of(row), subject.name)


def _doubtful(row) -> bool:
	"""Whether it may have arrived before this try: a worker that died says nothing."""
	return bool(row.in_doubt) or row.state == orders.SENT
