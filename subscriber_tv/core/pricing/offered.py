"""The price models an offer can name, as its form does, and the model made from the fields of a charge."""

from collections.abc import Sequence
from decimal import Decimal

from subscriber_tv.core.money import ZERO
from subscriber_tv.core.pricing.kinds import BY_MODEL, KINDS
from subscriber_tv.core.pricing.models import (
	Flat,
	Graduated,
	Package,
	PercentOf,
	PerUnit,
	PriceModel,
	Tier,
	Usage,
	Volume,
)

FLAT, PER_UNIT, GRADUATED, VOLUME, PACKAGE, USAGE, PERCENT_OF, PERCENTAGE = (kind.shown for kind in KINDS)

#: Priced in the table of tiers; the price of the charge itself stays empty.
TIERED = (GRADUATED, VOLUME)
#: Those that need more than one price.
SCHEMES = (*TIERED, PACKAGE, USAGE, PERCENT_OF, PERCENTAGE)
#: What a percentage is taken of: other charges, or amounts reported as usage.
PERCENTS = (PERCENT_OF, PERCENTAGE)

#: The base whose quantity picks the tier.
LINE, CONTRACT, PAYER, GROUP = "Line", "Contract", "Payer", "Group"


def model_of(
	name: str,
	unit_price: Decimal,
	*,
	tiers: Sequence[Tier] = (),
	block_size: Decimal = ZERO,
	free_units: Decimal = ZERO,
	allowance: Decimal = ZERO,
	percent: Decimal = ZERO,
	minimum: Decimal | None = None,
	maximum: Decimal | None = None,
) -> PriceModel:
	"""The model of a charge. ValueError for an unknown name.

	`unit_price` is the price of a block for a package and the fee of a period for usage, whose `tiers` price what is
	above the allowance. Both percentages are taken of a sum, that of other charges or of the amounts reported for a
	period, and their bounds hold for it.
	"""
	match name:
		case "Per Unit":
			return PerUnit(unit_price)
		case "Flat":
			return Flat(unit_price)
		case "Graduated":
			return Graduated(tuple(tiers))
		case "Volume":
			return Volume(tuple(tiers))
		case "Package":
			return Package(unit_price, block_size, free_units)
		case "Usage":
			return Usage(allowance, tuple(tiers), unit_price)
		case "Percent Of" | "Percentage":
			return PercentOf(percent, minimum, maximum)
	raise ValueError(f"unknown price model {name}")


def name_of(model: PriceModel) -> tuple[str, Decimal]:
	"""What a form shows of a model: its name, and its one price; zero where the model has more than one."""
	kind = BY_MODEL.get(type(model))
	if kind is None:
		return type(model).__name__, ZERO
	return kind.shown, getattr(model, kind.price) if kind.price else ZERO
