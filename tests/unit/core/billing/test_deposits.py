"""Deposits: charged once for each unit, given back when it goes, last come first gone."""

from decimal import Decimal as D

from billing_books import OFFER, Books, charged, contract, day, recurring, shown

from subscriber_tv.core.billing.deposits import Held, held_for
from subscriber_tv.core.billing.periods import Span
from subscriber_tv.core.billing.price import DEPOSIT, FAR
from subscriber_tv.core.billing.terms import Discount, Terms
from subscriber_tv.core.contracts.lines import Line
from subscriber_tv.core.contracts.timeline import Contract, StateSpan
from subscriber_tv.core.pricing.models import PerUnit


def deposit(price="50.00"):
	return charged(DEPOSIT, PerUnit(D(price)), "BOX")


def lines(*pieces):
	return tuple(
		Line("1", version, quantity, start=start and day(start), end=end and day(end))
		for version, quantity, start, end in pieces
	)


def row(sign, start, end, amount):
	return (sign, "BOX", start, end, amount)


def test_units_that_come_are_charged_and_those_that_go_are_given_back():
	# Jan 1          Feb 16          Apr 1           May 1
	# |===== 10 =====|===== 12 ======|====== 7 ======|   500.00, + 100.00, - 100.00 - 150.00, - 350.00
	books = Books(deposit())
	assert shown(books.run(contract("2026-01-01", quantity=10), "2026-01-01")) == [
		row("+", "2026-01-01", "2026-01-02", "500.00")
	]
	more = lines((OFFER, 10, None, "2026-02-16"), (OFFER, 12, "2026-02-16", None))
	assert shown(books.run(contract("2026-01-01", lines=more), "2026-02-16")) == [
		row("+", "2026-02-16", "2026-02-17", "100.00")
	]
	less = lines(
		(OFFER, 10, None, "2026-02-16"),
		(OFFER, 12, "2026-02-16", "2026-04-01"),
		(OFFER, 7, "2026-04-01", None),
	)
	known = contract("2026-01-01", lines=less)
	assert not books.run(known, "2026-03-31")
	assert shown(books.run(known, "2026-04-01")) == [
		row("-", "2026-01-01", "2026-01-02", "150.00"),
		row("-", "2026-02-16", "2026-02-17", "100.00"),
	]
	assert not books.run(known, "2026-04-02")
	ended = contract("2026-01-01", "2026-05-01", lines=less)
	assert not books.run(ended, "2026-04-30")
	assert shown(books.run(ended, "2026-05-01")) == [row("-", "2026-01-01", "2026-01-02", "350.00")]
	assert not books.run(ended, "2026-06-01")
	assert books.net == 0


def test_an_end_known_ahead_gives_nothing_back_early_however_far_rows_reach():
	"""A yearly row reaches past the end; the deposit still waits for the day."""
	books = Books(deposit(), recurring("120.00", months=12))
	ended = contract("2026-01-01", "2026-07-01")
	assert row("+", "2026-01-01", "2026-01-02", "50.00") in shown(books.run(ended, "2026-01-01"))
	assert not books.run(ended, "2026-06-30")
	assert shown(books.run(ended, "2026-07-01")) == [row("-", "2026-01-01", "2026-01-02", "50.00")]


def test_a_unit_keeps_its_deposit_when_the_price_changes():
	books = Books(deposit())
	books.offers["DEAR"] = (deposit("80.00"),)
	dear = lines((OFFER, 2, None, "2026-03-01"), ("DEAR", 3, "2026-03-01", None))
	known = contract("2026-01-01", lines=dear)
	assert shown(books.run(known, "2026-03-01")) == [
		row("+", "2026-01-01", "2026-01-02", "100.00"),
		row("+", "2026-03-01", "2026-03-02", "80.00"),
	]


def test_an_offer_without_the_deposit_gives_it_back():
	books = Books(deposit())
	books.offers["NONE"] = (recurring(),)
	books.run(contract("2026-01-01", quantity=2), "2026-01-01")
	after = lines((OFFER, 2, None, "2026-03-01"), ("NONE", 2, "2026-03-01", None))
	bill = books.run(contract("2026-01-01", lines=after), "2026-03-01")
	assert row("-", "2026-01-01", "2026-01-02", "100.00") in shown(bill)


def test_a_quantity_put_right_late_is_one_more_row_of_its_day():
	books = Books(deposit())
	books.run(contract("2026-01-01", quantity=10), "2026-01-01")
	bill = books.run(contract("2026-01-01", quantity=12), "2026-02-01")
	assert shown(bill) == [row("+", "2026-01-01", "2026-01-02", "100.00")]
	assert (bill.charges[0].price.quantity, bill.charges[0].price.already) == (12, D(500))
	assert not books.run(contract("2026-01-01", quantity=12), "2026-02-01")


def test_a_service_begun_anew_is_charged_anew():
	spans = (
		StateSpan("Active", day("2026-01-01"), day("2026-02-01")),
		StateSpan("Cancelled", day("2026-02-01"), day("2026-03-01")),
		StateSpan("Active", day("2026-03-01")),
	)
	again = Contract("TVS-1", (Line("1", OFFER, 1),), spans, day("2026-01-01"), None, 1, None, "Active")
	books = Books(deposit())
	books.run(contract("2026-01-01"), "2026-01-01")
	assert shown(books.run(again, "2026-03-01")) == [
		row("+", "2026-03-01", "2026-03-02", "50.00"),
		row("-", "2026-01-01", "2026-01-02", "50.00"),
	]


