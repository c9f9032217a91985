"""How long a contract binds: its term, the tacit renewals, the notice, and what leaving before the end costs.

start           term ends        renewed         renewed
|--- 12 months --|--- 12 months --|--- 12 months --|
          <notice>         <notice>

A consumer is told of a coming renewal between three months and one month before the last day on which he can refuse it
(code de la consommation, L215-1); where he was not, he may leave a renewed contract on any day. The fee for leaving
early is a rule of the operator; for a consumer the law bounds it (L224-28).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import count

from subscriber_tv.core.billing.periods import later
from subscriber_tv.core.money import ZERO

#: Information of a renewal: first and last month before the last day to refuse it.
INFORM_FROM_MONTHS, INFORM_UNTIL_MONTHS = 3, 1

#: A consumer is bound for so many months at most, and after so many pays at most that part of the rest.
CONSUMER_MONTHS, CONSUMER_FULL_MONTHS, CONSUMER_PERCENT_AFTER = 24, 12, Decimal(20)


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
		return next(end for end in self.ends(start) if later(known, self.notice) <= end)

	def ends(self, start: date) -> Iterable[date]:
		"""The end of each term, the renewed ones without end."""
		if self.renewal is None:
			return iter((self.first_end(start),))
		return (later(start, self.months + times * self.renewal) for times in count())

	def last_refusal(self, end: date) -> date:
		"""The last day on which a cancellation still reaches `end`.

		Notice is counted forward from the day it is given, so in a short month several days may reach the same end.
		"""
		day = later(end, -self.notice)
		while later(day.fromordinal(day.toordinal() + 1), self.notice) <= end:
			day = day.fromordinal(day.toordinal() + 1)
		return day


@dataclass(frozen=True)
class ExitRule:
	"""What leaving before the end of a term costs, of the recurring charges that remain until then, net.

	`percent_within` of those of the first `first_months` of the contract, `percent_after` of the later ones, and `flat`; at
	most `cap`. Charges after month `most_months` of the contract count nothing (None: all count). A renewed term costs
	nothing unless `renewed`. `item` gives account and VAT.
	"""

	name: str
	item: str
	percent_within: Decimal = Decimal(100)
	first_months: int = 0
	percent_after: Decimal = Decimal(100)
	flat: Decimal = ZERO
	cap: Decimal | None = None
	most_months: int | None = None
	renewed: bool = False
	description: str = ""


@dataclass(frozen=True)
class Commitment:
	"""The term agreed at the opening, counted from the activation, and the rule for leaving early; None: for nothing."""

	term: Term
	exit_rule: ExitRule | None = None


@dataclass(frozen=True)
class Bound:
	"""One term as it was agreed or renewed: bound during `[start, end)`."""

	start: date
	end: date
	renewed: bool = False


@dataclass(frozen=True)
class Window:
	"""When the letter about a renewal is due: from `first` to `last`, for a refusal until `last_refusal` included."""

	first: date
	last: date
	last_refusal: date

	def state(self, today: date) -> str:
		"""early, open or missed, for a letter that is not out."""
		if today < self.first:
			return "early"
		return "open" if today <= self.last else "missed"


def information_window(term: Term, end: date) -> Window:
	"""When the subscriber has to be told that the term ending on `end` will be renewed."""
	refusal = term.last_refusal(end)
	return Window(later(refusal, -INFORM_FROM_MONTHS), later(refusal, -INFORM_UNTIL_MONTHS), refusal)


def bound_on(bounds: Iterable[Bound], day: date) -> Bound | None:
	"""The term that binds on `day`."""
	return next((bound for bound in bounds if bound.start <= day < bound.end), None)


def earliest_end(
	term: Term, start: date, known: date, *, consumer: bool = False, informed: Collection[date] = ()
) -> tuple[date, str]:
	"""The first day on which a cancellation known on `known` may end the contract, and why.

	`informed` are the ends of terms about whose renewal the subscriber was told in time. Reasons: `term` (the end the
	notice reaches), `uninformed` (a consumer in a renewed term who was not told may leave at once), `over` (a term that
	is not renewed has ended, so nothing binds).
	"""
	ended = [end for end in _ends_until(term, start, known) if end <= known]
	if ended and term.renewal is None:
		return known, "over"
	if ended and consumer and ended[-1] not in informed:
		return known, "uninformed"
	return term.end_reached(start, known), "term"


def problems_of_commitment(
	months: int, renewal_months: int, rule: ExitRule | None, *, consumer: bool
) -> list[str]:
	"""Codes of what the law or sense refuses: months, renewal, consumer_months, consumer_fee."""
	problems = []
	if months and not 1 <= months <= 60:
		problems.append("months")
	if renewal_months and not 1 <= renewal_months <= 60:
		problems.append("renewal")
	if consumer and months > CONSUMER_MONTHS:
		problems.append("consumer_months")
	if consumer and rule and not fair_to_consumers(rule):
		problems.append("consumer_fee")
	return problems


def fair_to_consumers(rule: ExitRule) -> bool:
	"""Whether the fee stays within what the law allows of a consumer."""
	return (
		rule.percent_within <= 100
		and rule.percent_after <= CONSUMER_PERCENT_AFTER
		and rule.first_months <= CONSUMER_FULL_MONTHS
		and not rule.flat
		and not rule.renewed
		and rule.most_months is not None
		and rule.most_months <= CONSUMER_MONTHS
	)


def _ends_until(term: Term, start: date, day: date) -> list[date]:
	"""The ends on or before `day`, and the one after them."""
	found = []
	for end in term.ends(start):
		found.append(end)
		if end > day:
			break
	return found
