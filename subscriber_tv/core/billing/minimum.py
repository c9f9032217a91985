"""The least that recurring charges come to in a period: what is missing is charged when the period closes.

	period   |================ 30 days ================|   minimum 100.00
	charged  |====== 15 days, 30.00 ======|                minimum for 15 days 50.00
	true-up  |------------ 20.00 ---------|                due at the end of the period, or of the service

A later correction of a row changes what is missing: the old true-up is credited and the new one charged.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from itertools import groupby

from subscriber_tv.core.billing.periods import Span, days_in, union
from subscriber_tv.core.billing.price import MINIMUM, RECURRING, Expected, line_key
from subscriber_tv.core.money import ZERO, round_money
from subscriber_tv.core.pricing.offered import FLAT

#: What a whole period of a row comes to at least.
LeastOf = Callable[[Expected], Decimal]

#: The place of the line in the name of a true-up of the whole contract.
WHOLE = "*"


#: The least of a whole period by the offer version in force; a version without one is not in it.
ByVersion = Mapping[str, Decimal]


def true_ups(
	rows: Iterable[Expected], by_line: Mapping[str, ByVersion], of_all: Decimal | None, places: int
) -> list[Expected]:
	"""What is missing on each charge of `by_line`, and then on all of the contract; both may be absent.

	Each day of a charge counts at the minimum of the offer version that is in force on it.
	"""
	recurring = [(row.price.period, row) for row in rows if row.kind == RECURRING]
	found: list[tuple[Span, Expected]] = []
	for line, leasts in by_line.items():
		of_line = [(period, row) for period, row in recurring if row.line == line]
		found += _missing(of_line, f"{line}:{MINIMUM.upper()}", partial(_of_version, leasts), places)
	if of_all and recurring:
		whole = line_key(recurring[0][1].subscription, WHOLE, MINIMUM.upper())
		found += _missing([*recurring, *found], whole, lambda row: of_all, places)
	return [row for _, row in found]


def _of_version(leasts: ByVersion, row: Expected) -> Decimal:
	return leasts.get(row.price.offer_version, ZERO)


def _missing(
	rows: Iterable[tuple[Span, Expected]], line: str, least_of: LeastOf, places: int
) -> Iterator[tuple[Span, Expected]]:
	"""Days of a period that come back after others, when an interval is changed and changed back, stand alone."""
	in_time = sorted(rows, key=lambda row: row[1].span.start)
	for period, parts in groupby(in_time, key=lambda row: row[0]):
		together = [row for _, row in parts]
		short = _least(together, period, least_of, places) - _sum(together, places)
		if short > 0:
			yield period, _true_up(together, line, short)


def _least(rows: Sequence[Expected], period: Span, least_of: LeastOf, places: int) -> Decimal:
	if not rows[0].price.prorate:
		return round_money(least_of(rows[0]), places)
	spans: dict[Decimal, list[Span]] = defaultdict(list)
	for row in rows:
		spans[least_of(row)].append(row.span)
	shares = (least * days_in(union(held)) for least, held in spans.items())
	return round_money(sum(shares, ZERO) / period.days, places)


def _sum(rows: Sequence[Expected], places: int) -> Decimal:
	"""As the rows will be charged: the days of one price are rounded together."""
	days: dict[tuple, int] = defaultdict(int)
	for row in rows:
		days[row.line, row.kind, row.price] += row.span.days
	return sum((price.value_of(count, places) for (_, _, price), count in days.items()), ZERO)


def _true_up(rows: Sequence[Expected], line: str, short: Decimal) -> Expected:
	span = Span(min(row.span.start for row in rows), max(row.span.end for row in rows))
	closes = max(row.closes for row in rows)
	price = replace(
		rows[0].price,
		charge_code=MINIMUM.upper(),
		model=FLAT,
		unit_price=short,
		quantity=1,
		period=span,
		scheme=None,
		discount=ZERO,
		discounts=(),
		base=None,
		of=(),
	)
	return replace(rows[0], line=line, kind=MINIMUM, span=span, price=price, due=closes, closes=closes)
