"""The next bills of a contract, drawn in time and compared with what runs would post."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from billing_books import OFFER, Books, contract, day, one_off, recurring
from hypothesis import given, settings
from hypothesis import strategies as st

from subscriber_tv.core.billing.bill import ContractFacts
from subscriber_tv.core.billing.periods import Span
from subscriber_tv.core.billing.terms import Terms
from subscriber_tv.core.billing.upcoming import days_due, upcoming


def facts_of(served, *charges, **values) -> ContractFacts:
	return ContractFacts(served, {OFFER: charges}, **values)


def played(facts, today: str, until: str) -> list[tuple[str, str]]:
	bills = upcoming([facts], today=day(today), until=day(until), max_months=24)
	return [(str(one.day), str(sum((bill.net for bill in one.bills), Decimal(0)))) for one in bills]


def test_a_part_of_a_period_today_then_whole_ones():
	# 15 Jan            1 Feb             1 March
	# |-- 17/31 days ----|-- 29.95 --------|-- 29.95
	facts = facts_of(contract("2026-01-15", anchor=1), recurring("29.95"))
	assert played(facts, "2026-01-15", "2026-03-01") == [
		("2026-01-15", "16.42"),
		("2026-02-01", "29.95"),
		("2026-03-01", "29.95"),
	]


def test_what_is_invoiced_already_is_not_billed_again():
	served = contract("2026-01-01")
	books = Books(recurring("30.00"))
	books.run(served, "2026-01-01")
	facts = facts_of(served, recurring("30.00"), invoiced=tuple(books.rows))
	assert played(facts, "2026-01-20", "2026-02-28") == [("2026-02-01", "30.00")]


def test_a_trial_is_a_day_without_a_bill_and_then_one():
	served = contract("2026-01-01")
	terms = Terms(unbilled=(Span(day("2026-01-01"), day("2026-01-15")),))
	facts = replace(facts_of(served, recurring("31.00")), terms=terms)
	assert played(facts, "2026-01-01", "2026-02-01") == [("2026-01-15", "17.00"), ("2026-02-01", "31.00")]


def test_a_contract_that_a_run_would_refuse_is_refused_once():
	facts = facts_of(contract("2026-01-01"), recurring("0.00"))
	found = upcoming([facts], today=day("2026-01-01"), until=day("2026-06-01"), max_months=24)
	assert [(one.day, one.bills, [refusal.code for refusal in one.refused]) for one in found] == [
		(date(2026, 1, 1), (), ["no_price"])
	]


@pytest.mark.histories
@settings(deadline=None)
@given(st.integers(0, 40), st.integers(1, 31), st.integers(1, 6), st.booleans())
def test_the_bills_played_ahead_are_those_of_the_runs(start, anchor, months, once):
	begins = date(2026, 1, 1).fromordinal(date(2026, 1, 1).toordinal() + start)
	charges = (recurring("29.95", months=months), *((one_off(),) if once else ()))
	served = contract(begins.isoformat(), anchor=anchor)
	facts = facts_of(served, *charges)
	until = date(2026, 12, 31)
	ahead = upcoming([facts], today=begins, until=until, max_months=24)
	books = Books(*charges)
	run = [
		(on, bill) for on in days_due([facts], today=begins, until=until) if (bill := books.run(served, on))
	]
	assert [(one.day, one.bills[0].charges) for one in ahead] == [(on, bill.charges) for on, bill in run]
