"""A base moves to another version: mapping, negotiated prices, the bills before and after."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from subscriber_tv.core.billing.agreement import terms_of
from subscriber_tv.core.billing.bill import ContractFacts
from subscriber_tv.core.billing.price import OfferCharge
from subscriber_tv.core.campaigns.effect import effect_of
from subscriber_tv.core.campaigns.migration import Move, plan_move
from subscriber_tv.core.campaigns.plan import FIXED, Timing
from subscriber_tv.core.contracts.lines import Line
from subscriber_tv.core.contracts.timeline import Change, Contract, extend, fold
from subscriber_tv.core.pricing.models import PerUnit

D = Decimal
DAY = date(2027, 1, 1)
OFFERS = {
	"OLD": (OfferCharge("BASE", "recurring", "TV", "Per Unit", D(10)),),
	"NEW": (
		OfferCharge("TV", "recurring", "TV", "Per Unit", D(9)),
		OfferCharge("VOD", "recurring", "VOD", "Per Unit", D(2)),
	),
}
MOVE = Move(Timing(FIXED, DAY), {"OLD": "NEW"}, {("OLD", "BASE"): "TV"})


def contract(*lines: Line) -> Contract:
	return fold(
		[
			Change(1, "create", None, "Draft", date(2026, 1, 1), lines=lines),
			Change(2, "activate", "Awaiting Activation", "Active", date(2026, 1, 1)),
		],
		subscription="TVS-1",
	)


def test_lines_move_and_the_bills_say_what_it_costs():
	facts = ContractFacts(contract(Line("L1", "OLD", 10)), OFFERS)
	plan = plan_move(facts.contract, OFFERS, terms_of(facts.contract), MOVE)
	assert [(step.line_id, step.offer_version, step.prices) for step in plan.steps] == [("L1", "NEW", ())]
	effect = effect_of(facts, plan, "Hotel", bills=True)
	assert (effect.monthly_before, effect.monthly_after) == (D(100), D(110))
	assert (effect.year_before, effect.year_after) == (D(1200), D(1320))


def test_a_negotiated_price_follows_its_charge_under_its_new_name_or_ends():
	one = contract(Line("L1", "OLD", 10, prices=(("BASE", PerUnit(D(7))),)), Line("L2", "NEW", 1))
	kept = plan_move(one, OFFERS, terms_of(one), MOVE)
	assert [(step.line_id, step.prices) for step in kept.steps] == [("L1", (("TV", PerUnit(D(7))),))]
	lost = plan_move(one, OFFERS, terms_of(one), replace(MOVE, keep_prices=False))
	assert (lost.steps[0].prices, lost.details[0]["prices_lost"]) == ((), 1)
	unknown = plan_move(one, OFFERS, terms_of(one), replace(MOVE, charges={}))
	assert (unknown.steps[0].prices, unknown.details[0]["prices_lost"]) == ((), 1)


def test_who_is_there_already_is_left_out_so_a_second_run_moves_nobody():
	one = contract(Line("L1", "OLD", 10))
	plan = plan_move(one, OFFERS, terms_of(one), MOVE)
	moved = extend(one, Change(3, "change_lines", "Active", "Active", DAY, steps=plan.steps))
	assert plan_move(moved, OFFERS, terms_of(moved), MOVE).left_out == "no_line"
