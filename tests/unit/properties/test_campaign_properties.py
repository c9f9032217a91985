"""What holds for any term, rule, price and day: fees stay within what remained, revisions within their bounds."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from subscriber_tv.core.billing.agreement import terms_of
from subscriber_tv.core.billing.bill import ContractFacts, bill_contract
from subscriber_tv.core.billing.charges import expected_charges
from subscriber_tv.core.billing.price import EXIT_FEE, RECURRING, OfferCharge
from subscriber_tv.core.campaigns.price_revision import Base, Formula, revised
from subscriber_tv.core.contracts.commitment import Commitment, ExitRule, Term
from subscriber_tv.core.contracts.lines import Line
from subscriber_tv.core.contracts.timeline import Agreed, Change, Contract, fold
from subscriber_tv.core.money import ZERO
from subscriber_tv.core.pricing.models import PerUnit
from subscriber_tv.core.pricing.scale import PriceRounding

START = date(2026, 1, 31)
PERCENTS = st.integers(0, 100).map(Decimal)
PRICES = st.decimals("0.05", "500", places=2)


@st.composite
def rules(draw) -> ExitRule:
	return ExitRule(
		"Any",
		"EXIT",
		percent_within=draw(PERCENTS),
		first_months=draw(st.integers(0, 24)),
		percent_after=draw(PERCENTS),
		most_months=draw(st.none() | st.integers(1, 36)),
	)


def contract(months: int, rule: ExitRule | None, left: date | None, price: Decimal) -> tuple[Contract, dict]:
	changes = [
		Change(1, "create", None, "Draft", START, lines=(Line("L1", "V1", 3),)),
		Change(2, "activate", "Awaiting Activation", "Active", START),
	]
	if left:
		changes.append(Change(3, "cancel_at_date", "Active", "Cancelling", START, left))
	offers = {"V1": (OfferCharge("BASE", "recurring", "TV", "Per Unit", price),)}
	agreed = Agreed(commitment=Commitment(Term(months, 12, 1), rule))
	return fold(changes, subscription="TVS-1", agreed=agreed), offers


def fee(months: int, rule: ExitRule, left: date, price: Decimal) -> Decimal:
	of, offers = contract(months, rule, left, price)
	rows = expected_charges(of, offers, left + timedelta(9999), terms_of(of))
	return sum((row.price.unit_price for row in rows if row.kind == EXIT_FEE), ZERO)


@given(st.integers(1, 60), rules(), st.integers(1, 2200), PRICES)
def test_a_fee_is_at_most_what_remained_and_nothing_after_the_term(months, rule, days, price):
	left = START + timedelta(days)
	end = Term(months, 12).first_end(START)
	of, offers = contract(months, None, None, price)
	rows = expected_charges(of, offers, end, terms_of(of))
	remained = sum(
		(
			row.price.value_of((min(row.span.end, end) - max(row.span.start, left)).days, 2)
			for row in rows
			if row.kind == RECURRING and row.span.end > left and row.span.start < end
		),
		ZERO,
	)
	found = fee(months, rule, left, price)
	# The parts of a period before and after the first months are rounded each for itself.
	assert ZERO <= found <= remained + Decimal("0.01")
	assert left < end or found == 0


@given(st.integers(1, 36), rules(), st.integers(1, 900), st.integers(1, 60), PRICES)
def test_leaving_later_never_costs_more(months, rule, days, more, price):
	left = START + timedelta(days)
	cents = Decimal("0.02")  # two roundings: of the part of a period, and of its other part
	assert fee(months, rule, left + timedelta(more), price) <= fee(months, rule, left, price) + cents


@given(st.integers(2, 36), rules(), st.integers(1, 700), PRICES)
def test_billed_once_and_then_nothing_is_due(months, rule, days, price):
	left = START + timedelta(days)
	of, offers = contract(months, rule, left, price)
	bill = bill_contract(ContractFacts(of, offers, terms=terms_of(of)), until=left, max_months=999)
	fees = [charge.amount for charge in bill.charges if charge.claim.kind == EXIT_FEE]
	assert sum(fees, ZERO) == fee(months, rule, left, price)
	assert len(fees) <= 1


@given(PRICES, st.decimals("50", "200", places=1), st.lists(st.decimals("50", "200", places=1), max_size=8))
def test_an_index_forgets_the_years_between(price, s0, years):
	"""Without a cap, whatever happened in between, the price is P0 x S1 / S0."""
	base = Base("I", PerUnit(price), s0)
	now = PerUnit(price)
	for s1 in [*years, s0]:
		now = revised(now, Formula(index_name="I", base_index=s0, new_index=s1), base)
	assert now == PerUnit(price)


@given(PRICES, st.integers(-50, 50).map(Decimal), st.integers(0, 20).map(Decimal))
def test_no_price_leaves_its_bounds_by_more_than_its_rounding(price, percent, cap):
	step = Decimal("0.05")
	formula = Formula(percent=percent, cap=cap, floor=ZERO, rounding=PriceRounding(step))
	after = revised(PerUnit(price), formula, None).unit_price
	assert price - step / 2 <= after <= price * (1 + cap / 100) + step / 2
