"""What a TV asks daily, and what it hears: shape, MAC, count, rights and binding, in this order."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protocol_case import DAY, MASTERS, NOW, MemoryNode, PaperTv, ask, denial, row_of, said

from subscriber_tv.core.activation import decide, respond, streams
from subscriber_tv.core.devices import challenge, jws, mac, wire

TV = PaperTv()
OTHER = PaperTv(serial="LG55-000002")
N2 = "B" * 22


@pytest.fixture
def node():
	found = MemoryNode()
	found.rows[TV.serial] = row_of(TV)
	return found


def is_under(answered, tv, epoch=2):
	"""Whether the reply stands under the TV's own key."""
	return answered.answer.mac == mac.of_reply(tv.key(epoch), answered.answer.body)


def test_allowed(node):
	answered = ask(node, TV.auth())
	reply = said(answered)
	assert answered.answer.status == 200 and is_under(answered, TV)
	assert reply.pop("ask_after") in range(NOW + DAY // 2, NOW + DAY * 8 // 10 + 1)
	assert reply == {
		"decision": "allow",
		"lease": "the.signed.lease",
		"documents": ["hash-of-HOTEL-V1"],
		"time": NOW,
		"play_until": NOW + DAY,
		"n": "A" * 22,
	}


@pytest.mark.parametrize("code", ["suspended", "ended", "not_started"])
def test_denied_with_the_code_that_was_signed(node, code):
	node.rows[TV.serial] = row_of(TV, rights_from=0, denial=denial(code), lease="")
	answered = ask(node, TV.auth())
	assert answered.answer.status == 403 and is_under(answered, TV)
	assert said(answered)["code"] == code and said(answered)["denial"] == node.rows[TV.serial].denial


def test_strangers_get_one_answer_and_leave_no_count(node):
	genuine = TV.auth()
	reasons = {
		"unknown_serial": ask(node, OTHER.auth()),
		"wrong_credential": ask(node, replace(TV, signer=OTHER.signer).auth()),
		"wrong audience": ask(node, TV.auth(audience="north")),
		"key_epoch_expired": ask(node, TV.auth(e="3", key=bytes(32))),
		"changed": ask(node, genuine.replace(b'"c":"1"', b'"c":"2"')),
		"time added": ask(node, genuine[:-1] + b',"t":"1800000000"}'),
	}
	node.rows[TV.serial] = row_of(TV, key_hash="")
	reasons["not_bound"] = ask(node, genuine)
	for reason, answered in reasons.items():
		assert answered.answer is wire.STRANGER, reason
		assert answered.decision.kind == decide.STRANGER
	assert reasons["key_epoch_expired"].decision.code == "key_epoch_expired"
	assert node.counted == 0


def test_a_stranger_costs_what_a_wrong_mac_costs(node, monkeypatch):
	compared = []
	genuine = mac.same
	monkeypatch.setattr(mac, "same", lambda one, other: compared.append((one, other)) or genuine(one, other))
	for body in (OTHER.auth(), replace(TV, signer=OTHER.signer).auth(), TV.auth(e="9", key=bytes(32))):
		ask(node, body)
	assert [(len(one), len(other)) for one, other in compared] == [(43, 43)] * 3


def test_the_key_of_nobody_opens_nothing(node):
	"""Strangers are compared with a key that anybody can compute: it must not let anybody in."""
	no_master = bytes(32)
	for thumbprint in (mac.NOBODY, TV.thumbprint):
		forged = mac.tv_key(no_master, TV.serial, thumbprint)
		for epoch in ("1", "2", "7"):
			assert ask(node, TV.auth(e=epoch, key=forged)).answer is wire.STRANGER
	node.rows[TV.serial] = row_of(TV, key_hash="")
	known = mac.tv_key(MASTERS.keys[2], TV.serial, mac.NOBODY)
	assert ask(node, TV.auth(key=known)).answer is wire.STRANGER


def test_a_lost_reply_can_be_asked_for_again_and_nothing_else_twice(node):
	first = ask(node, TV.auth(c=7))
	assert ask(node, TV.auth(c=7)).answer == first.answer
	for body in (TV.auth(c=7, n=N2), TV.auth(c=6), TV.auth(c=6, n=N2)):
		answered = ask(node, body)
		reply = said(answered)
		assert (answered.answer.status, reply["error"], reply["base"]) == (409, "replayed", "7")
		assert is_under(answered, TV)
		assert challenge.is_fresh(MASTERS, "south", TV.serial, reply["challenge"], NOW)
	assert ask(node, TV.auth(c=8)).answer.status == 200


def test_a_count_that_ran_far_ahead_must_be_proven(node):
	assert said(ask(node, TV.auth(c=1_000_001)))["error"] == "resync_required"
	assert ask(node, TV.auth(c=1_000_000)).answer.status == 200


def test_the_epoch_before_is_valid_and_told_to_rotate(node):
	answered = ask(node, TV.auth(e="1"))
	assert said(answered)["hints"] == ["rotate"] and is_under(answered, TV, 1)
	node.masters = mac.Masters({**MASTERS.keys, 3: bytes(32)})
	assert ask(node, TV.auth(c=2, e="1")).answer is wire.STRANGER


@pytest.mark.parametrize(
	("t", "hints"), [(NOW, None), (NOW + 300, None), (NOW + 301, ["clock"]), (1, ["clock"])]
)
def test_a_wrong_clock_is_told(node, t, hints):
	assert said(ask(node, TV.auth(t=str(t)))).get("hints") == hints


def test_a_changed_tv_is_refused_where_its_parts_bind(node):
	node.rows[TV.serial] = row_of(TV, fp=TV.parts)
	assert ask(node, TV.auth()).answer.status == 200
	changed = replace(TV, parts=mac.binding("chip", "card", "LG 55", "4.00"))
	answered = ask(node, changed.auth(c=2))
	assert (answered.answer.status, said(answered)["code"]) == (403, "binding_mismatch")
	assert "denial" not in said(answered) and is_under(answered, TV)


def test_a_fault_of_ours_is_no_answer_to_anybody(node):
	node.rows[TV.serial] = row_of(TV, lease_expires=NOW)
	answered = ask(node, TV.auth())
	assert answered.answer is wire.UNAVAILABLE and not answered.answer.mac


def test_closed_without_a_denial_is_a_fault(node):
	node.rows[TV.serial] = row_of(TV, rights_from=0)
	assert ask(node, TV.auth()).answer is wire.UNAVAILABLE


@pytest.mark.parametrize(
	("moment", "status"), [(-1, 403), (0, 200), (DAY - 1, 200), (DAY, 403), (9 * DAY, 403)]
)
def test_rights_are_half_open(node, moment, status):
	node.rows[TV.serial] = row_of(
		TV, rights_from=NOW, rights_until=NOW + DAY, lease_expires=NOW + DAY, denial=ENDED
	)
	assert ask(node, TV.auth(), NOW + moment).answer.status == status


def test_what_our_records_count(node):
	assert ask(node, TV.auth()).is_counted
	assert not respond.heartbeat(TV.heartbeat(c=2), node, NOW).is_counted
	assert respond.heartbeat(TV.heartbeat(c=1), node, NOW).is_counted
	assert ask(node, b"").is_counted and ask(node, OTHER.auth()).is_counted


def test_a_heartbeat_counts_and_tells(node):
	answered = respond.heartbeat(TV.heartbeat(up="3600", temp="41", fw="3.21"), node, NOW)
	assert (answered.answer.status, answered.answer.body) == (204, b"") and is_under(answered, TV)
	assert answered.told == {"up": "3600", "temp": "41", "fw": "3.21"}
	again = respond.heartbeat(TV.heartbeat(n=N2, up="3600"), node, NOW)
	assert again.answer.status == 409
	forged = TV.heartbeat(c=2, up="3600").replace(b"3600", b"3601")
	assert respond.heartbeat(forged, node, NOW).answer is wire.STRANGER


def test_streams_hold_slots(node):
	node.rows[TV.serial] = row_of(TV, account="acc", streams=2)
	count = iter(range(1, 100))

	def stream(o, sid, now=NOW, ch="TF1"):
		answered = respond.stream(TV.stream(o, c=next(count), sid=sid, ch=ch), node, now)
		assert is_under(answered, TV)
		return answered.answer.status, said(answered)

	assert stream("start", "one") == (200, {"until": NOW + streams.SLOT, "n": "A" * 22})
	assert stream("start", "two")[0] == 200
	status, refused = stream("start", "three")
	assert (status, refused["error"], refused["running"]) == (409, "stream_limit", ["one", "two"])
	assert stream("renew", "one", NOW + 60)[1]["until"] == NOW + 60 + streams.SLOT
	assert stream("stop", "one", NOW + 60)[0] == 200
	assert stream("start", "three", NOW + 60)[0] == 200
	# "two" was not renewed: its slot is free by itself.
	assert stream("start", "four", NOW + streams.SLOT)[0] == 200
	assert stream("start", "five", ch="CANAL")[1]["error"] == "not_entitled"


def test_no_stream_without_rights(node):
	node.rows[TV.serial] = row_of(TV, rights_from=0, denial=denial("suspended"))
	answered = respond.stream(TV.stream("start"), node, NOW)
	assert (answered.answer.status, said(answered)["error"]) == (403, "not_entitled")


def test_one_kind_of_request_is_not_another(node):
	"""The same letters under another name: a captured heartbeat opens no stream and plays nothing."""
	beat = json.loads(TV.heartbeat())
	auth = {**beat, "f": TV.parts}
	assert ask(node, json.dumps(auth).encode()).answer is wire.STRANGER
	stream = {**beat, "o": "start", "ch": "TF1", "sid": "one"}
	assert respond.stream(json.dumps(stream).encode(), node, NOW).answer is wire.STRANGER


@given(st.integers(0, 4 * DAY), st.integers(0, 4 * DAY), st.integers(0, 4 * DAY), st.integers(-DAY, 5 * DAY))
def test_allowed_only_inside_rights_and_lease(start, until, lease, moment):
	node = MemoryNode()
	node.rows[TV.serial] = row_of(
		TV,
		rights_from=NOW + start,
		rights_until=NOW + until if until else 0,
		lease_expires=NOW + lease,
		denial=ENDED,
	)
	now = NOW + moment
	decision = ask(node, TV.auth(), now).decision
	is_open = start <= moment and (not until or moment < until)
	expected = decide.DENY if not is_open else decide.ALLOW if moment < lease else decide.UNAVAILABLE
	assert decision.kind == expected
	if decision.kind == decide.ALLOW:
		assert now < decision.play_until <= min(NOW + lease, NOW + (until or lease), now + DAY)
		assert now < decision.ask_after


@given(st.integers(0, len(TV.auth()) - 1), st.integers(0, 255))
def test_no_byte_can_be_changed(position, byte):
	node = MemoryNode()
	node.rows[TV.serial] = row_of(TV)
	genuine = TV.auth()
	changed = genuine[:position] + bytes([byte]) + genuine[position + 1 :]
	if changed != genuine:
		assert ask(node, changed).answer.status in (400, 401)


@given(st.binary(max_size=400))
def test_any_bytes_are_answered(data):
	for answer in (respond.auth, respond.heartbeat, respond.stream):
		assert answer(data, MemoryNode(), NOW).answer.status in (400, 401)


ENDED = denial("ended")


def test_a_reply_of_one_tv_is_not_anothers(node):
	node.rows[OTHER.serial] = row_of(OTHER)
	assert ask(node, TV.auth()).answer.mac != ask(node, OTHER.auth()).answer.mac
	assert jws.b64url_decode(ask(node, TV.auth()).answer.mac)
