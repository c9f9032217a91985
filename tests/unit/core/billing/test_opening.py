"""A contract taken over inside a period of a charge that is due whole: what was begun elsewhere was billed elsewhere."""

from dataclasses import replace
from decimal import Decimal

import pytest
from billing_books import OFFER, Books, charged, contract, day, recurring, shown

from subscriber_tv.core.billing.price import RECURRING, USAGE
from subscriber_tv.core.billing.terms import Terms
from subscriber_tv.core.billing.usage import Usage as Used
from subscriber_tv.core.contracts.timeline import Line
from subscriber_tv.core.pricing.models import PercentOf, Tier, Usage

D = Decimal


def whole(price="30.00", **fields):
	fields = {"prorate": False, **fields}
	return replace(recurring(price), **fields)


def taken_over(opening, *, since="2024-06-01", **fields):
	return contract(since, anchor=1, billed_through=opening, **fields)


@pytest.mark.parametrize("arrears", [False, True])
@pytest.mark.parametrize(
	("opening", "first"),
	[
		("2026-01-01", "2026-01-01"),  # on a boundary: nothing is lost
		("2026-01-02", "2026-02-01"),  # January was begun elsewhere, and is due whole there
		("2026-01-15", "2026-02-01"),
		("2026-02-01", "2026-02-01"),
	],
)
def test_the_first_period_that_begins_on_or_after_the_opening_is_billed_whole(opening, first, arrears):
	books = Books(whole(arrears=arrears))
	bill = books.run(taken_over(opening), "2026-03-01")
	assert str(bill.charges[0].span.start) == first
	assert {str(charge.amount) for charge in bill.charges} == {"30.00"}
	assert not books.run(taken_over(opening), "2026-03-01")


def test_beside_a_prorated_charge_each_goes_by_its_own_rule():
	# 1 Jan       15 Jan            1 Feb
	# |... elsewhere |= 17/31 of BASE =|
	# |... elsewhere, whole ...........|== PACK
	books = Books(recurring("31.00"), whole("10.00", code="PACK"))
	assert shown(books.run(taken_over("2026-01-15"), "2026-02-01")) == [
		("+", "BASE", "2026-01-15", "2026-02-01", "17.00"),
		("+", "BASE", "2026-02-01", "2026-03-01", "31.00"),
		("+", "PACK", "2026-02-01", "2026-03-01", "10.00"),
	]


@pytest.mark.parametrize(
	("since", "opening", "first"),
	[
		("2026-01-10", "2026-01-10", "2026-01-10"),  # not begun before
		("2026-01-20", "2026-01-15", "2026-01-20"),
		("2026-01-10", "2026-01-15", "2026-02-01"),
	],
)
def test_a_period_that_the_service_begins_counts_from_its_first_day(since, opening, first):
	bill = Books(whole()).run(taken_over(opening, since=since), "2026-02-01")
	assert str(bill.charges[0].span.start) == first


def test_an_option_that_comes_after_the_opening_is_billed_for_the_period_it_comes_in():
	lines = (Line("1", OFFER, 1), Line("2", OFFER, 1, start=day("2026-01-20")))
	bill = Books(whole()).run(taken_over("2026-01-15", lines=lines), "2026-01-31")
	assert [(c.claim.line, str(c.span.start)) for c in bill.charges] == [("TVS-1/2/BASE", "2026-01-20")]


def test_a_year_begun_elsewhere_is_left_to_its_end():
	bill = Books(whole("240.00", interval_months=12)).run(taken_over("2026-01-15"), "2026-12-31")
	assert [(str(charge.span.start), str(charge.amount)) for charge in bill.charges] == [
		("2026-06-01", "240.00")
	]


def test_a_percentage_is_taken_of_what_is_billed_here():
	"""10 % of 17/31 of BASE; that of PACK was billed where PACK was."""
	service = charged(RECURRING, PercentOf(D(10)), "SERVICE", of=("BASE", "PACK"))
	books = Books(recurring("31.00"), whole("10.00", code="PACK"), service)
	bill = books.run(taken_over("2026-01-15"), "2026-02-01")
	found = [(str(c.span.start), str(c.amount)) for c in bill.charges if c.claim.line.endswith("SERVICE")]
	assert found == [("2026-01-15", "1.70"), ("2026-02-01", "4.10")]
	assert not books.run(taken_over("2026-01-15"), "2026-02-01")


def test_what_is_missing_to_a_minimum_of_a_period_begun_elsewhere_is_billed_there():
	books = Books(whole(minimum=D(50)))
	bill = books.run(taken_over("2026-01-15"), "2026-03-01", terms=Terms(minimum=D(60)))
	rows = [(charge.claim.kind, str(charge.span.start), str(charge.amount)) for charge in bill.charges]
	assert sorted(rows) == [
		("minimum", "2026-02-01", "10.00"),
		("minimum", "2026-02-01", "20.00"),
		("recurring", "2026-02-01", "30.00"),
		("recurring", "2026-03-01", "30.00"),
	]


def test_usage_after_the_opening_is_billed_with_its_share_of_fee_and_allowance():
	"""Each side rates the days it serves: of 31.00 and 31 films a month 17 belong here, 20 used make 3 more at 1.00."""
	films = charged(USAGE, Usage(D(31), (Tier(None, D(1)),), D(31)), "FILM", prorate=False)
	usage = (Used("1", "FILM", day("2026-01-20"), D(20)), Used("1", "FILM", day("2026-02-03"), D(32)))
	bill = Books(films).run(taken_over("2026-01-15"), "2026-03-01", usage=usage)
	assert shown(bill) == [
		("+", "FILM", "2026-01-15", "2026-02-01", "20.00"),
		("+", "FILM", "2026-02-01", "2026-03-01", "32.00"),
	]


def test_usage_of_a_line_that_begins_with_the_opening_is_rated_whole():
	films = charged(USAGE, Usage(D(31), (Tier(None, D(1)),), D(31)), "FILM", prorate=False)
	lines = (Line("1", OFFER, 1, start=day("2026-01-15")),)
	bill = Books(films).run(taken_over("2026-01-15", lines=lines), "2026-02-01")
	assert [str(charge.amount) for charge in bill.charges] == ["31.00"]
