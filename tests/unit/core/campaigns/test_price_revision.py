"""The yearly revision: formula, cap and floor, bases kept from year to year, what is left alone, what it brings."""

from datetime import date
from decimal import Decimal

import pytest

from subscriber_tv.core.billing.agreement import terms_of
from subscriber_tv.core.billing.bill import ContractFacts
from subscriber_tv.core.billing.price import OfferCharge
from subscriber_tv.core.campaigns.effect import after_steps, effect_of, monthly_on, summary_of, year_from
from subscriber_tv.core.campaigns.plan import ANNIVERSARY, FIXED, NEXT_PERIOD, Timing, effective_day
from subscriber_tv.core.campaigns.price_revision import (
	Base,
	Formula,
	Origin,
	Revision,
	plan_revision,
	revised,
)
from subscriber_tv.core.contracts.lines import Line, LineStep
from subscriber_tv.core.contracts.price_origin import price_set_by
from subscriber_tv.core.contracts.timeline import Change, Contract, extend, fold
from subscriber_tv.core.pricing.models import Flat, Graduated, Package, PercentOf, PerUnit, Tier
from subscriber_tv.core.pricing.scale import PriceRounding, scaled, weight

D = Decimal
DAY = date(2027, 1, 1)
OFFERS = {
	"V1": (
		OfferCharge("BASE", "recurring", "TV", "Per Unit", D("10.00")),
		OfferCharge("FEE", "one-off", "FEE", "Flat", D(50)),
	),
	"V2": (OfferCharge("BASE", "recurring", "TV", "Per Unit", D("8.00"), interval_months=12),),
}


def contract(*changes: Change, lines: tuple[Line, ...] = (Line("L1", "V1", 10),)) -> Contract:
	return fold(
		[
			Change(1, "create", None, "Draft", date(2026, 3, 15), lines=lines),
			Change(2, "activate", "Awaiting Activation", "Active", date(2026, 3, 15)),
			*changes,
		],
		subscription="TVS-1",
	)


def repriced(no: int, day: date, price, event: str = "change_lines", **values) -> Change:
	steps = (LineStep("L1", prices=(("BASE", price),)),)
	return Change(no, event, "Active", "Active", day, steps=steps, **values)


def plan(of: Contract, formula: Formula, origins=None, timing: Timing | None = None, **values):
	revision = Revision(formula, timing or Timing(FIXED, DAY), **values)
	return plan_revision(of, OFFERS, terms_of(of), revision, origins or {})


def price_after(found) -> object:
	return dict(found.steps[0].prices)["BASE"]


@pytest.mark.parametrize(
	("amount", "step", "direction", "rounded"),
	[
		("10.305", "0.01", "Nearest", "10.31"),
		("10.304", "0.01", "Nearest", "10.30"),
		("10.301", "0.01", "Up", "10.31"),
		("10.309", "0.01", "Down", "10.30"),
		("10.30", "0.50", "Nearest", "10.50"),
		("10.20", "0.50", "Nearest", "10.00"),
		("10.30", "0.90", "Down", "9.90"),
		("0.004", "0.01", "Nearest", "0.01"),
		("0", "0.01", "Up", "0"),
	],
)
def test_a_price_is_rounded_to_a_step_and_never_to_nothing(amount, step, direction, rounded):
	assert PriceRounding(D(step), direction).round(D(amount)) == D(rounded)


def test_every_price_of_a_model_rises_and_its_bounds_stay():
	tiers = (Tier(D(10), D(10), D(5)), Tier(None, D(8)))
	cent = PriceRounding()
	assert scaled(Graduated(tiers), D("1.1"), cent) == Graduated(
		(Tier(D(10), D("11.00"), D("5.50")), Tier(None, D("8.80"), D(0)))
	)
	assert scaled(Package(D(100), D(10), D(3)), D("1.02"), cent) == Package(D("102.00"), D(10), D(3))
	assert scaled(PercentOf(D(10)), D(2), cent) == PercentOf(D(10))
	assert (weight(Graduated(tiers)), weight(PercentOf(D(10)))) == (D(23), D(0))


