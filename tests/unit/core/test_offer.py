"""Checks of an offer version, one example a rule."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriber_tv.core.catalogue.offer import (
	Charge,
	Problem,
	Sale,
	TierRow,
	Version,
	problems_of_sale,
	problems_of_version,
)
from subscriber_tv.core.pricing.models import Tier

BASE = Charge(1, "BASE", "Recurring", Decimal("7.42"))
FEE = Charge(2, "ACTIVATION", "One-off", Decimal("50"))
GOOD = Version("HOTEL-TV", (BASE, FEE), (("BASIC", 12, False),), date(2026, 1, 1))

SALE = Sale(
	"HOTEL-TV-V1", "Antenne Bleue", "EUR", True, False, date(2026, 1, 1), date(2026, 12, 31), ("Hotel",)
)
BUYER = {
	"company": "Antenne Bleue",
	"currency": "EUR",
	"segment_path": ("Hotel", "All Customer Groups"),
	"day": date(2026, 11, 22),
}


def test_a_good_version_has_no_problem():
	assert problems_of_version(GOOD) == []


@pytest.mark.parametrize(
	("change", "problem"),
	[
		({"charges": ()}, Problem("no_charges")),
		({"charges": (replace(BASE, unit_price=Decimal(0)),)}, Problem("zero_price", 1, "BASE")),
		({"charges": (replace(BASE, unit_price=Decimal("-1")),)}, Problem("negative_price", 1, "BASE")),
		({"charges": (replace(BASE, free=True),)}, Problem("priced_but_free", 1, "BASE")),
		({"charges": (BASE, replace(FEE, code="BASE"))}, Problem("duplicate_charge", 2, "BASE")),
		({"charges": (replace(BASE, code="a/b"),)}, Problem("charge_code", 1, "a/b")),
		({"charges": (replace(BASE, code="BASE|X"),)}, Problem("charge_code", 1, "BASE|X")),
		({"charges": (replace(BASE, interval_months=0),)}, Problem("interval", 1, "0")),
		({"charges": (replace(BASE, interval_months=61),)}, Problem("interval", 1, "61")),
		({"bouquets": ()}, Problem("no_bouquets")),
		({"bouquets": (("BASIC", 0, False),)}, Problem("empty_bouquet", 1, "BASIC")),
		({"bouquets": (("BASIC", 1, True),)}, Problem("bouquet_disabled", 1, "BASIC")),
		({"bouquets": (("A", 1, False), ("A", 1, False))}, Problem("duplicate_bouquet", 2, "A")),
		({"valid_upto": date(2025, 12, 31)}, Problem("dates_reversed", value="2025-12-31")),
	],
)
def test_one_fault_is_one_problem_that_names_its_row(change, problem):
	assert problems_of_version(replace(GOOD, **change)) == [problem]


@pytest.mark.parametrize(
	"change",
	[
		{"charges": (replace(BASE, unit_price=Decimal(0), free=True),)},
		{"charges": (replace(FEE, interval_months=0),)},
		{"valid_upto": date(2026, 1, 1)},
	],
)
def test_what_is_allowed_on_purpose(change):
	assert problems_of_version(replace(GOOD, **change)) == []


TIERED = replace(BASE, unit_price=Decimal(0), model="Graduated")
TIERS = (
	TierRow(1, "BASE", Tier(Decimal(10), Decimal(5))),
	TierRow(2, "BASE", Tier(None, Decimal(4))),
)


@pytest.mark.parametrize(
	("charge", "tiers", "problem"),
	[
		(TIERED, TIERS, None),
		(replace(TIERED, model="Volume"), TIERS, None),
		(replace(TIERED, free=True), (), None),
		(replace(BASE, model="Package", block_size=Decimal(10), free_units=Decimal(5)), (), None),
		(TIERED, (), Problem("no_tiers", 1, "BASE")),
		(TIERED, TIERS[:1], Problem("last_tier_bound", 1, "BASE")),
		(TIERED, TIERS[1:] * 2, Problem("tier_open", 2, "BASE")),
		(TIERED, (TIERS[0], *TIERS), Problem("tier_order", 1, "BASE")),
		(TIERED, (TierRow(1, "BASE", Tier(None)),), Problem("tier_no_price", 1, "BASE")),
		(TIERED, (*TIERS, TierRow(3, "X", Tier(None, Decimal(1)))), Problem("tier_charge", 3, "X")),
		(replace(TIERED, unit_price=Decimal(1)), TIERS, Problem("priced_in_tiers", 1, "BASE")),
		(replace(BASE, model="Flat"), TIERS[:1], Problem("tier_unused", 1, "BASE")),
		(BASE, TIERS[:1], Problem("tier_unused", 1, "BASE")),
		(replace(TIERED, free=True), TIERS[:1], Problem("tier_unused", 1, "BASE")),
		(replace(BASE, block_size=Decimal(1)), (), Problem("blocks_unused", 1, "BASE")),
		(replace(BASE, model="Package"), (), Problem("block_size", 1, "BASE")),
		(
			replace(BASE, model="Package", block_size=Decimal(1), free_units=Decimal(-1)),
			(),
			Problem("free_units", 1, "BASE"),
		),
	],
)
def test_tiers_and_blocks_belong_to_their_price_model(charge, tiers, problem):
	found = problems_of_version(replace(GOOD, charges=(charge,), tiers=tiers))
	assert found == ([problem] if problem else [])


def test_all_problems_are_told_at_once():
	version = replace(GOOD, charges=(replace(BASE, unit_price=Decimal(0), code="?"),), bouquets=())
	assert [problem.code for problem in problems_of_version(version)] == [
		"no_bouquets",
		"charge_code",
		"zero_price",
	]


@given(st.decimals(min_value=-10, max_value=10, places=2), st.booleans())
def test_a_price_passes_exactly_when_it_says_what_it_means(price, free):
	version = replace(GOOD, charges=(replace(BASE, unit_price=price, free=free),))
	assert (problems_of_version(version) == []) == ((price > 0 and not free) or (price == 0 and free))


def test_a_good_sale_has_no_problem():
	assert problems_of_sale(SALE, **BUYER) == []
	assert problems_of_sale(replace(SALE, segments=()), **{**BUYER, "segment_path": ()}) == []


@pytest.mark.parametrize(
	("sale", "buyer", "code"),
	[
		({"submitted": False}, {}, "not_submitted"),
		({}, {"company": "Other"}, "other_company"),
		({}, {"currency": "CHF"}, "other_currency"),
		({}, {"segment_path": ("Prison", "All Customer Groups")}, "other_segment"),
		({"disabled": True}, {}, "offer_disabled"),
		({}, {"day": date(2025, 12, 31)}, "not_yet_on_sale"),
		({}, {"day": date(2027, 1, 1)}, "no_longer_on_sale"),
	],
)
def test_a_sale_that_cannot_be(sale, buyer, code):
	problems = problems_of_sale(replace(SALE, **sale), **{**BUYER, **buyer})
	assert [problem.code for problem in problems] == [code]


def test_the_last_day_on_sale_counts_and_a_parent_segment_includes_its_children():
	sale = replace(SALE, segments=("All Customer Groups",))
	assert problems_of_sale(sale, **{**BUYER, "day": date(2026, 12, 31)}) == []


def test_a_contract_taken_over_is_not_held_to_the_dates_of_sale():
	sale = replace(SALE, disabled=True)
	assert problems_of_sale(sale, **{**BUYER, "day": None}) == []
