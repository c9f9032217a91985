"""Warranty periods in whole months, clamped to the end of a shorter month."""

from datetime import date, timedelta

from subscriber_tv.core.billing.periods import later


def last_day_covered(first: date, months: int) -> date:
	"""Last day, included, of a warranty of `months` whole months that begins on `first`.

	Computed from the first day each time, so that a long warranty never drifts.
	"""
	if months <= 0:
		raise ValueError("a warranty lasts at least one month")
	return later(first, months) - timedelta(days=1)
