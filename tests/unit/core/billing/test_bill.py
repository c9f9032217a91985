"""What one contract is billed: example tables, a timeline above each."""

from dataclasses import replace
from decimal import Decimal

import pytest
from billing_books import OFFER, Books, contract, day, one_off, recurring, shown

from subscriber_tv.core.billing.bill import ContractFacts, bill_contract, decide
from subscriber_tv.core.billing.price import Refused
from subscriber_tv.core.contracts.timeline import Line, StateSpan


def test_fee_once_and_first_period_prorated():
	# 1 Jan     10 Jan           1 Feb        1 Mar
	# |.........|A===== 22/31 ====|============|
	books = Books(one_off("50.00"), recurring("29.95"))
	bill = books.run(contract("2026-01-10", anchor=1), until="2026-02-01")
	assert shown(bill) == [
		("+", "ACTIVATION", "2026-01-10", "2026-01-11", "50.00"),
		("+", "BASE", "2026-01-10", "2026-02-01", "21.25"),
		("+", "BASE", "2026-02-01", "2026-03-01", "29.95"),
	]
	assert not books.run(contract("2026-01-10", anchor=1), until="2026-02-01")


def test_units_are_multiplied_before_rounding():
	# 100 x 7.4193 = 741.93, not 100 x 7.42
	bill = Books(recurring("7.4193")).run(contract("2026-01-01", quantity=100), until="2026-01-01")
	assert [charge.amount for charge in bill.charges] == [Decimal("741.93")]


def test_flat_price_does_not_count_units():
	bill = Books(recurring("40", model="Flat")).run(contract("2026-01-01", quantity=7), until="2026-01-01")
	assert [str(charge.amount) for charge in bill.charges] == ["40.00"]


def test_currency_without_decimals():
	bill = Books(recurring("1000"), places=0).run(contract("2026-01-16", anchor=1), until="2026-01-16")
	assert [str(charge.amount) for charge in bill.charges] == ["516"]


def test_missed_months_are_caught_up():
	# run 1 Jan ............ no run in Feb, Mar ......... run 1 Apr
	# |====Jan====|         |====Feb====|====Mar====|====Apr====|
	books = Books()
	books.run(contract("2026-01-01"), until="2026-01-01")
	late = books.run(contract("2026-01-01"), until="2026-04-01")
	assert [str(charge.span.start) for charge in late.charges] == ["2026-02-01", "2026-03-01", "2026-04-01"]


def test_an_earlier_horizon_credits_nothing():
	books = Books()
	books.run(contract("2026-01-01"), until="2026-03-01")
	assert not books.run(contract("2026-01-01"), until="2026-01-15")


def test_end_known_in_advance_bills_up_to_it():
	# |====Jan====|== 14/28 ==| end 15 Feb
	bill = Books().run(contract("2026-01-01", "2026-02-15"), until="2026-03-01")
	assert shown(bill)[1] == ("+", "BASE", "2026-02-01", "2026-02-15", "15.00")


def test_end_learnt_late_credits_the_unserved_days():
	# billed  |========Jan 31 days========|
	# served  |== 10 ==|
	# credit           |------- 21 -------|
	books = Books()
	books.run(contract("2026-01-01"), until="2026-01-01")
	assert shown(books.run(contract("2026-01-01", "2026-01-11"), until="2026-01-11")) == [
		("-", "BASE", "2026-01-11", "2026-02-01", "20.32"),
	]
	assert books.net == Decimal("9.68")
	assert not books.run(contract("2026-01-01", "2026-01-11"), until="2026-06-01")


def test_withdrawn_end_is_billed_again_under_a_new_key():
	books = Books()
	for end in (None, "2026-01-11", None, "2026-01-11", None):
		books.run(contract("2026-01-01", end), until="2026-01-11")
	assert books.net == Decimal("30.00")
	assert [row.revision for row in books.rows] == [0, 0, 1]
	assert [row.corrections[0].revision for row in books.rows if row.corrections] == [0, 1]


def test_end_moved_earlier_three_times_adds_up():
	books = Books(recurring("10.00"))
	ends = (None, "2026-01-22", "2026-01-12", "2026-01-02")
	for end in ends:
		books.run(contract("2026-01-01", end), until="2026-01-01")
	assert books.net == Decimal("0.32")  # 10.00 x 1/31


