"""A charge of a contract line through time: the pieces of the line that bear it, and the days it rules."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from subscriber_tv.core.billing.periods import Grid, Span
from subscriber_tv.core.billing.price import (
	DEPOSIT,
	FAR,
	RECURRING,
	USAGE,
	Expected,
	OfferCharge,
	Offers,
	Price,
	Refused,
	line_key,
)
from subscriber_tv.core.billing.terms import Terms, grids
from subscriber_tv.core.contracts.lines import Line
from subscriber_tv.core.contracts.timeline import Contract
from subscriber_tv.core.pricing.models import (
	OF_AMOUNTS,
	Free,
	PercentOf,
	PerUnit,
	PriceModel,
	is_priced,
)
from subscriber_tv.core.pricing.offered import SCHEMES, name_of

#: The pieces of a line, in order of time, each with the charge it bears then.
Chain = Sequence[tuple[Line, OfferCharge]]
#: Chains by the name the charge keeps for ever and its kind, or PERCENT for a percentage of other charges.
Chains = Mapping[tuple[str, str], Chain]

PERCENT = "percent"

#: Kinds of charges that go by periods.
PERIODIC = (RECURRING, USAGE)


def chains_of(contract: Contract, offers: Offers) -> Chains:
	"""Every charge with its pieces of the line. Refused when a version or a price is missing."""
	chains: dict[tuple[str, str], list[tuple[Line, OfferCharge]]] = defaultdict(list)
	for line in contract.lines:
		if line.offer_version not in offers:
			raise Refused("no_offer", subscription=contract.subscription, offer_version=line.offer_version)
		for charge in at_prices_of(line, offers[line.offer_version]):
			_check_charge(contract, line, charge)
			key = line_key(contract.subscription, line.line_id, charge.code)
			chains[key, PERCENT if charge.of else charge.kind].append((line, charge))
	for chain in chains.values():
		chain.sort(key=lambda part: part[0].start or date.min)
	return chains


def at_prices_of(line: Line, charges: Iterable[OfferCharge]) -> Iterator[OfferCharge]:
	"""The charges of the offer at the prices negotiated or revised for this piece of the line."""
	prices = dict(line.prices)
	for charge in charges:
		if model := prices.get(charge.code):
			yield at_price(charge, model)
		else:
			yield charge


def at_price(charge: OfferCharge, model: PriceModel) -> OfferCharge:
	"""The charge at another price; a percentage of other charges may get a price of its own."""
	name, unit_price = name_of(model)
	return replace(
		charge,
		model=name,
		unit_price=unit_price,
		scheme=model if name in SCHEMES else None,
		free=isinstance(model, Free),
		of=charge.of if isinstance(model, PercentOf | Free) else (),
	)


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
	if not fits(charge):
		raise Refused("price_model", model=charge.model or type(pricing).__name__, **names)


def fits(charge: OfferCharge) -> bool:
	"""Whether this kind of charge has what its model prices: a quantity, units held, usage, or other charges."""
	pricing = charge.pricing
	if isinstance(pricing, Free):
		return True
	if charge.of:
		return charge.kind == RECURRING and isinstance(pricing, PercentOf)
	if charge.kind == DEPOSIT:
		return isinstance(pricing, PerUnit)
	return charge.kind == USAGE or not isinstance(pricing, OF_AMOUNTS)


def is_free(charge: OfferCharge) -> bool:
	return isinstance(charge.pricing, Free)


def in_force(line: Line) -> Span:
	return Span(line.start or date.min, line.end or FAR)


def services(contract: Contract) -> list[Span]:
	"""The days served, each service on its own."""
	return [Span(start, end or FAR) for start, end in contract.served()]


def ruled(contract: Contract, chain: Chain, served: Span, terms: Terms) -> list[tuple[Span, Grid]]:
	"""The grids of the charge with the days each rules; a service begun anew has its own, same anchor day."""
	intervals = [(line.start or served.start, charge.interval_months) for line, charge in chain]
	return grids(served, intervals, contract.anchor_day, terms)


def pieces_in(chain: Chain, days: Span) -> Iterator[tuple[Line, OfferCharge, Span]]:
	"""The pieces that are not free, with their part of `days`."""
	for line, charge in chain:
		if not is_free(charge) and (span := days.meet(in_force(line))):
			yield line, charge, span


def row_of(
	contract: Contract, line: Line, charge: OfferCharge, span: Span, period: Span, closes: date
) -> Expected:
	"""The row of `span` at the price of the whole `period`, due as the charge says."""
	late = charge.kind == USAGE or (charge.arrears and charge.kind == RECURRING)
	return Expected(
		subscription=contract.subscription,
		line=line_key(contract.subscription, line.line_id, charge.code),
		kind=charge.kind,
		span=span,
		price=price_of_piece(line, charge, period),
		due=closes if late else span.start,
		closes=closes,
	)


def price_of_piece(line: Line, charge: OfferCharge, period: Span) -> Price:
	return Price(
		offer_version=line.offer_version,
		charge_code=charge.code,
		item=charge.item,
		model=charge.model,
		unit_price=charge.unit_price,
		quantity=line.quantity,
		interval_months=charge.interval_months if charge.kind in PERIODIC else 0,
		period=period,
		description=charge.description,
		scheme=charge.scheme,
		prorate=charge.prorate,
		change=line.change,
	)
