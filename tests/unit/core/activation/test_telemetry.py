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
