"""Loads what the other payers of a group add to tiers that count over the whole group.

A group are the customers with one parent at the top: *Parent Customer* of the Customer. A bill holds the lock of its own
payer and of nobody else, so what the others have is read as it was last committed: a change there, on the day of the
bill or before, is put right by the next run of this payer, from the day it took effect.
"""

from collections.abc import Iterable
from itertools import chain

import frappe

from subscriber_tv.core.billing.base import Counted, counted_in, reach_of
from subscriber_tv.core.billing.price import Offers
from subscriber_tv.core.contracts.hierarchy import group_of
from subscriber_tv.core.contracts.timeline import Contract
from subscriber_tv.core.pricing.offered import GROUP
from subscriber_tv.flows.billing.offers import offers_of
from subscriber_tv.flows.billing.shared_contracts import shared_with
from subscriber_tv.flows.contracts.timeline import load_many


def base_of_group(
	payer: str, company: str, contracts: Iterable[Contract], offers: Offers
) -> tuple[Counted, ...]:
	"""The dated quantities on contracts with `company` on the days that the other payers of the group pay for.

	Nothing is read unless a charge of these contracts counts over the group.
	"""
	if not any(GROUP in reach_of(contract, offers) for contract in contracts):
		return ()
	others = group_of(payer, _parents()) - {payer}
	names = frappe.get_all(
		"TV Subscription",
		{"company": company, "payer": ("in", sorted(others) or [""]), "activated_on": ("is", "set")},
		pluck="name",
		limit=0,
	)
	found = load_many(sorted({*names, *chain.from_iterable(shared_with(company, others).values())}))
	theirs = offers_of({line.offer_version for contract in found.values() for line in contract.lines})
	return tuple(one for contract in found.values() for one in counted_in(contract, theirs, GROUP, others))


def _parents() -> dict[str, str]:
	rows = frappe.get_all("Customer", {"tv_parent": ("is", "set")}, ["name", "tv_parent"], limit=0)
	return {row.name: row.tv_parent for row in rows}
