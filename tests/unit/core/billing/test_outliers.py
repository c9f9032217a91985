"""Outliers of a bill run, example by example."""

from decimal import Decimal

import pytest
from billing_books import Books, contract, one_off, recurring

from subscriber_tv.core.billing.outliers import (
	CODES,
	Forecast,
	change,
	compare,
	movement,
	outliers,
	regular_part,
)


def forecast(**values) -> Forecast:
	"""A payer billed 120.00 as last time, with an address and taxed."""
	figures = {"net": "120", "regular": "120", "last": "120"} | {
		key: values.pop(key) for key in ("net", "regular", "last") if key in values
	}
	figures = {key: None if value is None else Decimal(value) for key, value in figures.items()}
	return Forecast(**{"payer": "P", "currency": "EUR", "rows": 4, **figures, **values})


def codes(one: Forecast, percent="50") -> list[str]:
	return [outlier.code for outlier in outliers([one], jump_percent=Decimal(percent))]


EXAMPLES = (
	("as last time", {}, []),
	("first bill of a new payer", {"last": None}, []),
	("half as much again is not yet more than 50 %", {"net": "180", "regular": "180"}, []),
	("a cent more is", {"net": "180.07", "regular": "180.07"}, ["jump"]),
	("half as much", {"net": "60", "regular": "60"}, []),
	("less than half", {"net": "59.80", "regular": "59.80"}, ["jump"]),
	("a one-off fee on top is no jump", {"net": "500"}, []),
	("only a fee this time: nothing recurs to compare", {"net": "50", "regular": "0"}, []),
	("last bill had no regular part", {"last": "0"}, ["jump"]),
	("charges and credits cancel out", {"net": "0"}, ["zero"]),
	("nothing to bill at all is no bill of zero", {"net": "0", "regular": "0", "rows": 0}, []),
	("more credited than charged", {"net": "-12.50", "regular": "0"}, ["credit"]),
	("nothing taxes an item", {"untaxed": ("TV-A", "TV-B")}, ["no_tax"]),
	("no address", {"address": False}, ["no_address"]),
	("taken over, first bill", {"last": None, "first_bills": ("TVS-7",)}, ["first_bill"]),
	(
		"everything at once, the gravest first",
		{"net": "0", "regular": "300", "untaxed": ("X",), "address": False, "first_bills": ("TVS-1",)},
		["first_bill", "no_tax", "zero", "jump", "no_address"],
	),
)


@pytest.mark.parametrize(("name", "values", "expected"), EXAMPLES, ids=[row[0] for row in EXAMPLES])
def test_examples(name, values, expected):
	assert codes(forecast(**values)) == expected


def test_every_code_has_an_example():
	assert {code for _, _, expected in EXAMPLES for code in expected} == set(CODES)


@pytest.mark.parametrize(
	("limit", "regular", "found"),
	[
		("0", "9999", []),
		("10", "132", []),
		("10", "132.13", ["jump"]),
		("10", "107.8", ["jump"]),
		("200", "360", []),
	],
)
def test_the_limit_is_the_operators(limit, regular, found):
	assert codes(forecast(net=regular, regular=regular), limit) == found


def test_values_name_the_figures():
	(jump,) = outliers([forecast(net="240", regular="240")], jump_percent=Decimal(50))
	assert dict(jump.values) == {"now": "240", "last": "120", "percent": "100"}
	(untaxed,) = outliers([forecast(untaxed=("TV-A", "TV-B"))], jump_percent=Decimal(50))
	assert dict(untaxed.values) == {"items": "TV-A, TV-B"}


@pytest.mark.parametrize(
	("now", "last", "percent"),
	[
		("150", "100", "50.0"),
		("50", "100", "-50.0"),
		("0", "0", "0"),
		("5", "0", None),
		("100", "300", "-66.7"),
		("10", "-10", "200.0"),
	],
)
def test_change(now, last, percent):
	assert change(Decimal(now), Decimal(last)) == (None if percent is None else Decimal(percent))


def test_totals_are_compared_by_currency():
	rows = compare({"EUR": Decimal(110), "CHF": Decimal(5)}, {"EUR": Decimal(100), "USD": Decimal(7)})
	assert [(row.currency, row.now, row.last, row.percent) for row in rows] == [
		("CHF", 5, 0, None),
		("EUR", 110, 100, 10),
		("USD", 0, 7, -100),
	]


@pytest.mark.parametrize(
	("values", "expected"),
	[
		({}, "same"),
		({"regular": "121"}, "up"),
		({"regular": "119"}, "down"),
		({"last": None}, "new"),
		({"regular": "0"}, "other"),
	],
)
def test_movement(values, expected):
	assert movement(forecast(**values)) == expected


def test_the_regular_part_leaves_fees_and_credits_out():
	books = Books(one_off("50.00"), recurring("30.00"))
	assert regular_part(books.run(contract("2026-01-01"), until="2026-02-15")) == Decimal("60.00")
	ended = books.run(contract("2026-01-01", "2026-02-15"), until="2026-02-15")
	assert ended.net < 0 and regular_part(ended) == 0
