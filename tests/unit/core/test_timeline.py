"""Contracts folded from their changes: dated cases drawn as timelines, then properties over any history."""

import itertools
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subscriber_tv.core.billing.agreement import terms_of
from subscriber_tv.core.billing.periods import Span
from subscriber_tv.core.contracts.lines import Line, LineStep
from subscriber_tv.core.contracts.states import IllegalTransition, allowed_events
from subscriber_tv.core.contracts.timeline import (
	Agreed,
	Change,
	StateSpan,
	TimelineError,
	fold,
	is_due,
	plan_change,
)
from subscriber_tv.core.pricing.discount import Discount

LINE = Line("L1", "HOTEL-TV-V1", 10)
PAPERWORK = ("request_documents", "complete_documents", "finish_installation")


def day(number: int, month: int = 11) -> date:
	return date(2026, month, number)


def history(*steps, **agreed):
	"""Contract of a draft of 1 November and `steps`, each (event, effective) or (event, effective, end)."""
	changes = [Change(1, "create", None, "Draft", day(1), lines=(LINE,))]
	for step in steps:
		event, effective, *end = step if isinstance(step, tuple) else (step, day(1))
		contract = fold(changes, agreed=Agreed(**agreed))
		changes.append(
			plan_change(
				contract,
				event,
				no=len(changes) + 1,
				today=date(2027, 12, 31),
				effective=effective,
				end=end[0] if end else None,
			)
		)
	return fold(changes, agreed=Agreed(**agreed))


def spans_of(contract):
	return [(span.state, span.start, span.end) for span in contract.spans]


def test_a_draft_serves_nothing():
	contract = history()
	assert spans_of(contract) == [("Draft", day(1), None)]
	assert contract.served() == ()
	assert (contract.activated_on, contract.end_date, contract.anchor_day) == (None, None, None)


def test_the_day_of_a_change_belongs_to_the_new_state():
	# 1 Nov          10 Nov           15 Nov
	# |-- paperwork --|---- Active ----|---- Suspended ...
	contract = history(*PAPERWORK, ("activate", day(10)), ("suspend", day(15)))
	assert contract.state_on(day(9)) == "Awaiting Activation"
	assert contract.state_on(day(10)) == "Active"
	assert contract.state_on(day(14)) == "Active"
	assert contract.state_on(day(15)) == "Suspended"
	assert contract.state_since() == day(15)
	assert contract.served() == ((day(10), None),)
	assert contract.anchor_day == 10


def test_paperwork_recorded_after_the_installation_does_not_hold_it_back():
	# recorded:  1 create, 2-4 paperwork on the 20th, 5 activate as of the 12th
	contract = history(
		("request_documents", day(20)),
		("complete_documents", day(20)),
		("finish_installation", day(20)),
		("activate", day(12)),
	)
	assert spans_of(contract) == [("Draft", day(1), day(12)), ("Active", day(12), None)]


def test_a_cancellation_serves_until_its_end_whether_anyone_closes_it_or_not():
	# 10 Nov       20 Nov            1 Dec
	# |--- Active ---|-- Cancelling --|-- Cancelled ...
	contract = history(*PAPERWORK, ("activate", day(10)), ("cancel_at_date", day(20), day(1, 12)))
	assert contract.state == "Cancelling"
	assert contract.state_since() == day(20)
	assert contract.end_date == day(1, 12)
	assert contract.state_on(day(30)) == "Cancelling"
	assert contract.state_on(day(1, 12)) == "Cancelled"
	assert contract.served() == ((day(10), day(1, 12)),)


def test_a_suspended_subscriber_who_cancels_does_not_watch_again():
	contract = history(
		*PAPERWORK, ("activate", day(10)), ("suspend", day(15)), ("cancel_at_date", day(20), day(1, 12))
	)
	assert contract.state == "Cancelling"
	assert contract.state_on(day(25)) == "Suspended"
	assert contract.served() == ((day(10), day(1, 12)),)
	change = plan_change(contract, "withdraw_cancellation", no=8, today=day(25))
	assert change.to_state == "Suspended"


def test_withdrawing_opens_the_end_again():
	contract = history(
		*PAPERWORK,
		("activate", day(10)),
		("cancel_at_date", day(20), day(1, 12)),
		("withdraw_cancellation", day(22)),
	)
	assert contract.state == "Active"
	assert contract.end_date is None
	assert contract.served() == ((day(10), None),)


def test_ending_on_the_day_of_activation_means_nothing_was_ever_served():
	contract = history(*PAPERWORK, ("activate", day(10)), ("end", day(10)))
	assert contract.served() == ()
	assert contract.end_date == day(10)
	# What was invoiced that day must still be found and credited, so the activation is not forgotten.
	assert contract.activated_on == day(10)


