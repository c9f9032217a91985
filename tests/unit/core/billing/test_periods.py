"""The grid of billing periods and the arithmetic of spans."""

from datetime import date, timedelta
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriber_tv.core.billing.periods import Grid, Span, days_in, intersect, subtract, union

D = date.fromisoformat


@pytest.mark.parametrize(
	("start", "anchor", "interval", "boundaries"),
	[
		# 31 Jan     28 Feb     31 Mar     30 Apr : clamped, never drifting
		("2026-01-31", 31, 1, ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]),
		# 1 Jan |..10 Jan....| 1 Feb : boundary 0 lies before the start
		("2026-01-10", 1, 1, ["2026-01-01", "2026-02-01", "2026-03-01"]),
		# anchor later in the month than the start: the period began last month
		("2026-03-10", 20, 1, ["2026-02-20", "2026-03-20", "2026-04-20"]),
		# 30 April is the 31st of April: no one-day stub
		("2026-04-30", 31, 1, ["2026-04-30", "2026-05-31"]),
		# 29 Feb yearly: 28 Feb in common years, 29 Feb again in leap years
		("2024-02-29", 29, 12, ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]),
		("2026-11-30", 30, 3, ["2026-11-30", "2027-02-28", "2027-05-30"]),
		# two years are 24 months, not 12
		("2026-01-15", 15, 24, ["2026-01-15", "2028-01-15", "2030-01-15"]),
		# over the end of a year, backwards
		("2027-01-01", 15, 1, ["2026-12-15", "2027-01-15"]),
	],
)
def test_boundaries(start, anchor, interval, boundaries):
	grid = Grid(D(start), anchor, interval)
	assert [grid.boundary(k).isoformat() for k in range(len(boundaries))] == boundaries


def test_periods_stop_at_the_horizon():
	periods = list(Grid(D("2026-01-10"), 1, 1).periods(D("2026-03-01")))
	assert [str(period.start) for period in periods] == ["2026-01-01", "2026-02-01", "2026-03-01"]


@pytest.mark.parametrize(("anchor", "interval"), [(0, 1), (32, 1), (1, 0)])
def test_nonsense_is_refused(anchor, interval):
	with pytest.raises(ValueError):
		Grid(D("2026-01-01"), anchor, interval)


@given(
	start=st.dates(date(2000, 1, 1), date(2060, 1, 1)),
	anchor=st.integers(1, 31),
	interval=st.sampled_from([1, 2, 3, 6, 12, 24, 60]),
)
def test_periods_are_gapless_and_the_first_holds_the_start(start, anchor, interval):
	periods = list(islice(Grid(start, anchor, interval).periods(date(2100, 1, 1)), 12))
	assert periods[0].start <= start < periods[0].end
	assert all(a.end == b.start for a, b in pairwise(periods))
	assert all(period.start.day in (anchor, _last_day(period.start)) for period in periods)


span_lists = st.lists(
	st.tuples(st.integers(0, 60), st.integers(0, 20)).map(
		lambda pair: Span(date(2026, 1, 1) + timedelta(pair[0]), date(2026, 1, 1) + timedelta(sum(pair)))
	),
	max_size=6,
)


@pytest.mark.histories
@given(spans=span_lists, others=span_lists)
def test_span_arithmetic_is_that_of_sets_of_days(spans, others):
	a, b = _days(spans), _days(others)
	assert _days(union(spans)) == a
	assert _days(subtract(spans, others)) == a - b
	assert _days(intersect(spans, others)) == a & b
	assert days_in(union(spans)) == len(a)


def _days(spans):
	return {span.start + timedelta(n) for span in spans for n in range(span.days)}


def _last_day(day):
	return (day.replace(day=28) + timedelta(4)).replace(day=1).toordinal() - day.replace(day=1).toordinal()
