"""The date rules among the traps of docs/traps.md, as the pure core decides them: milliseconds instead of nights.

The same traps are lived through on a real site in subscriber_tv/tests/test_traps_*.py.
"""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from billing_books import OFFER, Books, contract, day, recurring, shown

from subscriber_tv.core.billing.agreement import terms_of
from subscriber_tv.core.contracts.lines import Line
from subscriber_tv.core.contracts.timeline import Agreed, Change, TimelineError, fold, plan_change

YEARLY = "HOTEL-TV-YEAR"


def nights(books: Books, known, first: str, last: str, missed=(), **facts) -> list[tuple]:
	"""A run every day but the missed ones; the rows in order of posting."""
	rows = []
	on = day(first)
	while on <= day(last):
		if on not in missed:
			rows += [(str(on), *row[2:]) for row in shown(books.run(known, on, **facts))]
		on += timedelta(1)
	return rows


@pytest.mark.histories
def test_t1_after_a_trial_every_month_is_billed():
	# 1 Jan       15 Jan                  15 Feb                 15 Mar
	# |== free ====|======= 31.00 =========|====== 31.00 =========|...
	agreed = Agreed(anchor_day=15, trial_days=14)
	lines = (Line("1", OFFER, 1),)
	known = fold(
		[
			Change(1, "create", None, "Draft", day("2026-01-01"), lines=lines),
			Change(2, "activate", "Awaiting Activation", "Active", day("2026-01-01")),
		],
		subscription="TVS-1",
		agreed=agreed,
	)
	rows = nights(Books(recurring("31.00")), known, "2026-01-01", "2026-05-01", terms=terms_of(known))
	assert rows == [
		("2026-01-15", "2026-01-15", "2026-02-15", "31.00"),
		("2026-02-15", "2026-02-15", "2026-03-15", "31.00"),
		("2026-03-15", "2026-03-15", "2026-04-15", "31.00"),
		("2026-04-15", "2026-04-15", "2026-05-15", "31.00"),
	]


@pytest.mark.histories
@pytest.mark.parametrize(
	"missed",
	[
		["2026-02-01"],
		["2026-02-28", "2026-03-01"],
		["2026-02-01", "2026-02-28", "2026-03-01", "2026-03-02"],
		[str(date(2026, 1, 2) + timedelta(n)) for n in range(90)],
	],
)
def test_t2_whatever_nights_are_missed_the_same_periods_are_billed(missed):
	rows = nights(
		Books(), contract("2026-01-01"), "2026-01-01", "2026-04-05", missed={day(text) for text in missed}
	)
	assert [row[1:] for row in rows] == [
		("2026-01-01", "2026-02-01", "30.00"),
		("2026-02-01", "2026-03-01", "30.00"),
		("2026-03-01", "2026-04-01", "30.00"),
		("2026-04-01", "2026-05-01", "30.00"),
	]


def test_t3_the_31st_comes_back_after_february():
	# 31 Jan     28 Feb     31 Mar     30 Apr     31 May
	# |==========|==========|==========|==========|
	rows = nights(Books(), contract("2026-01-31"), "2026-01-31", "2026-05-30")
	assert [row[1:3] for row in rows] == [
		("2026-01-31", "2026-02-28"),
		("2026-02-28", "2026-03-31"),
		("2026-03-31", "2026-04-30"),
		("2026-04-30", "2026-05-31"),
	]
	assert {row[3] for row in rows} == {"30.00"}


def test_t5_an_end_that_nobody_named_is_refused():
	with pytest.raises(TimelineError, match="end_missing"):
		plan_change(contract("2026-01-01"), "cancel_at_date", no=9, today=day("2026-01-10"))


def test_t6_arrears_are_billed_to_the_last_day_served():
	# 1 Sep                1 Oct       11 Oct
	# |======= 30.00 =======|== 9.68 ==|             30 x 10/31, charged by the run of 11 Oct
	charge = replace(recurring("30.00"), arrears=True)
	rows = nights(Books(charge), contract("2026-09-01", "2026-10-11"), "2026-09-01", "2026-11-05")
	assert rows == [
		("2026-10-01", "2026-09-01", "2026-10-01", "30.00"),
		("2026-10-11", "2026-10-01", "2026-10-11", "9.68"),
	]


@pytest.mark.parametrize("months", [1, 3, 6, 12, 24, 36, 60])
def test_t8_an_interval_is_as_long_as_it_says(months):
	"""One row for the whole interval at its price; the next begins so many months later."""
	books = Books(recurring("240.00", months=months))
	bill = books.run(contract("2024-02-29"), "2024-02-29")
	(charge,) = bill.charges
	elapsed = (charge.span.end.year - 2024) * 12 + charge.span.end.month - 2
	assert (elapsed, charge.amount) == (months, Decimal("240.00"))
	assert charge.span.end.day == 29 or (charge.span.end.month, charge.span.end.day) == (2, 28)


def test_t13_a_prepaid_year_given_up_comes_back_by_its_days():
	# 1 Jan            11 Apr                            1 Jan
	# |= 100 days ======|---- 265 of 365 days: 265.00 ----|
	books = Books(recurring("365.00", months=12))
	books.run(contract("2026-01-01"), "2026-01-01")
	bill = books.run(contract("2026-01-01", "2026-04-11"), "2026-04-11")
	assert shown(bill) == [("-", "BASE", "2026-04-11", "2027-01-01", "265.00")]


def test_t14_a_back_dated_start_is_billed_from_its_first_day():
	rows = nights(Books(), contract("2026-01-16", anchor=1), "2026-03-10", "2026-03-12")
	assert [row[1:] for row in rows] == [
		("2026-01-16", "2026-02-01", "15.48"),  # 30 x 16/31
		("2026-02-01", "2026-03-01", "30.00"),
		("2026-03-01", "2026-04-01", "30.00"),
	]


def test_t14_another_cycle_in_the_middle_of_a_period_moves_the_money():
	# 1 Oct        16 Oct            1 Nov
	# |= 30.00 =====|---- 15.48 -----|                            16/31 given back
	#               |======= 345.21 ==================| 1 Oct     360 x 350/365
	books = Books(recurring("30.00"))
	books.offers[YEARLY] = (recurring("360.00", months=12),)
	books.run(contract("2026-10-01", anchor=1), "2026-10-01")
	lines = (
		Line("1", OFFER, 1, end=day("2026-10-16")),
		Line("1", YEARLY, 1, start=day("2026-10-16")),
	)
	assert shown(books.run(contract("2026-10-01", anchor=1, lines=lines), "2026-10-16")) == [
		("+", "BASE", "2026-10-16", "2027-10-01", "345.21"),
		("-", "BASE", "2026-10-16", "2026-11-01", "15.48"),
	]


def test_t27_parts_of_a_period_add_up_to_the_whole_whatever_they_are_rounded_to():
	"""100.00 over 30 days is 3.333... a day: thirty rows of one day make 100.00, not 99.90."""
	books = Books(recurring("100.00"))
	amounts = []
	for n in range(30):
		end = day("2026-09-02") + timedelta(n)
		bill = books.run(contract("2026-09-01", str(end), anchor=1), "2026-09-30")
		amounts += [charge.amount for charge in bill.charges]
	assert len(amounts) == 30
	assert sum(amounts) == Decimal("100.00")
	assert set(amounts) == {Decimal("3.33"), Decimal("3.34")}