@pytest.mark.parametrize(
	("conceded", "end", "credit"),
	[
		("8.00", "2026-04-06", "22.00"),  # 25 of 30 unserved, 22 left on the row
		("8.00", "2026-04-16", "15.00"),  # 15 unserved, enough is left
		("30.00", "2026-04-16", None),  # nothing left
	],
)
def test_concession_caps_the_credit(conceded, end, credit):
	books = Books()
	books.run(contract("2026-04-01"), until="2026-04-01")
	books.concede(0, conceded)
	bill = books.run(contract("2026-04-01", end), until="2026-04-01")
	assert [str(row.amount) for row in bill.credits] == ([credit] if credit else [])


def test_concession_is_never_billed_back():
	books = Books(one_off(), recurring())
	books.run(contract("2026-04-01"), until="2026-04-01")
	books.concede(0, "50.00")
	books.concede(1, "12.34")
	assert not books.run(contract("2026-04-01"), until="2026-04-01")
	bill = books.run(contract("2026-04-01"), until="2026-05-01")
	assert shown(bill) == [("+", "BASE", "2026-05-01", "2026-06-01", "30.00")]


def test_amount_amended_by_hand_is_left_alone():
	books = Books()
	books.run(contract("2026-04-01"), until="2026-04-01")
	books.rows[0] = replace(books.rows[0], amount=Decimal("25.00"))
	assert not books.run(contract("2026-04-01"), until="2026-04-01")


def test_cancelled_invoice_is_billed_again():
	books = Books(one_off(), recurring())
	first = books.run(contract("2026-04-01"), until="2026-04-01")
	books.rows.clear()
	assert shown(books.run(contract("2026-04-01"), until="2026-04-01")) == shown(first)


def test_one_off_is_not_repaired():
	books = Books(one_off())
	books.run(contract("2026-01-10"), until="2026-01-10")
	assert not books.run(contract("2026-01-12"), until="2026-02-10")  # activation day corrected
	assert not books.run(contract("2026-01-12", "2026-01-20"), until="2026-02-10")


def test_reactivation_bills_no_second_fee():
	# |==10..20==|   gap   |==1 Mar...
	spans = (
		StateSpan("Active", day("2026-01-10"), day("2026-01-20")),
		StateSpan("Cancelled", day("2026-01-20"), day("2026-03-01")),
		StateSpan("Active", day("2026-03-01")),
	)
	again = replace(contract("2026-01-10", anchor=1), spans=spans)
	assert shown(Books(one_off(), recurring()).run(again, until="2026-03-01")) == [
		("+", "ACTIVATION", "2026-01-10", "2026-01-11", "50.00"),
		("+", "BASE", "2026-01-10", "2026-01-20", "9.68"),
		("+", "BASE", "2026-03-01", "2026-04-01", "30.00"),
	]


def test_quantity_changed_inside_a_period_replaces():
	# billed  |=========== 10 TVs ===========|
	# now     |=== 10 TVs ===|=== 12 TVs ====|      change day belongs to the new state
	# credit                 |- 10 TVs ------|
	# charge                 |= 12 TVs ======|
	books = Books(one_off(), recurring("3.00"))
	books.run(contract("2026-04-01", quantity=10), until="2026-04-01")
	lines = (
		Line("1", OFFER, 10, None, day("2026-04-16")),
		Line("1", OFFER, 12, day("2026-04-16"), None),
	)
	assert shown(books.run(contract("2026-04-01", lines=lines), until="2026-04-16")) == [
		("+", "BASE", "2026-04-16", "2026-05-01", "18.00"),
		("-", "BASE", "2026-04-16", "2026-05-01", "15.00"),
	]


def test_nothing_before_the_opening_position():
	#            billed_through 15 Jan
	# |..........|== 17/31 ==|
	books = Books(one_off(), recurring("31.00"))
	taken_over = contract("2024-06-01", billed_through="2026-01-15", anchor=1)
	assert shown(books.run(taken_over, until="2026-01-31")) == [
		("+", "BASE", "2026-01-15", "2026-02-01", "17.00"),
	]


