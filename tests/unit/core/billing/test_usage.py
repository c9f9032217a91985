"""Usage: rated by periods, charged when they close, put right when records come late."""

from dataclasses import replace
from decimal import Decimal as D

import pytest
from billing_books import OFFER, Books, charged, contract, day, shown

from subscriber_tv.core.billing.periods import Span
from subscriber_tv.core.billing.price import USAGE, Price, Refused
from subscriber_tv.core.billing.terms import Terms
from subscriber_tv.core.billing.usage import Usage
from subscriber_tv.core.contracts.lines import Line
from subscriber_tv.core.pricing import models
from subscriber_tv.core.pricing.models import Graduated, Package, Percentage, PercentOf, PerUnit, Tier

#: 20.00 a month holds 100 hours, each further one is 0.50.
HOURS = models.Usage(D(100), (Tier(None, D("0.50")),), D(20))


def hours(scheme=HOURS, **fields):
	return charged(USAGE, scheme, "HOURS", **fields)


def used(*records, line="1", charge="HOURS"):
	return tuple(Usage(line, charge, day(on), D(quantity)) for on, quantity in records)


def row(sign, start, end, amount):
	return (sign, "HOURS", start, end, amount)


JANUARY = ("2026-01-01", "2026-02-01")


def test_a_period_is_rated_when_it_closes_and_late_records_stand_alone():
	# Jan 1                    Feb 1               Mar 1
	# |== 130 h: 20 + 30/2 ====|== 0 h: 20.00 =====|
	#   +10 h of Jan 31, known in February: + 5.00 on the same days
	#   -50 h, taken back in March: 90 h are 20.00, so 20.00 back: the late row first, then 15.00 of the first
	known = contract("2026-01-01")
	books = Books(hours())
	usage = used(("2026-01-05", 60), ("2026-01-20", 70), ("2026-02-01", 0))
	assert not books.run(known, "2026-01-31", usage=usage)
	assert shown(books.run(known, "2026-02-01", usage=usage)) == [row("+", *JANUARY, "35.00")]
	assert not books.run(known, "2026-02-01", usage=usage)
	usage += used(("2026-01-31", 10))
	late = books.run(known, "2026-02-15", usage=usage)
	assert shown(late) == [row("+", *JANUARY, "5.00")]
	assert late.charges[0].claim.revision == 1
	assert not books.run(known, "2026-02-15", usage=usage)
	usage += used(("2026-01-20", -50))
	assert shown(books.run(known, "2026-03-01", usage=usage)) == [
		row("+", "2026-02-01", "2026-03-01", "20.00"),
		row("-", *JANUARY, "15.00"),
		row("-", *JANUARY, "5.00"),
	]
	assert not books.run(known, "2026-03-01", usage=usage)
	assert books.net == D("40.00")


def test_all_records_late_cost_what_they_would_have_cost():
	known = contract("2026-01-01")
	usage = used(("2026-01-05", 60), ("2026-01-20", 70), ("2026-02-03", 101))
	books = Books(hours())
	assert [amount for *_, amount in shown(books.run(known, "2026-03-01", usage=usage))] == ["35.00", "20.50"]


@pytest.mark.parametrize(
	("scheme", "prorate", "amount"),
	[
		(HOURS, True, "15.00"),  # half the fee, 50 hours free, 10 at 0.50
		(HOURS, False, "20.00"),  # 100 hours free
		(Package(D(3), D(10), D(20)), True, "15.00"),  # 10 free, 50 are 5 blocks
		(Package(D(3), D(10), D(20)), False, "12.00"),  # 20 free, 40 are 4 blocks
		(Graduated((Tier(D(50), D(1)), Tier(None, D("0.50")))), True, "55.00"),  # tiers are never cut
		(PerUnit(D("0.25")), True, "15.00"),
		(PercentOf(D(10), minimum=D(20)), True, "10.00"),  # 6.00, at least half of 20.00
		(PercentOf(D(10), minimum=D(20)), False, "20.00"),
		(PercentOf(D(50), maximum=D(20)), True, "10.00"),
		(Percentage(D(10), fixed=D(1), free_events=1), True, "5.00"),  # the first of 20 is free, 40 pay 4 + 1
	],
)
def test_part_of_a_period(scheme, prorate, amount):
	"""From 11 to 26 April: 15 of 30 days, 60 units used, of them 5 on days that are not served."""
	books = Books(hours(scheme, prorate=prorate))
	usage = used(("2026-04-12", 20), ("2026-04-25", 40), ("2026-04-26", 5), ("2026-04-10", 5))
	bill = books.run(contract("2026-04-11", "2026-04-26", anchor=1), "2026-04-26", usage=usage)
	assert shown(bill) == [row("+", "2026-04-11", "2026-04-26", amount)]


