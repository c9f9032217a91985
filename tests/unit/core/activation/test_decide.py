"""The decision and its answer, for every kind of row."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriber_tv.core.activation import answer, decide
from subscriber_tv.core.devices import jws, wire

NOW = 1_800_000_000
DAY = 86_400
CREDENTIAL = jws.b64url(bytes(range(32)))
SIGNER = jws.Signer(jws.new_key())


def denial(code):
	return SIGNER.sign(jws.DENIAL, json.dumps({"code": code}).encode())


ROW = decide.Row(
	serial="LG55-000001",
	key_hash=wire.key_fingerprint(CREDENTIAL),
	state="Active",
	rights_from=NOW - DAY,
	rights_until=0,
	lease="the.signed.lease",
	lease_expires=NOW + 7 * DAY,
	denial="",
	offers=("HOTEL-V1",),
	play_seconds=DAY,
	version=4,
)


def ask(row, now=NOW, credential=CREDENTIAL, **fields):
	body = json.dumps({"serial": "LG55-000001", "credential": credential, **fields}).encode()
	return answer.power_on(body, lambda _: row, lambda offers: [f"hash-of-{name}" for name in offers], now)


def test_allowed():
	given_back = ask(ROW)
	reply = json.loads(given_back.answer.body)
	assert given_back.answer.status == 200
	assert reply.pop("ask_after") in range(NOW + DAY // 2, NOW + DAY * 8 // 10 + 1)
	assert reply == {
		"decision": "allow",
		"lease": "the.signed.lease",
		"documents": ["hash-of-HOTEL-V1"],
		"time": NOW,
		"play_until": NOW + DAY,
	}


def test_the_nonce_comes_back():
	assert json.loads(ask(ROW, n="abc").answer.body)["n"] == "abc"


def test_equal_questions_get_equal_bytes():
	assert ask(ROW).answer == ask(ROW).answer


def test_play_never_passes_the_lease_nor_the_rights():
	soon = replace(ROW, rights_until=NOW + 60, denial=denial("ended"))
	assert ask(soon).decision.play_until == NOW + 60
	assert ask(replace(ROW, lease_expires=NOW + 30)).decision.play_until == NOW + 30


@pytest.mark.parametrize("code", ["suspended", "ended", "not_started"])
def test_denied_with_the_code_that_was_signed(code):
	closed = replace(ROW, rights_from=0, denial=denial(code), lease="")
	given_back = ask(closed)
	reply = json.loads(given_back.answer.body)
	assert given_back.answer.status == 403
	assert reply["code"] == code and set(reply["text"]) == {"fr", "en"} and reply["denial"] == closed.denial


@pytest.mark.parametrize(
	("now", "status"),
	[(NOW - 1, 403), (NOW, 200), (NOW + DAY - 1, 200), (NOW + DAY, 403), (NOW + 9 * DAY, 403)],
)
def test_rights_are_half_open(now, status):
	row = replace(
		ROW, rights_from=NOW, rights_until=NOW + DAY, lease_expires=NOW + DAY, denial=denial("ended")
	)
	assert ask(row, now).answer.status == status


def test_a_lease_that_ran_out_is_a_fault_and_not_a_refusal():
	assert ask(ROW, NOW + 7 * DAY).answer is wire.UNAVAILABLE


def test_closed_without_a_denial_is_a_fault():
	assert ask(replace(ROW, rights_from=0)).answer is wire.UNAVAILABLE


def test_strangers_get_one_answer():
	other = jws.b64url(bytes(32))
	unbound = replace(ROW, key_hash="")
	reasons = {
		"unknown_serial": ask(None),
		"wrong_credential": ask(ROW, credential=other),
		"not_bound": ask(unbound),
	}
	for reason, given_back in reasons.items():
		assert given_back.answer is wire.STRANGER
		assert given_back.decision == decide.Decision(decide.STRANGER, reason)


def test_a_stranger_costs_what_a_wrong_credential_costs(monkeypatch):
	calls = []

	def counted(expected, shown):
		calls.append((len(expected), len(shown)))
		return False

	monkeypatch.setattr(decide.hmac, "compare_digest", counted)
	for row in (None, ROW, replace(ROW, key_hash="")):
		ask(row)
	assert calls == [(43, 43)] * 3


@pytest.mark.histories
@given(st.binary(min_size=32, max_size=32))
def test_no_other_secret_opens(secret):
	if secret != bytes(range(32)):
		assert ask(ROW, credential=jws.b64url(secret)).answer is wire.STRANGER


@given(st.integers(0, 4 * DAY), st.integers(0, 4 * DAY), st.integers(0, 4 * DAY), st.integers(-DAY, 5 * DAY))
def test_allowed_only_inside_rights_and_lease(start, until, lease, moment):
	row = replace(
		ROW,
		rights_from=NOW + start,
		rights_until=NOW + until if until else 0,
		lease_expires=NOW + lease,
		denial=denial_of_the_end,
	)
	now = NOW + moment
	decision = ask(row, now).decision
	is_open = start <= moment and (not until or moment < until)
	expected = decide.DENY if not is_open else decide.ALLOW if moment < lease else decide.UNAVAILABLE
	assert decision.kind == expected
	if decision.kind == decide.ALLOW:
		assert now < decision.play_until <= min(NOW + lease, row.rights_until or NOW + lease, now + DAY)
		assert now < decision.ask_after


denial_of_the_end = denial("ended")
