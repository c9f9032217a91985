"""Charges that are a percentage of others, as those are billed."""

from decimal import Decimal as D

import pytest
from billing_books import OFFER, Books, charged, contract, day, one_off, recurring, shown

from subscriber_tv.core.billing.price import DEPOSIT, RECURRING, USAGE, Price, Refused
from subscriber_tv.core.billing.terms import Discount, Terms
from subscriber_tv.core.billing.usage import Usage
from subscriber_tv.core.contracts.lines import Line
from subscriber_tv.core.pricing.models import Flat, PercentOf, PerUnit

APRIL = ("2026-04-01", "2026-05-01")


def percent(percent="10", of=("BASE",), code="SERVICE", minimum=None, maximum=None, **fields):
	model = PercentOf(D(percent), minimum and D(minimum), maximum and D(maximum))
	return charged(RECURRING, model, code, of=of, **fields)


def lines(*pieces):
	"""Pieces of line 1: (quantity, start, end)."""
	return tuple(
		Line("1", OFFER, quantity, start=start and day(start), end=end and day(end))
		for quantity, start, end in pieces
	)


def test_a_change_of_the_base_moves_the_percentage_with_it():
	# Apr 1            Apr 16           May 1
	# |== 300.00 ======|                |    10 %: 30.00
	# |                |-- 15/30 -------|    150.00 and 15.00 credited
	# |                |== 360 x 15/30 =|    180.00 and 18.00 charged
	books = Books(recurring("30.00"), percent())
	before = contract("2026-04-01", quantity=10)
	assert shown(books.run(before, "2026-04-01")) == [
		("+", "BASE", *APRIL, "300.00"),
		("+", "SERVICE", *APRIL, "30.00"),
	]
	after = contract("2026-04-01", lines=lines((10, None, "2026-04-16"), (12, "2026-04-16", None)))
	assert shown(books.run(after, "2026-04-16")) == [
		("+", "BASE", "2026-04-16", "2026-05-01", "180.00"),
		("+", "SERVICE", "2026-04-16", "2026-05-01", "18.00"),
		("-", "BASE", "2026-04-16", "2026-05-01", "150.00"),
		("-", "SERVICE", "2026-04-16", "2026-05-01", "15.00"),
	]
	assert not books.run(after, "2026-04-20")
	ended = contract(
		"2026-04-01", "2026-04-26", lines=lines((10, None, "2026-04-16"), (12, "2026-04-16", None))
	)
	assert shown(books.run(ended, "2026-04-26")) == [
		("-", "BASE", "2026-04-26", "2026-05-01", "60.00"),
		("-", "SERVICE", "2026-04-26", "2026-05-01", "6.00"),
	]
	assert books.net == D("297.00")


def test_it_is_taken_of_rounded_rows():
	"""Three rows of 10.005 are billed at 10.01 each; half of 30.03 is 15.02, half of 30.015 would be 15.01."""
	rows = [charged(RECURRING, PerUnit(D("10.005")), code) for code in ("A", "B", "C")]
	bill = Books(*rows, percent("50", of=("A", "B", "C"))).run(contract("2026-04-01"), "2026-04-01")
	assert shown(bill)[-1] == ("+", "SERVICE", *APRIL, "15.02")


def test_it_is_taken_after_discounts_and_has_none_itself():
	terms = Terms(discounts=(Discount(percent=D(20)),))
	bill = Books(recurring("100.00"), percent()).run(contract("2026-04-01"), "2026-04-01", terms=terms)
	assert [amount for *_, amount in shown(bill)] == ["80.00", "8.00"]


@pytest.mark.parametrize(
	("bounds", "whole", "half"),
	[
		({"minimum": "20.00"}, "20.00", "10.00"),
		({"maximum": "6.00"}, "6.00", "3.00"),
		({"minimum": "2.00", "maximum": "50.00"}, "10.00", "5.00"),
	],
)
def test_bounds_hold_for_a_whole_period_and_by_days_for_a_part(bounds, whole, half):
	for end, amount in ((None, whole), ("2026-04-16", half)):
		bill = Books(recurring("100.00"), percent(**bounds)).run(contract("2026-04-01", end), "2026-04-01")
		assert shown(bill)[-1][-1] == amount


def test_in_arrears_it_waits_for_the_end_of_the_period():
	books = Books(recurring("100.00"), percent(arrears=True))
	known = contract("2026-04-01")
	assert [row[1] for row in shown(books.run(known, "2026-04-01"))] == ["BASE"]
	assert ("+", "SERVICE", *APRIL, "10.00") in shown(books.run(known, "2026-05-01"))


def test_in_advance_it_waits_for_a_base_in_arrears():
	base = charged(RECURRING, Flat(D(100)), "BASE", arrears=True)
	books = Books(base, percent())
	known = contract("2026-04-01")
	assert not books.run(known, "2026-04-30")
	assert shown(books.run(known, "2026-05-01")) == [
		("+", "BASE", *APRIL, "100.00"),
		("+", "SERVICE", *APRIL, "10.00"),
	]


