"""Checks of the charges of an offer version, one example a rule."""

from dataclasses import replace
from decimal import Decimal as D
from pathlib import Path

import pytest

from subscriber_tv.core.catalogue.charge import (
	MODELS_OF,
	Charge,
	Problem,
	problems_of_charge,
	problems_of_charges,
)
from subscriber_tv.core.contracts.hierarchy import group_of

BASE = Charge(1, "BASE", "Recurring", D(30))
FEE = Charge(2, "FEE", "One-off", D(50))
HOURS = Charge(3, "HOURS", "Usage", D(20), model="Usage", allowance=D(100))
SERVICE = Charge(4, "SERVICE", "Recurring", D(0), model="Percent Of", percent=D(10), of=("BASE",))
SHARE = Charge(5, "SHARE", "Usage", D(0), model="Percentage", percent=D(10), minimum=D(5), maximum=D(9))
BOX = Charge(6, "BOX", "Deposit", D(40))
SIZES = Charge(7, "SIZES", "Recurring", D(0), model="Volume", counts_over="Group")
ALL = (BASE, FEE, HOURS, SERVICE, SHARE, BOX, SIZES)


@pytest.mark.parametrize("charge", ALL, ids=lambda charge: charge.code)
def test_what_fits_has_no_problem(charge):
	assert problems_of_charge(charge) == []


@pytest.mark.parametrize(
	("charge", "change", "problem"),
	[
		(BASE, {"arrears": True, "prorate": False, "minimum": D(5)}, None),
		(HOURS, {"unit_price": D(0), "prorate": False}, None),
		(SHARE, {"minimum": None}, None),
		(SERVICE, {"interval_months": 0, "arrears": True}, None),
		(SERVICE, {"percent": D(0), "free": True, "of": ()}, None),
		(FEE, {"model": "Percent Of", "unit_price": D(0), "percent": D(1), "of": ("BASE",)}, "model_of_kind"),
		(BOX, {"model": "Flat"}, "model_of_kind"),
		(HOURS, {"model": "Flat", "allowance": D(0)}, "model_of_kind"),
		(BASE, {"model": "Usage"}, "model_of_kind"),
		(BASE, {"kind": "Odd"}, "model_of_kind"),
		(BOX, {"unit_price": D(0)}, "zero_price"),
		(SERVICE, {"percent": D(0)}, "no_percent"),
		(SHARE, {"minimum": D(10)}, "bounds_reversed"),
		(HOURS, {"allowance": D(-1)}, "below_zero"),
		(SHARE, {"minimum": D(-1)}, "below_zero"),
		(HOURS, {"interval_months": 0}, "interval"),
	],
)
def test_one_fault_is_one_problem(charge, change, problem):
	found = problems_of_charge(replace(charge, **change))
	assert [one.code for one in found] == ([problem] if problem else [])
	assert all(one.row == charge.row for one in found)


@pytest.mark.parametrize(
	("charge", "field", "change"),
	[
		(BASE, "allowance", {"allowance": D(1)}),
		(BASE, "percent", {"percent": D(1)}),
		(BASE, "of_charges", {"of": ("FEE",)}),
		(BASE, "maximum", {"maximum": D(1)}),
		(BASE, "counts_over", {"counts_over": "Payer"}),
		(SHARE, "of_charges", {"of": ("BASE",)}),
		(SHARE, "unit_price", {"unit_price": D(1)}),
		(HOURS, "minimum", {"minimum": D(1)}),
		(FEE, "timing", {"arrears": True}),
		(BOX, "proration", {"prorate": False}),
		(SERVICE, "proration", {"prorate": False}),
	],
)
def test_a_field_that_nothing_reads_is_named(charge, field, change):
	assert problems_of_charge(replace(charge, **change)) == [Problem("unused_field", charge.row, field)]


@pytest.mark.parametrize(
	("of", "found"),
	[
		(("BASE", "HOURS"), []),
		(("ELSEWHERE",), []),
		((), [Problem("of_missing", 4, "SERVICE")]),
		(("NOBODY",), [Problem("of_unknown", 4, "NOBODY")]),
		(("FEE", "BOX"), [Problem("of_kind", 4, "FEE"), Problem("of_kind", 4, "BOX")]),
		(("SERVICE",), [Problem("of_itself", 4, "SERVICE")]),
		(("BASE", "YEAR"), [Problem("of_intervals", 4, "SERVICE")]),
	],
)
def test_what_a_percentage_may_be_taken_of(of, found):
	year = replace(BASE, row=9, code="YEAR", interval_months=12)
	charges = (BASE, FEE, HOURS, replace(SERVICE, of=of), BOX, year)
	assert problems_of_charges(charges, {"ELSEWHERE"}) == found


def test_percentages_of_each_other_are_both_named():
	charges = (replace(SERVICE, of=("OTHER",)), replace(SERVICE, row=5, code="OTHER", of=("SERVICE",)))
	assert problems_of_charges(charges) == [
		Problem("of_itself", 4, "SERVICE"),
		Problem("of_itself", 5, "OTHER"),
	]


def test_the_form_offers_the_models_that_are_accepted():
	"""The form narrows the choice; its table and this one are the same."""
	script = (
		Path(__file__).parents[3] / "subscriber_tv/subscriber_tv/doctype/tv_offer_version/tv_offer_version.js"
	)
	text = script.read_text().replace('"', "").replace("\n", " ")
	for kind, models in MODELS_OF.items():
		assert f"{kind}: [{', '.join(models)}]" in text


@pytest.mark.parametrize(
	("parents", "group"),
	[
		({}, {"A"}),
		({"A": "TOP", "B": "TOP"}, {"A", "B", "TOP"}),
		({"A": "MID", "MID": "TOP", "B": "TOP", "X": "Y"}, {"A", "MID", "B", "TOP"}),
		({"B": "A"}, {"A", "B"}),
		({"A": "B", "B": "A", "C": "B"}, {"A", "B", "C"}),
		({"A": "A"}, {"A"}),
	],
)
def test_a_group_is_all_below_the_same_top(parents, group):
	assert group_of("A", parents) == group
