"""The only maker of provisioning orders: compares what a platform shall hold with what it was last told, and orders the difference.

Its caller holds the sequence of the projection (`publish.lock_sequence`), so facts and orders are of one moment and nobody
else makes orders meanwhile. Subjects are locked before their orders, here as everywhere.
"""

import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import frappe
from frappe.utils import now_datetime
from pypika.terms import Values

from subscriber_tv.core.provisioning import orders
from subscriber_tv.core.provisioning.desired import DEVICE, NOTHING, Desired
from subscriber_tv.flows.provisioning.platforms import Served
from subscriber_tv.flows.provisioning.tell_owner import close_assignments

ORDER = "TV Provisioning Order"
SUBJECT = "TV Provisioning Subject"
RIGHTS, CHECK, COMPARISON = "Rights", "Check", "Comparison"

STANDARD = ("name", "creation", "modified", "owner", "modified_by")


@dataclass(frozen=True)
class Wish:
	"""What a platform shall hold about a subject.

	`changes_at`: epoch second at which that changes by itself, 0 never. `sequence`: the platform's own count, to go on from when it
	is ahead. `again`: order it although it was ordered before.
	"""

	kind: str
	subject: str
	desired: Desired
	subscription: str = ""
	changes_at: int = 0
	sequence: int = 0
	again: bool = False


def subject_name(platform: str, kind: str, subject: str) -> str:
	"""Name of the row that keeps a subject of a platform."""
	return f"{platform}/{kind}/{subject}"


def order(platform: Served, wishes: Iterable[Wish], now: int, cause: str) -> int:
	"""Order what differs from the last order, in the caller's transaction; how many orders that made.

	A newer order replaces those of its subject that surely have not arrived.
	"""
	found = {
		subject_name(platform.name, wish.kind, wish.subject): wish
		for wish in wishes
		if wish.kind in platform.kinds
	}
	if not found:
		return 0
	before = _locked(found)
	companies = _companies({wish.subscription for wish in found.values()})
	rows = {name: _row(platform, wish, before.get(name), companies) for name, wish in found.items()}
	rows = {name: row for name, row in sorted(rows.items()) if row}
	new = [name for name, row in rows.items() if row.pop("new")]
	_save_subjects(rows)
	if new:
		_replace(new)
		_insert([rows[name] | {"subject_row": name} for name in new], now, cause)
	return len(new)


def _locked(names: Iterable[str]) -> dict[str, dict]:
	table = frappe.qb.DocType(SUBJECT)
	query = frappe.qb.from_(table).select(table.star).where(table.name.isin(sorted(names)))
	return {row.name: row for row in query.orderby(table.name).for_update().run(as_dict=True)}


def _companies(subscriptions: set[str]) -> dict[str, str]:
	names = sorted(subscriptions - {""})
	if not names:
		return {}
	rows = frappe.get_all("TV Subscription", {"name": ("in", names)}, ["name", "company"], limit=0)
	return {row.name: row.company for row in rows}


def _row(platform: Served, wish: Wish, before, companies: dict[str, str]) -> dict | None:
	"""The subject's row as it shall stand, with `new` when that takes an order; None when nothing changes."""
	company = companies.get(wish.subscription) or (before and before.company) or ""
	served = not platform.company or platform.company == company
	desired = wish.desired if served else NOTHING
	if before is None and not (desired.held or wish.again):
		return None
	was = told(before) if before else None
	new = wish.again or desired != was
	if not new and before.changes_at == wish.changes_at:
		return None
	ordered = max(before.sequence if before else 0, wish.sequence)
	return {
		"platform": platform.name,
		"kind": wish.kind,
		"subject": wish.subject,
		"sequence": ordered + 1 if new else before.sequence,
		"held": int(desired.held),
		"entitlements": json.dumps(desired.codes),
		"known": before.known if before else 0,
		"changes_at": wish.changes_at,
		"device": wish.subject if wish.kind == DEVICE else None,
		"subscription": wish.subscription or (before and before.subscription) or None,
		"company": company or None,
		"new": new,
	}


def told(row) -> Desired:
	"""What a subject's row says the platform was last told to hold."""
	return Desired(bool(row.held), tuple(json.loads(row.entitlements or "[]")))


def _save_subjects(rows: dict[str, dict]) -> None:
	if not rows:
		return
	table = frappe.qb.DocType(SUBJECT)
	fields = tuple(next(iter(rows.values())))
	query = frappe.qb.into(table).columns(*STANDARD, *fields)
	for name, row in rows.items():
		query = query.insert(*_standard(name), *row.values())
	for field in ("modified", "sequence", "held", "entitlements", "changes_at", "subscription", "company"):
		query = query.on_duplicate_key_update(table[field], Values(table[field]))
	query.run()


def _replace(names: Sequence[str]) -> None:
	"""Let go of the orders that the new ones stand for."""
	table = frappe.qb.DocType(ORDER)
	# A locking read: a worker may have sent one since this transaction began to read.
	rows = (
		frappe.qb.from_(table)
		.select(table.name, table.sequence, table.state, table.in_doubt, table.responsible)
		.where(table.subject_row.isin(names) & table.state.isin((orders.PENDING, orders.FAILED)))
		.for_update()
		.run(as_dict=True)
	)
	known = (orders.Order(row.name, row.sequence, row.state, in_doubt=bool(row.in_doubt)) for row in rows)
	keys = orders.replaced(known)
	if keys:
		values = {"state": orders.SUPERSEDED, "settled_at": now_datetime()}
		frappe.db.set_value(ORDER, {"name": ("in", keys)}, values)
		close_assignments(ORDER, [row.name for row in rows if row.responsible and row.name in keys])


def _insert(rows: list[dict], now: int, cause: str) -> None:
	fields = ("platform", "kind", "subject", "sequence", "entitlements", "device", "subscription", "company")
	own = ("subject_row", "action", "cause", "state", "due", "next_try")
	frappe.db.bulk_insert(
		ORDER,
		(*STANDARD, *fields, *own),
		[
			(
				*_standard(uuid.uuid4().hex),
				*(row[field] for field in fields),
				row["subject_row"],
				orders.action(bool(row["held"]), bool(row["known"])),
				cause,
				orders.PENDING,
				now,
				now_datetime(),
			)
			for row in rows
		],
	)


def _standard(name: str) -> tuple:
	now, user = now_datetime(), frappe.session.user
	return (name, now, now, user, user)
