"""What a contract agrees on beyond its lines: moved billing days, days without charge, discounts, a minimum.

From them and from the intervals of a charge follow its grids. A pause or a new price never moves a boundary of a
period; only a new interval or a new anchor day does, from the day it takes effect.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from subscriber_tv.core.billing.periods import Grid, Span
from subscriber_tv.core.pricing.discount import Discount as Discount


@dataclass(frozen=True)
class Terms:
	"""Terms of one contract.

	`anchors` are the later anchor days with the day each takes effect, in order of time; `intervals` the lengths of
	the periods of all charges, in months, where the contract and not each charge decides them. `unbilled` days are served
	or paused without charge. `calendar` aligns periods to the year: quarters begin in January, April, July, October.
	`discounts` are taken off the recurring charges together or off one line, `minimum` is the least they come to in a whole period.
	"""

	anchors: tuple[tuple[date, int], ...] = ()
	intervals: tuple[tuple[date, int], ...] = ()
	unbilled: tuple[Span, ...] = ()
	calendar: bool = False
	discounts: tuple[Discount, ...] = ()
	minimum: Decimal | None = None


NO_TERMS = Terms()

Steps = Sequence[tuple[date, int]]


def grids(served: Span, intervals: Steps, anchor_day: int | None, terms: Terms) -> list[tuple[Span, Grid]]:
	"""The grids of a charge during one service, each with the days it rules.

	`intervals` are the lengths of its periods in months with the day each begins to hold, in order of time; those of
	the contract go before them.

	monthly from 10 Jan                yearly from 10 Mar
	|--------|--------|================================|
	10 Jan   10 Feb   10 Mar                           10 Mar
	"""
	intervals = terms.intervals or intervals
	anchors = [(served.start, 1 if terms.calendar else anchor_day or served.start.day), *terms.anchors]
	days = {day for day, _ in (*intervals, *anchors) if served.start < day < served.end}
	found: list[tuple[date, Grid]] = []
	for day in sorted({served.start, *days}):
		grid = Grid(day, _holding(anchors, day), _holding(intervals, day), terms.calendar)
		if not found or (grid.anchor_day, grid.interval) != (found[-1][1].anchor_day, found[-1][1].interval):
			found.append((day, grid))
	ends = [day for day, _ in found[1:]] + [served.end]
	return [(Span(day, end), grid) for (day, grid), end in zip(found, ends, strict=True)]


def _holding(steps: Steps, day: date) -> int:
	"""The value that holds on `day`: that of the last step until then, else of the first."""
	return next((value for start, value in reversed(steps) if start <= day), steps[0][1])
