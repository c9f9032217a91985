"""A power cut ends, over real sockets: many TVs ask at once and all are answered soon, with few questions."""

import asyncio

import pytest
from edge_process import EdgeProcess, eventually
from feed_publisher import Publisher, Rights

from subscriber_tv.simulator.storm import storm

CAPACITY = 150
TIMES = 20
SERIALS = [f"HOTEL-{number:06}" for number in range(CAPACITY * TIMES)]


def resident(pid: int) -> int:
	"""Memory of a process, in kB."""
	with open(f"/proc/{pid}/status") as status:
		return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


@pytest.fixture
def edge(tmp_path):
	rights = Rights()
	for serial in SERIALS:
		rights.set_state(serial, "Active")
	server = Publisher(rights)
	process = EdgeProcess(tmp_path, rights, server.url, CAPACITY=str(CAPACITY), WORKERS="1")
	eventually(lambda: process.health()["rows"] == len(SERIALS))
	yield process
	process.stop()
	server.stop()


def test_twenty_times_what_an_edge_can_answer(edge):
	"""The capacity is set, and low: what is measured is the rule, not the machine."""
	questions = [edge.question(serial) for serial in SERIALS]
	edge.power_on("NOBODY-0001")
	(worker,) = edge.workers()
	before = resident(worker)
	outcome = asyncio.run(storm("127.0.0.1", edge.port, "/v1/auth", questions, within=2.0, give_up=120))
	assert outcome.never == 0 and not outcome.statuses[0]
	assert set(outcome.answers) == {200}
	assert outcome.percentile(0.99) <= 1.6 * TIMES, outcome.percentile(0.99)
	assert outcome.mean_requests <= 2.2 and max(outcome.requests) <= 3
	assert resident(worker) - before < 30_000
