"""What becomes of a record whose key is known: the table of inbox.py, and that order does not decide what counts."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import permutations

import pytest

from subscriber_tv.core.usage import inbox
from subscriber_tv.core.usage.inbox import Kept, decide
from subscriber_tv.core.usage.record import Record, digest, name_of, name_of_side

FILM = Record("k", serial="TV-1", charge="VOD", quantity=Decimal(1), day=date(2026, 11, 3))
TWO = replace(FILM, quantity=Decimal(2))


def kept(state: str, record: Record = FILM) -> Kept:
	return Kept(state, record.version, record.fingerprint)


@pytest.mark.parametrize("state", inbox.COUNTED)
@pytest.mark.parametrize(
	("comes", "decision"),
	(
		(FILM, inbox.KNOWN),
		(replace(FILM, quantity=Decimal("1.000")), inbox.KNOWN),
		(TWO, inbox.CONTRADICTS),
		(replace(FILM, day=date(2026, 11, 4)), inbox.CONTRADICTS),
		(replace(TWO, version=2), inbox.REPLACE),
		(replace(FILM, version=2), inbox.REPLACE),
		(replace(FILM, cancelled=True), inbox.CANCEL),
		(Record("k", cancelled=True), inbox.CANCEL),
		(Record("k", version=3, cancelled=True), inbox.CANCEL),
	),
)
def test_of_a_record_that_counts(state, comes, decision):
	if (state, decision) == (inbox.HELD, inbox.KNOWN):
		decision = inbox.RETRY  # the limit may have been raised
	assert decide(kept(state), comes) == decision


@pytest.mark.parametrize(
	("state", "comes", "decision"),
	(
		(inbox.REJECTED, FILM, inbox.RETRY),
		(inbox.REJECTED, TWO, inbox.RETRY),
		(inbox.REJECTED, replace(FILM, cancelled=True), inbox.CANCEL),
		(inbox.RECEIVED, FILM, inbox.RETRY),
		(inbox.DISMISSED, FILM, inbox.KNOWN),
		(inbox.DISMISSED, TWO, inbox.RETRY),
		(inbox.CANCELLED, FILM, inbox.SUPERSEDED),
		(inbox.CANCELLED, replace(FILM, cancelled=True), inbox.KNOWN),
		(inbox.CANCELLED, replace(TWO, version=2), inbox.REPLACE),
	),
)
def test_of_a_record_that_does_not_count(state, comes, decision):
	assert decide(kept(state), comes) == decision


def test_what_is_older_never_counts():
	for state in inbox.STATES:
		assert decide(Kept(state, 2, "x"), FILM) == inbox.SUPERSEDED


def test_versions_count_the_same_in_whatever_order_they_come():
	versions = (
		FILM,
		replace(TWO, version=2),
		replace(FILM, version=3, cancelled=True),
		replace(TWO, version=4),
	)
	for order in permutations(versions):
		state, standing = None, None
		for record in order:
			decision = (
				decide(Kept(state, standing.version, standing.fingerprint), record)
				if standing
				else inbox.REPLACE
			)
			if decision in (inbox.REPLACE, inbox.CANCEL):
				standing = record
				state = inbox.CANCELLED if record.cancelled else inbox.ACCEPTED
		assert (standing.version, state) == (4, inbox.ACCEPTED)


def test_names_keep_sources_keys_and_versions_apart():
	assert name_of("a", "bc") != name_of("ab", "c")
	assert digest("a", "b") != digest("a1:b") != digest("ab")
	assert len(name_of("vod", "k")) == 32
	names = {
		name_of_side("s", "k", version, one.fingerprint, off)
		for version in (1, 2)
		for one in (FILM, TWO)
		for off in (True, False)
	}
	assert len(names) == 8
