"""One rounding, half-up, in Decimal."""

from decimal import Decimal

import pytest

from subscriber_tv.core.money import money, plain, round_money


@pytest.mark.parametrize(
	("amount", "places", "rounded"),
	[
		("0.125", 2, "0.13"),
		("0.135", 2, "0.14"),
		("-0.125", 2, "-0.13"),
		("2.5", 0, "3"),
		("741.93", 2, "741.93"),
		("1.0005", 3, "1.001"),
	],
)
def test_half_up(amount, places, rounded):
	assert str(round_money(Decimal(amount), places)) == rounded


def test_floats_from_a_database_keep_their_digits():
	assert money(7.4193) * 100 == Decimal("741.93")
	assert money(None) == 0


@pytest.mark.parametrize(
	("amount", "text"), [("10.00", "10"), ("1E+1", "10"), ("0.00", "0"), ("7.4190", "7.419")]
)
def test_one_spelling_per_value(amount, text):
	assert plain(Decimal(amount)) == text
