"""Lines of a contract folded from dated steps: cases drawn in time, then any order of recording."""

import itertools
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subscriber_tv.core.contracts.lines import (
	DatedStep,
	Line,
	LineStep,
	fold_lines,
	line_on,
	next_day_of_change,
)
from subscriber_tv.core.pricing.models import PerUnit

OPENING = (Line("L1", "HOTEL-V1", 10),)
CHEAPER = ("BASE", PerUnit(Decimal("25.00")))


def day(number: int, month: int = 3) -> date:
	return date(2026, month, number)


def pieces(*steps: DatedStep, opening=OPENING):
	return [
		(line.line_id, line.offer_version, line.quantity, line.start, line.end)
		for line in fold_lines(opening, steps)
	]


def step(effective: date, no: int, line: str = "L1", **values) -> DatedStep:
	return DatedStep(effective, no, LineStep(line, **values))


def test_a_quantity_learnt_late_stands_before_the_plan_recorded_first():
	# |--- V1, 10 ---|--- V1, 12 ---|--- V2, 12 ...
	#              5 March        20 March
	assert pieces(step(day(20), 2, offer_version="HOTEL-V2"), step(day(5), 3, quantity=12)) == [
		("L1", "HOTEL-V1", 10, None, day(5)),
		("L1", "HOTEL-V1", 12, day(5), day(20)),
		("L1", "HOTEL-V2", 12, day(20), None),
	]


def test_an_option_for_a_month_begins_ends_and_comes_back():
	option = {"line": "L2", "offer_version": "SPORT-V1", "quantity": 10, "option_of": "L1"}
	steps = (
		step(day(1), 2, **option),
		step(day(1, 4), 3, "L2", ends=True),
		step(day(10, 4), 4, "L2", quantity=4),
	)
	assert pieces(*steps)[1:] == [
		("L2", "SPORT-V1", 10, day(1), day(1, 4)),
		("L2", "SPORT-V1", 4, day(10, 4), None),
	]
	assert {line.option_of for line in fold_lines(OPENING, steps)[1:]} == {"L1"}


def test_of_two_changes_of_one_day_the_later_recorded_holds():
	assert pieces(step(day(5), 2, quantity=12), step(day(5), 3, quantity=15)) == [
		("L1", "HOTEL-V1", 10, None, day(5)),
		("L1", "HOTEL-V1", 15, day(5), None),
	]


def test_what_changes_nothing_cuts_nothing():
	assert pieces(step(day(5), 2, quantity=10)) == [("L1", "HOTEL-V1", 10, None, None)]


def test_a_negotiated_price_holds_until_another_plan():
	lines = fold_lines(
		OPENING, (step(day(5), 2, prices=(CHEAPER,)), step(day(9), 3, offer_version="HOTEL-V2"))
	)
	assert [line.prices for line in lines] == [(), (CHEAPER,), ()]
	lines = fold_lines(
		OPENING, (step(day(5), 2, prices=(CHEAPER,)), step(day(9), 3, prices=(("BASE", None),)))
	)
	assert [line.prices for line in lines] == [(), (CHEAPER,), ()]


@pytest.mark.parametrize("values", [{"ends": True}, {"quantity": 3}, {"prices": (CHEAPER,)}])
def test_a_step_on_a_line_that_never_began_does_nothing(values):
	assert pieces(step(day(5), 2, "L9", **values)) == [("L1", "HOTEL-V1", 10, None, None)]


def test_a_new_price_does_not_bring_an_ended_line_back():
	steps = (step(day(5), 2, ends=True), step(day(9), 3, prices=(CHEAPER,)))
	assert pieces(*steps) == [("L1", "HOTEL-V1", 10, None, day(5))]
	back = fold_lines(OPENING, (*steps, step(day(12), 4, quantity=2)))
	assert [(line.start, line.prices) for line in back] == [(None, ()), (day(12), (CHEAPER,))]


def test_the_piece_of_a_day_and_the_next_day_of_change():
	lines = fold_lines(OPENING, (step(day(5), 2, quantity=12), step(day(20), 3, ends=True)))
	assert line_on(lines, "L1", day(4)).quantity == 10
	assert line_on(lines, "L1", day(5)).quantity == 12
	assert line_on(lines, "L1", day(20)) is None
	assert next_day_of_change(lines, day(4)) == day(5)
	assert next_day_of_change(lines, day(5)) == day(20)
	assert next_day_of_change(lines, day(20)) is None


STEPS = st.builds(
	LineStep,
	line_id=st.sampled_from(("L1", "L2")),
	offer_version=st.none() | st.sampled_from(("HOTEL-V1", "HOTEL-V2")),
	quantity=st.none() | st.integers(1, 5),
	prices=st.sampled_from(((), (CHEAPER,), (("BASE", None),))),
	ends=st.booleans(),
)


@pytest.mark.histories
@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), STEPS), max_size=8), st.randoms())
def test_pieces_are_in_order_never_touch_wrongly_and_do_not_depend_on_the_order_read(listed, random):
	steps = [DatedStep(day(1) + timedelta(ahead), no, one) for no, (ahead, one) in enumerate(listed, start=2)]
	lines = fold_lines(OPENING, steps)
	for line_id in ("L1", "L2"):
		own = [line for line in lines if line.line_id == line_id]
		for before, after in itertools.pairwise(own):
			assert before.end is not None and after.start is not None and before.end <= after.start
			assert before.start is None or before.start < before.end
	shuffled = list(steps)
	random.shuffle(shuffled)
	assert fold_lines(OPENING, shuffled) == lines
