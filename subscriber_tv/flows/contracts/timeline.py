"""Loads the recorded changes of subscriptions and folds them into contracts."""

from collections import defaultdict
from collections.abc import Iterable

import frappe

from subscriber_tv.core.contracts.timeline import Change, Contract, Line, fold

#: Names in one `in (…)`; keeps a query of ten thousand contracts below the packet limit.
CHUNK = 500


def load(subscription: str) -> Contract:
	"""The contract as its submitted changes make it. DoesNotExistError for an unknown subscription."""
	contracts = load_many([subscription])
	if subscription not in contracts:
		raise frappe.DoesNotExistError(subscription)
	return contracts[subscription]


def load_many(subscriptions: Iterable[str]) -> dict[str, Contract]:
	"""Contracts by subscription, a few queries for each 500; names without changes are left out."""
	names = list(dict.fromkeys(subscriptions))
	contracts: dict[str, Contract] = {}
	for start in range(0, len(names), CHUNK):
		contracts.update(_load_chunk(names[start : start + CHUNK]))
	return contracts


def load_locked(subscription: str, change_count: int, facts: dict) -> Contract:
	"""The same contract without its lines, read past this transaction's snapshot.

	For a caller who holds the lock of the subscription: another user may have committed changes after our
	transaction took its snapshot, and only locking reads see them. The rows are named one by one, so that no
	gap between subscriptions gets locked.
	"""
	change = frappe.qb.DocType("TV Subscription Change")
	names = [change_name(subscription, no) for no in range(1, change_count + 1)]
	rows = (
		frappe.qb.from_(change)
		.select(*_COLUMNS)
		.where(change.name.isin(names) & (change.docstatus == 1))
		.for_update()
		.run(as_dict=True)
	)
	return _fold(subscription, rows, {}, facts)


def change_name(subscription: str, no: int) -> str:
	"""Name of the change with that number, as the DocType names it."""
	return f"{subscription}-C{no}"


_COLUMNS = (
	"name",
	"subscription",
	"change_no",
	"event",
	"from_state",
	"to_state",
	"effective_date",
	"end_date",
)


def _load_chunk(names: list[str]) -> dict[str, Contract]:
	facts = frappe.get_all(
		"TV Subscription", {"name": ("in", names)}, ["name", "anchor_day", "billed_through"], limit=0
	)
	changes = frappe.get_all(
		"TV Subscription Change", {"subscription": ("in", names), "docstatus": 1}, list(_COLUMNS), limit=0
	)
	by_subscription = defaultdict(list)
	for change in changes:
		by_subscription[change.subscription].append(change)
	lines = _load_lines([change.name for change in changes])
	return {
		fact.name: _fold(fact.name, by_subscription[fact.name], lines, fact)
		for fact in facts
		if by_subscription[fact.name]
	}


def _load_lines(changes: list[str]) -> dict[str, tuple[Line, ...]]:
	found = defaultdict(list)
	for start in range(0, len(changes), CHUNK):
		rows = frappe.get_all(
			"TV Subscription Change Line",
			{"parent": ("in", changes[start : start + CHUNK]), "parenttype": "TV Subscription Change"},
			["parent", "line_id", "offer_version", "quantity"],
			order_by="parent, idx",
			limit=0,
		)
		for row in rows:
			found[row.parent].append(Line(row.line_id, row.offer_version, row.quantity))
	return {parent: tuple(lines) for parent, lines in found.items()}


def _fold(subscription: str, rows: list[dict], lines: dict[str, tuple[Line, ...]], facts: dict) -> Contract:
	changes = [
		Change(
			no=row.change_no,
			event=row.event,
			from_state=row.from_state or None,
			to_state=row.to_state,
			effective=row.effective_date,
			end=row.end_date,
			lines=lines.get(row.name, ()),
		)
		for row in rows
	]
	return fold(
		changes,
		subscription=subscription,
		anchor_day=facts.get("anchor_day") or None,
		billed_through=facts.get("billed_through"),
	)