def test_no_credit_before_the_opening_position():
	books = Books(recurring("31.00"))
	books.run(contract("2026-01-01"), until="2026-01-01")
	ended = contract("2026-01-01", "2026-01-02", billed_through="2026-01-22")
	assert shown(books.run(ended, until="2026-01-01")) == [("-", "BASE", "2026-01-22", "2026-02-01", "10.00")]


def test_yearly_contract_two_years_paid_in_advance():
	bill = Books(recurring("240", months=24)).run(contract("2026-01-15"), until="2026-01-15")
	assert shown(bill) == [("+", "BASE", "2026-01-15", "2028-01-15", "240.00")]


def test_free_charge_makes_no_row():
	assert not Books(one_off("0", free=True)).run(contract("2026-01-01"), until="2026-01-01")


@pytest.mark.parametrize(
	("charges", "code"),
	[([recurring("0")], "no_price"), ([recurring("5", model="Odd")], "price_model")],
)
def test_a_missing_price_is_refused(charges, code):
	with pytest.raises(Refused) as refusal:
		Books(*charges).run(contract("2026-01-01"), until="2026-01-01")
	assert refusal.value.code == code
	assert refusal.value.values["charge"] == "BASE"


def test_unknown_offer_version_is_refused():
	with pytest.raises(Refused) as refusal:
		Books().run(contract("2026-01-01", lines=(Line("1", "GONE-V9", 1),)), until="2026-01-01")
	assert refusal.value.values == {"subscription": "TVS-1", "offer_version": "GONE-V9"}


def test_two_charges_for_one_day_are_refused():
	with pytest.raises(Refused) as refusal:
		Books(recurring(), recurring()).run(contract("2026-01-01"), until="2026-01-01")
	assert refusal.value.code == "overlap"


def test_a_bill_that_reaches_too_far_back_is_refused():
	with pytest.raises(Refused) as refusal:
		Books().run(contract("2020-01-01"), until="2026-01-01", max_months=24)
	assert refusal.value.code == "too_long_ago"
	assert refusal.value.values["first"] == "2020-01-01"


def test_one_refused_contract_does_not_stop_the_payer():
	good = ContractFacts(replace(contract("2026-01-01"), subscription="TVS-2"), {OFFER: (recurring(),)})
	bad = ContractFacts(contract("2026-01-01"), {})
	bill = decide([good, bad], until=day("2026-01-01"), max_months=24)
	assert [charge.subscription for charge in bill.bills[0].charges] == ["TVS-2"]
	assert [refusal.code for refusal in bill.refused] == ["no_offer"]


def test_one_bill_per_currency_sorted_by_contract():
	def facts(name, currency):
		return ContractFacts(
			replace(contract("2026-01-01"), subscription=name), {OFFER: (recurring(),)}, currency=currency
		)

	bill = decide(
		[facts("B", "EUR"), facts("C", "CHF"), facts("A", "EUR")], until=day("2026-01-01"), max_months=24
	)
	assert [(b.currency, [c.subscription for c in b.charges]) for b in bill.bills] == [
		("CHF", ["C"]),
		("EUR", ["A", "B"]),
	]


def test_facts_explain_the_row():
	bill = Books(recurring("7.4193")).run(contract("2026-01-10", anchor=1, quantity=100), until="2026-01-10")
	assert bill.charges[0].price.snapshot(bill.charges[0].span) == {
		"offer_version": OFFER,
		"charge_code": "BASE",
		"model": "Per Unit",
		"unit_price": "7.4193",
		"quantity": 100,
		"interval_months": 1,
		"full_amount": "741.93",
		"full_from": "2026-01-01",
		"full_to": "2026-02-01",
		"full_days": 31,
		"days": 22,
	}


def test_bill_does_not_depend_on_the_order_of_rows():
	books = Books(one_off(), recurring())
	books.run(contract("2026-01-01"), until="2026-03-01")
	ended = contract("2026-01-01", "2026-01-20")
	facts = [
		ContractFacts(ended, books.offers, tuple(rows)) for rows in (books.rows, list(reversed(books.rows)))
	]
	first, second = (shown(bill_contract(f, until=day("2026-03-01"), max_months=99)) for f in facts)
	assert first == second
