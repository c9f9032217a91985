"""Every amount a bill comes to is worked out again from the facts kept on its row, to the cent."""

import json
from datetime import date, timedelta
from decimal import Decimal

import pytest
from billing_books import Books, charged, contract, day, one_off, recurring
from hypothesis import given, settings
from hypothesis import strategies as st

from subscriber_tv.core.billing.explain import (
	Billed,
	GivenBack,
	days_before,
	explain_charge,
	explain_concession,
	explain_credit,
	snapshot_of,
)
from subscriber_tv.core.billing.periods import Span, subtract
from subscriber_tv.core.billing.price import DEPOSIT, RECURRING, USAGE
from subscriber_tv.core.billing.terms import Terms
from subscriber_tv.core.billing.usage import Usage
from subscriber_tv.core.contracts.timeline import Line
from subscriber_tv.core.money import plain
from subscriber_tv.core.pricing import models
from subscriber_tv.core.pricing.discount import Discount
from subscriber_tv.core.pricing.models import Graduated, Package, PercentOf, Tier

D = Decimal
START = date(2026, 1, 1)


class Ledger(Books):
	"""Books that keep every posted row in its order and explain it as a page would: from its snapshot."""

	def __init__(self, *charges, **more):
		super().__init__(*charges, **more)
		self.posted: dict[str, list[Billed]] = {}
		self.explained: list = []

	def run(self, known, until, **facts):
		self.before = {row.name: row for row in self.rows}
		return super().run(known, until, **facts)

	def _correct(self, credit) -> None:
		row = next(row for row in self.rows if row.name == credit.row.name)
		given = GivenBack(credit.span, row.standing, row.left)
		price = self._kept(row.price, credit.span, row.price.item)
		name = f"{credit.claim.name}#{len(self.explained)}"
		posted = self._post(Billed(name, "correction", credit.span, price, row.name), row.line)
		before = days_before(posted, name)
		self.explained.append(
			explain_credit(price, row.kind, given, before=before, posted=credit.amount, places=self.places)
		)
		super()._correct(credit)

	def _add(self, charge) -> None:
		price = self._kept(charge.price, charge.span, charge.price.item)
		name, kind = charge.claim.name, charge.claim.kind
		posted = self._post(Billed(name, kind, charge.span, price), charge.claim.line)
		before = days_before(posted, name)
		self.explained.append(
			explain_charge(price, kind, charge.span, before=before, posted=charge.amount, places=self.places)
		)
		super()._add(charge)

	def _kept(self, price, span, item):
		return snapshot_of(json.loads(json.dumps(price.snapshot(span))), item)

	def _post(self, row: Billed, line: str) -> list[Billed]:
		self.posted.setdefault(line, []).append(row)
		return self.posted[line]

	@property
	def last(self):
		return self.explained[-1]


def told(explanation) -> list[tuple]:
	"""Codes and amounts, those of a cent and more decimals shortened."""
	return [(step.code, plain(round(step.amount, 4))) for step in explanation.steps]


def test_a_part_of_a_period():
	# 1 Jan     10 Jan           1 Feb
	# |.........|A===== 22/31 ====|
	ledger = Ledger(one_off("50"), recurring("30"))
	ledger.run(contract("2026-01-10", anchor=1, quantity=12), "2026-01-10")
	fee, part = ledger.explained
	assert told(fee) == [("fee", "50"), ("whole", "50"), ("rounded", "50")]
	assert [(s.code, s.first, s.second) for s in part.steps] == [
		("units", D(12), D(30)),
		("whole", None, D(31)),
		("days", D(22), D(31)),
		("rounded", None, None),
	]
	assert (part.computed, part.agrees) == (D("255.48"), True)


def test_parts_of_a_period_are_rounded_together():
	# 10.00 for 31 days: 10 days 3.23, 20 days 6.45, 31 days 10.00; so the second ten cost 3.22
	ledger = Ledger(recurring("10"))
	for end in ("2026-01-11", "2026-01-21"):
		ledger.run(contract("2026-01-01", end), "2026-01-01")
	assert told(ledger.last) == [
		("units", "10"),
		("whole", "10"),
		("days", "6.4516"),
		("rounded", "6.45"),
		("earlier", "-3.23"),
		("rounded", "3.22"),
	]
	assert ledger.last.agrees