def test_a_percentage_of_a_percentage_comes_after_it():
	bill = Books(
		percent("50", of=("SERVICE",), code="A"),
		recurring("100.00"),
		percent(),
		percent("1", of=("A",), code="Z"),
	).run(contract("2026-04-01"), "2026-04-01")
	assert {code: amount for _, code, *_, amount in shown(bill)} == {
		"BASE": "100.00",
		"SERVICE": "10.00",
		"A": "5.00",
		"Z": "0.05",
	}


@pytest.mark.parametrize("named", [("SERVICE",), ("OTHER",)])
def test_charges_that_are_a_percentage_of_each_other_are_refused(named):
	books = Books(recurring(), percent(of=named), percent(of=("SERVICE",), code="OTHER"))
	with pytest.raises(Refused) as refused:
		books.run(contract("2026-04-01"), "2026-04-01")
	assert refused.value.code == "percent_cycle"
	assert refused.value.values["line"] in ("TVS-1/1/SERVICE", "TVS-1/1/OTHER")


def test_charges_with_different_periods_are_refused():
	yearly = charged(RECURRING, Flat(D(100)), "YEAR", interval_months=12)
	with pytest.raises(Refused) as refused:
		Books(recurring(), yearly, percent(of=("BASE", "YEAR"))).run(contract("2026-04-01"), "2026-04-01")
	assert refused.value.code == "percent_periods"


def test_a_code_is_that_of_the_same_line_and_else_of_every_line():
	"""Two lines with a base and 10 % of it each; a third line is 1 % of every base, and 5 % of the base of line 2."""
	books = Books(recurring("100.00"), percent())
	books.offers["OVER"] = (
		percent("1", code="ALL"),
		percent("5", of=("2/BASE",), code="ONE"),
	)
	both = (Line("1", OFFER, 1), Line("2", OFFER, 2), Line("3", "OVER", 1))
	bill = books.run(contract("2026-04-01", lines=both), "2026-04-01")
	assert {c.claim.line.removeprefix("TVS-1/"): str(c.amount) for c in bill.charges} == {
		"1/BASE": "100.00",
		"1/SERVICE": "10.00",
		"2/BASE": "200.00",
		"2/SERVICE": "20.00",
		"3/ALL": "3.00",
		"3/ONE": "10.00",
	}


def test_an_option_added_later_pays_from_its_first_day():
	# Apr 1                       Apr 16                May 1
	# |== 100.00 a month =================================|
	# |                           |== 10 % of 50.00 ======|
	books = Books(recurring("100.00"))
	books.offers["OVER"] = (percent(),)
	own = (Line("1", OFFER, 1), Line("2", "OVER", 1, start=day("2026-04-16")))
	bill = books.run(contract("2026-04-01", lines=own), "2026-04-16")
	assert shown(bill)[-1] == ("+", "SERVICE", "2026-04-16", "2026-05-01", "5.00")


def test_a_row_due_whole_counts_whole_and_once():
	base = charged(RECURRING, Flat(D(100)), "BASE", prorate=False)
	other = charged(RECURRING, Flat(D(60)), "OTHER")
	books = Books(base, other, percent(of=("BASE", "OTHER")))
	bill = books.run(contract("2026-04-01", "2026-04-16"), "2026-04-01")
	assert [amount for *_, amount in shown(bill)] == ["100.00", "30.00", "13.00"]


def test_neither_what_is_charged_once_nor_a_deposit_is_a_base():
	deposit = charged(DEPOSIT, PerUnit(D(50)), "DEPOSIT")
	books = Books(
		recurring("100.00"), one_off("70.00"), deposit, percent(of=("BASE", "ACTIVATION", "DEPOSIT"))
	)
	bill = books.run(contract("2026-04-01"), "2026-04-01")
	assert ("+", "SERVICE", *APRIL, "10.00") in shown(bill)


def test_a_percentage_of_usage_follows_late_records():
	films = charged(USAGE, PerUnit(D(4)), "FILMS")
	books = Books(films, recurring("100.00"), percent(of=("BASE", "FILMS")))
	known = contract("2026-04-01")
	usage = (Usage("1", "FILMS", day("2026-04-09"), D(5)),)
	first = books.run(known, "2026-05-01", usage=usage)
	assert [row for row in shown(first) if row[2] == "2026-04-01"] == [
		("+", "BASE", *APRIL, "100.00"),
		("+", "FILMS", *APRIL, "20.00"),
		("+", "SERVICE", *APRIL, "10.00"),
		("+", "SERVICE", *APRIL, "2.00"),
	]
	usage += (Usage("1", "FILMS", day("2026-04-30"), D(1)),)
	assert shown(books.run(known, "2026-05-02", usage=usage)) == [
		("+", "FILMS", *APRIL, "4.00"),
		("+", "SERVICE", *APRIL, "0.40"),
	]
	assert shown(books.run(known, "2026-05-03", usage=())) == [
		("-", "FILMS", *APRIL, "20.00"),
		("-", "SERVICE", *APRIL, "2.00"),
		("-", "FILMS", *APRIL, "4.00"),
		("-", "SERVICE", *APRIL, "0.40"),
	]
	assert not books.run(known, "2026-05-03")


