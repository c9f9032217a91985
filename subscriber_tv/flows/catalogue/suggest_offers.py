"""Proposes the next offer for a subscription, with what it would change a month; nothing is written."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import frappe
from frappe import _
from frappe.utils import add_months, cint, date_diff, flt, getdate

from subscriber_tv.core.catalogue.next_offer import Profile, Rule, Verdict, judge
from subscriber_tv.core.contracts.lines import Line
from subscriber_tv.core.contracts.states import ACTIVE
from subscriber_tv.core.money import money
from subscriber_tv.flows.catalogue.facts import segment_path
from subscriber_tv.flows.contracts import timeline
from subscriber_tv.flows.contracts.today import site_today

USAGE_MONTHS = 3
OPEN_DISPUTES = ("Open", "Under Review")


def suggest_offers(subscription: str) -> list[dict[str, Any]]:
	"""Every enabled rule, the fitting ones first: {rule, pitch, offer_version, offer_name, steps, reasons}.

	`steps` are those of a change of lines that would record the proposal, `reasons` sentences of why a rule does not
	fit. The next bills of a proposal are played by the simulator.
	"""
	held = frappe.db.get_value(
		"TV Subscription",
		subscription,
		["site", "customer", "state", "activated_on", "company", "currency"],
		as_dict=True,
	)
	today = site_today(held.site)
	lines = timeline.load(subscription).lines_on(today)
	rules = _rules()
	offers = {line.line_id: _offer_of(line.offer_version) for line in lines}
	profile = _profile(subscription, held, lines, set(offers.values()), today)
	verdicts = judge(profile, [rule for rule, _row in rules.values()])
	return [_shown(verdict, rules[verdict.rule.name][1], lines, offers, held) for verdict in verdicts]


def _offer_of(version: str) -> str:
	return frappe.get_cached_value("TV Offer Version", version, "offer")


def _rules() -> dict[str, tuple[Rule, dict]]:
	rules = {}
	for row in frappe.get_all("TV Next Offer Rule", {"disabled": 0}, ["*"], order_by="name"):
		rule = Rule(
			name=row.name,
			proposes=row.proposes,
			replaces=row.replaces or "",
			segments=(row.segment,) if row.segment else (),
			least_months=cint(row.least_months),
			least_outlets=cint(row.least_outlets),
			least_usage=money(row.least_usage),
			priority=cint(row.priority),
		)
		rules[row.name] = (rule, row)
	return rules


def _profile(subscription: str, held: dict, lines: list[Line], offers: set[str], today: date) -> Profile:
	served = date_diff(today, held.activated_on) if held.activated_on else 0
	disputed = frappe.db.exists("TV Dispute", {"customer": held.customer, "state": ("in", OPEN_DISPUTES)})
	return Profile(
		segments=segment_path(held.site, held.customer),
		offers=offers,
		months_served=int(served / 30.4375),
		outlets=sum(line.quantity for line in lines if not line.option_of),
		usage=_usage_a_month(subscription, today),
		troubled=held.state != ACTIVE or bool(disputed),
	)


def _usage_a_month(subscription: str, today: date) -> Decimal:
	"""What was billed for usage in the last months, net, a month."""
	rows = frappe.get_all(
		"Sales Invoice Item",
		{
			"tv_subscription": subscription,
			"tv_kind": "usage",
			"docstatus": 1,
			"tv_from": (">=", getdate(add_months(today, -USAGE_MONTHS))),
		},
		pluck="net_amount",
		limit=0,
	)
	return money(sum(flt(amount) for amount in rows) / USAGE_MONTHS)


def _shown(
	verdict: Verdict, row: dict, lines: list[Line], offers: Mapping[str, str], held: dict
) -> dict[str, Any]:
	offer = frappe.db.get_value("TV Offer", row.proposes, ["offer_name", "current_version"], as_dict=True)
	return {
		"rule": row.name,
		"pitch": row.pitch or "",
		"offer": row.proposes,
		"offer_name": offer.offer_name,
		"offer_version": offer.current_version,
		"steps": _steps(row, offer.current_version, lines, offers) if verdict.fits else [],
		"reasons": [_sentences()[code] for code in verdict.reasons],
	}


def _steps(row: dict, version: str, lines: list[Line], offers: Mapping[str, str]) -> list[dict]:
	"""Every line of the old offer takes the new one; without an old one it is an option of the first line."""
	if row.replaces:
		return [
			{"line_id": line.line_id, "offer_version": version}
			for line in lines
			if offers[line.line_id] == row.replaces
		]
	main = next((line for line in lines if not line.option_of), None)
	return [{"offer_version": version, "quantity": main.quantity, "option_of": main.line_id}] if main else []


def _sentences() -> dict[str, str]:
	return {
		"troubled": _("The contract is not active, or something is disputed."),
		"other_segment": _("It is meant for another segment."),
		"has_it": _("The subscriber has it already."),
		"lacks_offer": _("The subscriber does not have the offer it replaces."),
		"too_early": _("The contract has not run long enough."),
		"too_small": _("There are too few outlets."),
		"too_little_usage": _("Too little usage was billed."),
	}
