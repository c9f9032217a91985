"""Terms, tacit renewals, the window of the letter, and what leaving before the end costs."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest

from subscriber_tv.core.billing.agreement import terms_of
from subscriber_tv.core.billing.bill import ContractFacts, bill_contract
from subscriber_tv.core.billing.charges import expected_charges
from subscriber_tv.core.billing.explain import explain_charge
from subscriber_tv.core.billing.price import EXIT_FEE, OfferCharge, Price
from subscriber_tv.core.contracts.commitment import (
	Bound,
	Commitment,
	ExitRule,
	Term,
	earliest_end,
	information_window,
	problems_of_commitment,
)
from subscriber_tv.core.contracts.lines import Line
from subscriber_tv.core.contracts.timeline import Agreed, Change, Contract, StateSpan, fold
from subscriber_tv.core.pricing.models import Tier, Volume

D = Decimal
START = date(2026, 1, 1)
YEAR, TWO_YEARS = Term(12, 12, 2), Term(24, 12, 2)
#: The law's bound for a consumer: all of the first twelve months, a fifth of the rest, 24 months at most.
LEGAL = ExitRule("Consumer", "EXIT", first_months=12, percent_after=D(20), most_months=24)
ALL = ExitRule("Business", "EXIT", renewed=True)
OFFERS = {"V1": (OfferCharge("BASE", "recurring", "TV", "Per Unit", D(30)),)}


@pytest.mark.parametrize(
	("term", "known", "end"),
	[
		(YEAR, date(2026, 1, 2), date(2027, 1, 1)),
		(YEAR, date(2026, 11, 1), date(2027, 1, 1)),
		(YEAR, date(2026, 11, 2), date(2028, 1, 1)),
		(YEAR, date(2027, 1, 1), date(2028, 1, 1)),
		(Term(12, 1, 1), date(2027, 1, 15), date(2027, 3, 1)),
		(Term(24, None, 0), date(2026, 5, 1), date(2028, 1, 1)),
	],
)
def test_a_cancellation_reaches_the_next_end_its_notice_allows(term, known, end):
	assert earliest_end(term, START, known) == (end, "term")


def test_the_last_day_to_refuse_is_the_last_one_whose_notice_reaches_the_end():
	for months, end in (
		(2, date(2027, 1, 1)),
		(1, date(2027, 2, 28)),
		(3, date(2027, 5, 31)),
		(0, date(2027, 1, 1)),
	):
		term = Term(12, 12, months)
		start = end.replace(year=end.year - 1)
		last = term.last_refusal(end)
		assert term.end_reached(start, last) == end
		assert term.end_reached(start, date.fromordinal(last.toordinal() + 1)) > end


def test_the_letter_is_due_between_three_months_and_one_before_the_last_refusal():
	window = information_window(YEAR, date(2027, 1, 1))
	assert (window.first, window.last, window.last_refusal) == (
		date(2026, 8, 1),
		date(2026, 10, 1),
		date(2026, 11, 1),
	)
	states = [
		window.state(day)
		for day in (date(2026, 7, 31), date(2026, 8, 1), date(2026, 10, 1), date(2026, 10, 2))
	]
	assert states == ["early", "open", "open", "missed"]


def test_a_consumer_who_was_not_told_may_leave_a_renewed_term_at_once():
	known = date(2027, 4, 10)
	assert earliest_end(YEAR, START, known, consumer=True) == (known, "uninformed")
	told = {date(2027, 1, 1)}
	assert earliest_end(YEAR, START, known, consumer=True, informed=told) == (date(2028, 1, 1), "term")
	assert earliest_end(YEAR, START, known) == (date(2028, 1, 1), "term")
	assert earliest_end(YEAR, START, date(2026, 4, 10), consumer=True) == (date(2027, 1, 1), "term")


def test_nothing_binds_after_a_term_that_is_not_renewed():
	known = date(2027, 4, 10)
	assert earliest_end(Term(12, None, 3), START, known) == (known, "over")


@pytest.mark.parametrize(
	("months", "renewal", "rule", "consumer", "problems"),
	[
		(24, 12, LEGAL, True, []),
		(36, 12, ALL, False, []),
		(36, 0, LEGAL, True, ["consumer_months"]),
		(12, 12, ALL, True, ["consumer_fee"]),
		(12, 0, replace(LEGAL, percent_after=D(25)), True, ["consumer_fee"]),
		(61, 61, None, False, ["months", "renewal"]),
	],
)
def test_what_a_consumer_may_not_be_bound_to(months, renewal, rule, consumer, problems):
	assert problems_of_commitment(months, renewal, rule, consumer=consumer) == problems


def contract(*changes: Change, rule: ExitRule | None = LEGAL) -> Contract:
	return fold(
		[
			Change(1, "create", None, "Draft", START, lines=(Line("L1", "V1", 1),)),
			Change(2, "activate", "Awaiting Activation", "Active", START),
			*changes,
		],
		subscription="TVS-1",
		agreed=Agreed(commitment=Commitment(TWO_YEARS, rule)),
	)


def leave(day: date, no: int = 3, known: date = date(2026, 2, 1), **values) -> Change:
	return Change(no, "cancel_at_date", "Active", "Cancelling", known, day, **values)


def fee(of: Contract) -> Price | None:
	rows = expected_charges(of, OFFERS, date(2035, 1, 1) if of.end_date else START, terms_of(of))
	found = [row.price for row in rows if row.kind == EXIT_FEE]
	return found[0] if found else None


def fee_of(of: Contract) -> str:
	found = fee(of)
	return f"{found.unit_price:.2f}" if found else ""


@pytest.mark.parametrize(
	("day", "rule", "amount"),
	[
		(date(2026, 6, 1), LEGAL, "282.00"),  # 7 months of 30.00, and a fifth of 12
		(date(2027, 1, 1), LEGAL, "72.00"),
		(date(2027, 7, 1), LEGAL, "36.00"),
		(date(2027, 12, 31), LEGAL, "0.19"),  # 30.00 x 1/31, a fifth of it
		(date(2028, 1, 1), LEGAL, ""),
		(date(2027, 7, 1), ALL, "180.00"),
		(date(2027, 7, 1), replace(ALL, cap=D(100)), "100.00"),
		(date(2027, 7, 1), replace(ALL, percent_within=D(0), percent_after=D(0), flat=D(49)), "49.00"),
		(
			date(2026, 6, 1),
			replace(ALL, percent_after=D(50), first_months=6),
			"300.00",
		),  # 30, and half of 540
		(date(2027, 7, 1), None, ""),
	],
)
def test_the_fee_of_leaving_before_the_end(day, rule, amount):
	assert fee_of(contract(leave(day), rule=rule)) == amount


def test_a_renewed_term_costs_by_its_own_rule_alone():
	renewed = Change(3, "renew", "Active", "Active", date(2028, 1, 1), date(2029, 1, 1))
	out = leave(date(2028, 7, 1), 4, date(2028, 3, 1))
	assert contract(renewed).bounds()[1] == Bound(date(2028, 1, 1), date(2029, 1, 1), renewed=True)
	assert fee_of(contract(renewed, out, rule=LEGAL)) == ""
	assert fee_of(contract(renewed, out, rule=ALL)) == "180.00"


def test_leaving_freely_costs_nothing_and_so_does_the_end_it_leads_to():
	day = date(2026, 6, 1)
	ended = Change(4, "end", "Cancelling", "Cancelled", day)
	assert fee_of(contract(leave(day, free=True))) == ""
	assert fee_of(contract(leave(day, free=True), ended)) == ""
	assert fee_of(contract(leave(day), ended)) == "282.00"
	back = Change(4, "withdraw_cancellation", "Cancelling", "Active", date(2026, 3, 1))
	assert fee_of(contract(leave(day, free=True), back, leave(day, 5, date(2026, 4, 1)))) == "282.00"


def test_it_is_charged_when_it_is_left_and_credited_when_that_is_withdrawn():
	day = date(2026, 6, 1)
	facts = ContractFacts(contract(leave(day)), OFFERS)
	before = bill_contract(facts, until=date(2026, 5, 31), max_months=99)
	assert EXIT_FEE not in {charge.claim.kind for charge in before.charges}
	bill = bill_contract(facts, until=day, max_months=99)
	[charge] = [charge for charge in bill.charges if charge.claim.kind == EXIT_FEE]
	assert (charge.amount, charge.claim.line, charge.span.start, charge.span.end) == (
		D("282.00"),
		"TVS-1/EXIT/EXIT",
		day,
		date(2028, 1, 1),
	)
	back = Change(4, "withdraw_cancellation", "Cancelling", "Active", date(2026, 3, 1))
	assert fee(contract(leave(day), back)) is None


def test_the_page_that_explains_it_comes_to_the_same():
	price = fee(contract(leave(date(2026, 6, 1))))
	explained = explain_charge(price, EXIT_FEE, price.period, before=0, posted=price.unit_price, places=2)
	assert explained.agrees
	assert [(step.code, step.first, step.second, step.amount) for step in explained.steps[:2]] == [
		("percent", D(210), D(1), D(210)),
		("percent", D(360), D("0.2"), D(72)),
	]
	capped = fee(contract(leave(date(2027, 7, 1)), rule=replace(ALL, cap=D(100))))
	steps = explain_charge(capped, EXIT_FEE, capped.period, before=0, posted=D(100), places=2).steps
	assert [(step.code, step.amount) for step in steps[:2]] == [("percent", D(180)), ("maximum", D(-80))]


def test_the_row_keeps_what_it_was_made_of():
	price = fee(contract(leave(date(2026, 6, 1))))
	kept = price.snapshot(price.period)["why"]
	assert (kept["rule"], kept["rest_within"], kept["rest_after"], kept["percent_after"]) == (
		"Consumer",
		"210",
		"360",
		"20",
	)
	assert Price.from_snapshot(price.snapshot(price.period), "EXIT").why == price.why


def left_and_back(*served, rule=ALL):
	"""A contract bound for 2026 and served on these days: (first, first no longer served or None)."""
	spans = []
	for start, end in served:
		spans.append(StateSpan("Active", start, end))
		if end:
			spans.append(StateSpan("Cancelled", end))
	ended = [replace(one, end=other.start) for one, other in pairwise(spans)]
	agreed = Agreed(commitment=Commitment(Term(12, None, 0), rule))
	return Contract(
		"TVS-1", (Line("1", "V1", 30),), (*ended, spans[-1]), START, None, 1, None, "", agreed=agreed
	)


def test_who_comes_back_owes_for_the_days_in_between_alone():
	# Jan 1       Mar 1          Apr 1       Jul 1                   Jan 1
	# |= served ==|-- 1 month ---|= served ==|-------- 6 months -----|     900.00 a month
	gone = left_and_back((START, date(2026, 3, 1)))
	back = left_and_back((START, date(2026, 3, 1)), (date(2026, 4, 1), None))
	again = left_and_back((START, date(2026, 3, 1)), (date(2026, 4, 1), date(2026, 7, 1)))

	def fees(known):
		rows = expected_charges(known, OFFERS, date(2026, 7, 1))
		return [(row.span.start, row.span.end, row.price.full_amount) for row in rows if row.kind == EXIT_FEE]

	assert fees(gone) == [(date(2026, 3, 1), date(2027, 1, 1), D(9000))]
	assert fees(back) == [(date(2026, 3, 1), date(2026, 4, 1), D(900))]
	assert fees(again) == [*fees(back), (date(2026, 7, 1), date(2027, 1, 1), D(5400))]


#: Left in March, back in April, left in July, back in August, left in October.
THRICE = (
	(START, date(2026, 3, 1)),
	(date(2026, 4, 1), date(2026, 7, 1)),
	(date(2026, 8, 1), date(2026, 10, 1)),
)
FLAT = replace(ALL, percent_within=D(0), percent_after=D(0), flat=D(49))


@pytest.mark.parametrize(
	("rule", "first", "then"),
	[
		(FLAT, "49.00", []),
		(replace(FLAT, percent_after=D(1)), "58.00", ["9.00", "27.00"]),  # 900.00 a month: 1, 1 and 3 of them
		(replace(FLAT, cap=D(40)), "40.00", []),
		(replace(FLAT, percent_after=D(1), cap=D(60)), "58.00", ["2.00"]),
		(replace(ALL, percent_after=D(1), cap=D(30)), "9.00", ["9.00", "12.00"]),
	],
)
def test_the_flat_part_is_due_once_a_term_and_the_cap_bounds_all_leavings_of_it(rule, first, then):
	def fees(known):
		rows = expected_charges(known, OFFERS, date(2026, 12, 1))
		return [f"{row.price.unit_price:.2f}" for row in rows if row.kind == EXIT_FEE]

	assert fees(left_and_back(*THRICE, rule=rule)) == [first, *then]
	assert fees(left_and_back(*THRICE[:1], (date(2026, 4, 1), None), rule=rule)) == [first]


def test_a_row_says_what_was_left_of_the_rule():
	rule = replace(FLAT, percent_after=D(1), cap=D(60))
	rows = expected_charges(left_and_back(*THRICE, rule=rule), OFFERS, date(2026, 12, 1))
	first, second = (dict(row.price.why) for row in rows if row.kind == EXIT_FEE)
	assert (first["flat"], first["cap"], second["flat"], second["cap"]) == ("49", "60", "0", "2")


def test_the_flat_part_is_due_at_the_first_leaving_that_is_not_free():
	rule = replace(FLAT, name="Flat")
	day, again = date(2026, 6, 1), date(2026, 9, 1)

	def twice(free):
		return contract(
			leave(day, free=free),
			Change(4, "end", "Cancelling", "Cancelled", day),
			Change(5, "reactivate", "Cancelled", "Awaiting Activation", date(2026, 7, 1)),
			Change(6, "activate", "Awaiting Activation", "Active", date(2026, 7, 1)),
			leave(again, 7, date(2026, 8, 1)),
			rule=rule,
		)

	def days(known):
		rows = expected_charges(known, OFFERS, date(2027, 1, 1), terms_of(known))
		return [row.span.start for row in rows if row.kind == EXIT_FEE]

	assert days(twice(free=False)) == [day]
	assert days(twice(free=True)) == [again]


def test_a_renewed_term_has_a_flat_part_of_its_own():
	rule = replace(FLAT, renewed=True)
	known = contract(
		leave(date(2026, 6, 1)),
		Change(4, "end", "Cancelling", "Cancelled", date(2026, 6, 1)),
		Change(5, "reactivate", "Cancelled", "Awaiting Activation", date(2026, 7, 1)),
		Change(6, "activate", "Awaiting Activation", "Active", date(2026, 7, 1)),
		Change(7, "renew", "Active", "Active", date(2028, 1, 1), date(2029, 1, 1)),
		leave(date(2028, 7, 1), 8, date(2028, 3, 1)),
		rule=rule,
	)
	rows = expected_charges(known, OFFERS, date(2035, 1, 1), terms_of(known))
	assert [f"{row.price.unit_price:.2f}" for row in rows if row.kind == EXIT_FEE] == ["49.00", "49.00"]


def test_outlets_count_once_in_the_fee_of_a_contract_that_came_back():
	"""30 outlets are 30 in its tier, on the days before it came back and after."""
	tiers = Volume((Tier(D(50), D(8)), Tier(None, D(6))))
	rooms = OfferCharge("ROOMS", "recurring", "TV", "Volume", D(0), scheme=tiers, counts_over="Contract")
	known = left_and_back((START, date(2026, 3, 1)), (date(2026, 4, 1), date(2026, 11, 1)))
	rows = expected_charges(known, {"V1": (rooms,)}, date(2026, 11, 1))
	assert [row.price.full_amount for row in rows if row.kind == EXIT_FEE] == [D(240), D(480)]
