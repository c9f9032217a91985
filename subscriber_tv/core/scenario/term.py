"""The term of a contract: when it ends, and which end a cancellation with notice reaches.

start           term ends        renewed         renewed
|--- 12 months --|--- 12 months --|--- 12 months --|
          <notice>         <notice>
"""

from dataclasses import dataclass
from datetime import date
from itertools import count

from subscriber_tv.core.billing.periods import clamped


@dataclass(frozen=True)
class Term:
	"""`months` from the start, then renewed by `renewal` months each time; None: it ends with its first term.

	A cancellation reaches the next end that is at least `notice` months after the day it became known.
	"""

	months: int
	renewal: int | None
	notice: int = 0

	def first_end(self, start: date) -> date:
		"""The first day after the first term."""
		return later(start, self.months)

	def end_reached(self, start: date, known: date) -> date:
		"""The end of a contract begun on `start` when its cancellation became known on `known`."""
		if self.renewal is None:
			return self.first_end(start)
		ends = (later(start, self.months + times * self.renewal) for times in count())
		return next(end for end in ends if later(known, self.notice) <= end)


def later(day: date, months: int) -> date:
	"""The same day of the month so many months later, or the last of a shorter month."""
	return clamped(day.year * 12 + day.month - 1 + months, day.day)
