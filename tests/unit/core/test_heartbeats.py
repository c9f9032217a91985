"""Heartbeats become one row per TV and hour, in whatever pieces they arrive."""

from dataclasses import replace
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriber_tv.core.devices import heartbeats
from subscriber_tv.core.devices.heartbeats import Beat, Hours, add, one, read

AT = 1_800_000_000 // 3600 * 3600
HOME, AWAY = "192.0.2.0/24", "198.51.100.0/24"


def test_what_a_tv_says_is_read_with_care():
	told = {"up": "3600", "temp": "61.6", "err": "4", "rssi": "-71", "fw": " 3.21 ", "ch": "TF1"}
	assert read(told) == Beat(3600, 62, 4, -71, "3.21", "TF1")
	assert read({"up": "-1", "temp": "nan", "err": "1e99", "rssi": "3", "fw": "x" * 50}) == Beat(
		firmware="x" * 32
	)
	assert read({"temp": "inf", "err": "many", "up": "1e99999999"}) == Beat()


def test_errors_and_restarts_of_an_hour():
	"""10 → 14 errors, a restart that begins at 0, 3 more."""
	beats = [Beat(up=100, err=10), Beat(up=1000, err=14), Beat(up=5, err=0), Beat(up=900, err=3)]
	rows = [one("TV-1", beat, at=AT + 600 * index) for index, beat in enumerate(beats)]
	whole = reduce(add, rows)
	assert (whole.errors, whole.restarts, whole.beats) == (7, 1, 4)
	assert (whole.first, whole.last) == (AT, AT + 1800)


beats = st.builds(
	Beat,
	up=st.none() | st.integers(0, 9999),
	temp=st.none() | st.integers(0, 99),
	err=st.none() | st.integers(0, 99),
	rssi=st.none() | st.integers(-99, -1),
	firmware=st.sampled_from(["", "1", "2"]),
)


@given(st.lists(beats, min_size=2, max_size=12), st.data())
def test_pieces_add_up_however_they_are_cut(found, data):
	"""An edge sends its rows every few seconds; the sum must not depend on when."""
	rows = [one("TV-1", beat, at=AT + 60 * index) for index, beat in enumerate(found)]
	cut = data.draw(st.integers(1, len(rows) - 1))
	assert add(reduce(add, rows[:cut]), reduce(add, rows[cut:])) == reduce(add, rows)


def test_rows_of_two_tvs_never_mix():
	with pytest.raises(ValueError, match="different"):
		add(one("TV-1", Beat(), at=AT), one("TV-2", Beat(), at=AT))
	with pytest.raises(ValueError, match="different"):
		add(one("TV-1", Beat(), at=AT), one("TV-1", Beat(), at=AT + 3600))


def test_memory_is_bounded():
	hours = Hours(limit=2)
	for serial in ("TV-1", "TV-2", "TV-3", "TV-1"):
		hours.hear(serial, {"temp": "40"}, at=AT)
	assert [(row.serial, row.beats) for row in hours.take()] == [("TV-1", 2), ("TV-2", 1)]
	assert hours.dropped == 1 and hours.take() == []


@pytest.mark.parametrize(
	("way", "returns"),
	[
		([(HOME, 0), (AWAY, 600), (HOME, 1200)], 1),
		([(HOME, 0), (AWAY, 600), (HOME, 600 + heartbeats.RETURN_SECONDS + 1)], 0),
		([(HOME, 0), (AWAY, 600), (AWAY, 1200)], 0),
		([(HOME, 0), ("2001:db8::/48", 60), (HOME, 120)], 0),
		([(HOME, 0), ("", 60), (HOME, 120)], 0),
	],
)
def test_there_and_back_within_minutes(way, returns):
	hours = Hours()
	for network, after in way:
		hours.hear("TV-1", {}, at=AT + after, network=network)
	assert sum(row.returns for row in hours.take()) == returns


def test_a_row_keeps_the_latest_network_and_firmware():
	first = replace(one("TV-1", Beat(firmware="1"), at=AT, network=HOME), returns=1)
	later = one("TV-1", Beat(), at=AT + 60, network=AWAY)
	assert (add(first, later).firmware, add(first, later).network) == ("1", AWAY)