def test_reactivation_leaves_the_gap_unserved():
	# 10 Nov      15 Nov            25 Nov
	# |-- Active --|-- Cancelled -|  |-- Active ...
	contract = history(
		*PAPERWORK,
		("activate", day(10)),
		("end", day(15)),
		("uninstall", day(16)),
		("reactivate", day(20)),
		("finish_installation", day(24)),
		("activate", day(25)),
	)
	assert contract.served() == ((day(10), day(15)), (day(25), None))
	assert contract.activated_on == day(10)
	assert contract.end_date is None
	assert contract.anchor_day == 10


@pytest.mark.parametrize(
	("steps", "event", "dates", "code", "decides"),
	[
		((*PAPERWORK, ("activate", day(10))), "suspend", {"effective": day(23)}, "future", day(22)),
		((*PAPERWORK, ("activate", day(10))), "suspend", {"effective": day(9)}, "too_early", day(10)),
		((*PAPERWORK, ("activate", day(10))), "cancel_at_date", {}, "end_missing", None),
		((*PAPERWORK, ("activate", day(10))), "cancel_at_date", {"end": day(22)}, "end_too_early", day(22)),
		(
			(*PAPERWORK, ("activate", day(10)), ("cancel_at_date", day(12), day(20))),
			"withdraw_cancellation",
			{},
			"already_over",
			day(20),
		),
		(
			(*PAPERWORK, ("activate", day(10)), ("cancel_at_date", day(12), day(20))),
			"end",
			{"effective": day(21)},
			"already_over",
			day(20),
		),
		(
			(*PAPERWORK, ("activate", day(10)), ("end", day(15)), ("reactivate", day(16))),
			"activate",
			{"effective": day(14)},
			"too_early",
			day(15),
		),
	],
)
def test_changes_that_do_not_fit(steps, event, dates, code, decides):
	with pytest.raises(TimelineError) as refused:
		plan_change(history(*steps), event, no=9, today=day(22), **dates)
	assert (refused.value.code, refused.value.day) == (code, decides)


def test_an_end_whose_night_was_missed_takes_effect_on_the_day_agreed():
	contract = history(*PAPERWORK, ("activate", day(10)), ("cancel_at_date", day(12), day(20)))
	assert plan_change(contract, "end", no=7, today=day(28)).effective == day(20)
	assert plan_change(contract, "end", no=7, today=day(18)).effective == day(18)
	assert is_due("Cancelling", day(20), day(20))
	assert not is_due("Cancelling", day(20), day(19))
	assert not is_due("Cancelled", day(20), day(28))
	assert not is_due("Cancelling", None, day(28))


def test_an_illegal_step_is_told_before_its_dates():
	with pytest.raises(IllegalTransition):
		plan_change(history(), "suspend", no=2, today=day(22), effective=day(30))


def test_only_a_cancellation_at_a_date_keeps_an_end():
	contract = history(*PAPERWORK, ("activate", day(10)))
	assert plan_change(contract, "suspend", no=6, today=day(22), end=day(30)).end is None


def test_opening_position_and_anchor_are_carried():
	contract = history(*PAPERWORK, ("activate", day(10)), anchor_day=31, billed_through=day(12))
	assert (contract.anchor_day, contract.billed_through) == (31, day(12))


def other(no: int, event: str, effective: date, **values) -> Change:
	"""A change that leaves an Active contract Active."""
	return Change(no, event, "Active", "Active", effective, **values)


OPENED = (
	Change(1, "create", None, "Draft", day(1), lines=(LINE, Line("L2", "X-V1", 1))),
	Change(2, "activate", "Awaiting Activation", "Active", day(10)),
)


def test_lines_of_the_draft_hold_from_the_beginning_and_steps_cut_them():
	more = other(3, "change_lines", day(15), steps=(LineStep("L1", quantity=12),))
	assert fold(OPENED).lines == (LINE, Line("L2", "X-V1", 1))
	folded = fold((*OPENED, more))
	assert folded.lines == (
		Line("L1", "HOTEL-TV-V1", 10, None, day(15)),
		Line("L1", "HOTEL-TV-V1", 12, day(15), None),
		Line("L2", "X-V1", 1),
	)
	assert [line.change for line in folded.lines] == [0, 3, 0]
	assert (folded.state, spans_of(folded)) == (fold(OPENED).state, spans_of(fold(OPENED)))


