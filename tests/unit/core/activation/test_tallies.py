"""What an edge counts in memory is bounded, and nothing is lost by the bound but the detail."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from subscriber_tv.core.activation.rollup import ALLOWED, OVERFLOW, REFUSED, STRANGERS, Tallies, named

NOW = 1_800_000_000


def allowed(number, now=NOW):
	return named(ALLOWED, when=now, serial=f"LG55-{number:06}", audience="edge-1", version=3)


def stranger(number, now=NOW):
	return named(STRANGERS, when=now, code="unknown_serial", network=f"10.0.{number}.0/24", audience="edge-1")


def counts(tallies):
	return {tally.bucket.key: (tally.count, tally.first, tally.last) for tally in tallies}


def test_equal_answers_count_in_one_row():
	tallies = Tallies()
	for now in (NOW + 5, NOW + 9, NOW + 7):
		tallies.count(allowed(1), now)
	assert counts(tallies.take()) == {"A|LG55-000001|edge-1|2027-01-15": (3, NOW + 5, NOW + 9)}
	assert tallies.take() == []


def test_beyond_the_limit_each_kind_counts_in_one_row():
	tallies = Tallies(limit=2)
	for number in range(5):
		tallies.count(stranger(number), NOW)
	for number in range(2):
		tallies.count(allowed(number), NOW)
	found = counts(tallies.take())
	assert found == {
		"S|unknown_serial|10.0.0.0/24|2027-01-15T08": (1, NOW, NOW),
		"S|unknown_serial|10.0.1.0/24|2027-01-15T08": (1, NOW, NOW),
		"S|overflow||2027-01-15T08": (3, NOW, NOW),
		"A|LG55-000000|edge-1|2027-01-15": (1, NOW, NOW),
		"A|LG55-000001|edge-1|2027-01-15": (1, NOW, NOW),
	}


def test_what_is_beyond_is_nobodys():
	tallies = Tallies(limit=0)
	tallies.count(allowed(1), NOW)
	tallies.count(named(REFUSED, when=NOW, serial="LG55-000001", code="ended", version=7), NOW)
	first, second = (tally.bucket for tally in tallies.take())
	assert (first.key, first.kind, first.code, first.serial) == (
		"A||edge-1|2027-01-15",
		ALLOWED,
		OVERFLOW,
		"",
	)
	assert (second.key, second.serial, second.version) == ("R||2027-01-15|overflow|0", "", 0)


def test_put_back_adds_to_what_came_since():
	tallies = Tallies()
	tallies.count(allowed(1), NOW)
	taken = tallies.take()
	tallies.count(allowed(1), NOW + 60)
	tallies.put_back(taken)
	assert counts(tallies.take()) == {"A|LG55-000001|edge-1|2027-01-15": (2, NOW, NOW + 60)}


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 30), st.integers(0, 7200))), st.integers(0, 6))
def test_nothing_is_lost_and_memory_is_bounded(answers, limit):
	tallies = Tallies(limit)
	for is_allowed, number, seconds in answers:
		make = allowed if is_allowed else stranger
		tallies.count(make(number, NOW + seconds), NOW + seconds)
	taken = tallies.take()
	assert sum(tally.count for tally in taken) == len(answers)
	# Three hours and two days may each have an overflow row.
	assert len(taken) <= 2 * (limit + 3)
	again = Tallies(limit)
	again.put_back(replace(tally) for tally in taken)
	assert sum(tally.count for tally in again.take()) == len(answers)
