"""A price model with every amount in it raised or lowered by one factor, rounded to a price one can print."""

from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal, localcontext

from subscriber_tv.core.money import EXACT, ZERO
from subscriber_tv.core.pricing.models import (
	Flat,
	Graduated,
	Package,
	PerUnit,
	PriceModel,
	Tier,
	Usage,
	Volume,
)

_MODES = {"Nearest": ROUND_HALF_UP, "Up": ROUND_UP, "Down": ROUND_DOWN}


@dataclass(frozen=True)
class PriceRounding:
	"""To a multiple of `step` (0.01, 0.05, 0.50 of the currency): the nearest, half away from zero, or up or down."""

	step: Decimal = Decimal("0.01")
	direction: str = "Nearest"

	def round(self, amount: Decimal) -> Decimal:
		"""An amount above zero never becomes zero: that would give the charge away."""
		with localcontext(EXACT):
			steps = (amount / self.step).quantize(Decimal(1), rounding=_MODES[self.direction])
			return max(steps, Decimal(1) if amount > 0 else ZERO) * self.step


def scaled(model: PriceModel, factor: Decimal, rounding: PriceRounding) -> PriceModel:
	"""The model with its prices times `factor`, each rounded; tiers and blocks keep their bounds and sizes.

	A percentage and what is free stay as they are: the one follows what it is taken of, the other has no price.
	"""

	def price(amount: Decimal) -> Decimal:
		with localcontext(EXACT):
			return rounding.round(amount * factor)

	match model:
		case Flat(amount):
			return Flat(price(amount))
		case PerUnit(amount):
			return PerUnit(price(amount))
		case Package():
			return replace(model, block_price=price(model.block_price))
		case Graduated(tiers) | Volume(tiers):
			return replace(model, tiers=_tiers(tiers, price))
		case Usage():
			return replace(model, fee=price(model.fee), overage=_tiers(model.overage, price))
	return model


def weight(model: PriceModel) -> Decimal:
	"""The sum of all prices in the model: two models of one shape are compared by it. Zero where nothing scales."""
	match model:
		case Flat(amount) | PerUnit(amount):
			return amount
		case Package():
			return model.block_price
		case Graduated(tiers) | Volume(tiers):
			return _weight(tiers)
		case Usage():
			return model.fee + _weight(model.overage)
	return ZERO


def _tiers(tiers: tuple[Tier, ...], price) -> tuple[Tier, ...]:
	return tuple(
		replace(tier, unit_price=price(tier.unit_price), flat_fee=price(tier.flat_fee)) for tier in tiers
	)


def _weight(tiers: tuple[Tier, ...]) -> Decimal:
	return sum((tier.unit_price + tier.flat_fee for tier in tiers), ZERO)
