"""Contract days become moments of rights.

       1 Feb            1 Mar        15 Mar           31 Mar
Draft  |  Active        | Suspended  | Active         | Cancelled
       [----------------)            [----------------)
"""

import json
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriber_tv.core.activation import decide, projection, streams
from subscriber_tv.core.activation.projection import (
	BouquetFacts,
	ChannelFacts,
	ContractFacts,
	DeviceFacts,
	Facts,
	LineSpan,
	OfferFacts,
	Span,
)
from subscriber_tv.core.devices import jws, wire

PARIS = ZoneInfo("Europe/Paris")
SIGNER = jws.Signer(jws.new_key())
VERIFIER = jws.Verifier(jws.jwks(SIGNER))
WEEK = 7 * 86_400
CREDENTIAL = jws.b64url(bytes(32))
DEVICE = DeviceFacts("LG55-000001", wire.key_fingerprint(CREDENTIAL), "TVS-1", "L1")
OFFER = OfferFacts(
	"HOTEL-V1",
	"Hotel",
	(BouquetFacts("BASE", "Base", "E1", (ChannelFacts("ARTE", "Arte", 7), ChannelFacts("TF1", "TF1", 1))),),
	43_200,
)
HOTEL_LINE = (LineSpan("L1", "HOTEL-V1"),)
STORY = (
	Span("Draft", date(2026, 1, 1), date(2026, 2, 1)),
	Span("Active", date(2026, 2, 1), date(2026, 3, 1)),
	Span("Suspended", date(2026, 3, 1), date(2026, 3, 15)),
	Span("Active", date(2026, 3, 15), date(2026, 3, 20)),
	Span("Cancelling", date(2026, 3, 20), date(2026, 3, 31)),
	Span("Cancelled", date(2026, 3, 31)),
)


def at(year, month, day, hour=0, minute=0, zone=PARIS) -> int:
	return int(datetime(year, month, day, hour, minute, tzinfo=zone).timestamp())


def contract(*spans, lines=HOTEL_LINE, zone="Europe/Paris"):
	return ContractFacts("TVS-1", zone, spans, lines)


def entry(now, *spans, **fields):
	facts = Facts((DEVICE,), (contract(*spans, **fields),), (OFFER,))
	device = next(row for row in projection.compile(facts, now) if row.kind == "Device")
	return projection.sign(device, SIGNER, now, WEEK, "operator", version=9).entry


def decision(now, *spans, **fields):
	return decide.judge(entry(now, *spans, **fields).row(), now)


@pytest.mark.parametrize(
	("moment", "kind", "code"),
	[
		(at(2026, 1, 15), "deny", "not_started"),
		(at(2026, 1, 31, 23, 59), "deny", "not_started"),
		(at(2026, 2, 1), "allow", ""),
		(at(2026, 2, 28, 23, 59), "allow", ""),
		(at(2026, 3, 1), "deny", "suspended"),
		(at(2026, 3, 15), "allow", ""),
		(at(2026, 3, 20), "allow", ""),
		(at(2026, 3, 30, 23, 59), "allow", ""),
		(at(2026, 3, 31), "deny", "ended"),
		(at(2027, 1, 1), "deny", "ended"),
	],
)
def test_the_story(moment, kind, code):
	found = decision(moment, *STORY)
	assert (found.kind, found.code) == (kind, code)


def test_a_row_signed_before_a_dated_end_answers_after_it_by_itself():
	row = entry(at(2026, 3, 28), *STORY).row()
	assert row.rights_until == row.lease_expires == at(2026, 3, 31)
	assert decide.judge(row, at(2026, 3, 31) - 1).kind == "allow"
	after = decide.judge(row, at(2026, 3, 31))
	assert (after.kind, after.code) == ("deny", "ended")


def test_a_row_signed_before_a_dated_start_opens_by_itself():
	row = entry(at(2026, 1, 30), *STORY)
	assert decide.judge(row.row(), at(2026, 2, 1)).kind == "allow"


DAY = 86_400
START, END = at(2026, 2, 1), at(2026, 2, 28)