@pytest.mark.parametrize(
	("formula", "after"),
	[
		(Formula(percent=D(3)), "10.30"),
		(Formula(percent=D("3.456")), "10.35"),
		(Formula(percent=D(3), cap=D(2)), "10.20"),
		(Formula(percent=D(1), floor=D("1.5")), "10.15"),
		(Formula(percent=D(-2), floor=D(0)), "10.00"),
		(Formula(percent=D(3), rounding=PriceRounding(D("0.50"), "Up")), "10.50"),
	],
)
def test_a_fixed_percentage(formula, after):
	assert revised(PerUnit(D("10.00")), formula, None) == PerUnit(D(after))


def test_a_price_that_does_not_move_is_not_rounded_to_another():
	half = PriceRounding(D("0.50"))
	odd = PerUnit(D("10.20"))
	assert revised(odd, Formula(percent=D(-2), floor=D(0), rounding=half), None) == odd
	assert revised(odd, Formula(percent=D(2), rounding=half), None) == PerUnit(D("10.50"))


def syntec(s0: str, s1: str, **values) -> Formula:
	return Formula(index_name="SYNTEC", base_index=D(s0), new_index=D(s1), **values)


def test_an_index_starts_from_p0_so_that_ten_years_drift_no_further_than_one():
	price, base = PerUnit(D("10.00")), Base("SYNTEC", PerUnit(D("10.00")), D(300))
	for year in range(1, 11):
		price = revised(price, syntec("300", str(300 + year)), base)
	assert price == PerUnit(D("10.33"))  # 10 x 310 / 300
	drifting = PerUnit(D("10.00"))
	for year in range(1, 11):
		s0, s1 = 299 + year, 300 + year
		drifting = revised(drifting, syntec(str(s0), str(s1)), Base("SYNTEC", drifting, D(s0)))
	assert drifting == PerUnit(D("10.30"))  # what it would be from year to year


def test_the_cap_is_taken_against_the_price_in_force_and_caught_up_later():
	base = Base("SYNTEC", PerUnit(D("10.00")), D(100))
	first = revised(PerUnit(D("10.00")), syntec("100", "108", cap=D(5)), base)
	assert first == PerUnit(D("10.50"))
	assert revised(first, syntec("100", "109", cap=D(5)), base) == PerUnit(D("10.90"))


def test_next_years_revision_finds_the_base_of_the_last():
	first = plan(contract(), syntec("300", "306"))
	assert price_after(first) == PerUnit(D("10.20"))
	kept = first.details[0]
	assert (kept["index"], kept["base_price"], kept["base_index"]) == (
		"SYNTEC",
		{"kind": "per_unit", "unit_price": "10"},
		"300",
	)
	later = contract(repriced(3, DAY, PerUnit(D("10.20"))))
	origins = {3: Origin(True, {("L1", "BASE"): Base("SYNTEC", PerUnit(D("10.00")), D(300))})}
	second = plan(later, syntec("306", "312"), origins, Timing(FIXED, date(2028, 1, 1)))
	assert price_after(second) == PerUnit(D("10.40"))  # 10 x 312 / 300, not 10.20 x 312 / 306


def test_a_negotiated_price_is_left_alone_unless_asked_and_one_of_a_revision_is_not():
	own = contract(repriced(3, date(2026, 6, 1), PerUnit(D("7.00"))))
	formula = Formula(percent=D(10))
	assert plan(own, formula).left_out == "negotiated"
	assert price_after(plan(own, formula, negotiated=True)) == PerUnit(D("7.70"))
	assert price_after(plan(own, formula, {3: Origin(revision=True)})) == PerUnit(D("7.70"))
	opened = contract(lines=(Line("L1", "V1", 1, prices=(("BASE", PerUnit(D(5))),)),))
	assert plan(opened, formula).left_out == "negotiated"


def test_a_price_taken_back_or_replaced_by_another_plan_is_nobodys():
	withdrawn = contract(
		repriced(3, date(2026, 6, 1), PerUnit(D("7.00"))),
		Change(4, "withdraw", "Active", "Active", date(2026, 6, 1), withdraws=3),
	)
	assert price_set_by(withdrawn, "L1", "BASE", DAY) is None
	other = contract(
		repriced(3, date(2026, 6, 1), PerUnit(D("7.00"))),
		Change(
			4,
			"change_lines",
			"Active",
			"Active",
			date(2026, 7, 1),
			steps=(LineStep("L1", offer_version="V2"),),
		),
	)
	assert price_set_by(other, "L1", "BASE", date(2026, 6, 30)) == 3
	assert price_set_by(other, "L1", "BASE", DAY) is None