def test_a_change_that_was_taken_back_never_was():
	more = other(3, "change_lines", day(15), steps=(LineStep("L1", quantity=12),))
	back = other(4, "withdraw", day(20), withdraws=3)
	assert fold((*OPENED, more, back)).lines == fold(OPENED).lines


def test_billing_days_and_discounts_are_read_by_the_day_they_take_effect():
	late = other(3, "change_anchor", day(1, 12), anchor_day=31)
	early = other(4, "change_anchor", day(20), anchor_day=15)
	gift = other(5, "grant_discount", day(12), discounts=(Discount(percent=Decimal(10), since=day(12)),))
	contract = fold((*OPENED, late, early, gift))
	assert contract.anchors == ((day(20), 15), (day(1, 12), 31))
	assert contract.discounts == gift.discounts


def test_a_suspension_without_charge_stays_one_while_its_end_is_asked_and_withdrawn():
	# 10 Nov    15 Nov                 20 Nov                   22 Nov            25 Nov
	# |- Active -|- Suspended, unbilled -|- Cancelling, unbilled -|- Suspended, unb. -|- Active ...
	changes = list(OPENED)
	for event, effective, end in (
		("suspend", day(15), None),
		("cancel_at_date", day(20), day(1, 12)),
		("withdraw_cancellation", day(22), None),
		("resume", day(25), None),
	):
		planned = plan_change(
			fold(changes),
			event,
			no=len(changes) + 1,
			today=day(30),
			effective=effective,
			end=end,
			billed=event != "suspend",
		)
		changes.append(planned)
	contract = fold(changes)
	unbilled = [(span.start, span.end) for span in contract.spans if not span.billed]
	assert unbilled == [(day(15), day(20)), (day(20), day(22)), (day(22), day(25))]
	assert contract.served() == ((day(10), None),)
	assert terms_of(contract).unbilled == tuple(Span(*days) for days in unbilled)


def test_a_trial_counts_from_the_first_activation():
	contract = history(*PAPERWORK, ("activate", day(10)), ("suspend", day(12)), trial_days=14)
	assert terms_of(contract).unbilled == (Span(day(10), day(24)),)
	assert terms_of(history(trial_days=14)).unbilled == ()


def test_a_contract_needs_a_change():
	with pytest.raises(ValueError):
		fold([])


@st.composite
def histories(draw):
	"""Any history the rules let staff record, one choice after the other."""
	today = day(1)
	changes = [Change(1, "create", None, "Draft", today, lines=(LINE,))]
	for _ in range(draw(st.integers(0, 12))):
		contract = fold(changes)
		today += timedelta(days=draw(st.integers(0, 40)))
		event = draw(st.sampled_from(allowed_events(contract.state)))
		effective = today - timedelta(days=draw(st.integers(0, 20)))
		end = effective + timedelta(days=draw(st.integers(-3, 60)))
		try:
			changes.append(
				plan_change(contract, event, no=len(changes) + 1, today=today, effective=effective, end=end)
			)
		except TimelineError:
			continue
	return changes


@pytest.mark.histories
@settings(max_examples=40, deadline=None)
@given(histories())
def test_spans_are_one_unbroken_line_of_days(changes):
	contract = fold(changes)
	for before, after in itertools.pairwise(contract.spans):
		assert before.end == after.start
		assert before.start < after.start
	assert contract.spans[-1].end is None


@pytest.mark.histories
@settings(max_examples=40, deadline=None)
@given(histories())
def test_the_past_never_changes_before_the_day_of_a_change(changes):
	contract, earlier = fold(changes), fold(changes[:-1]) if len(changes) > 1 else None
	if earlier is None:
		return
	change = changes[-1]
	for days_before in range(1, 60):
		past = change.effective - timedelta(days=days_before)
		assert contract.state_on(past) == earlier.state_on(past)
	assert StateSpan(contract.spans[-1].state, contract.spans[-1].start) == contract.spans[-1]


@pytest.mark.histories
@settings(max_examples=40, deadline=None)
@given(histories())
def test_served_intervals_never_touch_and_end_with_the_contract(changes):
	contract = fold(changes)
	served = contract.served()
	for (_, end), (start, _) in itertools.pairwise(served):
		assert end < start
	if contract.state in ("Cancelled", "Uninstalled", "Cancelling"):
		assert contract.end_date is not None
		assert all(end is not None and end <= contract.end_date for _, end in served)
	else:
		assert contract.end_date is None


@pytest.mark.histories
@settings(max_examples=40, deadline=None)
@given(histories(), st.randoms())
def test_the_order_in_which_rows_are_read_does_not_matter(changes, random):
	shuffled = list(changes)
	random.shuffle(shuffled)
	assert fold(shuffled) == fold(changes)
