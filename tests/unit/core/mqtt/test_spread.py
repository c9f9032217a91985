"""Spread: however many TVs a hint reaches, no second brings more questions than the limit."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriber_tv.core.mqtt import spread


def busiest_second(tvs: int, version: int, seconds: int, offset: float = 0.0) -> Counter:
	return Counter(int(offset + spread.moment(f"TV-{n:08}", version, seconds)) for n in range(tvs))


@pytest.mark.parametrize(("tvs", "most"), [(2_000, 500), (2_000, 100), (50_000, 500), (10_000, 50), (3, 1)])
def test_no_second_brings_more_questions_than_allowed(tvs, most):
	for version in (1, 77, 123_456_789):
		seconds = spread.seconds(tvs, most)
		assert max(busiest_second(tvs, version, seconds).values()) <= most


def test_it_takes_no_longer_than_it_must():
	assert spread.seconds(500, 500) == 0
	assert spread.seconds(10_000, 500) == 25
	assert spread.seconds(563_000, 500) <= 1.3 * 563_000 / 500


def test_each_hint_has_another_order_and_each_tv_its_own_moment():
	serials = [f"TV-{n:06}" for n in range(500)]
	first, second = ([spread.moment(serial, version, 60) for serial in serials] for version in (1, 2))
	assert sorted(range(500), key=first.__getitem__) != sorted(range(500), key=second.__getitem__)
	assert first == [spread.moment(serial, 1, 60) for serial in serials]
	assert all(0 <= moment < 60 for moment in first + second)
	assert spread.moment("TV-000001", 1, 0) == 0


@given(st.integers(0, 100), st.floats(0, 1, exclude_max=True))
def test_backing_off_stays_under_its_cap(attempt, drawn):
	assert 0 <= spread.backoff(attempt, drawn, base=1, cap=60) < 60


def test_backing_off_grows():
	assert [spread.backoff(n, 0.5) for n in range(4)] == [0.5, 1, 2, 4]


def test_hints_to_many_tvs_follow_each_other():
	pace = spread.Pace(500)
	first = pace.spread(10_000, 0.0)
	assert pace.spread(10_000, first - 1) is None
	second = pace.spread(10_000, first)
	seen = busiest_second(10_000, 1, first) + busiest_second(10_000, 2, second, offset=first)
	assert max(seen.values()) <= 500


def test_a_few_tvs_wait_for_no_hotel():
	pace = spread.Pace(500)
	assert pace.spread(10_000, 0.0) > 0
	assert [pace.spread(1, 0.1) for _n in range(60)].count(0) == 50
	assert pace.spread(1, 0.15) == 0  # a tenth of the rate comes back each second
	assert pace.spread(10_000, 1.0) is None


@given(st.lists(st.tuples(st.integers(1, 3000), st.integers(0, 40)), max_size=30))
def test_whatever_comes_no_second_has_more_than_the_limit(arrivals):
	"""Each batch is tried again every second until it may go, as the publisher does."""
	pace, now, asked = spread.Pace(200), 0, Counter()
	for number, (tvs, later) in enumerate(arrivals):
		now += later
		while (seconds := pace.spread(tvs, float(now))) is None:
			now += 1
		for n in range(tvs):
			asked[int(now + spread.moment(f"{number}-{n:06}", number, seconds))] += 1
	assert not asked or max(asked.values()) <= 200
