"""The machine's clock is believed as long as it agrees with what the publisher accepted and with what passed since."""

import random
import time

import pytest

from subscriber_tv.edge import clock as clocks
from subscriber_tv.edge.clock import TOLERANCE, Clock

NOW = 1_800_000_000.0


class Machine:
	"""A machine whose clock can be stepped; time passes by `wait`."""

	def __init__(self):
		self.passed, self.step, self.boot = 500.0, 0.0, "one"

	@property
	def right(self):
		return NOW + self.passed

	def wait(self, seconds):
		self.passed += seconds


@pytest.fixture
def machine(monkeypatch):
	found = Machine()
	monkeypatch.setattr(time, "time", lambda: found.right + found.step)
	monkeypatch.setattr(clocks, "passed_since_start", lambda: found.passed)
	monkeypatch.setattr(clocks, "_boot", lambda: found.boot)
	return found


@pytest.fixture
def path(tmp_path):
	return tmp_path / "edge-clock.json"


@pytest.mark.parametrize("step", [3600, -3600, 86_400 * 400, -86_400 * 400, TOLERANCE + 1])
def test_a_step_is_not_believed_by_any_process(machine, path, step):
	follower, worker = Clock(path), Clock(path)
	follower.vouch(time.time(), machine.passed)
	machine.wait(5)
	assert worker() == machine.right
	machine.step = step
	machine.wait(86_400 * 3)
	assert follower() == worker() == Clock(path)() == machine.right


def test_small_corrections_are_believed(machine, path):
	clock = Clock(path)
	clock.vouch(time.time(), machine.passed)
	machine.step = 90
	assert clock() == machine.right + 90


def test_what_the_publisher_accepts_counts_from_then_on(machine, path):
	"""Publisher and edge both were an hour behind; then both are put right."""
	machine.step = -3600
	clock, worker = Clock(path), Clock(path)
	clock.vouch(time.time(), machine.passed)
	machine.wait(2)
	machine.step = 0
	assert clock() == machine.right - 3600
	clock.vouch(time.time(), machine.passed)
	machine.wait(2)
	assert clock() == worker() == machine.right


def test_an_answer_that_took_long_counts_from_its_question(machine, path):
	clock, asked = Clock(path), (time.time(), machine.passed)
	machine.wait(20)
	clock.vouch(*asked)
	machine.step = 7200
	assert clock() == machine.right


def test_without_a_publisher_the_machine_is_all_there_is(machine, path):
	machine.step = 7200
	assert Clock(path)() == machine.right + 7200


def test_a_start_of_the_machine_ends_what_was_known(machine, path):
	Clock(path).vouch(time.time(), machine.passed)
	machine.boot, machine.step = "two", 7200
	assert Clock(path)() == machine.right + 7200


@pytest.mark.parametrize("content", [b"", b"{", b'{"boot":"one","time":"now","passed":1}', b"\x00" * 60])
def test_a_spoiled_file_is_no_file(machine, path, content):
	path.write_bytes(content)
	assert Clock(path)() == machine.right


def test_a_full_disk_does_not_stop_it(machine, tmp_path):
	clock = Clock(tmp_path / "missing" / "edge-clock.json")
	clock.vouch(time.time(), machine.passed)
	machine.step = 7200
	assert clock() == machine.right


def test_it_is_written_once_a_minute_at_most_and_at_once_when_it_matters(machine, path):
	clock, written = Clock(path), set()
	for _ in range(600):
		machine.wait(1)
		clock.vouch(time.time() + random.uniform(-1, 1), machine.passed)
		written.add(path.read_bytes())
	assert 9 <= len(written) <= 12
