"""Loads what a batch of usage records is judged by: a few queries for a thousand records."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import frappe
from frappe.utils import get_system_timezone

from subscriber_tv.core.billing.price import USAGE, Offers
from subscriber_tv.core.usage.bindings import Event, bindings
from subscriber_tv.core.usage.judge import Binding, Facts
from subscriber_tv.core.usage.record import Record
from subscriber_tv.flows.billing.offers import offers_of
from subscriber_tv.flows.contracts.timeline import load_many
from subscriber_tv.flows.permitted import permitted
from subscriber_tv.flows.settings import max_months


def load_facts(records: Iterable[Record]) -> Facts:
	"""The facts for these records, as they stand now.

	Contracts that user permissions keep from whoever sends, loads or judges the records are to him as if they were not.
	"""
	records = list(records)
	names = _names({record.subscription for record in records} - {""})
	bound = _bindings({record.serial for record in records} - {""})
	subscriptions = permitted(
		"TV Subscription",
		{*names.values(), *(one.subscription for found in bound.values() for one in found)},
	)
	names = {given: name for given, name in names.items() if name in subscriptions}
	contracts = load_many(subscriptions)
	zones, companies = _places(subscriptions)
	offers = offers_of({line.offer_version for contract in contracts.values() for line in contract.lines})
	return Facts(
		contracts=contracts,
		names=names,
		bindings=bound,
		charges=_usage_charges(offers),
		offers=offers,
		max_months=max_months(),
		zones=zones,
		now=datetime.now(timezone.utc),
		companies=companies,
	)


def system_zone() -> ZoneInfo:
	"""The time zone in which the site's tables hold times."""
	return ZoneInfo(get_system_timezone())


def _usage_charges(offers: Offers) -> dict[str, frozenset[str]]:
	"""Codes of the usage charges by offer version."""
	return {
		version: frozenset(charge.code for charge in charges if charge.kind == USAGE)
		for version, charges in offers.items()
	}


def _names(given: set[str]) -> dict[str, str]:
	"""Subscriptions by what the source calls them: their external reference, else their name."""
	if not given:
		return {}
	wanted = sorted(given)
	named = frappe.get_all("TV Subscription", {"name": ("in", wanted)}, pluck="name", limit=0)
	referred = frappe.get_all(
		"TV Subscription",
		{"external_reference": ("in", wanted)},
		["name", "external_reference"],
		limit=0,
	)
	return {name: name for name in named} | {row.external_reference: row.name for row in referred}


def _bindings(serials: set[str]) -> dict[str, tuple[Binding, ...]]:
	if not serials:
		return {}
	known = frappe.get_all("TV Device", {"name": ("in", sorted(serials))}, pluck="name", limit=0)
	rows = frappe.get_all(
		"TV Device Event Line",
		{"parenttype": "TV Device", "parent": ("in", known or [""])},
		["parent", "at", "event", "state", "subscription", "note", "voucher_no"],
		order_by="parent, idx",
		limit=0,
	)
	zone = system_zone()
	events = defaultdict(list)
	for row in rows:
		event = Event(
			at=row.at.replace(tzinfo=zone),
			event=row.event,
			state=row.state or "",
			subscription=row.subscription or "",
			note=row.note or "",
			moved=bool(row.voucher_no),
		)
		events[row.parent].append(event)
	return {serial: bindings(events[serial]) for serial in known}


def _places(subscriptions: set[str]) -> tuple[dict[str, str], dict[str, str]]:
	"""The time zone of each subscription's site, and its company."""
	contract, site = frappe.qb.DocType("TV Subscription"), frappe.qb.DocType("TV Site")
	default = frappe.get_cached_doc("TV Settings").default_time_zone or "Europe/Paris"
	rows = (
		frappe.qb.from_(contract)
		.join(site)
		.on(contract.site == site.name)
		.select(contract.name, site.time_zone, contract.company)
		.where(contract.name.isin(sorted(subscriptions) or [""]))
		.run()
	)
	zones = {name: zone or default for name, zone, _company in rows}
	return zones, {name: company for name, _zone, company in rows}
