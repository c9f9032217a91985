"""The transition table, read as a table and tried exhaustively."""

import pytest

from subscriber_tv.core.contracts.states import (
	EVENTS,
	STATES,
	TRANSITIONS,
	IllegalTransition,
	allowed_events,
	billable,
	next_state,
	watching,
)

# What may be done in each state, written out by hand: the table the staff is taught.
TAUGHT = {
	"Draft": {"request_documents": "Awaiting Documents", "end": "Cancelled"},
	"Awaiting Documents": {"complete_documents": "Awaiting Installation", "end": "Cancelled"},
	"Awaiting Installation": {"finish_installation": "Awaiting Activation", "end": "Cancelled"},
	"Awaiting Activation": {"activate": "Active", "end": "Cancelled"},
	"Active": {"suspend": "Suspended", "cancel_at_date": "Cancelling", "end": "Cancelled"},
	"Suspended": {"resume": "Active", "cancel_at_date": "Cancelling", "end": "Cancelled"},
	"Cancelling": {"withdraw_cancellation": "Active", "end": "Cancelled"},
	"Cancelled": {"uninstall": "Uninstalled", "reactivate": "Awaiting Activation"},
	"Uninstalled": {"reactivate": "Awaiting Installation"},
}


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("state", STATES)
def test_every_state_meets_every_event(state, event):
	expected = TAUGHT[state].get(event)
	if expected:
		assert next_state(state, event) == expected
		return
	with pytest.raises(IllegalTransition) as refused:
		next_state(state, event)
	assert refused.value.state == state
	assert refused.value.event == event
	assert set(refused.value.allowed) == set(TAUGHT[state])


def test_a_contract_begins_as_a_draft():
	assert next_state(None, "create") == "Draft"
	assert allowed_events(None) == ("create",)


def test_every_state_can_be_reached_and_left():
	reached = {None}
	while more := {after for (before, _), after in TRANSITIONS.items() if before in reached} - reached:
		reached |= more
	assert reached == {None, *STATES}
	assert all(allowed_events(state) for state in STATES)


@pytest.mark.parametrize(("before", "after"), [("Active", "Active"), ("Suspended", "Suspended")])
def test_a_withdrawn_cancellation_leads_back_where_it_was_asked(before, after):
	assert next_state("Cancelling", "withdraw_cancellation", before) == after


def test_unknown_names_are_refused_like_illegal_steps():
	with pytest.raises(IllegalTransition):
		next_state("Active", "explode")
	assert allowed_events("Nowhere") == ()


def test_a_suspension_stops_rights_but_not_billing():
	assert {state for state in STATES if watching(state)} == {"Active", "Cancelling"}
	assert {state for state in STATES if billable(state)} == {"Active", "Suspended", "Cancelling"}


def test_the_table_cannot_be_changed():
	with pytest.raises(TypeError):
		TRANSITIONS["Draft", "activate"] = "Active"
