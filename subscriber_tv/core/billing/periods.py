"""Periods of service as half-open spans of days `[start, end)`, and the grid of billing periods.

Boundary k of a grid is always computed from the grid's origin, never from boundary k - 1: a contract anchored on
the 31st is billed on 28 February and again on 31 March. All days are plain dates in the time zone of the site.
"""

from calendar import monthrange
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, order=True)
class Span:
	"""Days from `start` to `end`, `end` not included."""

	start: date
	end: date

	@property
	def days(self) -> int:
		return max((self.end - self.start).days, 0)

	def meet(self, other: "Span") -> "Span | None":
		"""The days both spans hold, or None."""
		start, end = max(self.start, other.start), min(self.end, other.end)
		return Span(start, end) if start < end else None


def clamped(months: int, day: int) -> date:
	"""Day `day` of month number `months` (year * 12 + month - 1), or the month's last day when it is shorter."""
	year, month = divmod(months, 12)
	return date(year, month + 1, min(day, monthrange(year, month + 1)[1]))


def _month(day: date) -> int:
	return day.year * 12 + day.month - 1


def later(day: date, months: int) -> date:
	"""The same day of the month so many months later (earlier when negative), or the last of a shorter month."""
	return clamped(_month(day) + months, day.day)


@dataclass(frozen=True)
class Grid:
	"""Boundaries every `interval` months on `anchor_day`; boundary 0 is the last anchor day on or before `start`.

	start 10 Jan, anchor 1, interval 1        start 31 Jan, anchor 31, interval 1
	1 Jan    1 Feb    1 Mar                   31 Jan   28 Feb   31 Mar   30 Apr
	|---x----|--------|---                    |x-------|--------|--------|---

	A `calendar` grid counts its intervals from January of the year it starts in: quarters begin in January, April...
	"""

	start: date
	anchor_day: int
	interval: int
	calendar: bool = False

	def __post_init__(self):
		if not 1 <= self.anchor_day <= 31:
			raise ValueError(f"anchor day {self.anchor_day} is not between 1 and 31")
		if self.interval < 1:
			raise ValueError(f"interval of {self.interval} months is not positive")

	@property
	def _origin(self) -> int:
		months = _month(self.start)
		if clamped(months, self.anchor_day) > self.start:
			months -= 1
		return months - months % 12 % self.interval if self.calendar else months

	def boundary(self, k: int) -> date:
		return clamped(self._origin + k * self.interval, self.anchor_day)

	def periods(self, until: date, since: date | None = None) -> Iterator[Span]:
		"""Whole periods in order, as long as they begin on or before `until`.

		The first is the one that holds `start`, or the one before that holding `since`, so as not to begin at the beginning.
		"""
		k = max((_month(since) - self._origin) // self.interval - 1, 0) if since else 0
		while (begin := self.boundary(k)) <= until:
			yield Span(begin, self.boundary(k + 1))
			k += 1


def union(spans: Iterable[Span]) -> tuple[Span, ...]:
	"""The same days as sorted spans that neither overlap nor touch."""
	merged: list[Span] = []
	for span in sorted(spans):
		if merged and span.start <= merged[-1].end:
			merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
		elif span.days:
			merged.append(span)
	return tuple(merged)


def subtract(spans: Iterable[Span], holes: Iterable[Span]) -> tuple[Span, ...]:
	"""The days of `spans` that no hole holds."""
	left = list(union(spans))
	for hole in union(holes):
		left = [piece for span in left for piece in _without(span, hole)]
	return tuple(left)


def intersect(spans: Iterable[Span], others: Iterable[Span]) -> tuple[Span, ...]:
	"""The days both collections hold."""
	others = union(others)
	return union(met for span in union(spans) for other in others if (met := span.meet(other)))


def days_in(spans: Iterable[Span]) -> int:
	return sum(span.days for span in spans)


def _without(span: Span, hole: Span) -> list[Span]:
	pieces = (Span(span.start, min(span.end, hole.start)), Span(max(span.start, hole.end), span.end))
	return [piece for piece in pieces if piece.days]
