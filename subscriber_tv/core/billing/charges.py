"""What a contract should have been charged from its first day up to a horizon.

Rules (design, "Conventions of money, time and stock"): a one-off charge once, on the first served day of its line; a
recurring charge one row per anchor-aligned period and at most for the days served, due when the row begins or, in
arrears, when its period closes. A part of a period costs its actual days over the actual days of the whole period;
quantity times unit price comes first and each row is rounded once. Nothing before `billed_through`, the opening
position of a contract taken over.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date

from subscriber_tv.core.billing.discounts import discounted
from subscriber_tv.core.billing.minimum import true_ups
from subscriber_tv.core.billing.periods import Span, subtract
from subscriber_tv.core.billing.price import (
	FAR,
	ONE_DAY,
	ONE_OFF,
	RECURRING,
	Expected,
	OfferCharge,
	Offers,
	Price,
	Refused,
	line_key,
)
from subscriber_tv.core.billing.terms import NO_TERMS, Terms, grids
from subscriber_tv.core.contracts.lines import Line
from subscriber_tv.core.contracts.timeline import Contract
from subscriber_tv.core.pricing.models import Free, is_priced
from subscriber_tv.core.pricing.offered import SCHEMES, name_of

Chain = Sequence[tuple[Line, OfferCharge]]


def expected_charges(
	contract: Contract, offers: Offers, until: date, terms: Terms = NO_TERMS, places: int = 2
) -> tuple[Expected, ...]:
	"""Every row of the contract that begins on or before `until`, in the order of line and time.

	`offers` holds the charges of each offer version the contract names, `places` the decimals of its currency, in
	which a minimum is compared with the rows. Refused when a version is missing, a price is zero and not declared
	free, or two rows of one charge would hold the same day.
	"""
	chains = _chains(contract, offers)
	rows = [row for chain in chains.values() for row in _chain_rows(contract, chain, until, terms)]
	rows = discounted(rows, terms.discounts)
	minimums = {key: next((c.minimum for _, c in chain if c.minimum), None) for key, chain in chains.items()}
	rows += true_ups(rows, {key: least for key, least in minimums.items() if least}, terms.minimum, places)
	rows = [kept for row in rows if (kept := _from_opening(row, contract.billed_through))]
	rows = [row for row in rows if row.span.start <= until]
	rows.sort(key=lambda row: (row.line, row.kind, row.span))
	_check_overlap(rows)
	return tuple(rows)


def _chains(contract: Contract, offers: Offers) -> dict[str, Chain]:
	"""The charges that are not free by the name they keep for ever, each with its lines in order of time."""
	chains: dict[str, list[tuple[Line, OfferCharge]]] = defaultdict(list)
	for line in contract.lines:
		if line.offer_version not in offers:
			raise Refused("no_offer", subscription=contract.subscription, offer_version=line.offer_version)
		for charge in at_prices_of(line, offers[line.offer_version]):
			_check_charge(contract, line, charge)
			chains[line_key(contract.subscription, line.line_id, charge.code)].append((line, charge))
	for chain in chains.values():
		chain.sort(key=lambda part: part[0].start or date.min)
	return chains


def at_prices_of(line: Line, charges: Iterable[OfferCharge]) -> Iterator[OfferCharge]:
	"""The charges of the offer at the prices negotiated or revised for this piece of the line."""
	prices = dict(line.prices)
	for charge in charges:
		if model := prices.get(charge.code):
			name, unit_price = name_of(model)
			scheme = model if name in SCHEMES else None
			yield replace(
				charge, model=name, unit_price=unit_price, scheme=scheme, free=isinstance(model, Free)
			)
		else:
			yield charge


def _check_charge(contract: Contract, line: Line, charge: OfferCharge) -> None:
	names = {
		"subscription": contract.subscription,
		"offer_version": line.offer_version,
		"charge": charge.code,
	}
	try:
		pricing = charge.pricing
	except ValueError:
		raise Refused("price_model", model=charge.model, **names) from None
	if not is_priced(pricing):
		raise Refused("no_price", **names)


def _is_free(charge: OfferCharge) -> bool:
	return isinstance(charge.pricing, Free)


def _chain_rows(contract: Contract, chain: Chain, until: date, terms: Terms) -> list[Expected]:
	"""The rows of one charge, at its own discounts, in order of time."""
	rows: list[Expected] = []
	for start, end in contract.served():
		served = Span(start, end or FAR)
		if chain[0][1].kind == ONE_OFF:
			rows += _one_off(contract, chain, served)
		else:
			rows += _recurring(contract, chain, served, until, terms)
	rows.sort(key=lambda row: row.span)
	if chain[0][1].kind == ONE_OFF:
		return rows[:1]  # neither a new quantity nor a reactivation charges it again
	if not chain[0][1].prorate:
		rows = _whole_periods(rows)
	return discounted(rows, chain[0][1].discounts)


def _one_off(contract: Contract, chain: Chain, served: Span) -> Iterator[Expected]:
	for line, charge in chain:
		if (span := _in_force(line).meet(served)) and not _is_free(charge):
			day = Span(span.start, span.start + ONE_DAY)
			yield _row(contract, line, charge, day, day, served)


def _recurring(
	contract: Contract, chain: Chain, served: Span, until: date, terms: Terms
) -> Iterator[Expected]:
	"""A service that begins anew after an end has its own grid, same anchor day."""
	intervals = [(line.start or served.start, charge.interval_months) for line, charge in chain]
	ruled = grids(served, intervals, contract.anchor_day, terms)
	for (line, charge), (reign, grid) in itertools.product(chain, ruled):
		if _is_free(charge) or not (span := reign.meet(_in_force(line))):
			continue
		charged = subtract([span], terms.unbilled)
		for period in grid.periods(min(until, span.end - ONE_DAY), span.start):
			for part in charged:
				if row := period.meet(part):
					yield _row(contract, line, charge, row, period, served)


def _in_force(line: Line) -> Span:
	return Span(line.start or date.min, line.end or FAR)


def _row(
	contract: Contract, line: Line, charge: OfferCharge, span: Span, period: Span, served: Span
) -> Expected:
	closes = min(period.end, served.end)
	return Expected(
		subscription=contract.subscription,
		line=line_key(contract.subscription, line.line_id, charge.code),
		kind=charge.kind,
		span=span,
		price=_price(line, charge, period),
		due=closes if charge.arrears and charge.kind == RECURRING else span.start,
		closes=closes,
	)


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
		scheme=charge.scheme,
		prorate=charge.prorate,
		change=line.change,
	)


def _whole_periods(rows: Sequence[Expected]) -> list[Expected]:
	"""One row a period, from its first day charged to its last, at the price of the first.

	Days of a period that come back after others have a row of their own; in its cell they are paid already.
	"""
	kept: list[Expected] = []
	for row in rows:
		if kept and kept[-1].price.period == row.price.period:
			kept[-1] = replace(kept[-1], span=Span(kept[-1].span.start, row.span.end))
		else:
			kept.append(row)
	return kept


def _from_opening(row: Expected, billed_through: date | None) -> Expected | None:
	if billed_through is None:
		return row
	span = row.span.meet(Span(billed_through, FAR))
	return replace(row, span=span, due=max(row.due, span.start)) if span else None


def _check_overlap(rows: Iterable[Expected]) -> None:
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