def test_a_percentage_counts_in_the_minimum():
	terms = Terms(minimum=D(200))
	books = Books(recurring("100.00"), percent())
	bill = books.run(contract("2026-04-01"), "2026-05-01", terms=terms)
	assert ("+", "MINIMUM", *APRIL, "90.00") in shown(bill)


@pytest.mark.parametrize(
	"charge",
	[
		charged(RECURRING, PercentOf(D(10)), "SERVICE"),
		charged(RECURRING, Flat(D(10)), "SERVICE", of=("BASE",)),
		charged(USAGE, PercentOf(D(10)), "SERVICE", of=("BASE",)),
		charged(DEPOSIT, Flat(D(10)), "SERVICE"),
	],
)
def test_a_model_that_does_not_fit_the_charge_is_refused(charge):
	with pytest.raises(Refused) as refused:
		Books(recurring(), charge).run(contract("2026-04-01"), "2026-04-01")
	assert (refused.value.code, refused.value.values["charge"]) == ("price_model", "SERVICE")


def test_the_price_is_read_back_from_the_row():
	books = Books(recurring("100.00"), percent(minimum="1.00"))
	books.run(contract("2026-04-01"), "2026-04-01")
	row = books.rows[-1]
	assert Price.from_snapshot(row.price.snapshot(row.span), row.price.item) == row.price
	assert row.price.snapshot(row.span)["of"] == [["TVS-1/1/BASE", "100", 1]]


def test_of_several_usages_it_is_one_row_a_period():
	charges = (charged(USAGE, PerUnit(D(1)), "FILM"), charged(USAGE, PerUnit(D(2)), "MATCH"))
	books = Books(*charges, percent(of=("FILM", "MATCH"), minimum="35.00"))
	both = (Usage("1", "FILM", day("2026-04-05"), D(100)), Usage("1", "MATCH", day("2026-04-06"), D(100)))
	known = contract("2026-04-01")
	assert shown(books.run(known, "2026-05-01", usage=both)) == [
		("+", "FILM", *APRIL, "100.00"),
		("+", "MATCH", *APRIL, "200.00"),
		("+", "SERVICE", *APRIL, "35.00"),
	]
	late = (*both, Usage("1", "MATCH", day("2026-04-07"), D(50)))
	assert shown(books.run(known, "2026-05-02", usage=late)) == [
		("+", "MATCH", *APRIL, "100.00"),
		("+", "SERVICE", *APRIL, "5.00"),
	]
	assert not books.run(known, "2026-05-03", usage=late)


def test_usages_of_months_and_of_quarters_have_a_percentage_each():
	quarterly = charged(USAGE, PerUnit(D(2)), "MATCH", interval_months=3)
	books = Books(charged(USAGE, PerUnit(D(1)), "FILM"), quarterly, percent(of=("FILM", "MATCH")))
	both = (Usage("1", "FILM", day("2026-05-05"), D(100)), Usage("1", "MATCH", day("2026-04-06"), D(100)))
	known = contract("2026-04-01")
	assert [row[1:] for row in shown(books.run(known, "2026-07-01", usage=both)) if row[1] == "SERVICE"] == [
		("SERVICE", "2026-04-01", "2026-07-01", "20.00"),
		("SERVICE", "2026-05-01", "2026-06-01", "10.00"),
	]
	assert not books.run(known, "2026-07-02", usage=both)


def test_an_interval_changed_and_changed_back_keeps_the_percentage():
	# Apr 1        Apr 11        Apr 21      May 1
	# |== 30.00 ====|-- a quarter --|== 30.00 ==|    each day at 10 % of what is charged for it
	books = Books(recurring("30.00"), percent())
	books.offers["QUARTER"] = (recurring("91.00", months=3), percent())
	pieces = (
		Line("1", OFFER, 1, end=day("2026-04-11")),
		Line("1", "QUARTER", 1, start=day("2026-04-11"), end=day("2026-04-21")),
		Line("1", OFFER, 1, start=day("2026-04-21")),
	)
	bill = books.run(contract("2026-04-01", lines=pieces), "2026-04-30")
	assert [row[1:] for row in shown(bill) if row[1] == "SERVICE"] == [
		("SERVICE", "2026-04-01", "2026-04-11", "1.00"),
		("SERVICE", "2026-04-11", "2026-04-21", "1.00"),
		("SERVICE", "2026-04-21", "2026-05-01", "1.00"),
	]
