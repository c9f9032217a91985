"""Loads the recorded changes of subscriptions and folds them into contracts."""

from collections import defaultdict
from collections.abc import Iterable

import frappe
from frappe.utils import getdate

from subscriber_tv.core.contracts.states import CREATE
from subscriber_tv.core.contracts.timeline import Agreed, Change, Contract, fold
from subscriber_tv.core.money import money
from subscriber_tv.flows.contracts import commitments
from subscriber_tv.flows.contracts.change_rows import LINE, Rows, load_rows

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


def load_for_rights(subscriptions: Iterable[str]) -> dict[str, Contract]:
	"""Contracts as far as rights follow from them: states and lines, without prices, discounts, payers and terms."""
	names = list(dict.fromkeys(subscriptions))
	contracts: dict[str, Contract] = {}
	for start in range(0, len(names), CHUNK):
		contracts.update(_load_rights_chunk(names[start : start + CHUNK]))
	return contracts


def load_locked(subscription: str, change_count: int, facts: dict) -> Contract:
	"""The same contract, read past this transaction's snapshot.

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
	return _fold(subscription, rows, load_rows(rows, locked=True), facts)


def change_name(subscription: str, no: int) -> str:
	"""Name of the change with that number, as the DocType names it."""
	return f"{subscription}-C{no}"


#: What of a TV Subscription was agreed at its opening.
AGREED = ("anchor_day", "billed_through", "trial_days", "calendar_aligned", "minimum", *commitments.FIELDS)

_COLUMNS = (
	"name",
	"subscription",
	"change_no",
	"event",
	"from_state",
	"to_state",
	"effective_date",
	"end_date",
	"billing_stops",
	"exit_free",
	"anchor_day",
	"withdraws",
	"payer",
	"former_payer",
)

_RIGHTS_COLUMNS = (
	"name",
	"subscription",
	"change_no",
	"event",
	"from_state",
	"to_state",
	"effective_date",
	"end_date",
	"withdraws",
)


def agreed_of(facts: dict) -> Agreed:
	"""The terms of the opening, from the fields of a TV Subscription named in AGREED."""
	return Agreed(
		anchor_day=facts.get("anchor_day") or None,
		billed_through=getdate(facts.get("billed_through")) if facts.get("billed_through") else None,
		trial_days=facts.get("trial_days") or 0,
		calendar_aligned=bool(facts.get("calendar_aligned")),
		minimum=money(facts.get("minimum")) if facts.get("minimum") else None,
		commitment=commitments.commitment_of(facts),
	)


def _load_chunk(names: list[str]) -> dict[str, Contract]:
	facts = frappe.get_all("TV Subscription", {"name": ("in", names)}, ["name", "payer", *AGREED], limit=0)
	changes = frappe.get_all(
		"TV Subscription Change", {"subscription": ("in", names), "docstatus": 1}, list(_COLUMNS), limit=0
	)
	by_subscription = defaultdict(list)
	for change in changes:
		by_subscription[change.subscription].append(change)
	rows = load_rows(changes)
	return {
		fact.name: _fold(fact.name, by_subscription[fact.name], rows, fact)
		for fact in facts
		if by_subscription[fact.name]
	}


def _load_rights_chunk(names: list[str]) -> dict[str, Contract]:
	change = frappe.qb.DocType("TV Subscription Change")
	query = frappe.qb.from_(change).select(*_RIGHTS_COLUMNS)
	found = query.where(change.subscription.isin(names) & (change.docstatus == 1)).run(as_dict=True)
	rows = load_rows(found, of=(LINE,))
	changes = defaultdict(list)
	for row in found:
		changes[row.subscription].append(
			Change(
				no=row.change_no,
				event=row.event,
				from_state=row.from_state or None,
				to_state=row.to_state,
				effective=row.effective_date,
				end=row.end_date,
				lines=rows.lines_of(row),
				steps=rows.steps_of(row),
				withdraws=row.withdraws or None,
			)
		)
	return {name: fold(folded, subscription=name) for name, folded in changes.items()}


def _fold(subscription: str, changes: list[dict], rows: Rows, facts: dict) -> Contract:
	folded = [
		Change(
			no=row.change_no,
			event=row.event,
			from_state=row.from_state or None,
			to_state=row.to_state,
			effective=row.effective_date,
			end=row.end_date,
			lines=rows.lines_of(row),
			steps=rows.steps_of(row),
			billed=not row.billing_stops,
			free=bool(row.exit_free),
			anchor_day=row.anchor_day or None,
			discounts=rows.discounts_of(row),
			withdraws=row.withdraws or None,
			payer=_opening_payer(changes, facts) if row.event == CREATE else row.payer or None,
		)
		for row in changes
	]
	return fold(folded, subscription=subscription, agreed=agreed_of(facts))


def _opening_payer(changes: list[dict], facts: dict) -> str:
	"""Who paid first: named by the first change of payer, else he pays still."""
	later = [row for row in changes if row.former_payer]
	return min(later, key=lambda row: row.change_no).former_payer if later else facts.get("payer")
