"""A contract whose payer changes: who is billed which days, and what the old payer gets back."""

import itertools
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from billing_books import OFFER, contract, day, one_off, recurring
from hypothesis import given, settings
from hypothesis import strategies as st

from subscriber_tv.core.billing.bill import Bill, ContractFacts, decide
from subscriber_tv.core.billing.books import Books
from subscriber_tv.core.billing.payers import spans_paid_by
from subscriber_tv.core.billing.periods import Span
from subscriber_tv.core.billing.price import FAR
from subscriber_tv.core.contracts.timeline import Change

PARENT, HOTEL = "Parent", "Hotel"


class Invoices:
	"""One contract, billed to whoever pays; rows remember on whose invoice they stand."""

	def __init__(self, *charges):
		self.offers = {OFFER: charges or (recurring("31.00"), one_off())}
		self.books = {PARENT: Books(), HOTEL: Books()}

	def run(self, served, payer: str, until) -> list[tuple]:
		rows = [replace(row, payer=who) for who, books in self.books.items() for row in books.of("TVS-1")]
		facts = ContractFacts(served, self.offers, tuple(rows), payer=payer)
		decided = decide([facts], until=until, max_months=1200)
		assert not decided.refused
		bill = decided.bills[0] if decided.bills else Bill(facts.group)
		self.books[payer].post(bill, f"{payer} {until}")
		charged = [(c.claim.kind, str(c.span.start), str(c.span.end), str(c.amount)) for c in bill.charges]
		return charged + [
			("correction", str(c.span.start), str(c.span.end), str(-c.amount)) for c in bill.credits
		]


def paid(served, *changes, ever=(PARENT, HOTEL)):
	named = tuple(Change(no, "change_payer", None, "", date.min, payer=who) for no, who in enumerate(ever))
	return replace(served, payers=((date.min, PARENT), *changes), changes=named)


def test_days_before_the_change_are_the_old_payers_and_those_after_the_new_ones():
	#          1 March            16 March            1 April
	# parent   |---- 15 x 1.00 ----|
	# hotel                        |---- 16 x 1.00 ----|
	served = paid(contract("2026-03-01"), (day("2026-03-16"), HOTEL))
	invoices = Invoices()
	assert invoices.run(served, PARENT, day("2026-03-20")) == [
		("one-off", "2026-03-01", "2026-03-02", "50.00"),
		("recurring", "2026-03-01", "2026-03-16", "15.00"),
	]
	assert invoices.run(served, HOTEL, day("2026-03-20")) == [
		("recurring", "2026-03-16", "2026-04-01", "16.00")
	]


def test_a_change_learnt_late_is_credited_to_one_and_charged_to_the_other():
	invoices = Invoices()
	before = contract("2026-03-01")
	invoices.run(paid(before), PARENT, day("2026-03-01"))
	served = paid(before, (day("2026-03-16"), HOTEL))
	assert invoices.run(served, PARENT, day("2026-03-20")) == [
		("correction", "2026-03-16", "2026-04-01", "-16.00")
	]
	assert invoices.run(served, HOTEL, day("2026-03-20")) == [
		("recurring", "2026-03-16", "2026-04-01", "16.00")
	]
	for payer in (PARENT, HOTEL):
		assert invoices.run(served, payer, day("2026-03-20")) == []


def test_a_change_from_the_first_day_is_a_row_of_the_same_days_with_a_key_of_its_own():
	invoices = Invoices(recurring("31.00"))
	before = contract("2026-03-01")
	invoices.run(paid(before), PARENT, day("2026-03-01"))
	served = paid(before, (day("2026-03-01"), HOTEL))
	invoices.run(served, HOTEL, day("2026-03-01"))
	invoices.run(served, PARENT, day("2026-03-01"))
	names = [row.name for books in invoices.books.values() for row in books.of("TVS-1")]
	assert sorted(names) == [
		"TVS-1/1/BASE|2026-03-01|2026-04-01|recurring|0",
		"TVS-1/1/BASE|2026-03-01|2026-04-01|recurring|1",
	]


def test_a_change_taken_back_is_credited_to_the_one_and_charged_to_the_other_again():
	invoices = Invoices(recurring("31.00"))
	before = contract("2026-03-01")
	invoices.run(paid(before, (day("2026-03-01"), HOTEL)), HOTEL, day("2026-03-01"))
	assert invoices.run(paid(before), HOTEL, day("2026-03-20")) == [
		("correction", "2026-03-01", "2026-04-01", "-31.00")
	]
	assert invoices.run(paid(before), PARENT, day("2026-03-20")) == [
		("recurring", "2026-03-01", "2026-04-01", "31.00")
	]


def test_an_invoice_put_right_by_hand_to_another_customer_stays_the_bill():
	invoices = Invoices(recurring("31.00"))
	served = paid(contract("2026-03-01"), (day("2026-04-01"), HOTEL))
	invoices.run(served, PARENT, day("2026-03-01"))
	invoices.books["Agency"] = invoices.books.pop(PARENT)
	invoices.books[PARENT] = Books()
	assert invoices.run(served, PARENT, day("2026-03-20")) == []
	assert invoices.run(served, HOTEL, day("2026-03-20")) == []


@pytest.mark.parametrize(
	("payer", "spans"),
	[
		(PARENT, (Span(date.min, day("2026-03-16")), Span(day("2026-05-01"), FAR))),
		(HOTEL, (Span(day("2026-03-16"), day("2026-05-01")),)),
		("Stranger", ()),
	],
)
def test_spans_of_each_payer(payer, spans):
	payers = ((date.min, PARENT), (day("2026-03-16"), HOTEL), (day("2026-05-01"), PARENT))
	assert spans_paid_by(payer, payers) == spans


@pytest.mark.histories
@settings(deadline=None)
@given(
	st.lists(st.integers(0, 120), min_size=1, max_size=4, unique=True), st.integers(1, 3), st.integers(1, 31)
)
def test_what_the_payers_are_billed_together_is_what_one_would_be(ahead, months, anchor):
	start = date(2026, 1, 1)
	alone = contract("2026-01-01", anchor=anchor)
	names = [HOTEL if number % 2 == 0 else PARENT for number in range(len(ahead))]
	changes = [(start + timedelta(days), who) for days, who in zip(sorted(ahead), names, strict=True)]
	served = paid(alone, *changes)
	invoices = Invoices(recurring("29.95", months=months), one_off())
	until = start + timedelta(150)
	rows = [row for payer in (PARENT, HOTEL) for row in invoices.run(served, payer, until)]
	whole = Invoices(recurring("29.95", months=months), one_off()).run(paid(alone), PARENT, until)
	difference = sum(Decimal(row[3]) for row in rows) - sum(Decimal(row[3]) for row in whole)
	assert abs(difference) <= Decimal("0.005") * len(rows)
	days = sorted((row[1], row[2]) for row in rows if row[0] == "recurring")
	assert all(before[1] == after[0] for before, after in itertools.pairwise(days))
