"""The price models an offer can name, as its form does, and the model made from the fields of a charge."""

from collections.abc import Sequence
from decimal import Decimal

from subscriber_tv.core.money import ZERO
from subscriber_tv.core.pricing.models import Flat, Graduated, Package, PerUnit, PriceModel, Tier, Volume

PER_UNIT = "Per Unit"
FLAT = "Flat"
GRADUATED = "Graduated"
VOLUME = "Volume"
PACKAGE = "Package"

#: Priced in the table of tiers; the price of the charge itself stays empty.
TIERED = (GRADUATED, VOLUME)
#: Those that need more than one price.
SCHEMES = (*TIERED, PACKAGE)


def model_of(
	name: str,
	unit_price: Decimal,
	*,
	tiers: Sequence[Tier] = (),
	block_size: Decimal = ZERO,
	free_units: Decimal = ZERO,
) -> PriceModel:
	"""The model of a charge; for a package `unit_price` is the price of a block. ValueError for an unknown name."""
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
	raise ValueError(f"unknown price model {name}")


def name_of(model: PriceModel) -> tuple[str, Decimal]:
	"""What a form shows of a model: its name, and its one price; zero where the model has more than one."""
	match model:
		case PerUnit(price):
			return PER_UNIT, price
		case Flat(price):
			return FLAT, price
		case Package():
			return PACKAGE, model.block_price
		case Graduated():
			return GRADUATED, ZERO
		case Volume():
			return VOLUME, ZERO
	return type(model).__name__, ZERO
