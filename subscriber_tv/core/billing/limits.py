"""Safety limits of a decided bill, looked at before anything is written. A contract that passes one waits.

They are nets under the decision, not rules of it: a bill that is right never touches them.

| code | limit |
|---|---|
| overlap | no two charges for one line and day |
| too_many_rows | at most N rows for one line and day, however often it was charged and credited |
| too_long_ago | at most N months back |

Usage that was reported and is older than the last is no reason to refuse: it alone is held back (see `split_by_age`).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from subscriber_tv.core.billing.periods import Span, days_in, intersect, subtract
from subscriber_tv.core.billing.price import RECURRING, USAGE, Price, Refused
from subscriber_tv.core.money import ZERO

if TYPE_CHECKING:
	from subscriber_tv.core.billing.bill import Charge, Credit, InvoicedRow

MAX_ROWS = 12

#: Months in the place of an age limit where nothing is posted: a thousand years.
NO_AGE_LIMIT = 12 * 1000


@dataclass(frozen=True)
class Limits:
	"""Months a bill may reach back, and rows for one line and day."""

	max_months: int
	max_rows: int = MAX_ROWS


def check_limits(
	subscription: str,
	invoiced: Sequence["InvoicedRow"],
	charges: Sequence["Charge"],
	credits: Sequence["Credit"],
	*,
	until: date,
	limits: Limits,
	places: int,
) -> None:
	"""Refuse (overlap, too_many_rows, too_long_ago) what one contract would be charged besides what stands."""
	if not charges:
		return
	_check_age(subscription, charges, until, limits.max_months)
	_check_days(subscription, invoiced, charges, credits, places)
	_check_rows(subscription, invoiced, charges, limits.max_rows)


def split_by_age(
	charges: Iterable["Charge"], until: date, limit: int
) -> tuple[list["Charge"], list["Charge"]]:
	"""Those to bill, and those of usage whose period ended more than `limit` months before.

	A fee without any usage is like every other charge: that it is missing says the contract was never billed.
	"""
	kept, late = [], []
	for charge in charges:
		too_old = months_between(charge.price.period.end, until) > limit
		(late if too_old and _of_reported_usage(charge) else kept).append(charge)
	return kept, late


def without_waiting(credits: Iterable["Credit"], late: Sequence["Charge"]) -> list["Credit"]:
	"""The credits, but those of usage of a period that waits to be charged anew: given alone, nothing would stand for it."""
	waiting = [(charge.claim.line, charge.price.period) for charge in late]
	return [
		credit
		for credit in credits
		if credit.row.kind != USAGE
		or not any(
			line == credit.row.line and credit.row.price.period.meet(period) for line, period in waiting
		)
	]


def _of_reported_usage(charge: "Charge") -> bool:
	return charge.claim.kind == USAGE and bool(charge.price.quantity or charge.price.of)


def months_between(day: date, until: date) -> int:
	"""Calendar months from the month of `day` to that of `until`."""
	return (until.year - day.year) * 12 + until.month - day.month


def _check_age(subscription: str, charges: Sequence["Charge"], until: date, limit: int) -> None:
	charges = [charge for charge in charges if not _of_reported_usage(charge)]
	if not charges:
		return
	oldest = min(charges, key=lambda charge: charge.span.start)
	first = oldest.span.start
	interval = oldest.price.interval_months
	if interval >= limit:
		# In arrears all of a longer period lies behind when it is due.
		limit += interval
	months = months_between(first, until)
	if months > limit:
		raise Refused(
			"too_long_ago",
			subscription=subscription,
			first=first.isoformat(),
			months=str(months),
			limit=str(limit),
		)


def _check_days(
	subscription: str,
	invoiced: Sequence["InvoicedRow"],
	charges: Sequence["Charge"],
	credits: Sequence["Credit"],
	places: int,
) -> None:
	"""No day of a line is charged while a row that is worth something stands on it, or twice in this bill."""
	held = _held(invoiced, credits)
	for charge in charges:
		if charge.claim.kind != RECURRING:
			continue
		for price, spans in held[charge.claim.line]:
			twice = intersect(spans, [charge.span])
			if twice and _worth_crediting(price, days_in(twice), places):
				raise Refused(
					"overlap",
					subscription=subscription,
					line=charge.claim.line,
					day=twice[0].start.isoformat(),
				)
		held[charge.claim.line].append((charge.price, (charge.span,)))


def _worth_crediting(price: Price, days: int, places: int) -> bool:
	"""What could not be credited stands for ever: days worth less than a cent, days of a period that is due whole."""
	return price.prorate and price.value_of(days, places) > Decimal(1).scaleb(-places)


def _held(
	invoiced: Sequence["InvoicedRow"], credits: Sequence["Credit"]
) -> dict[str, list[tuple[Price, tuple[Span, ...]]]]:
	"""Days by line that rows stand for once the credits are given; a row with nothing left on it holds none."""
	credited: dict[str, list[Span]] = defaultdict(list)
	given: dict[str, Decimal] = defaultdict(lambda: ZERO)
	for credit in credits:
		credited[credit.row.name].append(credit.span)
		given[credit.row.name] += credit.amount
	held: dict[str, list[tuple[Price, tuple[Span, ...]]]] = defaultdict(list)
	for row in invoiced:
		if row.kind == RECURRING and row.left > given[row.name]:
			held[row.line].append((row.price, subtract(row.standing, credited[row.name])))
	return held


def _check_rows(
	subscription: str, invoiced: Sequence["InvoicedRow"], charges: Sequence["Charge"], limit: int
) -> None:
	rows: dict[tuple[str, str], list[Span]] = defaultdict(list)
	for row in invoiced:
		rows[row.line, row.kind].append(row.span)
	for charge in charges:
		rows[charge.claim.line, charge.claim.kind].append(charge.span)
	for charge in charges:
		if charge.claim.kind == USAGE:
			continue  # each delivery of late records may be a row of its own
		spans = rows[charge.claim.line, charge.claim.kind]
		if len(spans) <= limit:
			continue
		day, number = max(_depths(spans, charge.span), key=lambda found: found[1])
		if number > limit:
			raise Refused(
				"too_many_rows",
				subscription=subscription,
				line=charge.claim.line,
				day=day.isoformat(),
				rows=str(number),
				limit=str(limit),
			)


def _depths(spans: Iterable[Span], within: Span) -> Iterator[tuple[date, int]]:
	"""How many spans hold a day, at each day within where another begins."""
	met = [span for span in spans if span.meet(within)]
	for start in sorted({max(span.start, within.start) for span in met}):
		yield start, sum(span.start <= start < span.end for span in met)