def test_only_recurring_charges_of_the_chosen_offers_are_revised():
	found = plan(contract(), Formula(percent=D(10)))
	assert [code for code, _ in found.steps[0].prices] == ["BASE"]
	assert plan(contract(), Formula(percent=D(10)), versions={"V2"}).left_out == "no_line"


def test_a_contract_that_is_over_by_then_is_left_out():
	over = contract(Change(3, "end", "Active", "Cancelled", date(2026, 12, 1)))
	assert plan(over, Formula(percent=D(10))).left_out == "over"


def test_a_rise_that_rounding_swallows_is_no_change():
	assert plan(contract(), Formula(percent=D("0.001"))).left_out == "unchanged"


@pytest.mark.parametrize(
	("timing", "day"),
	[
		(Timing(FIXED, DAY), DAY),
		(Timing(ANNIVERSARY, DAY, date(2027, 12, 31)), date(2027, 3, 15)),
		(Timing(ANNIVERSARY, date(2027, 3, 16), date(2027, 12, 31)), None),
		(Timing(ANNIVERSARY, date(2026, 1, 1), date(2026, 12, 31)), None),
		(Timing(NEXT_PERIOD, DAY), date(2027, 1, 15)),
		(Timing(NEXT_PERIOD, date(2027, 1, 15)), date(2027, 1, 15)),
	],
)
def test_when_a_contract_follows(timing, day):
	one = contract()
	assert effective_day(one, OFFERS, terms_of(one), timing) == day


def test_a_yearly_contract_follows_when_its_year_begins():
	yearly = contract(lines=(Line("L1", "V2", 1), Line("L2", "V1", 1)))
	assert effective_day(yearly, OFFERS, terms_of(yearly), Timing(NEXT_PERIOD, DAY)) == date(2027, 3, 15)


def facts(of: Contract) -> ContractFacts:
	return ContractFacts(of, OFFERS, terms=terms_of(of))


def test_the_effect_is_the_engines_own():
	one = facts(contract())
	found = plan(one.contract, Formula(percent=D(3)), timing=Timing(FIXED, date(2027, 1, 15)))
	effect = effect_of(one, found, "Hotel", bills=True)
	assert (effect.monthly_before, effect.monthly_after, effect.percent) == (D(100), D("103.00"), D("3.00"))
	assert (effect.year_before, effect.year_after) == (D(1200), D("1236.00"))
	recorded = extend(
		one.contract, Change(3, "change_lines", "Active", "Active", found.effective, steps=found.steps)
	)
	assert after_steps(one, found.effective, found.steps).contract == recorded
	assert monthly_on(facts(recorded), date(2027, 1, 14)) == D(100)
	assert year_from(facts(recorded), date(2027, 1, 15)) == D("1236.00")


def test_a_summary_by_segment_shows_who_stands_out():
	one = facts(contract())
	plans = [plan(one.contract, Formula(percent=D(p))) for p in (3, 3, 3, 20)]
	effects = [effect_of(one, found, segment) for found, segment in zip(plans, "AABB", strict=True)]
	summary = summary_of(effects)
	assert (summary.contracts, summary.lines, summary.before, summary.after) == (4, 4, D(400), D("429.00"))
	assert [(s.segment, s.before, s.after) for s in summary.segments] == [
		("A", D(200), D("206.00")),
		("B", D(200), D("223.00")),
	]
	assert (summary.least, summary.most) == (D("3.00"), D("20.00"))
	assert [effect.monthly_after for effect in summary.outliers] == [D("120.00")]


def test_a_flat_price_of_another_shape_begins_a_new_base():
	kept = {3: Origin(True, {("L1", "BASE"): Base("SYNTEC", Flat(D(99)), D(300))})}
	one = contract(repriced(3, date(2026, 6, 1), PerUnit(D("10.00"))))
	assert price_after(plan(one, syntec("300", "330"), kept)) == PerUnit(D("11.00"))
