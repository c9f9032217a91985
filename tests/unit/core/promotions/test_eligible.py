"""Who gets a promotion and why not, what it takes off, and which stand beside each other."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from subscriber_tv.core.pricing.discount import Discount
from subscriber_tv.core.promotions.eligible import (
	Case,
	PromotedLine,
	Promotion,
	Used,
	combined,
	discounts_of,
	refusals,
)

D = Decimal
DAY = date(2026, 11, 22)
PROMOTION = Promotion("Winter", "Winter offer", "EUR", "AB", percent=D(50), periods=3)
CASE = Case(
	DAY,
	"AB",
	"EUR",
	(PromotedLine("L1", "HOTEL", 10), PromotedLine("L2", "SPORT", 4)),
	segments=("Hotel", "All"),
	channel="WEB",
	commitment_months=24,
)


def codes(used: Used | None = None, **values) -> list[str]:
	found = refusals(replace(PROMOTION, **values), CASE, used or Used())
	return [refusal.code for refusal in found]


def test_nothing_in_the_way():
	assert codes() == []


@pytest.mark.parametrize(
	("values", "code"),
	[
		({"disabled": True}, "disabled"),
		({"valid_from": date(2026, 11, 23)}, "not_yet"),
		({"valid_upto": date(2026, 11, 21)}, "over"),
		({"until": DAY}, "over"),
		({"company": "XY"}, "other_company"),
		({"currency": "CHF"}, "other_currency"),
		({"offers": ("HOME",)}, "no_offer"),
		({"segments": ("Clinic",)}, "segment"),
		({"channels": ("SHOP",)}, "channel"),
		({"minimum_quantity": 15}, "quantity"),
		({"minimum_quantity": 11, "offers": ("HOTEL",)}, "quantity"),
		({"minimum_commitment": 25}, "commitment"),
	],
)
def test_one_thing_in_the_way(values, code):
	assert codes(**values) == [code]


@pytest.mark.parametrize(
	"values",
	[
		{"valid_from": DAY, "valid_upto": DAY},
		{"until": date(2026, 11, 23)},
		{"offers": ("SPORT", "HOME")},
		{"segments": ("All",)},
		{"channels": ("WEB",)},
		{"minimum_quantity": 14},
		{"minimum_commitment": 24},
		{"max_uses": 6},
	],
)
def test_just_on_the_bound_it_is_given(values):
	assert codes(Used(5), **values) == []


@pytest.mark.parametrize(
	("used", "values", "code"),
	[
		(Used(5), {"max_uses": 5}, "used_up"),
		(Used(1, 1), {"once_per_customer": True}, "customer_had_it"),
		(Used(1, 1, 1), {}, "contract_has_it"),
	],
)
def test_used_already(used, values, code):
	assert codes(used, **values) == [code]


def test_every_reason_is_told_at_once():
	assert codes(disabled=True, segments=("Clinic",), channels=("SHOP",)) == [
		"disabled",
		"segment",
		"channel",
	]


def test_off_the_whole_or_off_each_line_of_the_offers():
	whole = Discount(percent=D(50), periods=3)
	assert discounts_of(PROMOTION, CASE) == (whole,)
	[found] = discounts_of(PROMOTION, CASE)
	assert (found.label, found.promotion) == ("Winter offer", "Winter")
	lines = replace(PROMOTION, of_lines=True, offers=("SPORT",), amount=D(5), percent=D(0))
	assert discounts_of(lines, CASE) == (Discount(amount=D(5), periods=3, line="L2"),)


def test_only_combinable_ones_stand_beside_each_other():
	alone = replace(PROMOTION, name="Alone")
	one, two = (replace(PROMOTION, name=name, combinable=True) for name in ("One", "Two"))
	assert combined([], [alone, one, two]) == [alone]
	assert combined([], [one, alone, two]) == [one, two]
	assert combined([alone], [one]) == []
	assert combined([one], [alone, two]) == [two]