def test_a_correction_and_one_that_leaves_nothing():
	ledger = Ledger(recurring("31"))
	ledger.run(contract("2026-01-01"), "2026-01-01")
	ledger.run(contract("2026-01-01", "2026-01-21"), "2026-01-21")
	assert told(ledger.last) == [("whole", "31"), ("credited", "11")]
	ledger.concede(0, "15")
	ledger.run(contract("2026-01-01", "2026-01-03"), "2026-01-21")
	assert told(ledger.last) == [("whole", "31"), ("credited", "18"), ("capped", "5")]
	whole = Ledger(recurring("31"))
	whole.run(contract("2026-01-10", anchor=1), "2026-01-10")
	whole.concede(0, "2")
	whole.run(contract("2026-01-10", "2026-01-10", anchor=1), "2026-01-10")
	assert told(whole.last) == [("rest", "20")]
	assert ledger.last.agrees and whole.last.agrees


def test_tiers_discounts_and_a_minimum():
	tiers = Graduated((Tier(D(10), D(5)), Tier(None, D(4), D(7))))
	ledger = Ledger(
		charged(
			RECURRING,
			tiers,
			"BASE",
			discounts=(Discount(percent=D(10), label="Welcome"),),
			minimum=D(100),
		)
	)
	ledger.run(contract("2026-01-01", quantity=12), "2026-02-01")
	assert told(ledger.explained[0]) == [
		("units", "50"),
		("units", "8"),
		("fee", "7"),
		("discount", "-6.5"),
		("whole", "58.5"),
		("rounded", "58.5"),
	]
	assert [step.label for step in ledger.explained[0].steps if step.code == "discount"] == ["Welcome"]
	assert [step.tier for step in ledger.explained[0].steps][:3] == [1, 2, 2]
	minimum = next(one for one in ledger.explained if one.posted == D("41.5"))
	assert told(minimum)[0] == ("fee", "41.5")
	assert all(one.agrees for one in ledger.explained)


def test_usage_and_a_record_that_came_late():
	ledger = Ledger(charged(USAGE, models.Usage(D(100), (Tier(None, D("0.5")),), D(20)), "VOD", arrears=True))
	used = (Usage("1", "VOD", day("2026-01-05"), D(120)),)
	ledger.run(contract("2026-01-01"), "2026-02-01", usage=used)
	assert told(ledger.last) == [
		("fee", "20"),
		("free", "0"),
		("units", "10"),
		("whole", "30"),
		("rounded", "30"),
	]
	late = (*used, Usage("1", "VOD", day("2026-01-06"), D(15)))
	ledger.run(contract("2026-01-01"), "2026-02-02", usage=late)
	assert ("already", "-30") in told(ledger.last)
	assert (ledger.last.computed, ledger.last.agrees) == (D("7.5"), True)
	ledger.run(contract("2026-01-01"), "2026-02-03", usage=(Usage("1", "VOD", day("2026-01-05"), D(118)),))
	# What the usage is still worth is not kept on the row: nothing can be worked out, and nothing is claimed.
	assert [(told(one), one.agrees) for one in ledger.explained[-2:]] == [
		([("given", "1")], None),
		([("rest", "7.5")], True),
	]


def test_a_percentage_of_another_charge():
	ledger = Ledger(recurring("300"), charged(RECURRING, PercentOf(D(10)), "CARE", of=("BASE",)))
	ledger.run(contract("2026-01-17", anchor=1), "2026-01-17")
	care = next(one for one in ledger.explained if any(step.code == "percent" for step in one.steps))
	assert told(care) == [("share", "145.16"), ("percent", "14.516"), ("rounded", "14.52")]
	assert care.steps[0].label == "TVS-1/1/BASE" and care.agrees


def test_deposits_come_and_go():
	ledger = Ledger(charged(DEPOSIT, models.PerUnit(D(40)), "BOX"))
	lines = (
		Line("1", "HOTEL-TV-V1", 5, None, day("2026-01-10")),
		Line("1", "HOTEL-TV-V1", 3, day("2026-01-10")),
	)
	ledger.run(contract("2026-01-01", quantity=5), "2026-01-01")
	assert told(ledger.last)[0] == ("units", "200")
	ledger.run(contract("2026-01-01", lines=lines), "2026-01-10")
	assert (told(ledger.last), ledger.last.steps[0].first) == ([("units", "80")], D(2))
	ledger.run(contract("2026-01-01", "2026-01-20", lines=lines), "2026-01-20")
	assert told(ledger.last) == [("rest", "120")]
	assert all(one.agrees for one in ledger.explained)


