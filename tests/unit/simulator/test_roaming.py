"""A TV sticks to one node, and finds another when that one is silent."""

import random
from collections import Counter

import pytest

from subscriber_tv.simulator.roaming import FIRST_WAIT, Roaming, order
from subscriber_tv.simulator.tv import PLAYING, RETRY, Screen

GOOD = Screen(PLAYING, status=200)
SILENT = Screen(RETRY, "no_answer")
FAULT = Screen(RETRY, "unavailable", status=503, wait=30.0)
FULL = Screen(RETRY, "overloaded", status=503, wait=7.5)


class Television:
	"""Sees what the node says that it was moved to; the nodes of these tests are their answers."""

	serial = "HOTEL-000001"

	def __init__(self):
		self.asked = []

	def move_to(self, node, name):
		self.node, self.name = node, name

	def power_on(self):
		self.asked.append(self.name)
		return self.node.pop(0) if len(self.node) > 1 else self.node[0]


class Time:
	def __init__(self):
		self.now, self.slept = 1000.0, []

	def sleep(self, seconds):
		self.slept.append(seconds)
		self.now += seconds


@pytest.fixture
def roaming():
	def make(first, second, **more):
		names = order(Television.serial, ["north", "south"])
		passing = Time()
		nodes = dict(zip(names, (first, second), strict=True))
		made = Roaming(
			Television(),
			nodes,
			sleep=passing.sleep,
			clock=lambda: passing.now,
			draws=random.Random(1),
			**more,
		)
		return made, names, passing

	return make


def test_a_fleet_spreads_evenly_and_the_desk_comes_last():
	names = ["north", "south", "west", "desk"]
	found = [order(f"HOTEL-{number:06}", names) for number in range(3000)]
	first = Counter(ranked[0] for ranked in found)
	assert all(800 < first[name] < 1200 for name in names[:3])
	assert {ranked[-1] for ranked in found} == {"desk"}


def test_a_node_taken_off_moves_its_own_tvs_only():
	for number in range(300):
		before = order(f"HOTEL-{number:06}", ["north", "south", "west"])
		after = order(f"HOTEL-{number:06}", ["north", "west"])
		assert after == [name for name in before if name != "south"]


def test_it_sticks_to_its_first_node(roaming):
	tv, names, _ = roaming([GOOD], [GOOD])
	assert [tv.power_on().node for _ in range(3)] == names[:1] * 3


@pytest.mark.parametrize("silence", [SILENT, FAULT])
def test_the_next_node_is_asked_at_once(roaming, silence):
	tv, names, passing = roaming([silence], [GOOD])
	asked = tv.power_on()
	assert (asked.screen, asked.tries, asked.node) == (GOOD, 2, names[1])
	assert not passing.slept
	# From here on the silent one costs nothing, until it is tried again.
	assert tv.power_on().tries == 1
	passing.now += 301
	assert tv.power_on().tries == 2


def test_it_comes_back(roaming):
	tv, names, passing = roaming([SILENT, GOOD], [GOOD])
	assert tv.power_on().node == names[1]
	passing.now += 301
	assert tv.power_on().node == names[0]


def test_a_queue_is_kept_to(roaming):
	tv, names, passing = roaming([FULL, GOOD], [GOOD])
	assert tv.power_on().node == names[0]
	assert passing.slept == [7.5]


def test_when_all_are_silent_it_waits_at_random_longer_each_time_and_gives_up(roaming):
	tv, _, passing = roaming([SILENT], [SILENT], hurry=2.0)
	asked = tv.power_on(tries=8)
	assert (asked.node, asked.tries, asked.screen) == ("", 8, SILENT)
	bounds = [FIRST_WAIT * 2**round_ / 2 for round_ in range(3)]
	assert len(passing.slept) == 3
	assert all(0 <= slept <= bound for slept, bound in zip(passing.slept, bounds, strict=True))
