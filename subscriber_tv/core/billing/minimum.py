"""The least that recurring charges come to in a period: what is missing is charged when the period closes.

	period   |================ 30 days ================|   minimum 100.00
	charged  |====== 15 days, 30.00 ======|                minimum for 15 days 50.00
	true-up  |------------ 20.00 ---------|                due at the end of the period, or of the service

A later correction of a row changes what is missing: the old true-up is credited and the new one charged.

The minimum of a whole contract is held against the periods of its shortest recurring charge on the day it began, whatever
is added or changed later. Charges of those periods or shorter ones count as they are charged, others by their days:

	month    |== 30.00 ==|== 30.00 ==|== 30.00 ==|      minimum 100.00 a month
	year     |-- 31.00 --|-- 28.00 --|-- 31.00 --|...   365.00 a year, whether it is due whole or not
	true-up  |-- 39.00 --|-- 42.00 --|-- 39.00 --|
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import partial
from itertools import groupby

from subscriber_tv.core.billing.chain import Chains, in_force, is_free, services
from subscriber_tv.core.billing.periods import Span, days_in, union
from subscriber_tv.core.billing.price import MINIMUM, ONE_DAY, RECURRING, Expected, Price, line_key
from subscriber_tv.core.billing.terms import Terms, grids
from subscriber_tv.core.contracts.timeline import Contract
from subscriber_tv.core.money import ZERO, plain, round_money
from subscriber_tv.core.pricing.offered import FLAT

#: What a whole period of a row comes to at least.
LeastOf = Callable[[Expected], Decimal]

#: The place of the line in the name of a true-up of the whole contract.
WHOLE = "*"


#: The least of a whole period by the offer version in force; a version without one is not in it.
ByVersion = Mapping[str, Decimal]


@dataclass(frozen=True)
class Frame:
	"""A period of the minimum of a whole contract: a part of `whole`, which has its share by days."""

	whole: Span
	days: Span


def frames_of(contract: Contract, chains: Chains, until: date, terms: Terms) -> list[Frame]:
	"""The periods that a minimum of the whole contract is held against, those that begin on or before `until`."""
	if not terms.minimum:
		return []
	months = _months_at_first(contract, chains)
	return [
		Frame(period, days)
		for served in services(contract)
		for reign, grid in grids(served, [(served.start, months)], contract.anchor_day, terms)
		for period in grid.periods(min(until, reign.end - ONE_DAY), reign.start)
		if (days := period.meet(reign))
	]


def _months_at_first(contract: Contract, chains: Chains) -> int:
	"""The shortest interval of the recurring charges on the first day that one of them is served."""
	firsts = [
		(days.start, charge.interval_months)
		for (_, kind), chain in chains.items()
		if kind == RECURRING
		for line, charge in chain
		if not is_free(charge)
		for served in services(contract)
		if (days := served.meet(in_force(line)))
	]
	return min(firsts, default=(None, 1))[1]


def true_ups(
	rows: Iterable[Expected],
	by_line: Mapping[str, ByVersion],
	of_all: Decimal | None,
	frames: Sequence[Frame],
	places: int,
) -> list[Expected]:
	"""What is missing on each charge of `by_line`, and then on all of the contract in each of `frames`.

	Each day of a charge counts at the minimum of the offer version that is in force on it.
	"""
	recurring = [row for row in rows if row.kind == RECURRING]
	found: list[Expected] = []
	for line, leasts in by_line.items():
		of_line = [row for row in recurring if row.line == line]
		found += _missing(of_line, f"{line}:{MINIMUM.upper()}", partial(_of_version, leasts), places)
	if of_all and recurring:
		counted = [*recurring, *found]
		found += [row for frame in frames if (row := _of_frame(frame, counted, of_all, places))]
	return found


def _of_frame(frame: Frame, rows: Iterable[Expected], least: Decimal, places: int) -> Expected | None:
	"""What is missing to the least of a whole contract in one frame, on the days charged in it."""
	parts = [(row, days) for row in rows if (days := row.span.meet(frame.days))]
	if not parts:
		return None
	own = [(row, days) for row, days in parts if _lies_in(row.price.period, frame.whole)]
	longer = [(row, days) for row, days in parts if not _lies_in(row.price.period, frame.whole)]
	charged = _sum([row for row, _ in own], places) + sum((_share(*part) for part in longer), ZERO)
	prorate = any(row.price.prorate for row, _ in own or longer)
	days = days_in(union(span for _, span in parts)) if prorate else frame.whole.days
	short = round_money(least * days / frame.whole.days - charged, places)
	if short <= 0:
		return None
	together = [
		replace(row, span=days, closes=min(frame.whole.end, row.closes))
		for row, days in (*sorted(own, key=_since), *sorted(longer, key=_since))
	]
	whole = line_key(together[0].subscription, WHOLE, MINIMUM.upper())
	return _true_up(together, whole, short, prorate=prorate)


def _since(part: tuple[Expected, Span]) -> Span:
	return part[1]


def _lies_in(period: Span, whole: Span) -> bool:
	return whole.start <= period.start and period.end <= whole.end


def _share(row: Expected, days: Span) -> Decimal:
	"""What some days of a longer period come to, not rounded: the same days before and after it is known to end early."""
	return row.price.full_amount * days.days / row.price.period.days


def _of_version(leasts: ByVersion, row: Expected) -> Decimal:
	return leasts.get(row.price.offer_version, ZERO)


def _missing(rows: Iterable[Expected], line: str, least_of: LeastOf, places: int) -> Iterator[Expected]:
	"""Days of a period that come back after others, when an interval is changed and changed back, stand alone."""
	in_time = sorted(rows, key=lambda row: row.span.start)
	for period, parts in groupby(in_time, key=lambda row: row.price.period):
		together = list(parts)
		short = _least(together, period, least_of, places) - _sum(together, places)
		if short > 0:
			yield _true_up(together, line, short, prorate=together[0].price.prorate)


def _least(rows: Sequence[Expected], period: Span, least_of: LeastOf, places: int) -> Decimal:
	if not rows[0].price.prorate:
		return round_money(least_of(rows[0]), places)
	spans: dict[Decimal, list[Span]] = defaultdict(list)
	for row in rows:
		spans[least_of(row)].append(row.span)
	shares = (least * days_in(union(held)) for least, held in spans.items())
	return round_money(sum(shares, ZERO) / period.days, places)


def _sum(rows: Sequence[Expected], places: int) -> Decimal:
	"""As the rows will be charged: the days of one price and Item are rounded together."""
	days: dict[tuple, int] = defaultdict(int)
	prices: dict[tuple, Price] = {}
	for row in rows:
		price = row.price
		cell = (row.line, row.kind, price.period, price.item, price.prorate, plain(price.full_amount))
		days[cell] += row.span.days
		prices.setdefault(cell, price)
	return sum((prices[cell].value_of(count, places) for cell, count in days.items()), ZERO)


def _true_up(rows: Sequence[Expected], line: str, short: Decimal, *, prorate: bool) -> Expected:
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
		prorate=prorate,
		discount=ZERO,
		discounts=(),
		base=None,
		of=(),
	)
	return replace(rows[0], line=line, kind=MINIMUM, span=span, price=price, due=closes, closes=closes)
