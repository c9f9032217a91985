"""What an edge answered reaches its publisher, once, whatever happens on the way."""

import time
from copy import deepcopy as copy_of

import pytest
from edge_process import EdgeProcess, eventually
from feed_publisher import Publisher, Rights

PLAYS, REFUSED = "HOTEL-000001", "HOTEL-000002"


@pytest.fixture
def operator():
	"""Rights of one TV that plays and one that is suspended, and their publisher."""
	rights = Rights()
	rights.set_state(PLAYS, "Active")
	rights.set_state(REFUSED, "Suspended")
	server = Publisher(rights)
	yield rights, server
	server.stop()


@pytest.fixture
def edge(operator, tmp_path):
	rights, server = operator
	process = EdgeProcess(tmp_path, rights, server.url, NAME="south", ANSWERS_EVERY="0.2")
	eventually(lambda: process.health()["rows"] == 2)
	yield process
	process.stop()


def test_two_flushes_are_counted_by_what_was_answered(operator, edge):
	_, server = operator
	for _ in range(3):
		edge.power_on(PLAYS)
	edge.power_on(REFUSED)
	edge.power_on("HOTEL-000009")
	eventually(lambda: server.count(PLAYS) == 3 and server.count("") == 1)
	edge.power_on(PLAYS)
	eventually(lambda: server.count(PLAYS) == 4)
	assert server.count(REFUSED) == 1
	batches = server.received
	assert {batch.edge.rpartition("-")[0] for batch in batches} == {"south"}
	assert [batch.number for batch in batches] == list(range(1, len(batches) + 1))
	rows = {row.serial or row.kind: row for batch in batches for row in batch.rows}
	assert (rows[REFUSED].kind, rows[REFUSED].code) == ("Refused", "suspended")
	assert (rows["Stranger"].code, rows["Stranger"].network) == ("unknown_serial", "127.0.0.0/24")
	assert abs(rows[PLAYS].last - time.time()) < 10


def test_the_edge_says_who_it_is_and_what_it_reached(operator, edge):
	rights, server = operator
	eventually(lambda: any(question.get("after") == str(rights.seq) for question in server.asked))
	question = server.asked[-1]
	assert question["edge"].startswith("south-")
	assert abs(int(question["as_of"]) - time.time()) < 10


def test_counts_wait_for_a_lost_publisher(operator, edge):
	rights, server = operator
	server.stop()
	edge.power_on(PLAYS)
	eventually(lambda: "counted answers wait for the publisher" in edge.log())
	edge.power_on(PLAYS)
	# At its end, an edge writes down what it has; it starts with that.
	edge.stop()
	edge.start()
	edge.power_on(PLAYS)
	again = Publisher(rights, server.port)
	try:
		eventually(lambda: again.count(PLAYS) == 3, 20)
	finally:
		again.stop()


def test_a_batch_without_acknowledgement_is_sent_again_under_its_number(operator, edge):
	_, server = operator
	server.reply = 503
	edge.power_on(PLAYS)
	eventually(lambda: len(server.received) >= 2)
	edge.power_on(PLAYS)
	assert {(batch.number, batch.rows) for batch in server.received} == {(1, server.received[0].rows)}
	server.reply = 200
	eventually(lambda: server.count(PLAYS) == 2)
	sent = len(server.received)
	time.sleep(0.6)
	assert len(server.received) == sent


def test_what_will_never_be_taken_is_dropped_and_said(operator, edge):
	_, server = operator
	server.reply = 400
	edge.power_on(PLAYS)
	eventually(lambda: "will not take batch 1" in edge.log())
	server.reply = 200
	edge.power_on(REFUSED)
	eventually(lambda: server.count(REFUSED) == 1)
	assert server.count(PLAYS) == 0


def test_an_edge_without_a_publisher_counts_nothing(operator, tmp_path):
	rights, _ = operator
	folder = tmp_path / "alone"
	folder.mkdir()
	alone = EdgeProcess(folder, rights, ANSWERS_EVERY="0.1")
	try:
		alone.power_on(PLAYS)
		assert "Traceback" not in alone.log()
	finally:
		alone.stop()


@pytest.fixture
def ear(operator, tmp_path):
	"""An edge that soon tells what it heard."""
	rights, server = operator
	folder = tmp_path / "telemetry"
	folder.mkdir()
	process = EdgeProcess(folder, rights, server.url, NAME="south", TELEMETRY_EVERY="0.3")
	eventually(lambda: process.health()["rows"] == 2)
	yield process
	process.stop()


def signs_heard(server):
	return [sign for batch in server.heard for sign in batch.signs]


def test_heartbeats_go_up_by_the_hour_and_a_lost_count_is_told(operator, ear):
	_, server = operator
	tv = ear.tv(PLAYS)
	tv.power_on()
	for up in ("60", "120"):
		assert tv.heartbeat(up=up, temp="41", fw="3.21").status == 204
	tv.memory.counts.clear()
	tv.memory.lines.clear()
	tv.power_on()
	eventually(lambda: sum(hour.beats for batch in server.heard for hour in batch.hours) == 2)
	eventually(lambda: signs_heard(server))
	hours = [hour for batch in server.heard for hour in batch.hours]
	assert {(hour.serial, hour.temp_max, hour.firmware, hour.network) for hour in hours} == {
		(PLAYS, 41, "3.21", "127.0.0.0/24")
	}
	(sign,) = signs_heard(server)
	told = (sign.serial, sign.kind, sign.counter, server.heard[0].edge.startswith("south-"))
	assert told == (PLAYS, "resync", 1, True)


def test_two_sets_with_one_flash_are_told_and_a_publisher_that_is_away_misses_nothing(operator, ear):
	"""Copied, the original used, the copy started, the original again; then both stream. All while no sign is taken."""
	_, server = operator
	server.reply = 413
	original = ear.tv(PLAYS)
	original.power_on()
	copy = ear.tv(PLAYS)
	copy.memory = copy_of(original.memory)
	assert original.heartbeat(up="60").status == 204
	for tv in (copy, original):
		assert tv.power_on().kind == "playing"
	channel = original.channels(original.power_on().documents[0])[0]["channels"][0]["code"]
	assert original.stream("start", channel, "a").status == 200
	copy.power_on()
	assert copy.stream("start", channel, "b").status == 200
	original.power_on()
	assert original.stream("renew", channel, "a").status == 200
	time.sleep(0.7)
	assert not signs_heard(server)
	server.reply = 200
	eventually(lambda: len(signs_heard(server)) >= 5)
	kinds = [sign.kind for sign in signs_heard(server)]
	assert kinds == ["restored", "forked", "forked", "forked", "streams"]
	time.sleep(0.7)
	assert len(signs_heard(server)) == 5
