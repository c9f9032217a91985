"""Discounts on the price of whole periods: of one charge, or of all recurring charges of a contract together.

Each discount is taken off what those before it left. A percentage is the same for every charge. An amount off
several charges is shared among those of a day in proportion to their prices, so that each row keeps its share and
gives it back when it is credited.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

from subscriber_tv.core.billing.periods import Span
from subscriber_tv.core.billing.price import RECURRING, Expected
from subscriber_tv.core.billing.terms import Discount
from subscriber_tv.core.money import ZERO


def discounted(rows: Iterable[Expected], discounts: Sequence[Discount]) -> list[Expected]:
	"""The rows at their discounted prices; those of one-off charges as they are.

	A row is cut where a discount ends, or where another charge that shares an amount with it begins or ends.
	"""
	rows = list(rows)
	for discount in discounts:
		kept = [row for row in rows if row.kind != RECURRING]
		rows = kept + _taken_off([row for row in rows if row.kind == RECURRING], discount)
	return rows


def _taken_off(rows: list[Expected], discount: Discount) -> list[Expected]:
	periods = sorted({row.price.period for row in rows})
	holding = set(periods if discount.periods is None else periods[: discount.periods])
	held: dict[Span, list[Expected]] = defaultdict(list)
	done = []
	for row in rows:
		for part in _cut(row, [discount.until] if discount.until else []):
			ended = discount.until is not None and part.span.start >= discount.until
			if ended or row.price.period not in holding:
				done.append(part)
			else:
				held[row.price.period].append(part)
	for together in held.values():
		done += (
			_by_amount(together, discount.amount)
			if discount.amount
			else _by_percent(together, discount.percent)
		)
	return sorted(done, key=lambda row: (row.line, row.span))


def _by_percent(rows: Sequence[Expected], percent: Decimal) -> list[Expected]:
	return [_less(row, row.price.full_amount * percent / 100) for row in rows]


def _by_amount(rows: Sequence[Expected], amount: Decimal) -> list[Expected]:
	days = {day for row in rows for day in (row.span.start, row.span.end)}
	parts = [part for row in rows for part in _cut(row, days)]
	totals: dict = defaultdict(lambda: ZERO)
	for part in parts:
		totals[_shares_with(part)] += part.price.full_amount
	shared = [
		_less(part, min(part.price.full_amount * amount / total, part.price.full_amount))
		for part in parts
		if (total := totals[_shares_with(part)])
	]
	return list(_joined(sorted(shared, key=lambda row: (row.line, row.span))))


def _shares_with(row: Expected) -> object:
	"""Rows cut at the same days share by their day; those of a whole period, never cut, by the period."""
	return row.span.start if row.price.prorate else row.price.period


def _less(row: Expected, amount: Decimal) -> Expected:
	return replace(row, price=replace(row.price, discount=row.price.discount + amount))


def _cut(row: Expected, days: Iterable) -> Iterator[Expected]:
	"""The row in parts that end at these days; one without proration stays whole."""
	inner = sorted(day for day in days if row.span.start < day < row.span.end) if row.price.prorate else []
	bounds = [row.span.start, *inner, row.span.end]
	in_advance = row.due == row.span.start
	for start, end in pairwise(bounds):
		yield replace(row, span=Span(start, end), due=start if in_advance else row.due)


def _joined(rows: Iterable[Expected]) -> Iterator[Expected]:
	"""Neighbours of one line at one price as one row again."""
	last: Expected | None = None
	for row in rows:
		if last and (last.line, last.price, last.span.end) == (row.line, row.price, row.span.start):
			last = replace(last, span=Span(last.span.start, row.span.end))
			continue
		if last:
			yield last
		last = row
	if last:
		yield last
