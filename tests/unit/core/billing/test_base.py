"""Tiers picked by the outlets of a contract, of all contracts of a payer, of his group."""

from dataclasses import replace
from datetime import date
from decimal import Decimal as D

import pytest
from billing_books import OFFER, Books, charged, contract, day, shown

from subscriber_tv.core.billing.base import Counted
from subscriber_tv.core.billing.bill import ContractFacts, decide
from subscriber_tv.core.billing.periods import Span
from subscriber_tv.core.billing.price import FAR, RECURRING, Price
from subscriber_tv.core.contracts.lines import Line
from subscriber_tv.core.contracts.timeline import Change
from subscriber_tv.core.pricing.models import Graduated, Tier, Volume
from subscriber_tv.core.pricing.offered import CONTRACT, GROUP, LINE, PAYER

#: 8.00 up to 50 outlets, 6.00 for all of more.
VOLUME = Volume((Tier(D(50), D(8)), Tier(None, D(6))))
#: The first 50 outlets at 8.00, the rest at 6.00, and 60.00 for the house.
GRADUATED = Graduated((Tier(D(50), D(8), D(60)), Tier(None, D(6))))
APRIL = ("2026-04-01", "2026-05-01")


def rooms(scheme=VOLUME, over=CONTRACT, **fields):
	return charged(RECURRING, scheme, "ROOMS", counts_over=over, **fields)


def elsewhere(quantity, start, end=None, scope=PAYER, item="TV-ROOMS"):
	return Counted(item, Span(day(start), day(end) if end else FAR), D(quantity), scope)


@pytest.mark.parametrize(
	("scheme", "amounts"),
	[
		(VOLUME, ["240.00", "180.00"]),  # 70 in all: 6.00 each
		(GRADUATED, ["331.43", "248.57"]),  # 400 + 120 + 60 = 580.00, of it 40/70 and 30/70
	],
)
def test_lines_of_a_contract_share_the_price_of_their_sum(scheme, amounts):
	both = (Line("1", OFFER, 40), Line("2", OFFER, 30))
	bill = Books(rooms(scheme)).run(contract("2026-04-01", lines=both), "2026-04-01")
	assert [amount for *_, amount in shown(bill)] == amounts


def test_unless_said_each_line_counts_alone():
	both = (Line("1", OFFER, 40), Line("2", OFFER, 30))
	bill = Books(rooms(over=LINE)).run(contract("2026-04-01", lines=both), "2026-04-01")
	assert [amount for *_, amount in shown(bill)] == ["320.00", "240.00"]


def test_a_change_elsewhere_prices_anew_from_its_day():
	# here        Apr 1          Apr 11                     May 1
	# 40 outlets  |== 8.00 ======|-- 20/30 at 8.00 ---------|   320.00, then 213.33 back
	#             |              |== 20/30 at 6.00 =========|   160.00
	# elsewhere   5              30
	known = contract("2026-04-01", quantity=40)
	books = Books(rooms(over=PAYER))
	small = (elsewhere(5, "2026-01-01"),)
	assert shown(books.run(known, "2026-04-01", base=small)) == [("+", "ROOMS", *APRIL, "320.00")]
	assert not books.run(known, "2026-04-05", base=small)
	grown = (elsewhere(5, "2026-01-01", "2026-04-11"), elsewhere(30, "2026-04-11"))
	assert shown(books.run(known, "2026-04-11", base=grown)) == [
		("+", "ROOMS", "2026-04-11", "2026-05-01", "160.00"),
		("-", "ROOMS", "2026-04-11", "2026-05-01", "213.33"),
	]
	assert not books.run(known, "2026-04-12", base=grown)


@pytest.mark.parametrize(
	("over", "amount"), [(LINE, "320.00"), (CONTRACT, "320.00"), (PAYER, "320.00"), (GROUP, "240.00")]
)
def test_each_reach_counts_what_is_near_enough(over, amount):
	base = (
		elsewhere(5, "2026-01-01"),
		elsewhere(90, "2026-01-01", scope=GROUP),
		elsewhere(90, "2026-01-01", item="X"),
	)
	bill = Books(rooms(over=over)).run(contract("2026-04-01", quantity=40), "2026-04-01", base=base)
	assert shown(bill) == [("+", "ROOMS", *APRIL, amount)]


def facts(name, quantity, over, start="2026-04-01", end=None, offers=None):
	known = replace(contract(start, end, quantity=quantity), subscription=name)
	return ContractFacts(known, offers or {OFFER: (rooms(over=over),)})


def test_the_contracts_of_a_payer_count_together():
	def amounts(over, **late):
		bill = decide(
			[facts("A", 40, over), facts("B", 30, over, **late)], until=day("2026-04-01"), max_months=12
		)
		return [(charge.subscription, str(charge.amount)) for charge in bill.bills[0].charges]

	assert amounts(PAYER) == [("A", "240.00"), ("B", "180.00")]
	assert amounts(CONTRACT) == [("A", "320.00"), ("B", "240.00")]
	# B ends on the 16th, so A pays the dear price from then; that is charged when it comes.
	assert amounts(PAYER, end="2026-04-16") == [("A", "120.00"), ("B", "90.00")]


def test_a_contract_whose_offer_is_missing_counts_nothing_and_stops_nobody():
	lost = facts("B", 30, PAYER, offers={"OTHER": ()})
	bill = decide([facts("A", 40, PAYER), lost], until=day("2026-04-01"), max_months=12)
	assert [str(charge.amount) for charge in bill.bills[0].charges] == ["320.00"]
	assert [refusal.code for refusal in bill.refused] == ["no_offer"]


def test_a_row_without_proration_takes_the_base_of_its_first_day():
	books = Books(rooms(over=PAYER, prorate=False))
	base = (elsewhere(30, "2026-04-11"),)
	bill = books.run(contract("2026-04-01", quantity=40), "2026-05-01", base=base)
	assert [amount for *_, amount in shown(bill)] == ["320.00", "240.00"]


def test_the_base_is_read_back_from_the_row():
	books = Books(rooms(GRADUATED, over=PAYER))
	books.run(contract("2026-04-01", quantity=40), "2026-04-01", base=(elsewhere(30, "2026-01-01"),))
	row = books.rows[0]
	read = Price.from_snapshot(row.price.snapshot(row.span), row.price.item)
	assert (read, read.base, read.full_amount) == (row.price, D(70), row.price.full_amount)


def test_a_contract_counts_for_each_payer_on_the_days_he_pays():
	# contract     paid by P       paid by Q         P and Q have one contract of 40 each, and one after the other
	# of 30 outlets  |== April ==|== May ==          that of 30: its outlets make the others cheaper for a month
	both = tuple(Change(no, "change_payer", None, "", date.min, payer=who) for no, who in enumerate("PQ"))

	def amounts(who):
		moving = replace(
			facts("B", 30, PAYER).contract, payers=((date.min, "P"), (day("2026-05-01"), "Q")), changes=both
		)
		staying = replace(facts("A", 40, PAYER).contract, payers=((date.min, who),))
		loaded = [replace(facts("", 0, PAYER), contract=known, payer=who) for known in (staying, moving)]
		bill = decide(loaded, until=day("2026-05-01"), max_months=12)
		return [(charge.subscription, str(charge.amount)) for charge in bill.bills[0].charges]

	assert amounts("P") == [("A", "240.00"), ("A", "320.00"), ("B", "180.00")]
	assert amounts("Q") == [("A", "320.00"), ("A", "240.00"), ("B", "180.00")]
