"""What holds for any history of a contract, known in whatever order, and for any days of the runs."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from subscriber_tv.core.billing.books import Books
from subscriber_tv.core.billing.charges import expected_charges
from subscriber_tv.core.billing.price import MINIMUM, ONE_OFF
from subscriber_tv.core.billing.terms import Discount
from subscriber_tv.core.pricing.models import Flat, PerUnit, Tier, Volume
from subscriber_tv.core.scenario.known import facts_on
from subscriber_tv.core.scenario.model import (
	ANCHOR,
	CANCEL,
	INTERVAL,
	PAUSE,
	PRICE,
	QUANTITY,
	RESUME,
	START,
	ContractTerms,
	Event,
	LineTerms,
	Scenario,
)
from subscriber_tv.core.scenario.simulate import bill_on

START_DAY = date(2026, 1, 31)
CENT = Decimal("0.01")
days = st.integers(0, 400).map(lambda n: START_DAY + timedelta(n))
prices = st.decimals("0.01", "999.99", places=4)
models = st.one_of(
	prices.map(PerUnit),
	prices.map(Flat),
	prices.map(lambda price: Volume((Tier(Decimal(5), price), Tier(None, price / 2)))),
)
intervals = st.sampled_from([1, 2, 3, 5, 6, 12, 24])
discounts = st.lists(
	st.one_of(
		st.builds(Discount, percent=st.sampled_from([Decimal(10), Decimal("33.3"), Decimal(100)])),
		st.builds(Discount, percent=st.just(Decimal(50)), periods=st.integers(1, 4)),
		st.builds(Discount, amount=st.just(Decimal("7.50")), until=days),
		st.builds(Discount, amount=st.just(Decimal("20.00"))),
	),
	max_size=2,
).map(tuple)
VALUES = {
	PRICE: models,
	QUANTITY: st.integers(0, 20),
	INTERVAL: intervals,
	ANCHOR: st.integers(1, 31),
	PAUSE: st.none(),
	RESUME: st.none(),
	START: st.none(),
	CANCEL: st.none(),
}


@st.composite
def events(draw, number):
	kind = draw(st.sampled_from(sorted(VALUES)))
	on_line = kind in (PRICE, QUANTITY) or (kind in (START, CANCEL) and draw(st.booleans()))
	effective = draw(days)
	return Event(
		contract="C",
		line=draw(st.sampled_from(["A", "B"])) if on_line else None,
		kind=kind,
		effective=effective,
		known=effective + timedelta(draw(st.integers(-60, 120))),
		order=number,
		value=draw(VALUES[kind]),
	)


@st.composite
def lines(draw, name, prorate):
	return LineTerms(
		id=name,
		kind=draw(st.sampled_from(["recurring", "recurring", "one-off"])) if name == "B" else "recurring",
		price=draw(models),
		quantity=draw(st.integers(0, 20)),
		start=draw(st.none() | days),
		end=None,
		arrears=draw(st.booleans()),
		prorate=draw(prorate),
		tax_percent=Decimal(20),
		discounts=draw(discounts),
	)


NO_MINIMUM = st.none()
BY_DAYS = st.just(True)
ANY_MINIMUM = st.none() | st.just(Decimal("500.00"))


@st.composite
def scenarios(draw, minimum=NO_MINIMUM, prorate=BY_DAYS):
	count = draw(st.integers(0, 6))
	timeline = [draw(events(number)) for number in range(count)]
	terms = ContractTerms(
		id="C",
		start=START_DAY,
		end=None,
		anchor_day=draw(st.none() | st.integers(1, 31)),
		interval_months=draw(intervals),
		calendar_aligned=False,
		trial_days=draw(st.sampled_from([0, 0, 10, 45])),
		billed_through=None,
		tax_percent=Decimal(20),
		lines=(draw(lines("A", prorate)), draw(lines("B", prorate))),
		discounts=draw(discounts),
		minimum=draw(minimum),
	)
	runs = tuple(sorted(draw(st.lists(days, min_size=1, max_size=5))))
	return Scenario("EUR", (terms,), tuple(sorted(timeline, key=lambda event: event.place)), runs)


def play(scenario: Scenario) -> Books:
	books = Books()
	for day in scenario.runs:
		books.post(bill_on(scenario, books, day), str(day))
	return books


def net(books: Books) -> Decimal:
	"""What stands, without one-off charges: those are charged once and never repaired."""
	return sum((row.left for row in books.of("C") if row.kind != ONE_OFF), Decimal(0))


def value(scenario: Scenario, books: Books, day: date) -> tuple[Decimal, int]:
	"""Worth, not rounded, of the days due by `day` or billed ahead of it, and the number of rows that make it."""
	facts = facts_on(scenario, scenario.contracts[0], day)
	ends = [row.span.end - timedelta(1) for row in books.of("C")]
	rows = expected_charges(facts.contract, facts.offers, max([day, *ends]), facts.terms)
	due = [row for row in rows if row.due <= day and row.kind != ONE_OFF]
	return sum(
		(row.price.full_amount * row.span.days / row.price.period.days for row in due), Decimal(0)
	), len(due)


@given(scenario=scenarios())
def test_the_sum_of_the_lines_is_the_value_of_the_served_days(scenario):
	"""Half a cent for each row that stands; on a last day on which nothing billed ahead waits to be replaced."""
	last = max([*scenario.runs, *(max(e.known, e.effective) for e in scenario.timeline)]) + timedelta(800)
	books = play(replace(scenario, runs=(*scenario.runs, last)))
	worth, rows = value(scenario, books, last)
	assert abs(net(books) - worth) <= CENT / 2 * max(rows, 1)


@given(scenario=scenarios(minimum=ANY_MINIMUM, prorate=st.booleans()))
def test_a_second_run_adds_nothing(scenario):
	books = Books()
	for day in scenario.runs:
		books.post(bill_on(scenario, books, day), str(day))
		assert not bill_on(scenario, books, day)


@given(scenario=scenarios(minimum=ANY_MINIMUM), seed=st.integers(0, 9))
def test_the_order_in_which_events_become_known_does_not_matter(scenario, seed):
	"""Whatever was known when, one run that knows all leaves the same sum, half a cent a row."""
	known = [event.known for event in scenario.timeline]
	Random(seed).shuffle(known)
	shuffled = tuple(replace(e, known=day) for e, day in zip(scenario.timeline, known, strict=True))
	last = max([*scenario.runs, *known, *(event.effective for event in scenario.timeline)]) + timedelta(800)
	one = play(replace(scenario, runs=(*scenario.runs, last)))
	other = play(replace(scenario, timeline=shuffled, runs=(*scenario.runs, last)))
	rows = max(len(one.of("C")), len(other.of("C")))
	assert abs(net(one) - net(other)) <= CENT * rows


@given(scenario=scenarios(minimum=ANY_MINIMUM, prorate=st.booleans()))
def test_credits_never_exceed_the_row_they_correct(scenario):
	for row in play(scenario).of("C"):
		assert 0 <= sum((done.amount for done in row.corrections), Decimal(0)) <= row.amount


@given(scenario=scenarios())
def test_often_or_once_costs_the_same(scenario):
	"""Nothing learnt late: the parts of the periods add up to what one run at the end bills, to the cent a row."""
	known = tuple(replace(event, known=date.min) for event in scenario.timeline)
	scenario = replace(scenario, timeline=known)
	last = scenario.runs[-1]
	assert net(play(scenario)) == net(play(replace(scenario, runs=(last,))))


@given(scenario=scenarios(minimum=st.just(Decimal("500.00"))))
def test_a_closed_period_is_never_below_its_minimum(scenario):
	"""Of each period: what is charged and the true-up together are the minimum for its days, or more."""
	last = max([*scenario.runs, *(event.effective for event in scenario.timeline)])
	facts = facts_on(scenario, scenario.contracts[0], date.max)
	rows = expected_charges(facts.contract, facts.offers, last, facts.terms)
	for short in (row for row in rows if row.kind == MINIMUM):
		assert 0 < short.price.full_amount <= Decimal("500.00")
		assert short.due >= short.span.end
