"""Before the day that `quiet_until` names no run finds anything to bill; on that day, or after the next, one may."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from billing_books import OFFER, Books, charged, contract, one_off, recurring
from hypothesis import given, settings
from hypothesis import strategies as st

from subscriber_tv.core.billing.bill import ContractFacts
from subscriber_tv.core.billing.price import DEPOSIT, RECURRING
from subscriber_tv.core.billing.quiet import LOOK_AHEAD, quiet_until
from subscriber_tv.core.contracts.lines import Line
from subscriber_tv.core.pricing.models import PercentOf, PerUnit, Tier, Volume
from subscriber_tv.core.pricing.offered import PAYER

START = date(2026, 1, 1)
days = st.integers(0, 400).map(lambda n: START + timedelta(n))


def quiet(books: Books, known, day: date):
	facts = ContractFacts(known, books.offers, tuple(books.rows), places=books.places)
	return quiet_until([facts], day)


def test_a_month_in_advance_is_quiet_until_the_next_begins():
	books, known = Books(recurring("30")), contract("2026-01-15")
	books.run(known, "2026-01-20")
	assert quiet(books, known, date(2026, 1, 20)) == date(2026, 2, 15)


def test_a_year_is_looked_at_again_after_two_months():
	books, known = Books(recurring("300", months=12)), contract("2026-01-15")
	books.run(known, "2026-01-20")
	assert quiet(books, known, date(2026, 1, 20)) == date(2026, 1, 20) + LOOK_AHEAD + timedelta(1)


@pytest.mark.histories
@settings(max_examples=60, deadline=None)
@given(
	start=days,
	anchor=st.integers(1, 31),
	length=st.none() | st.integers(1, 300),
	wait=st.integers(0, 200),
	months=st.sampled_from([1, 3, 6, 12]),
	arrears=st.booleans(),
	price=st.decimals("0.01", "999.99", places=2).map(str),
)
def test_nothing_is_due_before(start, anchor, length, wait, months, arrears, price):
	end = str(start + timedelta(length)) if length else None
	known = contract(str(start), end, anchor=anchor)
	books = Books(one_off(price), replace(recurring(price, months=months), arrears=arrears))
	day = start + timedelta(wait)
	books.run(known, day)
	until = quiet(books, known, day)
	assert until > day
	day += timedelta(1)
	while day < until:
		assert not books.run(known, day)
		day += timedelta(1)


def test_a_deposit_is_given_back_on_its_day():
	"""The TV goes a fortnight after the bill of the year: nothing falls due on that day, but fifty are owed."""
	books = Books(recurring("300", months=12))
	books.offers["BOX"] = (charged(DEPOSIT, PerUnit(Decimal(50)), "BOX"),)
	lines = (Line("1", OFFER, 1), Line("2", "BOX", 1, end=date(2026, 1, 20)))
	known = contract("2026-01-01", lines=lines)
	books.run(known, "2026-01-05")
	assert quiet(books, known, date(2026, 1, 5)) == date(2026, 1, 20)
	assert books.run(known, "2026-01-20").credits


def test_nobody_is_quiet_whose_next_months_are_refused():
	"""A plan agreed for March takes a percentage of a month and a year: February is due all the same."""
	books = Books(recurring("30"))
	percentage = charged(RECURRING, PercentOf(Decimal(10)), "SERVICE", of=("BASE", "YEAR"))
	books.offers["LATER"] = (recurring("30"), recurring("100", months=12, code="YEAR"), percentage)
	march = date(2026, 3, 1)
	known = contract("2026-01-01", lines=(Line("1", OFFER, 1, end=march), Line("1", "LATER", 1, start=march)))
	books.run(known, "2026-01-05")
	assert quiet(books, known, date(2026, 1, 5)) is None
	assert books.run(known, "2026-02-01").charges


def test_the_end_of_another_contract_that_prices_this_one_is_looked_at():
	"""Two contracts share a tier for a year; when the one ends in February the other becomes dearer."""
	tiers = Volume((Tier(Decimal(50), Decimal(80)), Tier(None, Decimal(60))))
	offers = {OFFER: (charged(RECURRING, tiers, "ROOMS", counts_over=PAYER, interval_months=12),)}
	stays = ContractFacts(contract("2026-01-01", quantity=40), offers)
	ends = replace(contract("2026-01-01", "2026-02-11", quantity=30), subscription="TVS-2")
	assert quiet_until([stays, ContractFacts(ends, offers)], date(2026, 1, 5)) == date(2026, 2, 11)