@pytest.mark.parametrize(
	("now", "state", "since", "until", "max_stale", "due"),
	[
		(START, "Active", START, 0, WEEK, START + DAY),
		(START, "Active", START, 0, DAY, START + DAY // 2),
		(START, "Active", START, END, WEEK, START + DAY),
		(END - 3600, "Active", START, END, WEEK, END),
		(END - WEEK - 1, "Active", START, END, WEEK, END - WEEK - 1 + DAY),
		(END - WEEK, "Active", START, END, WEEK, END),
		(START - 3600, "Not Started", START, 0, WEEK, START),
		(START - 3 * DAY, "Not Started", START, END, WEEK, START - 2 * DAY),
		(START, "Suspended", 0, 0, WEEK, 0),
		(END, "Ended", 0, 0, WEEK, 0),
	],
)
def test_when_a_row_must_be_signed_again(now, state, since, until, max_stale, due):
	row = projection.Unsigned("Device", "LG55-1", "", state=state, rights_from=since, rights_until=until)
	assert projection.due_again(row, now, max_stale) == due


def test_a_state_of_no_length_leaves_the_last_one():
	day = date(2026, 2, 1)
	assert decision(at(2026, 2, 1), Span("Active", day, day), Span("Suspended", day)).code == "suspended"


def test_a_line_that_ended_under_a_running_contract():
	lines = (LineSpan("L1", "HOTEL-V1", None, date(2026, 2, 10)), LineSpan("L2", "HOTEL-V1"))
	found = decision(at(2026, 2, 10), Span("Active", date(2026, 2, 1)), lines=lines)
	assert (found.kind, found.code) == ("deny", "ended")


def test_a_line_that_changes_its_offer():
	lines = (
		LineSpan("L1", "HOTEL-V1", None, date(2026, 2, 10)),
		LineSpan("L1", "HOTEL-V2", date(2026, 2, 10), None),
	)
	active = Span("Active", date(2026, 2, 1))
	assert entry(at(2026, 2, 9), active, lines=lines).offers == ("HOTEL-V1",)
	assert entry(at(2026, 2, 10), active, lines=lines).offers == ("HOTEL-V2",)


def test_days_are_the_days_of_the_site():
	reunion = ZoneInfo("Indian/Reunion")
	row = entry(at(2026, 2, 15), *STORY, zone="Indian/Reunion")
	assert row.rights_from == at(2026, 2, 1, zone=reunion) != at(2026, 2, 1)


def test_the_night_the_clock_changes():
	# 29 March 2026 has 23 hours in Paris; its midnight is an hour nearer to that of the 30th.
	spans = (Span("Active", date(2026, 3, 29), date(2026, 3, 30)), Span("Cancelled", date(2026, 3, 30)))
	row = entry(at(2026, 3, 29), *spans)
	assert row.rights_until - row.rights_from == 23 * 3600


def test_the_lease():
	now = at(2026, 2, 15)
	row = entry(now, *STORY)
	assert json.loads(VERIFIER.verify(jws.LEASE, row.lease)) == {
		"iss": "operator",
		"sub": "LG55-000001",
		"aud": "tv",
		"iat": now,
		"exp": now + WEEK,
		"ver": 9,
		"cnf": {"jkt": wire.key_fingerprint(CREDENTIAL)},
		"offers": ["HOTEL-V1"],
	}
	assert row.play_seconds == 43_200


def test_a_lease_says_whose_it_is_and_what_binds_it():
	device, limited = replace(DEVICE, fp="B" * 43), replace(OFFER, streams=3)
	now = at(2026, 2, 15)
	compiled = projection.compile(Facts((device,), (contract(*STORY),), (limited,)), now)
	claims = json.loads(
		VERIFIER.verify(jws.LEASE, projection.sign(compiled[-1], SIGNER, now, WEEK, "operator").entry.lease)
	)
	assert (claims["cnf"], claims["bind"], claims["lim"]) == ({"jkt": DEVICE.key_hash}, "B" * 43, 3)


def test_the_denial_carries_its_text():
	claims = json.loads(VERIFIER.verify(jws.DENIAL, entry(at(2026, 3, 2), *STORY).denial))
	assert claims["code"] == "suspended" and claims["text"] == wire.DENIAL_TEXTS["suspended"]


def test_a_quarantined_tv_has_no_rights_and_a_denial_that_says_why():
	facts = Facts((replace(DEVICE, quarantined=True),), (contract(*STORY),), (OFFER,))
	now = at(2026, 2, 10)
	row = next(row for row in projection.compile(facts, now) if row.kind == "Device")
	signed = projection.sign(row, SIGNER, now, WEEK, "operator", version=9).entry
	claims = json.loads(VERIFIER.verify(jws.DENIAL, signed.denial))
	assert (signed.state, signed.rights_from, signed.lease) == ("Quarantined", 0, "")
	assert claims["code"] == "quarantined" and claims["text"] == wire.DENIAL_TEXTS["quarantined"]
	assert decide.denial_code(signed.denial) in decide.ASK_AGAIN


def test_a_restricted_tv_keeps_its_line_and_loses_its_options():
	lines = (*HOTEL_LINE, LineSpan("L2", "SPORT-V1", option_of="L1"))
	running = contract(Span("Active", date(2026, 2, 1)), lines=lines)
	now = at(2026, 2, 10)

	def offers(device):
		rows = projection.compile(Facts((device,), (running,), (OFFER,)), now)
		return next(row.offers for row in rows if row.kind == "Device")

	assert offers(DEVICE) == ("HOTEL-V1", "SPORT-V1")
	assert offers(replace(DEVICE, restricted=True)) == ("HOTEL-V1",)


def test_an_offer_document_is_addressed_by_what_it_says():
	(offer,) = projection.compile(Facts(offers=(OFFER,)), 0)
	first = projection.sign(offer, SIGNER, 0, WEEK, "operator").entry
	again = projection.sign(offer, SIGNER, 99, WEEK, "operator").entry
	assert first.document_hash == again.document_hash
	document = VERIFIER.verify(jws.OFFER, first.document)
	assert wire.document_address(document) == first.document_hash
	channels = json.loads(document)["bouquets"][0]["channels"]
	assert [channel["number"] for channel in channels] == [1, 7]


def test_a_tv_without_a_subscription_loses_its_row():
	gone = DeviceFacts("LG55-000002", "", "", "")
	rows = projection.compile(Facts((gone,), removed=("LG55-000003",)), 0)
	assert [(row.subject, row.removed) for row in rows] == [("LG55-000002", True), ("LG55-000003", True)]


def test_the_hash_changes_with_the_facts_only():
	(first,) = projection.compile(Facts((DEVICE,), (contract(*STORY),)), at(2026, 2, 3))
	(later,) = projection.compile(Facts((DEVICE,), (contract(*STORY),)), at(2026, 2, 4))
	(closed,) = projection.compile(Facts((DEVICE,), (contract(*STORY),)), at(2026, 3, 4))
	assert first.facts_hash == later.facts_hash != closed.facts_hash


STATES = ["Draft", "Awaiting Activation", "Active", "Suspended", "Cancelling", "Cancelled", "Uninstalled"]


@pytest.mark.histories
@given(
	st.lists(st.tuples(st.sampled_from(STATES), st.integers(0, 20)), min_size=1, max_size=7),
	st.integers(0, 90),
	st.integers(0, 23),
)
def test_allowed_exactly_while_the_contract_watches(steps, day, hour):
	start, spans = date(2026, 1, 1).toordinal(), []
	for state, days in steps:
		spans.append(Span(state, date.fromordinal(start), date.fromordinal(start + days)))
		start += days
	spans[-1] = Span(spans[-1].state, spans[-1].start)
	today = date.fromordinal(date(2026, 1, 1).toordinal() + day)
	current = next(
		span for span in reversed(spans) if span.start <= today and (not span.end or today < span.end)
	)
	found = decision(at(today.year, today.month, today.day, hour), *spans)
	assert (found.kind == "allow") == (current.state in projection.WATCHING)


def test_an_option_widens_the_rights_of_its_line_for_its_days_only():
	# L1   |==================== HOTEL-V1 ====================|
	# L2         |== SPORT-V1 ==|                  |== SPORT-V1, its line is over ==
	#      1 Feb 10 Feb         20 Feb             25 Feb    1 March
	lines = (
		LineSpan("L1", "HOTEL-V1", None, date(2026, 3, 1)),
		LineSpan("L2", "SPORT-V1", date(2026, 2, 10), date(2026, 2, 20), "L1"),
		LineSpan("L2", "SPORT-V1", date(2026, 2, 25), None, "L1"),
	)
	found = contract(Span("Active", date(2026, 2, 1)), lines=lines)
	offers = {
		moment: projection.window(found, "L1", at(2026, 2, moment)).offers for moment in (9, 10, 19, 20, 25)
	}
	assert offers == {
		9: ("HOTEL-V1",),
		10: ("HOTEL-V1", "SPORT-V1"),
		19: ("HOTEL-V1", "SPORT-V1"),
		20: ("HOTEL-V1",),
		25: ("HOTEL-V1", "SPORT-V1"),
	}
	assert projection.window(found, "L1", at(2026, 3, 1)) is None
	assert projection.window(found, "L2", at(2026, 2, 12)).offers == ("SPORT-V1",)


def test_a_row_says_with_what_its_tv_proves_itself_and_how_much_it_may_stream():
	signer = jws.Signer(jws.new_key())
	device = replace(DEVICE, key=signer.point, key_hash=signer.kid, fp="B" * 43)
	offers = (replace(OFFER, streams=2), replace(OFFER, name="SPORT-V1", streams=3))
	lines = (LineSpan("L1", "HOTEL-V1"), LineSpan("L2", "SPORT-V1", option_of="L1"))
	found = contract(Span("Active", date(2026, 2, 1)), lines=lines)
	compiled = projection.compile(Facts((device,), (found,), offers), at(2026, 2, 2))
	row = projection.sign(compiled[-1], SIGNER, at(2026, 2, 2), WEEK, "operator", 1).entry.row()
	assert (row.key, row.key_hash, row.fp, row.streams) == (signer.point, signer.kid, "B" * 43, 3)
	assert row.account == streams.account_of("TVS-1") and len(row.account) == 22
	assert streams.account_of("TVS-2") != row.account
