"""Deposits: a sum held for each unit, once, and given back when the unit goes. A debt to the subscriber, no income.

	units     |=== 10 ===|====== 12 ======|== 7 ==|
	charged   10 x 50.00  2 x 50.00
	returned                              2 x 50.00 and 3 x 50.00       the rest at the end of the service

What came last goes first. A unit keeps the deposit it was charged, whatever a later price says; one that comes back
after an end is charged anew. Nothing is discounted, deferred or counted in a minimum, a percentage or the revenue.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from subscriber_tv.core.billing.chain import Chain, pieces_in, row_of, services
from subscriber_tv.core.billing.periods import Span
from subscriber_tv.core.billing.price import ONE_DAY, Expected, OfferCharge
from subscriber_tv.core.contracts.lines import Line
from subscriber_tv.core.contracts.timeline import Contract


@dataclass
class _Lot:
	"""Units whose deposit was charged on one day and not given back yet."""

	day: date
	line: Line
	charge: OfferCharge
	units: int


def deposit_rows(contract: Contract, chain: Chain) -> list[Expected]:
	"""One row for the units that came on one day and went on another: charged on `due`, given back on `closes`."""
	rows: list[Expected] = []
	for served in services(contract):
		held: list[_Lot] = []
		last = served.start
		for line, charge, span in sorted(pieces_in(chain, served), key=lambda piece: piece[2]):
			if span.start > last:
				rows += _given_back(contract, held, 0, last)
			rows += _given_back(contract, held, line.quantity, span.start)
			more = line.quantity - _units(held)
			if more > 0:
				held.append(_Lot(span.start, line, charge, more))
			last = span.end
		rows += _given_back(contract, held, 0, last)
	return sorted(rows, key=lambda row: row.span)


def _units(held: list[_Lot]) -> int:
	return sum(lot.units for lot in held)


def _given_back(contract: Contract, held: list[_Lot], left: int, day: date) -> Iterator[Expected]:
	"""Take units from the last lots until no more than `left` are held."""
	while (surplus := _units(held) - left) > 0:
		lot = held[-1]
		units = min(surplus, lot.units)
		lot.units -= units
		if not lot.units:
			held.pop()
		yield _row(contract, lot, units, day)


def _row(contract: Contract, lot: _Lot, units: int, until: date) -> Expected:
	day = Span(lot.day, lot.day + ONE_DAY)
	row = row_of(contract, replace(lot.line, quantity=units), lot.charge, day, day, until)
	return replace(row, price=replace(row.price, prorate=False))
