"""When a scheduled bill run is due. November 2026 begins on a Sunday."""

from datetime import date, datetime

import pytest

from subscriber_tv.core.billing.schedule import Schedule, days_of, due_day


def due(now: str, *days: int, hour: int = 3, since: str | None = None) -> str | None:
	schedule = Schedule(hour, days, datetime.fromisoformat(since) if since else None)
	found = due_day(schedule, datetime.fromisoformat(now))
	return found.isoformat() if found else None


@pytest.mark.parametrize(
	("now", "days", "expected"),
	[
		# daily
		("2026-11-22T03:00", (), "2026-11-22"),
		("2026-11-22T02:59", (), "2026-11-21"),
		("2026-11-22T23:59", (), "2026-11-22"),
		# the 1st and the 15th
		("2026-11-15T03:00", (1, 15), "2026-11-15"),
		("2026-11-15T02:00", (1, 15), "2026-11-01"),
		# the night of the 15th was missed: served two days late, once
		("2026-11-17T09:00", (1, 15), "2026-11-15"),
		# the 31st is the last day of a shorter month
		("2026-11-30T04:00", (31,), "2026-11-30"),
		("2026-12-30T04:00", (31,), "2026-11-30"),
		("2027-02-28T03:00", (30, 31), "2027-02-28"),
		("2028-02-28T03:00", (31,), "2028-01-31"),
		# two months without the site
		("2026-12-31T23:00", (1,), "2026-12-01"),
	],
)
def test_the_last_moment_that_has_come(now, days, expected):
	assert due(now, *days) == expected


def test_a_schedule_starts_nothing_for_a_day_before_it_was_made():
	assert due("2026-11-22T15:00", 1, since="2026-11-22T14:00") is None
	assert due("2026-11-22T15:00", since="2026-11-22T14:00") is None
	assert due("2026-11-23T03:00", since="2026-11-22T14:00") == "2026-11-23"
	assert due("2026-12-01T03:00", 1, since="2026-11-22T14:00") == "2026-12-01"


@pytest.mark.histories
def test_asked_every_hour_of_a_year_each_scheduled_day_is_found_once_in_order():
	found = []
	for month in range(1, 13):
		for day in range(1, 29):
			for hour in range(24):
				at = datetime(2026, month, day, hour)
				if (answer := due_day(Schedule(5, (10, 28)), at)) and answer not in found[-1:]:
					found.append(answer)
	assert found == [date(2025, 12, 28)] + [
		date(2026, month, day) for month in range(1, 13) for day in (10, 28)
	]


@pytest.mark.parametrize(("text", "days"), [("1", (1,)), ("15, 1", (1, 15)), (" 31;1 ,1", (1, 31))])
def test_days_of(text, days):
	assert days_of(text) == days


@pytest.mark.parametrize("text", ["", " ", "0", "32", "first", "1.5", "-1", "1-5"])
def test_what_is_no_day(text):
	with pytest.raises(ValueError):
		days_of(text)
