"""A plan with another Item at the same price: the Item gives account and VAT, so the days are billed anew under it."""

from dataclasses import replace
from decimal import Decimal

import pytest
from billing_books import OFFER, Books, charged, contract, day, recurring, shown

from subscriber_tv.core.billing.price import DEPOSIT, USAGE
from subscriber_tv.core.billing.terms import Terms
from subscriber_tv.core.billing.usage import Usage
from subscriber_tv.core.contracts.timeline import Line
from subscriber_tv.core.pricing.models import PerUnit

OTHER = "HOTEL-TV-V2"
#: The same charge at the same price, on another Item.
FILMS = "TV-FILMS"


def changed_on(day_text, **fields):
	"""A contract of 1 April whose line has the other version from that day on."""
	at = day(day_text)
	lines = (Line("1", OFFER, 1, end=at), Line("1", OTHER, 1, start=at))
	return contract("2026-04-01", lines=lines, **fields)


def books_of(charge, **other):
	books = Books(charge)
	books.offers[OTHER] = (replace(charge, **other),)
	return books


def items(rows):
	return [(row.price.item, str(row.amount)) for row in rows]


def test_the_unserved_days_are_credited_and_billed_with_the_other_item():
	# 1 Apr            16 Apr            1 May
	# |======== 30.00, TV-BASE ===========|      billed on 1 April
	#                  |---- -15.00 -----|
	#                  |= 15.00 TV-FILMS |
	books = books_of(recurring("30.00"), item=FILMS)
	books.run(contract("2026-04-01"), "2026-04-01")
	bill = books.run(changed_on("2026-04-16"), "2026-04-16")
	assert shown(bill) == [
		("+", "BASE", "2026-04-16", "2026-05-01", "15.00"),
		("-", "BASE", "2026-04-16", "2026-05-01", "15.00"),
	]
	assert items(bill.charges) == [(FILMS, "15.00")]
	assert not books.run(changed_on("2026-04-16"), "2026-04-30")


def test_a_change_learnt_late_moves_days_that_two_runs_billed():
	books = books_of(recurring("30.00"), item=FILMS)
	books.run(contract("2026-04-01"), "2026-05-01")
	bill = books.run(changed_on("2026-04-01"), "2026-05-01")
	assert items(bill.charges) == [(FILMS, "30.00"), (FILMS, "30.00")]
	assert sum(credit.amount for credit in bill.credits) == 60


def test_taken_back_it_is_billed_as_before():
	books = books_of(recurring("30.00"), item=FILMS)
	for known in (contract("2026-04-01"), changed_on("2026-04-16"), contract("2026-04-01")):
		books.run(known, "2026-04-16")
	assert not books.run(contract("2026-04-01"), "2026-04-16")
	left = [row.left for row in books.rows if row.price.item == "TV-BASE"]
	assert sum(left) == books.net == 30


def test_known_ahead_the_old_row_stands_until_the_new_one_is_due():
	books = books_of(recurring("120.00", months=12), item=FILMS)
	books.run(contract("2026-04-01"), "2026-04-01")
	assert not books.run(changed_on("2026-10-01"), "2026-09-30")
	assert items(books.run(changed_on("2026-10-01"), "2026-10-01").charges) == [(FILMS, "59.84")]


def test_a_version_with_the_same_item_and_price_changes_nothing():
	books = books_of(recurring("30.00"))
	books.run(contract("2026-04-01"), "2026-04-01")
	assert not books.run(changed_on("2026-04-16"), "2026-04-16")


def test_without_proration_the_period_stays_under_its_first_item():
	books = books_of(replace(recurring("30.00"), prorate=False), item=FILMS)
	books.run(contract("2026-04-01"), "2026-04-01")
	assert not books.run(changed_on("2026-04-16"), "2026-04-16")
	assert items(books.run(changed_on("2026-04-16"), "2026-05-01").charges) == [(FILMS, "30.00")]


@pytest.mark.parametrize("renamed", [False, True])
def test_an_item_renamed_or_amended_by_hand_is_no_other_item(renamed):
	"""The offer that was billed says which Item is meant; it is renamed with the rows or, by hand, not at all."""
	books = books_of(recurring("30.00"), item=FILMS)
	books.run(contract("2026-04-01"), "2026-04-01")
	books.rows[0] = replace(books.rows[0], price=replace(books.rows[0].price, item="TV-BASE-1"))
	if renamed:
		books.offers[OFFER] = (replace(books.offers[OFFER][0], item="TV-BASE-1"),)
	assert not books.run(contract("2026-04-01"), "2026-04-01")
	bill = books.run(changed_on("2026-04-16"), "2026-04-16")
	assert [str(credit.amount) for credit in bill.credits] == ["15.00"]


def test_usage_of_one_price_is_rated_for_each_item_on_its_own():
	# 10 films under the old item, 5 under the new one; no share of a fee is at stake
	books = books_of(charged(USAGE, PerUnit(Decimal(2)), "FILM"), item=FILMS)
	usage = (
		Usage("1", "FILM", day("2026-04-02"), Decimal(10)),
		Usage("1", "FILM", day("2026-04-20"), Decimal(5)),
	)
	bill = books.run(changed_on("2026-04-16"), "2026-05-01", usage=usage)
	assert items(bill.charges) == [("TV-FILM", "20.00"), (FILMS, "10.00")]


def test_usage_billed_under_an_item_that_was_never_agreed_moves_to_the_right_one():
	books = books_of(charged(USAGE, PerUnit(Decimal(2)), "FILM"), item=FILMS)
	usage = (Usage("1", "FILM", day("2026-04-02"), Decimal(10)),)
	books.run(contract("2026-04-01"), "2026-05-01", usage=usage)
	bill = books.run(changed_on("2026-04-01"), "2026-05-01", usage=usage)
	assert items(bill.charges) == [(FILMS, "20.00")]
	assert [str(credit.amount) for credit in bill.credits] == ["20.00"]


def test_a_deposit_keeps_the_item_it_was_charged_with():
	books = books_of(charged(DEPOSIT, PerUnit(Decimal(50)), "TV"), item=FILMS)
	books.run(contract("2026-04-01"), "2026-04-01")
	assert not books.run(changed_on("2026-04-16"), "2026-05-01")


def test_a_minimum_is_compared_over_both_items():
	books = books_of(recurring("30.00"), item=FILMS)
	bill = books.run(changed_on("2026-04-16"), "2026-05-01", terms=Terms(minimum=Decimal(100)))
	rows = [(charge.claim.kind, str(charge.span.start), str(charge.amount)) for charge in bill.charges]
	assert ("minimum", "2026-04-01", "70.00") in rows


def test_a_plan_of_the_same_price_that_is_due_whole_is_charged_whole():
	# 1 Apr            16 Apr            1 May
	# |======== 30.00, by days ===========|      billed on 1 April
	#                  |---- -15.00 -----|
	#                  |==== 30.00 ======|      a period begun is due whole
	books = books_of(recurring("30.00"), prorate=False)
	books.run(contract("2026-04-01"), "2026-04-01")
	assert shown(books.run(changed_on("2026-04-16"), "2026-04-16")) == [
		("+", "BASE", "2026-04-16", "2026-05-01", "30.00"),
		("-", "BASE", "2026-04-16", "2026-05-01", "15.00"),
	]