def test_what_was_given_back_by_hand_is_not_given_back_again():
	books = Books(deposit())
	books.run(contract("2026-01-01", quantity=2), "2026-01-01")
	books.concede(0, "60.00")
	ended = contract("2026-01-01", "2026-02-01", quantity=2)
	assert shown(books.run(ended, "2026-02-01")) == [row("-", "2026-01-01", "2026-01-02", "40.00")]
	assert not books.run(ended, "2026-02-01")


def test_it_is_not_discounted_and_does_not_count_in_a_minimum():
	terms = Terms(discounts=(Discount(percent=D(50)),), minimum=D(40))
	bill = Books(deposit(), recurring("30.00")).run(contract("2026-01-01"), "2026-02-01", terms=terms)
	assert {(code, amount) for _, code, start, _, amount in shown(bill) if start == "2026-01-01"} == {
		("BOX", "50.00"),
		("BASE", "15.00"),
		("MINIMUM", "25.00"),
	}


def test_units_of_one_day_are_rounded_together():
	"""4 x 0.0113 are 0.05; the one that stays is 0.01."""
	books = Books(deposit("0.0113"))
	less = lines((OFFER, 4, None, "2026-02-01"), (OFFER, 1, "2026-02-01", None))
	known = contract("2026-01-01", lines=less)
	assert shown(books.run(known, "2026-01-01")) == [row("+", "2026-01-01", "2026-01-02", "0.05")]
	assert shown(books.run(known, "2026-02-01")) == [row("-", "2026-01-01", "2026-01-02", "0.04")]
	assert not books.run(known, "2026-02-01")


def test_nothing_held_before_the_opening_position():
	books = Books(deposit())
	more = lines((OFFER, 2, None, "2026-03-01"), (OFFER, 3, "2026-03-01", None))
	known = contract("2026-01-01", billed_through="2026-02-01", lines=more)
	assert shown(books.run(known, "2026-03-01")) == [row("+", "2026-03-01", "2026-03-02", "50.00")]


def tvs(*spans):
	"""TVs of line 1: (start, end or None)."""
	return tuple(Held("1", Span(day(start), day(end) if end else FAR)) for start, end in spans)


def test_a_unit_is_held_until_its_tv_is_back():
	# units  Jan 1 === 3 === Mar 1 === 1 === Apr 1 (end)
	# TVs    three; one is back on Mar 1, one on Mar 20, the last on May 5
	books = Books(deposit())
	there = tvs(("2026-01-05", "2026-03-01"), ("2026-01-05", "2026-03-20"), ("2026-01-05", "2026-05-05"))
	less = lines((OFFER, 3, None, "2026-03-01"), (OFFER, 1, "2026-03-01", None))
	known = contract("2026-01-01", "2026-04-01", lines=less)
	first = ("2026-01-01", "2026-01-02")
	assert shown(books.run(known, "2026-01-01", held=there)) == [row("+", *first, "150.00")]
	assert shown(books.run(known, "2026-03-01", held=there)) == [row("-", *first, "50.00")]
	assert not books.run(known, "2026-03-19", held=there)
	assert shown(books.run(known, "2026-03-20", held=there)) == [row("-", *first, "50.00")]
	assert not books.run(known, "2026-04-01", held=there)
	assert shown(books.run(known, "2026-05-05", held=there)) == [row("-", *first, "50.00")]
	assert (books.net, bool(books.run(known, "2026-06-01", held=there))) == (0, False)


def test_tvs_beyond_the_units_charged_hold_nothing_more():
	books = Books(deposit())
	known = contract("2026-01-01", quantity=2)
	there = tvs(("2026-01-05", None), ("2026-01-05", None), ("2026-01-05", None))
	assert books.run(known, "2026-02-01", held=there).net == D("100.00")
	assert not books.run(known, "2026-03-01", held=there)


def test_a_service_begun_anew_with_the_tv_still_there_is_not_charged_anew():
	spans = (
		StateSpan("Active", day("2026-01-01"), day("2026-02-01")),
		StateSpan("Cancelled", day("2026-02-01"), day("2026-03-01")),
		StateSpan("Active", day("2026-03-01")),
	)
	again = Contract("TVS-1", (Line("1", OFFER, 2),), spans, day("2026-01-01"), None, 1, None, "Active")
	books = Books(deposit())
	there = tvs(("2026-01-05", None))
	assert books.run(contract("2026-01-01", "2026-02-01", quantity=2), "2026-02-15", held=there).net == 50
	assert books.run(again, "2026-03-01", held=there).net == 50
	assert books.net == 100


def test_a_tv_bound_to_no_line_counts_where_only_one_has_a_deposit():
	loose = (Held("", Span(day("2026-01-01"), FAR)),)
	other = (Held("2", Span(day("2026-01-01"), FAR)),)
	assert held_for("1", loose + other, 1) == list(loose)
	assert held_for("1", loose + other, 2) == []
	assert held_for("2", loose + other, 2) == list(other)
	ended = contract("2026-01-01", "2026-02-01")
	books = Books(deposit())
	books.run(ended, "2026-01-01", held=loose)
	assert not books.run(ended, "2026-03-01", held=loose)
