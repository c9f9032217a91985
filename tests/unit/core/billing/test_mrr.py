"""Recurring revenue a month on a day: example contracts."""

from dataclasses import replace
from decimal import Decimal

import pytest
from billing_books import OFFER, contract, day, one_off, recurring

from subscriber_tv.core.billing.bill import ContractFacts
from subscriber_tv.core.billing.mrr import monthly_by_line, monthly_on
from subscriber_tv.core.billing.periods import Span
from subscriber_tv.core.billing.terms import Discount, Terms

YEARLY = recurring("120.00", months=12, code="YEAR")


def facts(*charges, **values):
	return ContractFacts(
		contract("2026-01-10", "2027-01-10", anchor=1, quantity=3), {OFFER: charges}, **values
	)


@pytest.mark.parametrize(
	("on", "amount"),
	[("2026-01-09", "0.00"), ("2026-01-10", "90.00"), ("2026-12-31", "90.00"), ("2027-01-10", "0.00")],
)
def test_from_the_first_day_served_to_the_last(on, amount):
	assert monthly_on(facts(recurring("30.00"), one_off()), day(on)) == Decimal(amount)


def test_a_year_counts_by_the_month_and_lines_add_up():
	found = facts(recurring("30.00"), YEARLY)
	assert monthly_by_line(found, day("2026-06-01")) == {"1": Decimal("120.00")}
	assert monthly_on(found, day("2026-06-01")) == Decimal("120.00")


def test_only_discounts_that_never_end_lower_it():
	for_ever, once = Discount(percent=Decimal(10)), Discount(percent=Decimal(50), periods=1)
	found = facts(recurring("30.00"), terms=Terms(discounts=(for_ever, once)))
	assert monthly_on(found, day("2026-01-20")) == Decimal("81.00")


def test_a_pause_and_a_minimum_count_nothing():
	terms = Terms(unbilled=(Span(day("2026-03-01"), day("2026-04-01")),), minimum=Decimal(500))
	found = replace(facts(recurring("30.00")), terms=terms)
	assert monthly_on(found, day("2026-03-15")) == 0
	assert monthly_on(found, day("2026-04-15")) == Decimal("90.00")
