"""What holds for any history and any days of the runs."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from billing_books import Books, contract, one_off, recurring
from hypothesis import given, settings
from hypothesis import strategies as st

from subscriber_tv.core.billing.charges import expected_charges

START = date(2026, 1, 1)
days = st.integers(0, 400).map(lambda n: START + timedelta(n))
prices = st.decimals("0.01", "999.99", places=4).map(str)


@st.composite
def histories(draw):
	"""A contract, and what was known of its end at each run: [(end, run day)], run days rising."""
	start = draw(days)
	anchor = draw(st.integers(1, 31))
	ends = st.none() | st.integers(1, 300).map(lambda n: start + timedelta(n))
	steps = draw(st.lists(st.tuples(ends, st.integers(0, 90)), min_size=1, max_size=6))
	run_day = start
	history = []
	for end, wait in steps:
		run_day += timedelta(wait)
		history.append((contract(str(start), end and str(end), anchor=anchor), run_day))
	return history


def _books(price, months, fee):
	return Books(one_off(fee), recurring(price, months=months))


intervals = st.sampled_from([1, 3, 6, 12])


@pytest.mark.histories
@settings(max_examples=25, deadline=None)
@given(history=histories(), price=prices, months=intervals, fee=prices)
def test_twice_is_nothing(history, price, months, fee):
	books = _books(price, months, fee)
	for known, run_day in history:
		books.run(known, run_day)
		assert not books.run(known, run_day)


@pytest.mark.histories
@settings(max_examples=25, deadline=None)
@given(history=histories(), price=prices, months=intervals)
def test_what_stands_is_worth_the_served_days(history, price, months):
	"""Whatever was thought of the end before, the sum is the value of what is now expected, a cent a row at most."""
	books = Books(recurring(price, months=months))
	for known, run_day in history:
		books.run(known, run_day)
	known, run_day = history[-1]
	horizon = max([run_day, *(row.span.end - timedelta(1) for row in books.rows)])
	value = sum(
		row.price.full_amount * row.span.days / row.price.period.days
		for row in expected_charges(known, books.offers, horizon)
		if row.span.start <= run_day or any(_covers(done, row.span) for done in books.rows)
	)
	assert abs(books.net - value) <= Decimal("0.01") * max(len(books.rows), 1)


@pytest.mark.histories
@settings(max_examples=25, deadline=None)
@given(history=histories(), price=prices, months=intervals, fee=prices)
def test_late_costs_the_same(history, price, months, fee):
	"""One run at the end and many on the way leave the same sum when the end never changed."""
	known, last = history[0][0], history[-1][1]
	often, once = _books(price, months, fee), _books(price, months, fee)
	for _, run_day in history:
		often.run(known, run_day)
	once.run(known, last)
	assert often.net == once.net


@pytest.mark.histories
@settings(max_examples=25, deadline=None)
@given(
	history=histories(),
	price=prices,
	months=intervals,
	conceded=st.lists(st.tuples(st.integers(0, 9), st.decimals("0.01", "500", places=2)), max_size=4),
)
def test_credits_never_exceed_the_row(history, price, months, conceded):
	books = Books(recurring(price, months=months))
	for step, (known, run_day) in enumerate(history):
		books.run(known, run_day)
		if step < len(conceded) and books.rows:
			index, amount = conceded[step]
			row = books.rows[index % len(books.rows)]
			if row.left:
				books.concede(index % len(books.rows), str(min(amount, row.left)))
	for row in books.rows:
		credited = sum((done.amount for done in row.corrections), Decimal(0)) + row.conceded
		assert credited <= row.amount


@pytest.mark.histories
@settings(max_examples=25, deadline=None)
@given(price=prices, cuts=st.lists(st.integers(1, 30), max_size=5, unique=True))
def test_parts_of_a_period_add_up_to_the_whole(price, cuts):
	"""Ended and taken back day by day, the month still costs what it costs."""
	books = Books(recurring(price))
	for cut in sorted(cuts):
		books.run(contract("2026-01-01", str(START + timedelta(cut))), START)
	books.run(contract("2026-01-01"), START)
	whole = Books(recurring(price))
	whole.run(contract("2026-01-01"), START)
	assert books.net == whole.net


def _covers(row, span):
	return any(standing.meet(span) for standing in row.standing)
