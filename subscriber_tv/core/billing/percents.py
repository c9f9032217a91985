"""Charges that are a percentage of other charges of the contract, as those are billed: by days, less discounts, rounded.

	BASE 300.00 a month   |====== 150.00 ======|====== 180.00 ======|    12 units instead of 10 from the 16th
	10 % of BASE          |------- 15.00 ------|------- 18.00 ------|

A percentage follows the rows it is taken of: their periods, their days, and for usage each period's sum. It is due with
the last of them or, in arrears, when their period closes. Its bounds hold for each period of the recurring charges
together, by days in a part of one, and for the usage of a period on its own; without any row there is no percentage.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from subscriber_tv.core.billing.chain import PERCENT, Chain, Chains, pieces_in, price_of_piece, services
from subscriber_tv.core.billing.discounts import joined
from subscriber_tv.core.billing.periods import Span
from subscriber_tv.core.billing.price import (
	RECURRING,
	USAGE,
	Expected,
	OfferCharge,
	Refused,
	Share,
)
from subscriber_tv.core.contracts.lines import Line
from subscriber_tv.core.contracts.timeline import Contract
from subscriber_tv.core.money import round_money
from subscriber_tv.core.pricing.price import price_of

Piece = tuple[Line, OfferCharge, Span]


def percent_rows(contract: Contract, chains: Chains, rows: Iterable[Expected], places: int) -> list[Expected]:
	"""The rows of every charge that is a percentage of others; `rows` are those of all other charges.

	Refused when percentages are taken of each other, and when the periods of the charges of one overlap.
	"""
	percents = {key: chain for (key, kind), chain in chains.items() if kind == PERCENT}
	if not percents:
		return []
	by_line: dict[str, list[Expected]] = defaultdict(list)
	for row in rows:
		by_line[row.line].append(row)
	named = named_by(chains)
	found = []
	for key in _in_order(contract, percents, named):
		base = [row for name in named[key] for row in by_line[name]]
		made = list(_of_chain(contract, key, percents[key], base, places))
		by_line[key] += made
		found += made
	return found


def named_by(chains: Chains) -> Mapping[str, list[str]]:
	"""The names of the charges each percentage is taken of.

	A code is that of the same line if it bears one, else of every line; `LINE/CODE` is exactly one.
	"""
	keys = sorted({key for key, _ in chains})
	found = {}
	for (key, kind), chain in chains.items():
		if kind == PERCENT:
			names = {name for _, charge in chain for named in charge.of for name in _named(key, named, keys)}
			found[key] = sorted(names)
	return found


def _named(key: str, named: str, keys: Sequence[str]) -> list[str]:
	"""`key` is `CONTRACT/LINE/CODE` of the percentage, `keys` are all there are."""
	line = key.rpartition("/")[0]
	above = line.rpartition("/")[0] if "/" in named else line
	own = f"{above}/{named}"
	return [own] if own in keys else [other for other in keys if other.rpartition("/")[2] == named]


def _in_order(
	contract: Contract, percents: Mapping[str, Chain], named: Mapping[str, Sequence[str]]
) -> list[str]:
	"""Each percentage after those it is taken of."""
	done: list[str] = []

	def add(key: str, above: tuple[str, ...]) -> None:
		if key in above:
			raise Refused("percent_cycle", subscription=contract.subscription, line=key)
		if key in percents and key not in done:
			for name in named[key]:
				add(name, (*above, key))
			done.append(key)

	for key in percents:
		add(key, ())
	return done


def _of_chain(
	contract: Contract, key: str, chain: Chain, base: Sequence[Expected], places: int
) -> Iterator[Expected]:
	pieces = [piece for served in services(contract) for piece in pieces_in(chain, served)]
	pieces.sort(key=lambda piece: piece[2])
	recurring: dict[Span, list[Expected]] = defaultdict(list)
	usage: dict[Span, list[Expected]] = defaultdict(list)
	for row in base:
		if row.kind in (RECURRING, USAGE):
			(usage if row.kind == USAGE else recurring)[row.price.period].append(row)
	for rows in usage.values():
		yield from _of_usage(key, pieces, rows, places)
	found = [row for rows in recurring.values() for row in joined(_of_period(key, pieces, rows))]
	_check_periods(contract, key, found)
	yield from found


def _check_periods(contract: Contract, key: str, rows: Iterable[Expected]) -> None:
	"""Two periods at once would be two percentages of one day."""
	for before, after in pairwise(sorted(row.span for row in rows)):
		if after.start < before.end:
			raise Refused("percent_periods", subscription=contract.subscription, line=key)


def _of_period(key: str, pieces: Sequence[Piece], rows: Sequence[Expected]) -> Iterator[Expected]:
	"""The days cut wherever a row or the percentage itself begins or ends; a row that no days share counts once."""
	days = {day for row in rows for day in (row.span.start, row.span.end)}
	counted: set[int] = set()
	for line, charge, span in pieces:
		edges = sorted(day for day in {*days, span.start, span.end} if span.start <= day <= span.end)
		for start, end in pairwise(edges):
			held = [row for row in rows if row.span.start <= start < row.span.end and id(row) not in counted]
			counted |= {id(row) for row in held if not row.price.prorate}
			if held:
				yield _row(key, line, charge, Span(start, end), held)


def _row(key: str, line: Line, charge: OfferCharge, span: Span, held: Sequence[Expected]) -> Expected:
	closes = max(row.closes for row in held)
	late = [row.due for row in held if row.due != row.span.start]
	price = replace(
		price_of_piece(line, charge, held[0].price.period),
		quantity=1,
		interval_months=held[0].price.interval_months,
		prorate=any(row.price.prorate for row in held),
		of=tuple(Share(row.line, row.price.full_amount, row.price.prorate) for row in held),
	)
	return Expected(
		held[0].subscription,
		key,
		RECURRING,
		span,
		price,
		closes if charge.arrears else max([span.start, *late]),
		closes,
	)


def _of_usage(key: str, pieces: Sequence[Piece], rows: Sequence[Expected], places: int) -> Iterator[Expected]:
	"""Of the sum of all usage of a period, at the percentage in force on its last day; late usage moves both."""
	whole = Span(min(row.span.start for row in rows), max(row.span.end for row in rows))
	for line, charge, span in pieces:
		if span.start < whole.end <= span.end:
			amounts = [row.price.value_of(1, places) for row in rows]
			price = replace(
				price_of_piece(line, charge, rows[0].price.period),
				quantity=1,
				prorate=False,
				of=tuple(
					Share(row.line, amount, prorate=False) for row, amount in zip(rows, amounts, strict=True)
				),
				rated=round_money(price_of(charge.pricing, amounts).amount, places),
			)
			due, closes = max(row.due for row in rows), max(row.closes for row in rows)
			yield replace(rows[0], line=key, span=whole, price=price, due=due, closes=closes)
