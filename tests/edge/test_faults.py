"""Bad disks, full disks and wrong clocks, with real processes: no wrong answer, and everything heals by itself."""

import json
import resource
import sqlite3
import time
from contextlib import closing

import pytest
from edge_process import EdgeProcess, eventually
from feed_publisher import Publisher, Rights
from stepped import stepped

SERIAL = "HOTEL-000001"
OTHERS = [f"HOTEL-{number:06}" for number in range(2, 60)]


@pytest.fixture
def rights():
	found = Rights()
	for serial in (SERIAL, *OTHERS):
		found.set_state(serial, "Active")
	return found


@pytest.fixture
def publisher(rights):
	server = Publisher(rights)
	yield server
	server.stop()


@pytest.fixture
def start(tmp_path):
	started = []

	def begin(*arguments, folder=tmp_path, **settings):
		started.append(EdgeProcess(folder, *arguments, **settings))
		return started[-1]

	yield begin
	for process in started:
		process.stop()


def answers(edge, status, serial=SERIAL):
	return lambda: edge.power_on(serial)[0] == status


def stop_and_fold(edge):
	"""Stop the edge with all of its content in the one file."""
	edge.stop()
	with closing(sqlite3.connect(edge.folder / "edge.db")) as file:
		file.execute("pragma wal_checkpoint(truncate)")


def occurrences(content, text):
	found, at = [], content.find(text)
	while at >= 0:
		found.append(at)
		at = content.find(text, at + 1)
	return found


@pytest.mark.parametrize("which", [0, 1])
def test_a_damaged_row_or_index_denies_nobody_and_heals(rights, publisher, start, which):
	"""The serial stands in the row and in the index: each is spoiled in turn."""
	edge = start(rights, publisher.url)
	eventually(answers(edge, 200))
	stop_and_fold(edge)
	port = publisher.port
	publisher.stop()
	file = edge.folder / "edge.db"
	content = bytearray(file.read_bytes())
	places = occurrences(bytes(content), SERIAL.encode())
	assert len(places) == 2
	content[places[which] + 7] ^= 4
	file.write_bytes(content)
	edge.start()
	seen = {edge.power_on(serial)[0] for serial in (SERIAL, *OTHERS) for _ in range(3)}
	assert seen <= {200, 503} and 200 in seen
	eventually(lambda: "is damaged" in edge.log())
	# The row may still be found whole, by the index alone.
	assert edge.power_on(SERIAL)[0] in (200, 503)
	assert edge.power_on("NOBODY-0001")[0] == 503
	assert edge.power_on(OTHERS[-1])[0] == 200
	assert edge.request("GET", "/v1/ready")[0] == 200
	again = Publisher(rights, port)
	try:
		eventually(answers(edge, 200), 30)
		eventually(answers(edge, 401, "NOBODY-0001"))
		assert (edge.folder / "edge.db.damaged").exists()
		rights.set_state(SERIAL, "Suspended")
		eventually(answers(edge, 403))
	finally:
		again.stop()


def test_a_file_spoiled_under_a_running_edge_heals(rights, publisher, start):
	edge = start(rights, publisher.url, WORKERS="2")
	eventually(answers(edge, 200))
	stop_and_fold(edge)
	edge.start()
	file = edge.folder / "edge.db"
	with file.open("r+b") as opened:
		opened.seek(4096)
		opened.write(b"\x55" * (file.stat().st_size - 4096))
	seen = set()

	def healed():
		seen.update(edge.power_on(serial)[0] for serial in (SERIAL, *OTHERS))
		return "the damaged file is replaced" in edge.log()

	rights.set_state(SERIAL, "Suspended")
	eventually(healed, 30)
	assert seen <= {200, 403, 503}
	eventually(answers(edge, 403))
	eventually(lambda: {edge.power_on(serial)[0] for serial in OTHERS} == {200})


def many(rights, first, count):
	for number in range(first, first + count):
		rights.set_state(f"CLINIC-{number:06}", "Active")


def test_a_file_that_may_not_grow_denies_nobody_and_catches_up(rights, publisher, start):
	edge = start(rights, publisher.url)
	eventually(answers(edge, 200))
	size = (edge.folder / "edge.db-wal").stat().st_size
	limits = resource.prlimit(edge.pid, resource.RLIMIT_FSIZE)
	resource.prlimit(edge.pid, resource.RLIMIT_FSIZE, (size, limits[1]))
	many(rights, 1, 400)
	eventually(lambda: "no news from the publisher: disk I/O" in edge.log(), 20)
	assert {edge.power_on(serial)[0] for serial in (SERIAL, *OTHERS)} == {200}
	resource.prlimit(edge.pid, resource.RLIMIT_FSIZE, limits)
	eventually(lambda: edge.health()["rows"] == 459, 40)


@pytest.fixture
def clock(tmp_path):
	"""Steps the clock of the edges that are started from now on, while they run."""
	with stepped(tmp_path / "clock") as found:
		yield found.step


DAY = 86_400


@pytest.mark.parametrize("seconds", [3600, -3600, 30 * DAY, -400 * DAY])
def test_a_stepped_clock_changes_nothing(rights, publisher, start, clock, seconds):
	"""An hour ahead or behind, a month ahead, or a machine that forgot what year it is."""
	rights.set_state(SERIAL, "Active", until=int(time.time()) + 10 * DAY)
	edge = start(rights, publisher.url, FEED_WAIT="0")
	eventually(answers(edge, 200))
	eventually((edge.folder / "edge-clock.json").exists)
	clock(seconds)
	assert {edge.power_on(serial)[0] for serial in (SERIAL, *OTHERS)} == {200}
	said = json.loads(edge.power_on(SERIAL)[2])["time"]
	assert abs(said - time.time()) < 60
	eventually(lambda: "the publisher's time is kept to" in edge.log())
	# News arrive all the same.
	rights.set_state(SERIAL, "Suspended")
	eventually(answers(edge, 403))
	clock(0)
	rights.set_state(SERIAL, "Active")
	eventually(answers(edge, 200))
	assert not publisher.refused


def test_a_clock_that_was_wrong_from_the_start_waits_for_its_correction(rights, publisher, start, clock):
	clock(-DAY)
	edge = start(rights, publisher.url, FEED_WAIT="0")
	eventually(lambda: "is the clock right" in edge.log())
	assert edge.power_on(SERIAL)[0] == 503
	clock(0)
	eventually(answers(edge, 200), 30)


@pytest.mark.parametrize("seconds", [3600, 30 * DAY, -400 * DAY])
def test_a_clock_stepped_while_the_publisher_is_away_changes_nothing(
	rights, publisher, start, clock, seconds
):
	"""What was accepted before is remembered over a kill."""
	rights.set_state(SERIAL, "Active", until=int(time.time()) + 10 * DAY)
	edge = start(rights, publisher.url, FEED_WAIT="0")
	eventually(answers(edge, 200))
	eventually((edge.folder / "edge-clock.json").exists)
	port = publisher.port
	publisher.stop()
	clock(seconds)
	edge.kill()
	edge.start()
	assert {edge.power_on(serial)[0] for serial in (SERIAL, *OTHERS)} == {200}
	assert abs(json.loads(edge.power_on(SERIAL)[2])["time"] - time.time()) < 60
	rights.set_state(SERIAL, "Suspended")
	again = Publisher(rights, port)
	try:
		eventually(answers(edge, 403), 30)
	finally:
		again.stop()
