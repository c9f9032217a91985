"""What a node hears: heartbeats by the hour, and a refused number that is followed by a proof."""

import json

import pytest
from protocol_case import NOW, MemoryNode, PaperTv, ask, row_of

from subscriber_tv.core.activation import respond, telemetry
from subscriber_tv.core.activation.report import BadReport

TV = PaperTv()
EDGE = "south-0123456789ab"


@pytest.fixture
def node():
	found = MemoryNode()
	found.rows[TV.serial] = row_of(TV)
	return found


def test_heartbeats_of_an_hour_are_one_row(node):
	watch = telemetry.Watch()
	for count, up in enumerate(("60", "120"), start=1):
		watch.note(respond.heartbeat(TV.heartbeat(c=count, up=up, temp="40"), node, NOW), "192.0.2.9", NOW)
	(hour,), resyncs = watch.take()
	assert (hour.serial, hour.beats, hour.up_last, hour.network, resyncs) == (
		TV.serial,
		2,
		120,
		"192.0.2.0/24",
		[],
	)
	assert watch.take() == ([], [])


def test_a_refused_number_and_then_a_proof_is_a_resync(node):
	watch = telemetry.Watch()
	ask(node, TV.auth(c=5))
	watch.note(ask(node, TV.auth(c=3)), "192.0.2.9", NOW)
	watch.note(TV.prove(node, 6), "192.0.2.9", NOW + 2)
	watch.note(TV.prove(node, 7), "192.0.2.9", NOW + 3)
	assert watch.take() == ([], [telemetry.Sign(TV.serial, NOW + 2, 3, "192.0.2.0/24")])


def test_what_is_no_resync(node):
	watch = telemetry.Watch()
	# A new epoch, a first key: proven, and nothing was refused.
	watch.note(TV.prove(node, 1), "192.0.2.9", NOW)
	# Refused, and proven only much later; refused, and never proven: somebody may have played a record.
	watch.note(ask(node, TV.auth(c=1, n="B" * 22)), "192.0.2.9", NOW)
	watch.note(TV.prove(node, 2), "192.0.2.9", NOW + telemetry.FOLLOWS + 1)
	watch.note(ask(node, TV.auth(c=1, n="B" * 22)), "192.0.2.9", NOW)
	watch.note(ask(node, b"{}"), "192.0.2.9", NOW)
	assert watch.take() == ([], [])


def test_which_line_a_tv_goes_on_from_is_told(node):
	watch = telemetry.Watch()
	for number, (nonce, line, kinds) in enumerate(
		(
			("a" * 22, "", []),
			("b" * 22, "a" * 22, []),
			("c" * 22, "a" * 22, ["restored"]),
			("d" * 22, "b" * 22, ["forked"]),
			("e" * 22, f"{'x' * 22}.{'d' * 22}", []),
		),
		start=1,
	):
		told = {"l": line} if line else {}
		watch.note(TV.prove(node, number, nonce, **told), "192.0.2.9", NOW)
		assert [sign.kind for sign in watch.take()[1]] == kinds, number
	# A lost count beside it: the number is told, and a line that goes straight on is no sign whatever was refused.
	for number, nonce, line, told in (
		(6, "f" * 22, "a" * 22, [("restored", 1)]),
		(7, "g" * 22, "f" * 22, []),
	):
		watch.note(ask(node, TV.auth(c=1, n="z" * 22)), "192.0.2.9", NOW)
		watch.note(TV.prove(node, number, nonce, l=line), "192.0.2.9", NOW)
		assert [(sign.kind, sign.counter) for sign in watch.take()[1]] == told


def test_other_parts_and_a_second_stream_are_signs(node):
	watch = telemetry.Watch()
	node.rows[TV.serial] = row_of(TV, fp="F" * 43)
	watch.note(ask(node, TV.auth(c=1)), "192.0.2.9", NOW)
	assert [sign.kind for sign in watch.take()[1]] == ["fingerprint"]
	asked = (("start", "a"), ("renew", "a"), ("start", "b"), ("renew", "b"), ("stop", "a"), ("renew", "a"))
	for number, (operation, name) in enumerate(asked, start=2):
		assert watch.take()[1] == []
		watch.note(respond.stream(TV.stream(operation, number, sid=name), node, NOW), "192.0.2.9", NOW)
	assert [sign.kind for sign in watch.take()[1]] == ["streams"]
	late = NOW + 3600
	for number, name in enumerate("ba", start=10):
		watch.note(respond.stream(TV.stream("start", number, sid=name), node, late), "192.0.2.9", late)
		late += 91
	assert watch.take()[1] == [], "the one had long ended"


def test_signs_that_did_not_arrive_are_told_again_within_bounds(node):
	watch = telemetry.Watch()
	signs = [telemetry.Sign(TV.serial, NOW, number) for number in range(30_000)]
	watch.put_back(signs)
	kept = watch.take()[1]
	assert kept == signs[: len(kept)] and 10_000 <= len(kept) < 30_000
	watch.put_back(kept)
	assert watch.take()[1] == kept


def test_batches_come_back_as_they_were(node):
	watch = telemetry.Watch()
	watch.note(respond.heartbeat(TV.heartbeat(up="60", fw="3.21"), node, NOW), "2001:db8::1", NOW)
	hours, _ = watch.take()
	resyncs = [telemetry.Sign(TV.serial, NOW, number) for number in range(3000)]
	bodies = telemetry.encode(EDGE, hours, resyncs)
	batches = [telemetry.decode(body) for body in bodies]
	assert [hour for batch in batches for hour in batch.hours] == hours
	assert [resync for batch in batches for resync in batch.signs] == resyncs
	assert telemetry.encode(EDGE, [], []) == []


@pytest.mark.parametrize(
	"changes",
	[
		{"edge": "nobody"},
		{"hours": [{"serial": "x", "hour": 1, "beats": 1, "first": 1, "last": 1}]},
		{"hours": [{"serial": "TV-000001", "hour": 2**40, "beats": 1, "first": 1, "last": 1}]},
		{
			"hours": [
				{"serial": "TV-000001", "hour": 1, "beats": 1, "first": 1, "last": 1, "firmware": "x" * 51}
			]
		},
		{"signs": [{"serial": "TV-000001", "at": -1, "counter": 1}]},
		{"signs": [{"serial": "TV-000001'--", "at": 1, "counter": 1}]},
		{"more": 1},
	],
)
def test_what_is_no_batch(changes):
	with pytest.raises(BadReport):
		telemetry.decode(json.dumps({"edge": EDGE, **changes}).encode())
