"""What a contract should have been charged from its first day up to a horizon.

Rules (design, "Conventions of money, time and stock"): a one-off charge once, on the first served day of its
line; a recurring charge in advance, one row per anchor-aligned period and at most for the days served. A part of a
period costs its actual days over the actual days of the whole period; quantity times unit price comes first and
each row is rounded once. Nothing before `billed_through`, the opening position of a contract taken over.
"""

import itertools
from collections.abc import Iterable, Iterator
from datetime import date

from subscriber_tv.core.billing.periods import Grid, Span
from subscriber_tv.core.billing.price import (
	FAR,
	FLAT,
	ONE_DAY,
	ONE_OFF,
	PER_UNIT,
	RECURRING,
	Expected,
	OfferCharge,
	Offers,
	Price,
	Refused,
	line_key,
)
from subscriber_tv.core.contracts.timeline import Contract, Line


def expected_charges(contract: Contract, offers: Offers, until: date) -> tuple[Expected, ...]:
	"""Every row of the contract whose period begins on or before `until`, in the order of line and time.

	`offers` holds the charges of each offer version the contract names. Refused when a version is missing,
	a price is zero and not declared free, or two rows of one charge would hold the same day.
	"""
	rows = [
		row
		for line, charge in _line_charges(contract, offers)
		for row in _rows(contract, line, charge, until)
		if not charge.free
	]
	rows = [kept for row in _once(rows) if (kept := _from_opening(row, contract.billed_through))]
	rows.sort(key=lambda row: (row.line, row.kind, row.span))
	_check_overlap(rows)
	return tuple(rows)


def _line_charges(contract: Contract, offers: Offers) -> Iterator[tuple[Line, OfferCharge]]:
	for line in contract.lines:
		if line.offer_version not in offers:
			raise Refused("no_offer", subscription=contract.subscription, offer_version=line.offer_version)
		for charge in offers[line.offer_version]:
			_check_charge(contract, line, charge)
			yield line, charge


def _check_charge(contract: Contract, line: Line, charge: OfferCharge) -> None:
	names = {
		"subscription": contract.subscription,
		"offer_version": line.offer_version,
		"charge": charge.code,
	}
	if charge.unit_price <= 0 and not charge.free:
		raise Refused("no_price", **names)
	if charge.model not in (PER_UNIT, FLAT):
		raise Refused("price_model", model=charge.model, **names)


def _rows(contract: Contract, line: Line, charge: OfferCharge, until: date) -> Iterator[Expected]:
	in_force = Span(line.start or date.min, line.end or FAR)
	for start, end in contract.served():
		served = Span(start, end or FAR)
		if not (span := served.meet(in_force)):
			continue
		spans = _one_off(span) if charge.kind == ONE_OFF else _recurring(contract, charge, served, until)
		for period in spans:
			if (row := period.meet(span)) and row.start <= until:
				yield Expected(
					contract.subscription,
					line_key(contract.subscription, line.line_id, charge.code),
					charge.kind,
					row,
					_price(line, charge, period),
				)


def _one_off(span: Span) -> tuple[Span, ...]:
	return (Span(span.start, span.start + ONE_DAY),)


def _recurring(contract: Contract, charge: OfferCharge, served: Span, until: date) -> Iterator[Span]:
	"""Whole periods of the service. A service that begins anew after an end has its own grid, same anchor day."""
	anchor_day = contract.anchor_day or served.start.day
	return Grid(served.start, anchor_day, charge.interval_months).periods(until)


def _price(line: Line, charge: OfferCharge, period: Span) -> Price:
	return Price(
		offer_version=line.offer_version,
		charge_code=charge.code,
		item=charge.item,
		model=charge.model,
		unit_price=charge.unit_price,
		quantity=line.quantity,
		interval_months=charge.interval_months if charge.kind == RECURRING else 0,
		period=period,
		description=charge.description,
	)


def _once(rows: Iterable[Expected]) -> Iterator[Expected]:
	"""Keep only the first row of each one-off charge: neither a new quantity nor a reactivation bills it again."""
	seen: set[str] = set()
	for row in sorted(rows, key=lambda row: row.span):
		if row.kind == ONE_OFF:
			if row.line in seen:
				continue
			seen.add(row.line)
		yield row


def _from_opening(row: Expected, billed_through: date | None) -> Expected | None:
	if billed_through is None:
		return row
	span = row.span.meet(Span(billed_through, FAR))
	return Expected(row.subscription, row.line, row.kind, span, row.price) if span else None


def _check_overlap(rows: list[Expected]) -> None:
	"""Safety limit: no two charges for one line and day. `rows` are sorted by line, kind and time."""
	for before, after in itertools.pairwise(rows):
		same_line = (before.line, before.kind) == (after.line, after.kind)
		if same_line and after.span.start < before.span.end:
			raise Refused(
				"overlap",
				subscription=after.subscription,
				line=after.line,
				day=after.span.start.isoformat(),
			)