def test_a_price_that_changes_within_a_period_rates_its_own_days():
	# Apr 1                      Apr 16                     May 1
	# |== 40 h, 15/30 of 100 free |== 70 h at 0.10 ==========|
	cheap = hours(PerUnit(D("0.10")))
	books = Books(hours())
	books.offers["CHEAP"] = (cheap,)
	lines = (
		Line("1", OFFER, 1, end=day("2026-04-16")),
		Line("1", "CHEAP", 1, start=day("2026-04-16")),
	)
	usage = used(("2026-04-15", 60), ("2026-04-16", 70))
	bill = books.run(contract("2026-04-01", lines=lines), "2026-05-01", usage=usage)
	assert shown(bill) == [
		row("+", "2026-04-01", "2026-04-16", "15.00"),
		row("+", "2026-04-16", "2026-05-01", "7.00"),
	]


def test_a_new_quantity_leaves_the_usage_of_the_period_together():
	lines = (Line("1", OFFER, 1, end=day("2026-04-16")), Line("1", OFFER, 9, start=day("2026-04-16")))
	usage = used(("2026-04-15", 60), ("2026-04-16", 70))
	bill = Books(hours()).run(contract("2026-04-01", lines=lines), "2026-05-01", usage=usage)
	assert shown(bill) == [row("+", "2026-04-01", "2026-05-01", "35.00")]


def test_days_without_charge_count_neither_usage_nor_allowance():
	# Apr 1         Apr 11                     May 1
	# |... trial ...|== 20/30: 13.33, 66.67 h ==|      70 h are 3.33 above
	terms = Terms(unbilled=(Span(day("2026-04-01"), day("2026-04-11")),))
	usage = used(("2026-04-02", 500), ("2026-04-12", 70))
	bill = Books(hours()).run(contract("2026-04-01"), "2026-05-01", usage=usage, terms=terms)
	assert shown(bill) == [row("+", "2026-04-11", "2026-05-01", "15.00")]


def test_an_end_learnt_late_puts_the_share_right():
	"""Billed for all of April with the whole allowance; ended on the 16th in truth: half of both."""
	books = Books(hours())
	usage = used(("2026-04-05", 130))
	assert books.run(contract("2026-04-01"), "2026-05-01", usage=usage).net == D("35.00")
	ended = contract("2026-04-01", "2026-04-16")
	bill = books.run(ended, "2026-05-02", usage=usage)
	assert bill.net == D("15.00")  # 10.00 and 80 hours above 50 are 50.00
	assert not books.run(ended, "2026-05-03", usage=usage)


def test_nothing_before_the_opening_position():
	known = contract("2026-01-01", billed_through="2026-02-01")
	usage = used(("2026-01-05", 500), ("2026-02-05", 101))
	bill = Books(hours()).run(known, "2026-03-01", usage=usage)
	assert shown(bill) == [row("+", "2026-02-01", "2026-03-01", "20.50")]


def test_a_credit_is_never_more_than_is_left_on_the_row():
	known = contract("2026-01-01")
	books = Books(hours(PerUnit(D(1))))
	books.run(known, "2026-02-01", usage=used(("2026-01-05", 30)))
	books.concede(0, "25.00")
	assert shown(books.run(known, "2026-02-01")) == [row("-", *JANUARY, "5.00")]
	assert not books.run(known, "2026-02-01")


def test_a_concession_or_an_amended_amount_is_not_billed_back():
	known = contract("2026-01-01")
	books = Books(hours(PerUnit(D(1))))
	usage = used(("2026-01-05", 30))
	books.run(known, "2026-02-01", usage=usage)
	books.concede(0, "10.00")
	assert not books.run(known, "2026-02-01", usage=usage)
	books.rows[0] = replace(books.rows[0], amount=D("12.00"))
	assert not books.run(known, "2026-02-01", usage=usage)


def test_an_amount_below_zero_among_events_is_refused_by_name():
	with pytest.raises(Refused) as refused:
		Books(hours(Percentage(D(10)))).run(
			contract("2026-01-01"), "2026-02-01", usage=used(("2026-01-05", -3))
		)
	assert (refused.value.code, refused.value.values["line"]) == ("usage_below_zero", "TVS-1/1/HOURS")


def test_what_was_rated_is_read_back_from_the_row():
	books = Books(hours())
	usage = used(("2026-01-05", "120.5"))
	books.run(contract("2026-01-01"), "2026-02-01", usage=usage)
	books.run(contract("2026-01-01"), "2026-02-01", usage=usage + used(("2026-01-06", 10)))
	for stands in books.rows:
		facts = stands.price.snapshot(stands.span)
		assert Price.from_snapshot(facts, "TV-HOURS") == replace(stands.price, description="")
	assert (facts["quantity"], facts["rated"], facts["already"]) == ("130.5", "35.25", "30.25")
