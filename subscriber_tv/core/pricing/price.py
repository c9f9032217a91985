"""What a quantity costs: one function for every price model, with the parts its amount is made of.

Rules at the bounds: `up_to` is included, any fraction above it is in the next tier; no units at all still pay the
flat fee of the first tier; a graduated price adds the flat fee of each tier entered; a package counts started
blocks after the free units; an allowance is not overage until it is passed. Amounts are exact: the caller rounds once.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from functools import partial

from subscriber_tv.core.money import EXACT, ZERO
from subscriber_tv.core.pricing.models import (
	OF_AMOUNTS,
	Flat,
	Free,
	Graduated,
	Package,
	Percentage,
	PercentOf,
	PerUnit,
	PriceModel,
	Tier,
	Usage,
	Volume,
)

ONE = Decimal(1)


@dataclass(frozen=True)
class Part:
	"""One summand of a price: `quantity` times `unit_price` is `amount`.

	`what` is fee, units, blocks, free, percent, minimum or maximum. For percent the quantity is the amount it is taken
	of and the unit price the rate; minimum and maximum hold what they add or take. `tier` counts from 1, and `event`
	too; 0 where there is none.
	"""

	what: str
	quantity: Decimal
	unit_price: Decimal
	amount: Decimal
	tier: int = 0
	event: int = 0


@dataclass(frozen=True)
class Priced:
	"""An exact amount and the parts that add up to it."""

	amount: Decimal
	parts: tuple[Part, ...]


def price_of(model: PriceModel, given: Decimal | Sequence[Decimal]) -> Priced:
	"""Price `given`: a quantity, or for a percentage the amounts it is taken of, in their order.

	ValueError for a quantity or event below zero, for amounts whose sum is below zero, and for one kind of
	value in the place of the other.
	"""
	if isinstance(given, Decimal) == isinstance(model, OF_AMOUNTS):
		raise ValueError(
			"a percentage is taken of a list of amounts" if isinstance(given, Decimal) else "not a quantity"
		)
	with localcontext(EXACT):
		parts = tuple(_PRICERS[type(model)](model, given))
		return Priced(sum((part.amount for part in parts), ZERO), parts)


def part_of(model: PriceModel, days: int, whole: int) -> PriceModel:
	"""The model for `days` of a period of `whole` days: what is given for a period has its share by days.

	That are a fee, an allowance, free units and amounts, and the bounds of a percentage. Tiers, blocks and prices per
	unit or event stay whole.
	"""
	shared = {
		Usage: ("fee", "allowance"),
		Package: ("free_units",),
		PercentOf: ("minimum", "maximum"),
		Percentage: ("free_amount",),
	}.get(type(model), ())
	if days == whole:
		return model
	with localcontext(EXACT):
		values = {name: getattr(model, name) for name in shared}
		return replace(
			model, **{name: value * days / whole for name, value in values.items() if value is not None}
		)


def _part(what: str, quantity: Decimal, unit_price: Decimal, tier: int = 0, event: int = 0) -> Part:
	return Part(what, quantity, unit_price, quantity * unit_price, tier, event)


def _counted(pricer: Callable, model: PriceModel, quantity: Decimal) -> Iterator[Part]:
	if not (quantity.is_finite() and quantity >= 0):
		raise ValueError("a quantity is zero or above")
	return pricer(model, quantity)


def _free(model: Free, quantity: Decimal) -> Iterator[Part]:
	yield _part("free", quantity, ZERO)


def _flat(model: Flat, quantity: Decimal) -> Iterator[Part]:
	yield _part("fee", ONE, model.amount)


def _per_unit(model: PerUnit, quantity: Decimal) -> Iterator[Part]:
	yield _part("units", quantity, model.unit_price)


def _graduated(model: Graduated, quantity: Decimal) -> Iterator[Part]:
	return _through(model.tiers, quantity)


def _through(tiers: Sequence[Tier], quantity: Decimal) -> Iterator[Part]:
	"""Each tier entered: the first always, any other once the quantity is above the bound before it."""
	lower = ZERO
	for number, tier in enumerate(tiers, start=1):
		if number > 1 and quantity <= lower:
			return
		upper = quantity if tier.up_to is None else min(quantity, tier.up_to)
		yield from _tier_parts(tier, number, upper - lower)
		lower = upper if tier.up_to is None else tier.up_to


def _volume(model: Volume, quantity: Decimal) -> Iterator[Part]:
	for number, tier in enumerate(model.tiers, start=1):
		if tier.up_to is None or quantity <= tier.up_to:
			yield from _tier_parts(tier, number, quantity)
			return


def _tier_parts(tier: Tier, number: int, units: Decimal) -> Iterator[Part]:
	yield _part("units" if tier.unit_price else "free", units, tier.unit_price, number)
	if tier.flat_fee:
		yield _part("fee", ONE, tier.flat_fee, number)


def _package(model: Package, quantity: Decimal) -> Iterator[Part]:
	free = min(quantity, model.free_units)
	if free:
		yield _part("free", free, ZERO)
	whole, started = divmod(quantity - free, model.block_size)
	yield _part("blocks", whole + ONE if started else whole, model.block_price)


def _usage(model: Usage, quantity: Decimal) -> Iterator[Part]:
	if model.fee:
		yield _part("fee", ONE, model.fee)
	yield _part("free", min(quantity, model.allowance), ZERO)
	if quantity > model.allowance:
		yield from _through(model.overage, quantity - model.allowance)


def _percent_of(model: PercentOf, amounts: Sequence[Decimal]) -> Iterator[Part]:
	base = sum(amounts, ZERO)
	if not (base.is_finite() and base >= 0):
		raise ValueError("the amounts come to less than zero")
	part = _part("percent", base, model.percent.scaleb(-2))
	yield part
	yield from _bounded(part.amount, model, 0)


def _percentage(model: Percentage, amounts: Sequence[Decimal]) -> Iterator[Part]:
	left = model.free_amount
	for event, amount in enumerate(amounts, start=1):
		if not (amount.is_finite() and amount >= 0):
			raise ValueError("the amount of an event is zero or above")
		covered = amount if event <= model.free_events else min(amount, left)
		wholly_free = covered == amount and (event <= model.free_events or left > 0)
		if event > model.free_events:
			left -= covered
		if covered or wholly_free:
			yield _part("free", covered, ZERO, event=event)
		if not wholly_free:
			yield from _event(model, event, amount - covered)


def _event(model: Percentage, event: int, amount: Decimal) -> Iterator[Part]:
	parts = [_part("percent", amount, model.percent.scaleb(-2), event=event)]
	if model.fixed:
		parts.append(_part("fee", ONE, model.fixed, event=event))
	yield from parts
	yield from _bounded(sum((part.amount for part in parts), ZERO), model, event)


def _bounded(amount: Decimal, model: PercentOf | Percentage, event: int) -> Iterator[Part]:
	if model.minimum is not None and amount < model.minimum:
		yield _part("minimum", ONE, model.minimum - amount, event=event)
	elif model.maximum is not None and amount > model.maximum:
		yield _part("maximum", ONE, model.maximum - amount, event=event)


_PRICERS: dict[type, Callable] = {
	Free: partial(_counted, _free),
	Flat: partial(_counted, _flat),
	PerUnit: partial(_counted, _per_unit),
	Graduated: partial(_counted, _graduated),
	Volume: partial(_counted, _volume),
	Package: partial(_counted, _package),
	Usage: partial(_counted, _usage),
	PercentOf: _percent_of,
	Percentage: _percentage,
}
