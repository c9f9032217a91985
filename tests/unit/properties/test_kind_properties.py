"""What holds for usage, percentages, deposits and shared tiers, whatever happened and whenever it became known."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from test_scenario_properties import CENT, START_DAY, days, discounts, intervals, play, prices

from subscriber_tv.core.billing.base import quantity_on
from subscriber_tv.core.billing.bill import expected_of
from subscriber_tv.core.billing.price import BY_TOTAL, DEPOSIT, ONE_OFF, USAGE
from subscriber_tv.core.pricing.models import (
	Graduated,
	Package,
	Percentage,
	PercentOf,
	PerUnit,
	Tier,
	Usage,
	Volume,
)
from subscriber_tv.core.pricing.offered import CONTRACT, GROUP, LINE, PAYER
from subscriber_tv.core.pricing.price import price_of
from subscriber_tv.core.scenario.known import all_facts_on
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
	GroupStep,
	LineTerms,
	Scenario,
	Used,
)
from subscriber_tv.core.scenario.simulate import bill_on

#: Finer than any rounding: what a row is worth before it is rounded.
EXACTLY = 20
bounds = st.sampled_from([(None, None), (Decimal("12.00"), None), (None, Decimal("90.00"))])
percents = st.builds(
	lambda percent, bound: PercentOf(percent, *bound),
	st.sampled_from([Decimal(1), Decimal("33.3"), Decimal(100)]),
	bounds,
)
tiers = prices.map(
	lambda price: (Tier(Decimal(9), price), Tier(Decimal(25), price / 2), Tier(None, price / 3))
)
tiered = st.one_of(tiers.map(Graduated), tiers.map(Volume))
per_use = st.one_of(
	prices.map(PerUnit),
	tiers.map(Graduated),
	st.builds(Usage, st.just(Decimal(20)), tiers, prices),
	prices.map(lambda price: Package(price, Decimal(7), Decimal(3))),
	percents,
	st.just(Percentage(Decimal("2.5"), fixed=Decimal("0.25"), free_events=1, maximum=Decimal(3))),
)
deposits = prices.map(PerUnit)
BY_DAYS = st.just(True)
#: The models of the price of each line.
PRICES = {"A": tiered, "P": percents, "F": per_use, "D": deposits}
WITH_QUANTITY = ("A", "D")


@st.composite
def changes(draw, number):
	kind = draw(st.sampled_from([PRICE, QUANTITY, QUANTITY, INTERVAL, ANCHOR, PAUSE, RESUME, START, CANCEL]))
	line = None
	value = None
	if kind == PRICE:
		line = draw(st.sampled_from(sorted(PRICES)))
		value = draw(PRICES[line])
	elif kind == QUANTITY:
		line, value = draw(st.sampled_from(WITH_QUANTITY)), draw(st.integers(0, 30))
	elif kind in (START, CANCEL):
		line = draw(st.sampled_from([None, *sorted(PRICES)]))
	elif kind in (INTERVAL, ANCHOR):
		value = draw(intervals if kind == INTERVAL else st.integers(1, 31))
	effective = draw(days)
	known = effective + timedelta(draw(st.integers(-60, 120)))
	return Event("C", line, kind, effective, known, number, value)


def _line(name, kind, price, quantity=1, **fields) -> LineTerms:
	return LineTerms(name, kind, price, quantity, None, None, tax_percent=Decimal(0), **fields)


@st.composite
def contracts(draw, name, prorate):
	reach = draw(st.sampled_from([LINE, CONTRACT, PAYER, GROUP]))
	by_days = draw(prorate)
	return ContractTerms(
		id=name,
		start=START_DAY if name == "C" else draw(days),
		end=None if name == "C" else draw(st.none() | st.just(START_DAY + timedelta(500))),
		anchor_day=draw(st.none() | st.integers(1, 31)),
		interval_months=draw(intervals),
		calendar_aligned=False,
		trial_days=draw(st.sampled_from([0, 0, 20])),
		billed_through=None,
		tax_percent=Decimal(0),
		lines=(
			_line(
				"A",
				"recurring",
				draw(tiered),
				draw(st.integers(0, 30)),
				arrears=draw(st.booleans()),
				prorate=by_days,
				discounts=draw(discounts),
				counts_over=reach,
				counts="TVS",
			),
			_line("P", "recurring", draw(percents), arrears=draw(st.booleans()), prorate=True, of=("A", "F")),
			_line("F", "usage", draw(per_use), arrears=False, prorate=draw(st.booleans())),
			_line("D", "deposit", draw(deposits), draw(st.integers(0, 5)), arrears=False, prorate=True),
		),
		discounts=draw(discounts),
	)


@st.composite
def used(draw, contract):
	day = draw(days)
	known = day + timedelta(draw(st.integers(-60, 200)))
	return Used(contract, "F", day, draw(st.decimals("0.00", "40.00", places=2)), known)


@st.composite
def histories(draw, prorate=BY_DAYS):
	timeline = [draw(changes(number)) for number in range(draw(st.integers(0, 5)))]
	names = ["C", "E"] if draw(st.booleans()) else ["C"]
	starts = draw(st.lists(days, max_size=2, unique=True))
	group = tuple(
		GroupStep("TVS", start, draw(st.integers(0, 30)), start + timedelta(draw(st.integers(-60, 120))))
		for start in starts
	)
	usage = tuple(draw(st.lists(used(draw(st.sampled_from(names))), max_size=6)))
	return Scenario(
		"EUR",
		tuple(draw(contracts(name, prorate)) for name in names),
		tuple(sorted(timeline, key=lambda event: event.place)),
		tuple(sorted(draw(st.lists(days, min_size=1, max_size=4)))),
		usage=usage,
		group=group,
	)


def rows_of(scenario, books):
	return [row for terms in scenario.contracts for row in books.of(terms.id)]


def net(scenario, books) -> Decimal:
	return sum((row.left for row in rows_of(scenario, books)), Decimal(0))


def last_day(scenario) -> date:
	facts = [*scenario.timeline, *scenario.group, *scenario.usage]
	dates = [day for fact in facts for day in (fact.known, getattr(fact, "effective", fact.known))]
	return max([*scenario.runs, *dates, START_DAY + timedelta(500)]) + timedelta(800)


def to_the_end(scenario) -> Scenario:
	return replace(scenario, runs=(*scenario.runs, last_day(scenario)))


def worth(scenario, books, day: date) -> tuple[Decimal, int]:
	"""What is due by `day` or billed ahead of it, not rounded, and the number of its rows."""
	rows = []
	for facts in all_facts_on(scenario, scenario.contracts, day):
		ends = [row.span.end - timedelta(1) for row in books.of(facts.contract.subscription)]
		rows += [row for row in expected_of(facts, max([day, *ends])) if row.due <= day]
	held = [row for row in rows if row.kind != DEPOSIT or day < row.closes]
	assert not any(row.kind == ONE_OFF for row in held)
	values = [row.price.value_of(1 if row.kind in BY_TOTAL else row.span.days, EXACTLY) for row in held]
	return sum(values, Decimal(0)), len(held)


@given(scenario=histories())
def test_the_sum_of_the_lines_is_the_value_served(scenario):
	"""Half a cent for each row; a percentage is taken of rounded rows, up to 100 % of half a cent of each."""
	scenario = to_the_end(scenario)
	books = play(scenario)
	value, rows = worth(scenario, books, scenario.runs[-1])
	assert abs(net(scenario, books) - value) <= CENT * max(rows, 1)


@given(scenario=histories(prorate=st.booleans()))
def test_a_second_run_adds_nothing(scenario):
	books = play(replace(scenario, runs=()))
	for day in to_the_end(scenario).runs:
		books.post(bill_on(scenario, books, day), str(day))
		assert not bill_on(scenario, books, day)


@given(scenario=histories(), seed=st.integers(0, 9))
def test_when_what_became_known_does_not_matter(scenario, seed):
	"""Events, usage and the group known in another order: one run that knows all leaves the same sum."""
	random = Random(seed)

	def another(facts):
		known = [fact.known for fact in facts]
		random.shuffle(known)
		return tuple(replace(fact, known=day) for fact, day in zip(facts, known, strict=True))

	shuffled = replace(
		scenario,
		timeline=another(scenario.timeline),
		usage=another(scenario.usage),
		group=another(scenario.group),
	)
	last = max(last_day(scenario), last_day(shuffled))
	one = play(replace(scenario, runs=(*scenario.runs, last)))
	other = play(replace(shuffled, runs=(*shuffled.runs, last)))
	rows = max(len(rows_of(scenario, one)), len(rows_of(scenario, other)))
	assert abs(net(scenario, one) - net(scenario, other)) <= CENT * rows


@given(scenario=histories(prorate=st.booleans()))
def test_credits_never_exceed_the_row_they_correct(scenario):
	for row in rows_of(scenario, play(to_the_end(scenario))):
		assert 0 <= sum((done.amount for done in row.corrections), Decimal(0)) <= row.amount


@given(scenario=histories())
def test_often_or_once_costs_the_same(scenario):
	"""Nothing learnt late: the parts add up to what one run at the end bills, to the cent."""
	early = replace(
		scenario,
		timeline=tuple(replace(event, known=date.min) for event in scenario.timeline),
		usage=tuple(replace(one, known=date.min) for one in scenario.usage),
		group=tuple(replace(step, known=date.min) for step in scenario.group),
	)
	once = replace(early, runs=(early.runs[-1],))
	assert net(early, play(early)) == net(once, play(once))


@given(scenario=histories())
def test_all_usage_of_served_days_is_rated_once(scenario):
	"""The units on the rows of usage are those reported for the days these rows hold."""
	scenario = to_the_end(scenario)
	for facts in all_facts_on(scenario, scenario.contracts, scenario.runs[-1]):
		rows = [row for row in expected_of(facts, scenario.runs[-1]) if row.line.endswith("/F/PRICE")]
		assert {row.kind for row in rows} <= {USAGE}
		in_rows = sum((row.price.quantity for row in rows), Decimal(0))
		held = [
			one.quantity
			for one in facts.usage
			if any(row.span.start <= one.day < row.span.end for row in rows)
			and not any(span.start <= one.day < span.end for span in facts.terms.unbilled)
		]
		assert in_rows <= sum((one.quantity for one in facts.usage), Decimal(0))
		assert in_rows == sum(held, Decimal(0))


@given(
	model=tiered,
	here=st.integers(1, 30),
	steps=st.lists(st.tuples(days, st.integers(0, 30)), max_size=4, unique_by=lambda step: step[0]),
)
def test_the_shares_of_a_base_add_up_to_its_price(model, here, steps):
	"""Two contracts of one payer: on every day what both pay is the price of all, a cent for each row."""
	timeline = tuple(Event("E", "A", QUANTITY, day, date.min, 0, many) for day, many in sorted(steps))
	terms = [
		ContractTerms(
			id=name,
			start=START_DAY,
			end=None,
			anchor_day=1,
			interval_months=1,
			calendar_aligned=False,
			trial_days=0,
			billed_through=None,
			tax_percent=Decimal(0),
			lines=(
				_line(
					"A",
					"recurring",
					model,
					here,
					arrears=False,
					prorate=True,
					counts_over=PAYER,
					counts="TVS",
				),
			),
		)
		for name in ("C", "E")
	]
	scenario = Scenario("EUR", tuple(terms), timeline, ())
	known = all_facts_on(scenario, scenario.contracts, date.max)
	rows = [row for facts in known for row in expected_of(facts, START_DAY + timedelta(300))]
	for day in {row.span.start for row in rows}:
		now = [row.price for row in rows if row.span.start <= day < row.span.end]
		total = sum(price.quantity for price in now)
		assert all(price.base in (None, total) for price in now)
		if all(price.quantity for price in now):
			assert (
				abs(sum(price.full_amount for price in now) - price_of(model, Decimal(total)).amount)
				< CENT / 10**9
			)
	assert quantity_on(known[0].base, START_DAY) == here or timeline
