"""Terms that the engine applies to any contract, and what its rows keep of them."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from billing_books import OFFER, Books, charged, contract, day, one_off, recurring, shown

from subscriber_tv.core.billing.bill import ContractFacts, bill_contract
from subscriber_tv.core.billing.periods import Grid, Span
from subscriber_tv.core.billing.price import RECURRING, Price
from subscriber_tv.core.billing.terms import Discount, Terms
from subscriber_tv.core.contracts.timeline import Line
from subscriber_tv.core.pricing.models import Tier, Volume
from subscriber_tv.core.pricing.offered import CONTRACT

DEARER = "HOTEL-TV-V2"


def run(books, known, until, terms=None):
	"""As Books.run, for an offer that changes and terms of a contract."""
	facts = ContractFacts(known, books.offers, tuple(books.rows), terms=terms or Terms())
	return bill_contract(facts, until=day(until), max_months=1200)


def test_a_rise_announced_early_is_credited_when_it_comes():
	# 1 Jan                1 Jun                      1 Jan
	# |===== 120.00 a year, billed in advance =========|
	#       1 Mar: known   |===== 240.00 a year =======|   credited and charged by the run of 1 June
	books = Books(recurring("120.00", months=12))
	books.offers[DEARER] = (recurring("240.00", months=12),)
	books.run(contract("2026-01-01"), "2026-01-01")
	lines = (Line("1", OFFER, 1, end=day("2026-06-01")), Line("1", DEARER, 1, start=day("2026-06-01")))
	known = contract("2026-01-01", lines=lines)
	assert not books.run(known, "2026-03-01")
	assert shown(books.run(known, "2026-06-01")) == [
		("+", "BASE", "2026-06-01", "2027-01-01", "140.71"),  # 240 x 214/365
		("-", "BASE", "2026-06-01", "2027-01-01", "70.36"),  # 120 - 120 x 151/365 = 120 - 49.64
	]


def test_days_that_come_to_nothing_are_not_billed_by_a_second_run():
	# 1 Jan    2 Jan                    1 Feb      0.005 a month: 1 day is 0.00, 30 days are 0.00, 31 days 0.01
	# |= 0.00 =|========= 0.00 =========|          nothing comes to a cent by itself, now or later
	books = Books(recurring("0.005"))
	lines = (Line("1", OFFER, 1, end=day("2026-01-02")), Line("1", OFFER, 1, start=day("2026-01-02")))
	known = contract("2026-01-01", lines=lines)
	first = books.run(known, "2026-01-01")
	assert not books.run(known, "2026-01-31")
	assert books.net == first.net <= Decimal("0.01")


def test_a_plan_of_another_interval_begins_its_own_periods():
	# 1 Jan     15 Feb                      1 Feb
	# |= months =|========= a year from the anchor on, 351/365 of it ======|
	books = Books(recurring("30.00"))
	books.offers[DEARER] = (recurring("365.00", months=12),)
	lines = (Line("1", OFFER, 1, end=day("2026-02-15")), Line("1", DEARER, 1, start=day("2026-02-15")))
	bill = books.run(contract("2026-01-01", lines=lines), "2026-02-15")
	assert shown(bill)[1:] == [
		("+", "BASE", "2026-02-01", "2026-02-15", "15.00"),
		("+", "BASE", "2026-02-15", "2027-02-01", "351.00"),
	]


def test_an_amount_off_the_whole_is_shared_by_price_and_given_back_in_part():
	# 1 Apr          16 Apr        1 May
	# |== 60 - 15 ===|--- 22.50 ---|   20.00 off 60.00 and 20.00: three quarters and one
	# |== 20 - 5 ====|--- 7.50 ----|
	books = Books(recurring("60.00"), recurring("20.00", code="SPORT"))
	terms = Terms(discounts=(Discount(amount=Decimal("20.00")),))
	bill = run(books, contract("2026-04-01"), "2026-04-01", terms)
	assert [str(charge.amount) for charge in bill.charges] == ["45.00", "15.00"]
	for charge in bill.charges:
		books._add(charge)
	bill = run(books, contract("2026-04-01", "2026-04-16"), "2026-04-16", terms)
	assert [str(credit.amount) for credit in bill.credits] == ["22.50", "7.50"]


def test_a_minimum_of_a_line_is_due_when_its_period_closes():
	charge = replace(recurring("30.00"), minimum=Decimal("50.00"))
	books = Books(charge)
	assert [c.claim.kind for c in books.run(contract("2026-01-01"), "2026-01-31").charges] == ["recurring"]
	closed = books.run(contract("2026-01-01"), "2026-02-01").charges
	assert [(c.claim.kind, str(c.amount)) for c in closed] == [("recurring", "30.00"), ("minimum", "20.00")]


@pytest.mark.parametrize(
	"special",
	[{}, {"discount": Decimal("3.3333")}, {"prorate": False}, {"discount": Decimal("0.1"), "prorate": False}],
)
def test_a_row_keeps_what_its_price_was_made_of(special):
	period = Span(date(2026, 1, 1), date(2026, 2, 1))
	price = replace(Price(OFFER, "BASE", "TV-BASE", "Per Unit", Decimal("7.4193"), 100, 1, period), **special)
	assert Price.from_snapshot(price.snapshot(period), "TV-BASE") == price


@pytest.mark.parametrize(
	("start", "interval", "first"),
	[
		("2026-02-15", 1, ("2026-02-01", "2026-03-01")),
		("2026-02-15", 3, ("2026-01-01", "2026-04-01")),
		("2026-11-30", 6, ("2026-07-01", "2027-01-01")),
		("2026-11-30", 12, ("2026-01-01", "2027-01-01")),
		("2026-11-30", 24, ("2026-01-01", "2028-01-01")),
	],
)
def test_a_calendar_grid_counts_from_january(start, interval, first):
	period = next(Grid(day(start), 1, interval, calendar=True).periods(day(start)))
	assert (str(period.start), str(period.end)) == first


@pytest.mark.parametrize("prorate", [True, False])
def test_an_interval_changed_and_changed_back_bills_no_day_twice(prorate):
	# 1 Jan     1 Feb  2 Feb  3 Feb        1 Mar      monthly, two days of two months, monthly again
	# |=========|======|~~~~~~|============|
	books = Books(replace(recurring("28.00"), prorate=prorate, minimum=Decimal("56.00")))
	terms = Terms(intervals=((day("2026-01-01"), 1), (day("2026-02-02"), 2), (day("2026-02-03"), 1)))
	rows = run(books, contract("2026-01-01"), "2026-02-03", terms).charges
	kinds = [(c.claim.kind, str(c.span.start), str(c.span.end)) for c in rows if c.claim.kind == "recurring"]
	assert kinds[:2] == [("recurring", "2026-01-01", "2026-02-01"), ("recurring", "2026-02-01", "2026-02-02")]
	assert next(str(c.amount) for c in rows if c.claim.kind == "minimum") == "28.00"


def changed(*pieces):
	"""Line 1 at one offer after the other: (offer, quantity, start, end)."""
	return tuple(
		Line("1", offer, quantity, start=start and day(start), end=end and day(end))
		for offer, quantity, start, end in pieces
	)


def minimums(bill):
	return [row[2:] for row in shown(bill) if row[1].endswith("MINIMUM")]


def test_a_minimum_holds_while_its_offer_version_does():
	# Jan 1          Mar 1           May 1
	# |= no minimum =|=== 100.00 ====|= none again =
	books = Books(recurring("30.00"))
	books.offers[DEARER] = (replace(recurring("30.00"), minimum=Decimal("100.00")),)
	lines = changed(
		(OFFER, 1, None, "2026-03-01"),
		(DEARER, 1, "2026-03-01", "2026-05-01"),
		(OFFER, 1, "2026-05-01", None),
	)
	assert minimums(books.run(contract("2026-01-01", lines=lines), "2026-07-01")) == [
		("2026-03-01", "2026-04-01", "70.00"),
		("2026-04-01", "2026-05-01", "70.00"),
	]


def test_a_minimum_that_begins_within_a_period_has_its_share_by_days():
	books = Books(recurring("30.00"))
	books.offers[DEARER] = (replace(recurring("30.00"), minimum=Decimal("100.00")),)
	lines = changed((OFFER, 1, None, "2026-04-16"), (DEARER, 1, "2026-04-16", None))
	bill = books.run(contract("2026-04-01", lines=lines), "2026-05-01")
	assert minimums(bill) == [("2026-04-01", "2026-05-01", "20.00")]  # 100 x 15/30 - 30


def test_a_minimum_above_shared_tiers_is_charged_whole():
	"""40 and 30 outlets at 6.00 come to 420.00."""
	tiers = Volume((Tier(Decimal(50), Decimal(8)), Tier(None, Decimal(6))))
	books = Books(charged(RECURRING, tiers, "ROOMS", counts_over=CONTRACT))
	both = contract("2026-04-01", lines=(Line("1", OFFER, 40), Line("2", OFFER, 30)))
	bill = books.run(both, "2026-05-01", terms=Terms(minimum=Decimal(500)))
	assert minimums(bill) == [("2026-04-01", "2026-05-01", "80.00")]


def test_one_row_a_period_also_where_a_later_offer_has_no_proration():
	"""Two more outlets within such a month cost from the next one on, and not a second month."""
	books = Books(recurring("30.00"))
	books.offers[DEARER] = (replace(recurring("30.00"), prorate=False),)
	lines = changed(
		(OFFER, 10, None, "2026-02-01"),
		(DEARER, 10, "2026-02-01", "2026-03-15"),
		(DEARER, 12, "2026-03-15", None),
	)
	bill = books.run(contract("2026-01-01", lines=lines), "2026-04-01")
	assert [row[-1] for row in shown(bill)] == ["300.00", "300.00", "300.00", "360.00"]


def test_a_later_offer_with_proration_charges_by_days_again():
	books = Books(replace(recurring("30.00"), prorate=False))
	books.offers[DEARER] = (recurring("30.00"),)
	lines = changed(
		(OFFER, 10, None, "2026-04-01"),
		(DEARER, 10, "2026-04-01", "2026-04-16"),
		(DEARER, 12, "2026-04-16", None),
	)
	bill = books.run(contract("2026-03-01", lines=lines), "2026-04-16")
	assert [row[-1] for row in shown(bill)] == ["300.00", "150.00", "180.00"]


def test_what_was_free_on_the_first_day_is_not_charged_by_a_later_offer():
	books = Books(recurring("30.00"), one_off("99.00", free=True))
	books.offers[DEARER] = (recurring("30.00"), one_off("99.00"))
	lines = changed((OFFER, 1, None, "2026-02-01"), (DEARER, 1, "2026-02-01", None))
	bill = books.run(contract("2026-01-01", lines=lines), "2026-02-01")
	assert [row[1] for row in shown(bill)] == ["BASE", "BASE"]


def test_three_periods_off_are_three_months_beside_a_year():
	books = Books(recurring("10.00"), recurring("100.00", months=12, code="YEAR"))
	terms = Terms(discounts=(Discount(percent=Decimal(50), periods=3),))
	bill = books.run(contract("2026-01-01"), "2026-04-01", terms=terms)
	assert [row[-1] for row in shown(bill)] == ["5.00", "5.00", "5.00", "10.00", "50.00"]
