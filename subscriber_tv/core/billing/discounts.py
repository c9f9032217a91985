"""Discounts on the price of whole periods: of one charge, or of all recurring charges of a contract together.

Each discount is taken off what those before it left. A percentage is the same for every charge. An amount off
several charges is shared among those of a day in proportion to their prices, so that each row keeps its share and
gives it back when it is credited.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from subscriber_tv.core.billing.periods import Span
from subscriber_tv.core.billing.price import RECURRING, Expected, line_id_of
from subscriber_tv.core.money import ZERO
from subscriber_tv.core.pricing.discount import Discount


def discounted(rows: Iterable[Expected], discounts: Sequence[Discount]) -> list[Expected]:
	"""The rows at their discounted prices; those of one-off charges as they are.

	A row is cut where a discount begins or ends, or where another charge that shares an amount with it does.
	"""
	rows = list(rows)
	for discount in discounts:
		kept = [row for row in rows if not _concerns(discount, row)]
		rows = kept + _taken_off([row for row in rows if _concerns(discount, row)], discount)
	return rows


def _concerns(discount: Discount, row: Expected) -> bool:
	return row.kind == RECURRING and discount.line in (None, line_id_of(row.subscription, row.line))


def _taken_off(rows: list[Expected], discount: Discount) -> list[Expected]:
	holding = _periods_held(rows, discount)
	held: dict[Span, list[Expected]] = defaultdict(list)
	done = []
	for row in rows:
		for part in cut(row, [day for day in (discount.since, discount.until) if day]):
			if row.price.period in holding and _holds(discount, part.span.start):
				held[row.price.period].append(part)
			else:
				done.append(part)
	for together in held.values():
		done += _by_amount(together, discount) if discount.amount else _by_percent(together, discount)
	return sorted(done, key=lambda row: (row.line, row.span))


def _periods_held(rows: Iterable[Expected], discount: Discount) -> set[Span]:
	periods = sorted({row.price.period for row in rows})
	if discount.periods is None:
		return set(periods)
	counted = [period for period in periods if discount.since is None or period.start >= discount.since]
	# A month and a year that begin together are both a first one.
	starts = sorted({period.start for period in counted})[: discount.periods]
	return {period for period in counted if period.start in starts}


def _holds(discount: Discount, day: date) -> bool:
	return (discount.since or day) <= day and (discount.until is None or day < discount.until)


def _by_percent(rows: Sequence[Expected], discount: Discount) -> list[Expected]:
	return [_less(row, row.price.full_amount * discount.percent / 100, discount) for row in rows]


def _by_amount(rows: Sequence[Expected], discount: Discount) -> list[Expected]:
	amount = discount.amount
	days = {day for row in rows for day in (row.span.start, row.span.end)}
	parts = [part for row in rows for part in cut(row, days)]
	totals: dict = defaultdict(lambda: ZERO)
	for part in parts:
		totals[_shares_with(part)] += part.price.full_amount
	shared = [
		_less(part, min(part.price.full_amount * amount / total, part.price.full_amount), discount)
		for part in parts
		if (total := totals[_shares_with(part)])
	]
	return list(joined(sorted(shared, key=lambda row: (row.line, row.span))))


def _shares_with(row: Expected) -> object:
	"""Rows cut at the same days share by their day; those of a whole period, never cut, by the period."""
	return row.span.start if row.price.prorate else row.price.period


def _less(row: Expected, amount: Decimal, discount: Discount) -> Expected:
	price = row.price
	taken = (*price.discounts, (discount.label, amount))
	return replace(row, price=replace(price, discount=price.discount + amount, discounts=taken))


def cut(row: Expected, days: Iterable[date]) -> list[Expected]:
	"""The row in parts that end at these days; one without proration stays whole."""
	return row.cut(days) if row.price.prorate else [row]


def joined(rows: Iterable[Expected]) -> Iterator[Expected]:
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
