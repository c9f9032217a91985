"""Figures of each offer version, from the state of the contracts that hold it and never from invoices."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import frappe
from frappe.utils import getdate, nowdate

from subscriber_tv.core.billing.agreement import terms_of
from subscriber_tv.core.billing.bill import ContractFacts
from subscriber_tv.core.billing.mrr import monthly_by_line
from subscriber_tv.core.money import ZERO
from subscriber_tv.flows.billing.facts import places_of
from subscriber_tv.flows.billing.offers import offers_of
from subscriber_tv.flows.contracts.timeline import load_many


@dataclass
class _Figures:
	sold: int = 0
	served: int = 0
	ended: int = 0
	outlets: int = 0
	monthly: Decimal = ZERO


def compare_versions(*, company: str | None = None, offer: str | None = None) -> list[dict]:
	"""One row for each submitted version: sold, served and ended contracts, outlets and revenue a month on this day.

	Sold counts contracts that ever were active with the version, ended those of them that are over or have another
	version by now. Revenue is net, in the currency of the version.
	"""
	filters = {
		"docstatus": 1,
		**({"company": company} if company else {}),
		**({"offer": offer} if offer else {}),
	}
	# A list for whoever asks: the permissions of a user on companies hold.
	versions = frappe.get_list(
		"TV Offer Version",
		filters,
		["name", "offer", "currency", "valid_from", "valid_upto"],
		order_by="offer, version_no",
		limit=0,
	)
	figures = _figures([version.name for version in versions])
	return [_row(version, figures[version.name]) for version in versions]


def _figures(versions: list[str]) -> dict[str, _Figures]:
	found: dict[str, _Figures] = defaultdict(_Figures)
	today = getdate(nowdate())
	names = _sold_with(versions)
	currencies = dict(
		frappe.get_all("TV Subscription", {"name": ("in", names or [""])}, ["name", "currency"], as_list=True)
	)
	contracts = load_many(names)
	offers = offers_of({line.offer_version for contract in contracts.values() for line in contract.lines})
	for name, contract in contracts.items():
		if not contract.activated_on:
			continue
		facts = ContractFacts(
			contract,
			offers,
			currency=currencies[name],
			places=places_of(currencies[name]),
			terms=terms_of(contract),
		)
		_count(found, facts, today)
	return found


def _sold_with(versions: list[str]) -> list[str]:
	"""Subscriptions that hold or held one of these versions."""
	changes = frappe.get_all(
		"TV Subscription Change Line",
		{"offer_version": ("in", versions or [""]), "parenttype": "TV Subscription Change"},
		pluck="parent",
		distinct=True,
		limit=0,
	)
	return sorted({change.rpartition("-C")[0] for change in changes})


def _count(found: dict[str, _Figures], facts: ContractFacts, today: date) -> None:
	contract = facts.contract
	served = contract.served_on(today)
	lines = contract.lines_on(today) if served else []
	held = {line.offer_version for line in lines}
	for version in {line.offer_version for line in contract.lines}:
		figures = found[version]
		figures.sold += 1
		figures.served += version in held
		figures.ended += version not in held
	monthly = monthly_by_line(facts, today) if served else {}
	for line in lines:
		found[line.offer_version].outlets += line.quantity
		found[line.offer_version].monthly += monthly.get(line.line_id, ZERO)


def _row(version: dict, figures: _Figures) -> dict:
	outlets = figures.outlets
	return {
		"version": version.name,
		"offer": version.offer,
		"currency": version.currency,
		"valid_from": version.valid_from,
		"valid_upto": version.valid_upto,
		"sold": figures.sold,
		"served": figures.served,
		"ended": figures.ended,
		"kept": round(100 * figures.served / figures.sold, 1) if figures.sold else None,
		"outlets": outlets,
		"monthly": float(figures.monthly),
		"per_outlet": float(figures.monthly / outlets) if outlets else None,
	}