def test_another_amount_than_the_facts_lead_to_is_told():
	price = recurring("30")
	ledger = Ledger(price)
	ledger.run(contract("2026-01-01"), "2026-01-01")
	row = ledger.rows[0]
	changed = explain_charge(row.price, row.kind, row.span, before=0, posted=D("25"), places=2)
	assert (changed.agrees, changed.computed, changed.posted) == (False, D(30), D(25))
	assert explain_concession(D(8)).agrees is None


def test_damaged_facts_are_no_price():
	ledger = Ledger(recurring("30"))
	ledger.run(contract("2026-01-01"), "2026-01-01")
	facts = ledger.rows[0].price.snapshot(ledger.rows[0].span)
	assert snapshot_of(facts, "TV") is not None
	assert snapshot_of({}, "TV") is None
	assert snapshot_of(facts | {"quantity": None}, "TV") is None
	assert snapshot_of(facts | {"unit_price": "x"}, "TV") is None


days = st.integers(0, 200).map(lambda n: START + timedelta(n))
prices = st.decimals("0.01", "999.99", places=4)
schemes = st.one_of(
	prices.map(models.PerUnit),
	prices.map(models.Flat),
	st.builds(Package, prices, st.integers(1, 9).map(D), st.integers(0, 3).map(D)),
	st.tuples(prices, prices, st.integers(1, 20)).map(
		lambda three: Graduated((Tier(D(three[2]), three[0]), Tier(None, three[1], three[0])))
	),
)


@st.composite
def ledgers(draw):
	"""Books of a contract whose end, quantity and discount were thought of differently at each run."""
	start, anchor = draw(days), draw(st.integers(1, 31))
	discounts = draw(st.lists(st.builds(Discount, percent=st.sampled_from([D(5), D("33.3")])), max_size=1))
	base = charged(
		RECURRING,
		draw(schemes),
		"BASE",
		interval_months=draw(st.sampled_from([1, 3])),
		prorate=draw(st.sampled_from([True, True, False])),
		arrears=draw(st.booleans()),
	)
	care = charged(RECURRING, PercentOf(D("12.5")), "CARE", of=("BASE",))
	ledger = Ledger(one_off("50"), base, care, places=draw(st.sampled_from([2, 0])))
	run_day = start
	for _ in range(draw(st.integers(1, 5))):
		run_day += timedelta(draw(st.integers(0, 60)))
		end = draw(st.none() | st.integers(1, 200).map(lambda n: start + timedelta(n)))
		units = draw(st.integers(1, 30))
		known = contract(str(start), end and str(end), anchor=anchor, quantity=units)
		ledger.run(known, run_day, terms=Terms(discounts=tuple(discounts)))
		if ledger.rows and draw(st.booleans()):
			row = draw(st.sampled_from(range(len(ledger.rows))))
			if ledger.rows[row].left > 1:
				ledger.concede(row, "1")
	return ledger


@pytest.mark.histories
@settings(max_examples=25, deadline=None)
@given(ledgers())
def test_every_row_of_any_history_is_worked_out_again(ledger):
	for one in ledger.explained:
		assert one.agrees, (one.posted, one.computed, told(one))
		assert one.steps[-1].amount == one.posted


@pytest.mark.parametrize("cut", ["2026-01-05", "2026-01-20"])
def test_days_before_counts_days_that_stood(cut):
	span = Span(day("2026-01-01"), day("2026-02-01"))
	ledger = Ledger(recurring("31"))
	ledger.run(contract("2026-01-01"), "2026-01-01")
	ledger.run(contract("2026-01-01", cut), "2026-01-01")
	ledger.run(contract("2026-01-01"), "2026-01-01")
	rows = ledger.posted["TVS-1/1/BASE"]
	gone = Span(day(cut), span.end)
	assert [days_before(rows, row.name) for row in rows] == [0, 31, subtract([span], [gone])[0].days]
