"""Before the day that `quiet_until` names no run finds anything to bill; on that day, or after the next, one may."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from billing_books import Books, contract, one_off, recurring
from hypothesis import given, settings
from hypothesis import strategies as st

from subscriber_tv.core.billing.bill import ContractFacts
from subscriber_tv.core.billing.quiet import LOOK_AHEAD, quiet_until

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
