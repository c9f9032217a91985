"""The minimum of a whole contract whose charges have different intervals: held against the shortest it began with."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from billing_books import OFFER, Books, charged, contract, day, recurring
from hypothesis import given
from hypothesis import strategies as st

from subscriber_tv.core.billing.periods import Grid, Span
from subscriber_tv.core.billing.price import RECURRING
from subscriber_tv.core.billing.terms import Discount, Terms
from subscriber_tv.core.contracts.timeline import Line
from subscriber_tv.core.pricing.models import PercentOf

D = Decimal
OTHER = "YEARLY-V1"
#: A euro a day: 31.00 of January.
YEAR = recurring("365.00", months=12, code="YEAR")


def least(amount="100.00", **fields) -> Terms:
	return Terms(minimum=D(amount), **fields)


def minimums(bill) -> list[tuple]:
	return [
		(str(one.span.start), str(one.span.end), str(one.amount))
		for one in bill.charges
		if one.claim.kind == "minimum"
	]


def test_a_yearly_charge_counts_in_each_month_by_its_days():
	# 1 Jan      1 Feb      1 Mar
	# |= 30.00 ==|= 30.00 ==|= 30.00 ==|       monthly
	# |= 31.00 ==|= 28.00 ==|= 31.00 ==|...    its share of 365.00 a year
	# |- 39.00 --|- 42.00 --|                  to 100.00 a month
	books = Books(recurring("30.00"), YEAR)
	bill = books.run(contract("2026-01-01"), "2026-03-01", terms=least())
	assert minimums(bill) == [("2026-01-01", "2026-02-01", "39.00"), ("2026-02-01", "2026-03-01", "42.00")]
	assert not books.run(contract("2026-01-01"), "2026-03-01", terms=least())


def test_nothing_is_parked_where_both_are_short():
	"""Held against the month and against the year it was two rows for one day, and the payer was parked."""
	books = Books(recurring("1.00"), recurring("2.00", months=12, code="YEAR"))
	for month in range(1, 13):
		books.run(contract("2026-01-01"), date(2026, month, 1), terms=least())
	books.run(contract("2026-01-01"), "2027-01-01", terms=least())
	twelve = [row for row in books.rows if row.kind == "minimum"]
	assert len(twelve) == 12
	# 12 x 100.00 less 12 x 1.00 and the 2.00 of the year, each month rounded once
	assert abs(sum(row.amount for row in twelve) - D("1186.00")) <= D("0.06")


def test_what_the_longer_charge_pays_is_enough():
	bill = Books(recurring("30.00"), recurring("3650.00", months=12, code="YEAR")).run(
		contract("2026-01-01"), "2026-03-01", terms=least()
	)
	assert minimums(bill) == []


@pytest.mark.parametrize("prorate", [True, False])
def test_a_year_due_whole_counts_by_its_days_too(prorate):
	"""Also when the contract is left: what was held against it in past months stays."""
	books = Books(recurring("30.00"), replace(YEAR, prorate=prorate))
	books.run(contract("2026-01-01"), "2026-03-01", terms=least())
	bill = books.run(contract("2026-01-01", "2026-03-11"), "2026-03-11", terms=least())
	# 10 of 31 days: 32.26 less 9.68 and 10.00
	assert minimums(bill) == [("2026-03-01", "2026-03-11", "12.58")]
	assert not [credit for credit in bill.credits if credit.claim.line.endswith("MINIMUM")]


def test_a_monthly_option_counts_in_the_quarter_the_contract_began_with():
	"""What is added later moves no minimum: 300.00 a quarter stay 300.00 a quarter."""
	books = Books(recurring("200.00", months=3))
	books.offers[OTHER] = (recurring("20.00", code="OPTION"),)
	lines = (Line("1", OFFER, 1), Line("2", OTHER, 1, start=day("2026-02-01")))
	bill = books.run(contract("2026-01-01", lines=lines), "2026-04-01", terms=least("300.00"))
	assert minimums(bill) == [("2026-01-01", "2026-04-01", "60.00")]


def test_a_plan_of_another_interval_moves_no_minimum():
	# 30.00 a month, from April on 365.00 a year: 30.00 in April
	books = Books(recurring("30.00"))
	books.offers[OTHER] = (recurring("365.00", months=12),)
	lines = (Line("1", OFFER, 1, end=day("2026-04-01")), Line("1", OTHER, 1, start=day("2026-04-01")))
	bill = books.run(contract("2026-01-01", lines=lines), "2026-05-01", terms=least("40.00"))
	assert minimums(bill) == [
		("2026-01-01", "2026-02-01", "10.00"),
		("2026-02-01", "2026-03-01", "10.00"),
		("2026-03-01", "2026-04-01", "10.00"),
		("2026-04-01", "2026-05-01", "10.00"),
	]


def test_quarters_that_began_apart_share_one_minimum():
	"""A line quarterly, monthly for a while and quarterly again has quarters of its own, across those of the other."""
	books = Books(recurring("90.00", months=3))
	books.offers[OTHER] = (recurring("30.00"),)
	lines = (
		Line("1", OFFER, 1),
		Line("2", OFFER, 1, end=day("2026-02-01")),
		Line("2", OTHER, 1, start=day("2026-02-01"), end=day("2026-03-01")),
		Line("2", OFFER, 1, start=day("2026-03-01")),
	)
	known = contract("2026-01-01", lines=lines)
	bill = books.run(known, "2026-07-01", terms=least("300.00"))
	# Jan-Apr: 90 + 31.00 of line 2, 30 and 31/92 of 90; Apr-Jul: 90, 61/92 of 90 and 30/92 of 90
	assert minimums(bill) == [("2026-01-01", "2026-04-01", "118.67"), ("2026-04-01", "2026-07-01", "120.98")]


def test_free_charges_and_days_without_charge_move_it_neither():
	books = Books(recurring("0", free=True, code="GIFT"), recurring("90.00", months=3))
	trial = Span(day("2026-01-01"), day("2026-02-01"))
	bill = books.run(contract("2026-01-01"), "2026-04-01", terms=least("180.00", unbilled=(trial,)))
	# 59 of 90 days: 118.00 less 59.00
	assert minimums(bill) == [("2026-02-01", "2026-04-01", "59.00")]


def test_a_moved_billing_day_cuts_its_period():
	books = Books(recurring("31.00"), YEAR)
	moved = least(anchors=((day("2026-01-16"), 16),))
	bill = books.run(contract("2026-01-01"), "2026-02-16", terms=moved)
	# 15/31 of 100.00 less 15.00 and 15.00; then 100.00 less 31.00 and 31.00
	assert minimums(bill) == [("2026-01-01", "2026-01-16", "18.39"), ("2026-01-16", "2026-02-16", "38.00")]


def test_a_percentage_of_the_year_and_a_discount_count_as_they_are_billed():
	service = charged(RECURRING, PercentOf(D(10)), "SERVICE", of=("YEAR",))
	books = Books(recurring("30.00"), YEAR, service)
	terms = least(discounts=(Discount(percent=D(50)),))
	bill = books.run(contract("2026-01-01"), "2026-02-01", terms=terms)
	# 15.00, 15.50 and 1.55
	assert minimums(bill) == [("2026-01-01", "2026-02-01", "67.95")]


def test_the_minimum_of_a_yearly_charge_counts_by_its_days():
	"""365.00 a year at least of 0.01: 31.00 of them are January's."""
	poor = replace(recurring("0.01", months=12, code="YEAR"), minimum=D("365.00"))
	bill = Books(recurring("30.00"), poor).run(contract("2026-01-01"), "2026-02-01", terms=least())
	assert minimums(bill) == [("2026-01-01", "2026-02-01", "39.00")]


