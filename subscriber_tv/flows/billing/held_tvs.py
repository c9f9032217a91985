"""Loads which TVs of the operator are with the subscriber: they keep their deposits until they come back."""

from collections import defaultdict
from collections.abc import Iterable

import frappe
from frappe.utils import getdate

from subscriber_tv.core.billing.deposits import Held
from subscriber_tv.core.billing.periods import Span
from subscriber_tv.core.billing.price import DEPOSIT, FAR, Offers
from subscriber_tv.core.contracts.timeline import Contract
from subscriber_tv.core.devices.stays import Event, stays


def held_tvs(contracts: Iterable[Contract], offers: Offers) -> dict[str, tuple[Held, ...]]:
	"""The TVs by subscription, of those that bear a deposit; nothing is read for the others.

	The day a TV comes or goes is the day its movement was recorded.
	"""
	names = {contract.subscription for contract in contracts if _has_deposit(contract, offers)}
	found: dict[str, list[Held]] = defaultdict(list)
	for events in _histories(names).values():
		for stay in stays(events):
			if stay.subscription in names:
				found[stay.subscription].append(Held(stay.line_id, Span(stay.start, stay.end or FAR)))
	return {name: tuple(held) for name, held in found.items()}


def _has_deposit(contract: Contract, offers: Offers) -> bool:
	return any(
		charge.kind == DEPOSIT for line in contract.lines for charge in offers.get(line.offer_version, ())
	)


def _histories(names: Iterable[str]) -> dict[str, list[Event]]:
	"""The whole history of every TV that was ever at one of these subscriptions, by TV."""
	names = sorted(names)
	if not names:
		return {}
	there = {"parenttype": "TV Device", "subscription": ("in", names)}
	devices = frappe.get_all("TV Device Event Line", there, pluck="parent", distinct=True, limit=0)
	rows = frappe.get_all(
		"TV Device Event Line",
		{"parenttype": "TV Device", "parent": ("in", devices or [""])},
		["parent", "at", "event", "state", "subscription", "note", "voucher_no"],
		order_by="parent, idx",
		limit=0,
	)
	found: dict[str, list[Event]] = defaultdict(list)
	for row in rows:
		found[row.parent].append(
			Event(
				day=getdate(row.at),
				event=row.event or "",
				state=row.state or "",
				subscription=row.subscription or "",
				note=row.note or "",
				moved=bool(row.voucher_no),
			)
		)
	return found
