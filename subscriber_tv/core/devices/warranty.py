"""Warranty periods in whole months, clamped to the end of a shorter month."""

from calendar import monthrange
from datetime import date, timedelta


def add_months(day: date, months: int) -> date:
	"""Same day of the month `months` later; the last day of that month when it is shorter (31 Jan + 1 = 28 Feb)."""
	years, month = divmod(day.month - 1 + months, 12)
	year = day.year + years
	return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def last_day_covered(first: date, months: int) -> date:
	"""Last day, included, of a warranty of `months` whole months that begins on `first`.

	Computed from the first day each time, so that a long warranty never drifts.
	"""
	if months <= 0:
		raise ValueError("a warranty lasts at least one month")
	return add_months(first, months) - timedelta(days=1)
