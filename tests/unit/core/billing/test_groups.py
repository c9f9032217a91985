"""Which rows share an invoice, which corrections share a credit note, and what credit pays first."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from billing_books import OFFER, Books, contract, day, recurring
from hypothesis import given
from hypothesis import strategies as st

from subscriber_tv.core.billing.bill import Bill, ContractFacts, decide
from subscriber_tv.core.billing.credit import Source, allocate
from subscriber_tv.core.billing.documents import NewCreditNote, NewInvoice, documents
from subscriber_tv.core.billing.groups import (
	CHOICES,
	ONE_FOR_ALL,
	PER_SITE,
	PER_SUBSCRIPTION,
	GroupKey,
	gather,
	separate_key,
)


def facts(name: str, **values) -> ContractFacts:
	"""A contract of 30.00 a month from 1 January, not billed yet."""
	return ContractFacts(
		replace(contract("2026-01-01"), subscription=name), {OFFER: (recurring(),)}, **values
	)


def grouped(*contracts: ContractFacts) -> list[list[str]]:
	"""The subscriptions of each invoice."""
	bill = decide(contracts, until=day("2026-01-01"), max_months=12)
	assert not bill.refused
	return [list(document.subscriptions) for document in documents(bill.bills)]


@pytest.mark.parametrize(
	("choice", "alone", "expected"),
	[
		("", False, ""),
		(ONE_FOR_ALL, False, ""),
		(ONE_FOR_ALL, True, "subscription S"),
		(PER_SUBSCRIPTION, False, "subscription S"),
		(PER_SITE, False, "site P"),
		(PER_SITE, True, "subscription S"),
		("Nothing we know", False, ""),
	],
)
def test_what_keeps_a_contract_apart(choice, alone, expected):
	assert separate_key(choice, subscription="S", site="P", alone=alone) == expected


def test_a_site_and_a_subscription_of_one_name_are_not_mixed_up():
	site = separate_key(PER_SITE, subscription="A", site="X", alone=False)
	assert site != separate_key(PER_SUBSCRIPTION, subscription="X", site="A", alone=False)


@pytest.mark.parametrize(
	("first", "second", "invoices"),
	[
		({}, {}, [["A", "B"]]),
		({}, {"currency": "CHF"}, [["B"], ["A"]]),
		({"mode_of_payment": "Direct Debit"}, {"mode_of_payment": "Cheque"}, [["B"], ["A"]]),
		({"mode_of_payment": "Cheque"}, {"mode_of_payment": "Cheque"}, [["A", "B"]]),
		({"po_no": "PO-1"}, {}, [["B"], ["A"]]),
		({"po_no": "PO-1"}, {"po_no": "PO-1"}, [["A", "B"]]),
		({"separate": "subscription A"}, {}, [["B"], ["A"]]),
		({"separate": "site P"}, {"separate": "site P"}, [["A", "B"]]),
	],
)
def test_contracts_share_an_invoice_when_nothing_tells_them_apart(first, second, invoices):
	assert grouped(facts("A", **first), facts("B", **second)) == invoices


def test_days_of_billing_do_not_matter():
	# A: |====Jan====      B:     10 Jan |======    one run on 10 January bills both on one invoice
	late = replace(facts("B"), contract=replace(contract("2026-01-10"), subscription="B"))
	bill = decide([facts("A"), late], until=day("2026-01-10"), max_months=12)
	assert [document.subscriptions for document in documents(bill.bills)] == [("A", "B")]


def test_corrections_of_one_invoice_stay_together_whatever_the_groups_are_now():
	books = {}
	for name in "AB":
		books[name] = Books()
		books[name].run(replace(contract("2026-01-01"), subscription=name), until="2026-01-01")
	ended = [
		ContractFacts(
			replace(contract("2026-01-01", "2026-01-16"), subscription=name),
			books[name].offers,
			tuple(replace(row, invoice="SINV-1", name=f"{name}{row.name}") for row in books[name].rows),
			separate=f"subscription {name}",
		)
		for name in "AB"
	]
	bills = decide(ended, until=day("2026-02-01"), max_months=12).bills
	assert len(bills) == 2
	[note] = documents(bills)
	assert isinstance(note, NewCreditNote)
	assert (note.invoice, note.subscriptions, str(note.net)) == ("SINV-1", ("A", "B"), "-30.96")
	assert note.only("B").subscriptions == ("B",)
	assert documents(bills, without=["A"]) == (note.only("B"),)


def test_a_group_without_its_failing_contract():
	bills = decide([facts("A"), facts("B")], until=day("2026-02-01"), max_months=12).bills
	[whole] = documents(bills)
	[rest] = documents(bills, without=["A"])
	assert isinstance(whole, NewInvoice)
	assert rest == whole.only("B")
	assert rest.net == Decimal("60.00")
	assert documents(bills, without=["A", "B"]) == ()


keys = st.builds(
	GroupKey,
	currency=st.sampled_from(["EUR", "CHF"]),
	mode_of_payment=st.sampled_from(["", "Direct Debit"]),
	po_no=st.sampled_from(["", "PO-1", "PO-2"]),
	separate=st.sampled_from(["", "site P", "subscription A"]),
)


@pytest.mark.histories
@given(st.lists(st.tuples(keys, st.integers())))
def test_gathering_never_loses_adds_or_changes_a_row(rows):
	groups = gather(rows)
	back = [(key, row) for key, kept in groups.items() for row in kept]
	assert sorted(back) == sorted(rows)
	assert list(groups) == sorted(groups)
	for key, kept in groups.items():
		assert list(kept) == [row for other, row in rows if other == key]  # in their order


@pytest.mark.histories
@given(
	st.dictionaries(
		st.text("ABCDEF", min_size=1, max_size=2), st.tuples(keys, st.sampled_from(CHOICES)), max_size=6
	)
)
def test_grouping_changes_who_shares_an_invoice_and_nothing_else(contracts):
	plain = [facts(name, currency=key.currency) for name, (key, _choice) in contracts.items()]
	asked = [
		replace(
			one,
			mode_of_payment=key.mode_of_payment,
			po_no=key.po_no,
			separate=separate_key(choice, subscription=name, site="P", alone=False),
		)
		for one, (name, (key, choice)) in zip(plain, contracts.items(), strict=True)
	]

	def rows(contracts):
		bills = decide(contracts, until=day("2026-03-01"), max_months=12).bills
		return [(d.group.currency, charge) for d in documents(bills) for charge in d.charges]

	def sort(found):
		return sorted(found, key=lambda row: (row[0], row[1].claim.name))

	assert sort(rows(asked)) == sort(rows(plain))


# Credit ------------------------------------------------------------------------------------------


def source(name: str, amount: str, on: str = "2026-01-01", **values) -> Source:
	return Source(values.pop("doctype", "Payment Entry"), name, day(on), Decimal(amount), **values)


def used(opens, *sources) -> list[tuple]:
	uses = allocate([(name, Decimal(amount)) for name, amount in opens], sources)
	return [(use.source.name, use.invoice, str(use.amount)) for use in uses]


@pytest.mark.parametrize(
	("opens", "sources", "expected"),
	[
		([("I", "80")], [], []),
		([("I", "80")], [source("P", "100")], [("P", "I", "80")]),
		([("I", "80")], [source("P", "30")], [("P", "I", "30")]),
		([("I", "0")], [source("P", "30")], []),
		(
			[("I", "80")],
			[source("YOUNG", "50", "2026-02-01"), source("OLD", "50")],
			[("OLD", "I", "50"), ("YOUNG", "I", "30")],
		),
		(
			[("I", "80"), ("J", "40")],
			[source("P", "100"), source("Q", "100", "2026-02-01")],
			[("P", "I", "80"), ("P", "J", "20"), ("Q", "J", "20")],
		),
	],
)
def test_the_oldest_credit_is_used_first(opens, sources, expected):
	assert used(opens, *sources) == expected


amounts = st.decimals("0", "999.99", places=2)


@pytest.mark.histories
@given(
	st.lists(amounts, max_size=5),
	st.lists(st.tuples(amounts, st.dates(date(2026, 1, 1), date(2026, 1, 9))), max_size=5),
)
def test_credit_is_never_spent_twice_nor_beyond_what_is_open(opens, held):
	invoices = [(str(number), amount) for number, amount in enumerate(opens)]
	sources = [Source("Payment Entry", str(n), on, amount) for n, (amount, on) in enumerate(held)]
	uses = allocate(invoices, sources)
	for name, amount in invoices:
		assert sum(use.amount for use in uses if use.invoice == name) <= amount
	for one in sources:
		assert sum(use.amount for use in uses if use.source == one) <= one.amount
	assert all(use.amount > 0 for use in uses)
	total = sum(use.amount for use in uses)
	assert total == min(sum(opens), sum(amount for amount, _on in held))
	# No younger one is touched while an older one has something left.
	days = [use.source.day for use in uses]
	assert days == sorted(days)


def test_an_empty_bill_is_no_document():
	assert documents([Bill(GroupKey("EUR"))]) == ()