@given(
	monthly=st.integers(0, 60),
	yearly=st.integers(0, 900),
	quarterly=st.integers(0, 200),
	amount=st.integers(1, 200),
	end=st.integers(2, 500),
	arrears=st.booleans(),
	prorate=st.booleans(),
	runs=st.lists(st.integers(0, 520), min_size=1, max_size=6),
)
def test_whatever_the_intervals_no_contract_is_parked_and_each_month_has_its_least(
	monthly, yearly, quarterly, amount, end, arrears, prorate, runs
):
	start = date(2026, 1, 10)
	ends = start + timedelta(end)
	charges = [
		replace(recurring(price, months=months, code=code), arrears=arrears, prorate=prorate or months == 1)
		for price, months, code in ((monthly, 1, "M"), (quarterly, 3, "Q"), (yearly, 12, "Y"))
		if price
	]
	if not charges:
		return
	books = Books(*charges)
	known = contract(str(start), str(ends))
	terms = least(str(amount))
	for run in sorted(runs):
		books.run(known, start + timedelta(run), terms=terms)
	books.run(known, start + timedelta(900), terms=terms)
	assert not books.run(known, start + timedelta(900), terms=terms)
	rows = sorted(row.span for row in books.rows if row.kind == "minimum" and row.left)
	assert all(before.end <= after.start for before, after in pairwise(rows))
	if prorate:
		# Each period of the minimum comes to its share of it, short of half a cent a row.
		served = sum(row.left for row in books.rows)
		months = min(charge.interval_months for charge in charges)
		owed = _owed(start, ends, months, D(amount))
		assert served >= owed - D("0.01") * (len(books.rows) + 12)


def _owed(start: date, ends: date, months: int, amount: Decimal) -> Decimal:
	"""The minimum of the days served, by the periods of so many months from the first day."""
	periods = Grid(start, start.day, months).periods(ends)
	met = ((period, period.meet(Span(start, ends))) for period in periods)
	return sum((amount * span.days / period.days for period, span in met if span), D(0))
