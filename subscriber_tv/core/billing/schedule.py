"""When a scheduled bill run is due: the last scheduled moment that has come and was not served.

Several missed days are one run: a bill is a difference, so it catches up by itself.

	scheduled    1 Nov 03:00              15 Nov 03:00
	site         |--down------------------------------|up, 17 Nov
	run                                                17 Nov, for the 15th
"""

import calendar
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

DAILY = "Daily"
MONTHLY = "Days of the Month"
LONGEST_GAP = 62
"""Days to look back at most: two months hold every day of the month twice."""


@dataclass(frozen=True)
class Schedule:
	"""`days` of the month, 1 to 31 (beyond the end of a month: its last day); none of them: every day.

	`hour` and `since` are in the time of the site; nothing is due for a moment before `since`.
	"""

	hour: int
	days: tuple[int, ...] = ()
	since: datetime | None = None


def days_of(text: str) -> tuple[int, ...]:
	"""Days of the month from a text such as "1, 15", sorted and once each. ValueError when one is none."""
	days = {int(part) for part in text.replace(";", ",").split(",") if part.strip()}
	if not days or not all(1 <= day <= 31 for day in days):
		raise ValueError(text)
	return tuple(sorted(days))


def due_day(schedule: Schedule, now: datetime) -> date | None:
	"""The latest scheduled day whose hour has come; None when the schedule holds since after that moment."""
	for back in range(LONGEST_GAP + 1):
		day = now.date() - timedelta(days=back)
		moment = datetime.combine(day, time(schedule.hour))
		if moment <= now and _is_scheduled(schedule, day):
			return day if schedule.since is None or moment >= schedule.since else None
	return None


def _is_scheduled(schedule: Schedule, day: date) -> bool:
	last = calendar.monthrange(day.year, day.month)[1]
	return not schedule.days or day.day in {min(wanted, last) for wanted in schedule.days}
