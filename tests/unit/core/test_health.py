"""Rules over hourly rows: when an alarm opens, when it closes, and that it never opens twice.

hour      -4     -3     -2     -1     0 (now, not over)
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriber_tv.core.devices import health
from subscriber_tv.core.devices.health import OPEN, RECOVER, Rule, Set, judge
from subscriber_tv.core.devices.heartbeats import Hour

NOW = 1_800_000_000 // 3600 * 3600 + 900
HOT = Rule("hot", "Temperature", 70, 2)
WEAK = Rule("weak", "Signal Strength", -80, 1)
ERRORS = Rule("errors", "Errors per Hour", 10, 1)
SILENT = Rule("silent", "Silence", 0, 6)
SITE = Rule("site", "Silence", 0, 2, scope="Site", tvs=3)


def hour(back: int, **readings) -> Hour:
	number = NOW // 3600 - back
	return Hour("TV-1", number, 4, number * 3600, number * 3600 + 3000, **readings)


def tv(*hours: Hour, serial: str = "TV-1", site: str = "S1", heard: int = NOW, segment: str = "Hotel") -> Set:
	return Set(serial, site, segment, heard, hours)


def steps(rule: Rule, *sets: Set, alarms: frozenset = frozenset()) -> list[tuple[str, str]]:
	found = judge([rule], sets, {rule.name: alarms}, NOW)
	return [(step.action, step.subject) for step in found]


@pytest.mark.parametrize(
	("temperatures", "opens"),
	[
		({2: 75, 1: 75}, True),
		({1: 75, 0: 75}, True),
		({2: 75, 1: 75, 0: 50}, True),
		({3: 75, 2: 75, 1: 50}, False),
		({1: 75}, False),
		({3: 75, 1: 75}, False),
		({2: 69, 1: 75}, False),
		({}, False),
	],
)
def test_bad_hours_in_a_row(temperatures, opens):
	found = tv(*(hour(back, temp_max=value) for back, value in temperatures.items()))
	assert bool(steps(HOT, found)) is opens


def test_an_open_alarm_is_not_opened_again_and_closes_when_all_is_fine():
	hot = tv(hour(2, temp_max=75), hour(1, temp_max=75))
	mine = frozenset({"TV-1"})
	assert steps(HOT, hot) == [(OPEN, "TV-1")]
	assert steps(HOT, hot, alarms=mine) == []
	cooling = tv(hour(2, temp_max=75), hour(1, temp_max=50))
	assert steps(HOT, cooling, alarms=mine) == []
	cool = tv(hour(2, temp_max=50), hour(1, temp_max=50))
	assert steps(HOT, cool, alarms=mine) == [(RECOVER, "TV-1")]
	assert steps(HOT, tv(), alarms=mine) == [], "a TV that says nothing has not recovered"


def test_a_weak_signal_is_a_low_one():
	assert steps(WEAK, tv(hour(1, rssi_min=-85))) == [(OPEN, "TV-1")]
	assert steps(WEAK, tv(hour(1, rssi_min=-60))) == []


def test_errors_count_while_the_hour_runs():
	assert steps(ERRORS, tv(hour(0, errors=10))) == [(OPEN, "TV-1")]


def test_silence_is_of_tvs_that_were_heard():
	assert steps(SILENT, tv(heard=NOW - 6 * 3600)) == [(OPEN, "TV-1")]
	assert steps(SILENT, tv(heard=NOW - 5 * 3600)) == []
	assert steps(SILENT, tv(heard=0)) == []


def test_a_site_is_one_alarm_once_enough_tvs_are_silent():
	gone = [tv(serial=f"TV-{number}", heard=NOW - 3 * 3600) for number in range(3)]
	here = [tv(serial=f"TV-{number}") for number in range(3, 6)]
	assert steps(SITE, *gone, *here) == [(OPEN, "S1")]
	(opened,) = judge([SITE], [*gone, *here], {}, NOW)
	assert opened.tvs == ("TV-0", "TV-1", "TV-2") and opened.value == 3
	assert steps(SITE, *gone[:2], *here) == []
	mine = frozenset({"S1"})
	assert steps(SITE, *gone[:2], *here, alarms=mine) == [], "two of three are no recovery yet"
	assert steps(SITE, *gone[:1], *here, alarms=mine) == [(RECOVER, "S1")]


def test_a_rule_of_another_segment_does_not_apply():
	rule = Rule("clinics", "Silence", 0, 1, segment="Clinic")
	assert steps(rule, tv(heard=NOW - 9 * 3600)) == []
	assert steps(rule, tv(heard=NOW - 9 * 3600, segment="Clinic")) == [(OPEN, "TV-1")]


rules = st.builds(
	Rule,
	name=st.just("any"),
	signal=st.sampled_from(health.SIGNALS),
	threshold=st.integers(-90, 90),
	hours=st.integers(1, 4),
	scope=st.sampled_from(["TV", "Site"]),
	tvs=st.integers(1, 4),
)
sets = st.lists(
	st.builds(
		lambda number, heard, readings: tv(
			*(hour(back, temp_max=value, errors=value, rssi_min=-value) for back, value in readings.items()),
			serial=f"TV-{number}",
			heard=NOW - heard * 1800,
		),
		st.integers(0, 6),
		st.integers(0, 20),
		st.dictionaries(st.integers(0, 5), st.integers(1, 90), max_size=5),
	),
	max_size=7,
	unique_by=lambda found: found.serial,
)


@given(rules, sets)
def test_nothing_opens_twice_and_nothing_opens_and_closes_at_once(rule, found):
	opened = judge([rule], found, {}, NOW)
	assert all(step.action == OPEN for step in opened)
	assert len({step.subject for step in opened}) == len(opened)
	again = judge([rule], found, {rule.name: frozenset(step.subject for step in opened)}, NOW)
	assert again == ()
