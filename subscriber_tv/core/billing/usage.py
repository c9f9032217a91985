"""Usage: what was consumed, rated for each anchor-aligned period and charged when the period closes.

	period   |============ 30 days ============|===============
	used     |  30          50           40    |   12     ...
	rated                                120 units, due here      a record of 15 that arrives later: 135 units,
	                                                              the next run charges what is missing on the same days

The sum of the period is compared with what stands invoiced for it, so a record that arrives late is a row of its own for
its old period, and usage taken back is credited. Where the price changes within a period, each price rates the days it
holds. Fee, allowance, free units and the bounds of a percentage have their share by days of a part of a period; without
proration they are whole, and the price of the first day rates the period. Days without charge (a trial, a pause) count
neither usage nor allowance; usage of days not served is not charged. Of a period begun elsewhere, in a contract taken
over, the days from its opening position on are rated here, with their share of fee, allowance and bounds in every case.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import groupby

from subscriber_tv.core.billing.chain import Chain, in_force, pieces_in, row_of, ruled, services
from subscriber_tv.core.billing.periods import Span, days_in, subtract
from subscriber_tv.core.billing.price import ONE_DAY, USAGE, Expected, OfferCharge, Offers, Refused
from subscriber_tv.core.billing.terms import Terms
from subscriber_tv.core.contracts.lines import Line
from subscriber_tv.core.contracts.timeline import Contract
from subscriber_tv.core.money import ZERO, round_money
from subscriber_tv.core.pricing.models import Percentage, PercentOf, PriceModel
from subscriber_tv.core.pricing.price import part_of, price_of


@dataclass(frozen=True)
class Usage:
	"""What was used of one charge of a contract line on one day of the site; `quantity` is in the unit of the charge.

	For a charge that is a percentage the quantity is an amount of money, net of VAT, in the contract's currency.
	"""

	line_id: str
	charge: str
	day: date
	quantity: Decimal


#: Usage by contract line and charge, in order of time.
Used = Mapping[tuple[str, str], Sequence[Usage]]

Piece = tuple[Line, OfferCharge, tuple[Span, ...]]


def by_charge(usage: Iterable[Usage]) -> Used:
	found: dict[tuple[str, str], list[Usage]] = defaultdict(list)
	for one in sorted(usage, key=lambda one: one.day):
		found[one.line_id, one.charge].append(one)
	return found


def usage_rows(
	contract: Contract, chain: Chain, until: date, terms: Terms, used: Used, places: int
) -> list[Expected]:
	"""One row for each period and price that comes to an amount, in periods that begin on or before `until`.

	Refused when the events of a percentage, or the amounts of one, are below zero.
	"""
	rows = []
	for served in services(contract):
		for reign, grid in ruled(contract, chain, served, terms):
			whole = Span(max(reign.start, contract.billed_through or reign.start), reign.end)
			for period in grid.periods(min(until, whole.end - ONE_DAY), whole.start):
				rows += _of_period(contract, chain, period, whole, terms, used, places)
	return rows


def _of_period(
	contract: Contract, chain: Chain, period: Span, days: Span, terms: Terms, used: Used, places: int
) -> Iterator[Expected]:
	for line, charge, spans in _pieces(chain, period, days, terms):
		events = _used_in(used.get((line.line_id, charge.code), ()), spans)
		shared = charge.prorate or _begun_elsewhere(contract, line, period, spans[0].start)
		model = part_of(charge.pricing, days_in(spans), period.days) if shared else charge.pricing
		row = row_of(
			contract,
			line,
			charge,
			Span(spans[0].start, spans[-1].end),
			period,
			min(period.end, days.end),
		)
		try:
			amount = round_money(_rated(model, events), places)
		except ValueError:
			raise Refused("usage_below_zero", subscription=contract.subscription, line=row.line) from None
		price = replace(row.price, quantity=sum(events, ZERO), prorate=False, rated=amount)
		yield replace(row, price=price)


def _pieces(chain: Chain, period: Span, days: Span, terms: Terms) -> Iterator[Piece]:
	"""The parts of the period at one price and under one Item each; without proration those of the first day hold."""
	pieces = [
		(line, charge, spans)
		for line, charge, span in pieces_in(chain, days)
		if (met := span.meet(period)) and (spans := subtract([met], terms.unbilled))
	]
	for _, group in groupby(pieces, key=_rated_as):
		together = list(group)
		line, charge, _ = together[0]
		yield line, charge, tuple(sorted(span for _, _, spans in together for span in spans))


def _begun_elsewhere(contract: Contract, line: Line, period: Span, first: date) -> bool:
	"""Whether the charge was served in this period before the opening position, which is its `first` day here."""
	if first != contract.billed_through:
		return False
	before = Span(max(period.start, in_force(line).start), first)
	return any(before.meet(served) for served in services(contract))


def period_of(
	contract: Contract, offers: Offers, terms: Terms, line_id: str, code: str, day: date
) -> Span | None:
	"""The whole period in which usage of a charge on that day is rated; None on a day without the charge."""
	chain = [
		(line, charge)
		for line in contract.lines
		for charge in offers.get(line.offer_version, ())
		if (line.line_id, charge.code, charge.kind) == (line_id, code, USAGE)
	]
	chain.sort(key=lambda part: part[0].start or date.min)
	for served in services(contract) if chain else ():
		for reign, grid in ruled(contract, chain, served, terms):
			if reign.start <= day < reign.end:
				return next((period for period in grid.periods(day, day) if day < period.end), None)
	return None


def _rated_as(piece: Piece) -> object:
	_, charge, _ = piece
	return charge.prorate and (charge.item, charge.pricing)


def _used_in(usage: Sequence[Usage], spans: tuple[Span, ...]) -> list[Decimal]:
	"""Years of daily records are looked through once for each period: only its own part of them."""
	found: list[Decimal] = []
	for span in spans:
		first = bisect_left(usage, span.start, key=_day)
		found += [one.quantity for one in usage[first : bisect_left(usage, span.end, key=_day)]]
	return found


def _day(one: Usage) -> date:
	return one.day


def _rated(model: PriceModel, events: Sequence[Decimal]) -> Decimal:
	"""A percentage is taken of each event, or of their sum within bounds; every other model prices their sum."""
	if isinstance(model, Percentage | PercentOf):
		return price_of(model, events).amount
	return price_of(model, max(sum(events, ZERO), ZERO)).amount
