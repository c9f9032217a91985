"""Deposits: a sum held for each unit, once, and given back when the unit goes. A debt to the subscriber, no income.

	units     |=== 10 ===|====== 12 ======|==== 7 ====|
	TVs there |=== 10 ===|====== 12 ======|= 9 =|= 7 ==|
	charged   10 x 50.00  2 x 50.00
	returned                              2 x 50.00 and 1 x 50.00, then 2 x 50.00

What came last goes first, but no more is given back than TVs of the operator have come back: a unit given up or ended is
held until its TV is returned. A unit keeps the deposit it was charged, whatever a later price says; one that comes back
after it was given back is charged anew. Nothing is discounted, deferred or counted in a minimum, a percentage or the
recurring revenue.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from subscriber_tv.core.billing.chain import Chain, pieces_in, row_of, services
from subscriber_tv.core.billing.periods import Span
from subscriber_tv.core.billing.price import FAR, ONE_DAY, Expected, OfferCharge
from subscriber_tv.core.contracts.lines import Line
from subscriber_tv.core.contracts.timeline import Contract


@dataclass(frozen=True)
class Held:
	"""A TV of the operator that is with the subscriber on the days of `span`; `line_id` is "" while it is bound to none."""

	line_id: str
	span: Span


@dataclass
class _Lot:
	"""Units whose deposit was charged on one day and not given back yet."""

	day: date
	line: Line
	charge: OfferCharge
	units: int


def deposit_rows(contract: Contract, chain: Chain, held: Iterable[Held] = ()) -> list[Expected]:
	"""One row for the units that came on one day and went on another: charged on `due`, given back on `closes`.

	`held` are the TVs that keep the deposits of this line.
	"""
	pieces = [piece for served in services(contract) for piece in pieces_in(chain, served)]
	there = [one.span for one in held]
	edges = [span for *_, span in pieces] + there
	lots: list[_Lot] = []
	rows: list[Expected] = []
	for day in sorted({day for span in edges for day in (span.start, span.end)}):
		piece = next((piece for piece in pieces if piece[2].start <= day < piece[2].end), None)
		wanted = piece[0].quantity if piece else 0
		kept = min(_units(lots), sum(span.start <= day < span.end for span in there))
		rows += _given_back(contract, lots, max(wanted, kept), day)
		if piece and (more := wanted - _units(lots)) > 0:
			lots.append(_Lot(day, piece[0], piece[1], more))
	rows += _given_back(contract, lots, 0, FAR)
	return sorted(rows, key=lambda row: row.span)


def held_for(line_id: str, held: Sequence[Held], lines_with_deposit: int) -> list[Held]:
	"""The TVs of a line; those bound to none are counted on it when no other line of the contract has a deposit."""
	return [one for one in held if one.line_id == line_id or (not one.line_id and lines_with_deposit == 1)]


def _units(lots: list[_Lot]) -> int:
	return sum(lot.units for lot in lots)


def _given_back(contract: Contract, lots: list[_Lot], left: int, day: date) -> Iterator[Expected]:
	"""Take units from the last lots until no more than `left` are held."""
	while (surplus := _units(lots) - left) > 0:
		lot = lots[-1]
		units = min(surplus, lot.units)
		lot.units -= units
		if not lot.units:
			lots.pop()
		yield _row(contract, lot, units, day)


def _row(contract: Contract, lot: _Lot, units: int, until: date) -> Expected:
	day = Span(lot.day, lot.day + ONE_DAY)
	row = row_of(contract, replace(lot.line, quantity=units), lot.charge, day, day, until)
	return replace(row, price=replace(row.price, prorate=False))
