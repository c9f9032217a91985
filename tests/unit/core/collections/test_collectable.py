"""What may be asked of a payer: examples to the cent, and the rules for any invoice."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriber_tv.core.collections.collectable import Instalment, Invoice, collectable
from subscriber_tv.core.collections.credit import collect

TODAY = date(2026, 11, 22)
D = Decimal


def invoice(outstanding, *instalments, disputed=(), credit="0", places=2):
	agreed = tuple(Instalment(date.fromisoformat(day), D(amount)) for day, amount in instalments)
	return Invoice(D(outstanding), agreed, tuple(map(D, disputed)), D(credit), places)


def figures(answer):
	return tuple(str(x) for x in (answer.due, answer.not_due, answer.disputed, answer.credit))


@pytest.mark.parametrize(
	("facts", "expected"),
	[
		pytest.param(invoice("120", ("2026-11-01", "120")), ("120", "0", "0", "0"), id="all due"),
		pytest.param(invoice("120", ("2026-11-22", "120")), ("120", "0", "0", "0"), id="due on its day"),
		pytest.param(invoice("120", ("2026-11-23", "120")), ("0", "120", "0", "0"), id="due tomorrow"),
		pytest.param(
			invoice("120", ("2026-11-01", "120"), disputed=["36"]), ("84", "0", "36", "0"), id="a part waits"
		),
		pytest.param(
			invoice("120", ("2026-11-01", "120"), disputed=["36", "84"]),
			("0", "0", "120", "0"),
			id="all waits",
		),
		pytest.param(
			invoice("36", ("2026-11-01", "120"), disputed=["36"]),
			("0", "0", "36", "0"),
			id="the rest is paid",
		),
		pytest.param(
			invoice("20", ("2026-11-01", "120"), disputed=["36"]),
			("0", "0", "20", "0"),
			id="a payment settles what is not disputed first, then the rest",
		),
		pytest.param(
			invoice("0", ("2026-11-01", "120"), disputed=["36"]), ("0", "0", "0", "0"), id="paid in full"
		),
		pytest.param(
			invoice("-5", ("2026-11-01", "120"), disputed=["36"]), ("0", "0", "0", "0"), id="overpaid"
		),
		pytest.param(
			invoice("100", ("2026-11-01", "60"), ("2026-12-01", "60"), disputed=["30"]),
			("28.00", "42.00", "30", "0"),
			id="each open instalment waits for its share",
		),
		pytest.param(
			invoice("100.01", ("2026-12-01", "60"), ("2026-11-01", "60"), disputed=["33.33"]),
			("26.68", "40.00", "33.33", "0"),
			id="cents add up",
		),
		pytest.param(
			invoice("120", ("2026-11-01", "60"), ("2026-12-01", "60"), credit="70"),
			("0", "50", "0", "70"),
			id="credit covers the oldest",
		),
		pytest.param(
			invoice("120", ("2026-11-01", "120"), disputed=["36"], credit="10"),
			("74", "0", "36", "10"),
			id="credit does not pay what is disputed",
		),
		pytest.param(
			invoice("120", ("2026-11-01", "120"), disputed=["36"], credit="500"),
			("0", "0", "36", "84"),
			id="more credit than is asked for",
		),
		pytest.param(
			invoice("130", ("2026-11-01", "60"), ("2026-12-01", "60")),
			("60", "70", "0", "0"),
			id="a later fee",
		),
		pytest.param(
			invoice("101", ("2026-11-01", "50"), ("2026-12-01", "51"), disputed=["33"], places=0),
			("34", "34", "33", "0"),
			id="yen have no decimals",
		),
	],
)
def test_examples(facts, expected):
	answer = collectable(facts, TODAY)
	assert tuple(map(D, figures(answer))) == tuple(map(D, expected))


def test_days_of_what_is_due_and_of_what_is_not():
	agreed = (("2026-10-01", "40"), ("2026-11-01", "40"), ("2026-12-01", "40"))
	answer = collectable(invoice("80", *agreed), TODAY)
	assert (answer.due_since, answer.due_next) == (date(2026, 11, 1), date(2026, 12, 1))
	waits = collectable(invoice("80", *agreed, disputed=["80"]), TODAY)
	assert (waits.due_since, waits.due_next) == (None, None)


def test_money_owed_on_no_day_is_refused():
	with pytest.raises(ValueError):
		collectable(invoice("1"), TODAY)
	assert collectable(invoice("0"), TODAY).parts == ()


CENTS = st.integers(0, 500_000).map(lambda cents: D(cents).scaleb(-2))
DAYS = st.integers(-60, 60).map(lambda days: TODAY + timedelta(days))
INVOICES = st.builds(
	Invoice,
	outstanding=st.integers(-10_000, 2_000_000).map(lambda cents: D(cents).scaleb(-2)),
	instalments=st.lists(st.builds(Instalment, DAYS, CENTS), min_size=1, max_size=6).map(tuple),
	disputed=st.lists(CENTS, max_size=4).map(tuple),
	credit=CENTS,
)


@pytest.mark.histories
@given(INVOICES)
def test_parts_add_up_to_what_is_outstanding(facts):
	answer = collectable(facts, TODAY)
	assert answer.due + answer.not_due + answer.disputed + answer.credit == answer.outstanding
	assert answer.outstanding == max(facts.outstanding, 0)
	assert min(answer.due, answer.not_due, answer.disputed, answer.credit) >= 0
	for part in answer.parts:
		assert min(part.disputed, part.credit, part.claim) >= 0
		assert part.disputed == part.disputed.quantize(D("0.01"))


@pytest.mark.histories
@given(INVOICES)
def test_all_that_is_disputed_waits_and_nothing_else_does(facts):
	answer = collectable(facts, TODAY)
	assert answer.disputed == min(sum(facts.disputed), answer.outstanding)
	assert answer.credit == min(facts.credit, answer.outstanding - answer.disputed)


@pytest.mark.histories
@given(INVOICES, CENTS)
def test_another_dispute_never_raises_a_claim(facts, more):
	before = collectable(facts, TODAY)
	after = collectable(
		Invoice(facts.outstanding, facts.instalments, (*facts.disputed, more), facts.credit), TODAY
	)
	assert after.due + after.not_due <= before.due + before.not_due


@pytest.mark.histories
@given(INVOICES, st.integers(0, 60))
def test_time_only_moves_claims_from_not_due_to_due(facts, days):
	now, later = collectable(facts, TODAY), collectable(facts, TODAY + timedelta(days))
	assert later.due >= now.due
	assert later.due + later.not_due == now.due + now.not_due


@pytest.mark.histories
@given(st.lists(INVOICES, max_size=4), CENTS)
def test_credit_is_counted_once_and_the_oldest_claims_have_it(invoices, credit):
	named = {str(number): one for number, one in enumerate(invoices)}
	answers = collect(named, credit, TODAY)
	claims = sum(one.due + one.not_due + one.credit for one in answers.values())
	assert sum(one.credit for one in answers.values()) == min(credit, claims)
	parts = [part for one in answers.values() for part in one.parts]
	covered = [part.due for part in parts if part.credit]
	asked = [part.due for part in parts if part.claim]
	assert not covered or not asked or max(covered) <= min(asked)
	for name, one in answers.items():
		assert one.disputed == collectable(named[name], TODAY).disputed
