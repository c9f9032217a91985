"""The sections and the VAT summary of a printed invoice."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriber_tv.core.billing.printout import PrintRow, made_of, sections, vat_summary

TV, OTHER = "445710", "445720"


def row(amount: str, subscription: str = "A", **rates) -> PrintRow:
	return PrintRow(
		"text", Decimal(amount), tuple((k, Decimal(v)) for k, v in rates.items()), subscription=subscription
	)


def test_a_section_and_a_subtotal_per_contract():
	rows = [row("50.00"), row("30.00"), row("7", "B"), row("3", ""), row("-1", "A")]
	assert [(s.subscription, len(s.rows), str(s.subtotal)) for s in sections(rows)] == [
		("A", 3, "79.00"),
		("B", 1, "7"),
		("", 1, "3"),
	]


@pytest.mark.parametrize(
	("rows", "posted", "expected"),
	[
		([], {}, []),
		(
			[row("50", vat20="20"), row("30", vat10="10")],
			{"vat20": "10", "vat10": "3"},
			["10 30 3", "20 50 10"],
		),
		# Both accounts are named on every row, the other at nought.
		(
			[row("50", vat20="20", vat10="0"), row("9", vat20="0", vat10="0")],
			{"vat20": "10"},
			["0 9 0", "20 50 10"],
		),
		# One account for two rates.
		([row("50", vat="20"), row("30", vat="10")], {"vat": "13"}, ["10 30 3.00", "20 50 10.00"]),
		# The cent that rounding by row made stays where the books have it.
		([row("0.33", vat="20"), row("0.33", vat="20")], {"vat": "0.14"}, ["20 0.66 0.14"]),
		([row("-15", vat10="10")], {"vat10": "-1.5"}, ["10 -15 -1.5"]),
	],
)
def test_vat_by_rate(rows, posted, expected):
	lines = vat_summary(rows, {account: Decimal(tax) for account, tax in posted.items()})
	assert [f"{line.percent} {line.base} {line.tax}" for line in lines] == expected


amounts = st.decimals("-99.99", "99.99", places=2)


@given(st.lists(st.tuples(amounts, st.sampled_from(["0", "5.5", "10", "20"])), max_size=8), amounts)
def test_the_summary_adds_up_to_what_is_posted(parts, tax):
	rows = [row(str(amount), vat=percent) for amount, percent in parts]
	lines = vat_summary(rows, {"vat": tax})
	assert sum(line.base for line in lines) == sum(amount for amount, _percent in parts)
	assert sum(line.tax for line in lines) == tax


def facts(**values) -> dict:
	return {
		"model": "Per Unit",
		"unit_price": "30",
		"quantity": 2,
		"interval_months": 1,
		"full_amount": "60",
		"full_days": 30,
		"days": 30,
	} | values


@pytest.mark.parametrize(
	("values", "expected"),
	[
		({}, (2, "30", "60", False, ())),
		({"days": 20}, (2, "30", "60", True, ())),
		({"days": 20, "prorate": 0}, (2, "30", "60", False, ())),
		({"days": 1, "full_days": 1, "interval_months": 0}, (2, "30", "60", False, ())),
		({"model": "Flat", "full_amount": "30"}, (1, "30", "30", False, ())),
		({"scheme": {"model": "volume"}, "full_amount": "55"}, (2, "None", "55", False, ())),
		({"full_amount": "54", "discount": "6"}, (2, "30", "60", False, (("", "6"),))),
		(
			{"full_amount": "54", "discount": "6", "discounts": [["SPRING", "4"], ["LOYAL", "2"]]},
			(2, "30", "60", False, (("SPRING", "4"), ("LOYAL", "2"))),
		),
		({"quantity": "12.5", "full_amount": "375"}, (Decimal("12.5"), "30", "375", False, ())),
	],
)
def test_how_a_row_was_made(values, expected):
	made = made_of(facts(**values))
	discounts = tuple((label, str(amount)) for label, amount in made.discounts)
	assert (made.quantity, str(made.unit_price), str(made.whole), made.in_part, discounts) == expected


@pytest.mark.parametrize("damaged", [{}, {"days": "x"}, facts(full_amount=None), facts(unit_price="much")])
def test_lost_facts_are_no_reason_not_to_print(damaged):
	assert made_of(damaged) is None
