"""Contracts that more than one customer pays for, one after the other: read off the recorded changes of payer.

Changes that were taken back count too: what was billed meanwhile is still to be credited.
"""

from collections import defaultdict
from collections.abc import Collection

import frappe
from pypika.queries import QueryBuilder


def payers_of_shared(company: str) -> set[str]:
	"""Everybody who paid, pays or is going to pay for a contract whose payer was ever changed."""
	query, change = _changes(company)
	rows = query.select(change.payer, change.former_payer).run()
	return {payer for row in rows for payer in row if payer}


def shared_with(company: str, payers: Collection[str]) -> dict[str, set[str]]:
	"""Subscriptions whose payer was changed from or to one of `payers`, by that one."""
	query, change = _changes(company)
	names = sorted(payers) or [""]
	query = query.where(change.payer.isin(names) | change.former_payer.isin(names))
	found: dict[str, set[str]] = defaultdict(set)
	for name, *pair in query.select(change.subscription, change.payer, change.former_payer).run():
		for payer in pair:
			found[payer].add(name)
	return {payer: found[payer] for payer in payers if payer in found}


def _changes(company: str) -> tuple[QueryBuilder, object]:
	change, subscription = (
		frappe.qb.DocType("TV Subscription Change"),
		frappe.qb.DocType("TV Subscription"),
	)
	query = (
		frappe.qb.from_(change)
		.join(subscription)
		.on(change.subscription == subscription.name)
		.where((subscription.company == company) & subscription.activated_on.notnull())
		.where((change.former_payer != "") & (change.docstatus == 1))
	)
	return query, change
