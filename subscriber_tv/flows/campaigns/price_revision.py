"""TV Price Revision as a campaign: its rule for the core, and what earlier revisions left behind."""

import json
from collections import defaultdict
from collections.abc import Iterable

import frappe
from frappe.utils import getdate

from subscriber_tv.core.campaigns.plan import Plan, Timing
from subscriber_tv.core.campaigns.price_revision import Base, Formula, Origin, Revision, plan_revision
from subscriber_tv.core.money import money
from subscriber_tv.core.pricing.read import read_model
from subscriber_tv.core.pricing.scale import PriceRounding
from subscriber_tv.flows.campaigns.load import Candidate, Decision, load
from subscriber_tv.flows.campaigns.select import versions_of

DOCTYPE = "TV Price Revision"
TARGET = "TV Campaign Target"


def prepare(doc, subscriptions: Iterable[str]) -> tuple[list[Candidate], Decision]:
	"""These contracts, and what decides for each of them."""
	revision = rule_of(doc)
	candidates = load(subscriptions)
	origins = _origins([candidate.subscription for candidate in candidates])

	def decide(candidate: Candidate) -> Plan:
		facts = candidate.facts
		return plan_revision(
			facts.contract, facts.offers, facts.terms, revision, origins[candidate.subscription]
		)

	return candidates, decide


def rule_of(doc) -> Revision:
	"""The rule of the form, for the core."""
	return Revision(
		formula=_formula(doc),
		timing=timing_of(doc),
		versions=frozenset(versions_of(doc) or ()),
		negotiated=bool(doc.include_negotiated),
		usage=bool(doc.revise_usage),
	)


def timing_of(doc) -> Timing:
	"""When each contract follows, for either kind of campaign."""
	return Timing(
		doc.effective_rule, getdate(doc.effective_date), getdate(doc.last_date) if doc.last_date else None
	)


def _formula(doc) -> Formula:
	by_index = doc.revision_rule == "Index"
	return Formula(
		percent=None if by_index else money(doc.percent),
		index_name=(doc.index_name or "").strip().upper() if by_index else "",
		base_index=money(doc.base_index) if by_index else None,
		new_index=money(doc.new_index) if by_index else None,
		cap=money(doc.cap_percent) if doc.has_cap else None,
		floor=money(doc.floor_percent) if doc.has_floor else None,
		rounding=PriceRounding(money(doc.rounding_step), doc.rounding_direction),
	)


def _origins(subscriptions: list[str]) -> dict[str, dict[int, Origin]]:
	"""The changes that revisions made, by contract and number, each with the bases it kept."""
	found: dict[str, dict[int, Origin]] = defaultdict(dict)
	changes = frappe.get_all(
		"TV Subscription Change",
		{"subscription": ("in", subscriptions or [""]), "source_doctype": DOCTYPE, "event": "change_lines"},
		["name", "subscription", "change_no"],
		limit=0,
	)
	details = dict(
		frappe.get_all(
			TARGET,
			{"change": ("in", [change.name for change in changes] or [""])},
			["change", "details"],
			as_list=True,
			limit=0,
		)
	)
	for change in changes:
		rows = json.loads(details.get(change.name) or "[]")
		bases = {
			(row["line"], row["charge"]): Base(
				row["index"], read_model(row["base_price"]), money(row["base_index"])
			)
			for row in rows
			if "base_price" in row
		}
		found[change.subscription][change.change_no] = Origin(True, bases)
	return found
