"""The price models: what a price is made of, before any quantity is known.

Amounts are Decimal, net of VAT, in one currency that the caller knows. Quantities are Decimal and may be fractions
(hours, gigabytes). Tiers have one shape for every model that has them. Nothing is rounded here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from subscriber_tv.core.money import ZERO


@dataclass(frozen=True)
class Tier:
	"""Units up to and including `up_to` (None: without end), each at `unit_price`, plus `flat_fee` once.

	`free` says that a tier without any price is meant.
	"""

	up_to: Decimal | None
	unit_price: Decimal = ZERO
	flat_fee: Decimal = ZERO
	free: bool = False


@dataclass(frozen=True)
class Free:
	"""Costs nothing, on purpose. The only model whose price may be zero."""


@dataclass(frozen=True)
class Flat:
	"""One amount, whatever the quantity."""

	amount: Decimal


@dataclass(frozen=True)
class PerUnit:
	"""Each unit at the same price."""

	unit_price: Decimal


@dataclass(frozen=True)
class Graduated:
	"""Each unit at the price of the tier it falls in, plus the flat fee of every tier entered."""

	tiers: tuple[Tier, ...]


@dataclass(frozen=True)
class Volume:
	"""All units at the price of the tier the whole quantity falls in, plus that tier's flat fee."""

	tiers: tuple[Tier, ...]


@dataclass(frozen=True)
class Package:
	"""Sold by blocks of `block_size` units: a started block is a whole one. `free_units` come before the first."""

	block_price: Decimal
	block_size: Decimal
	free_units: Decimal = ZERO


@dataclass(frozen=True)
class Usage:
	"""`fee` holds the first `allowance` units; units above it pass through `overage`, as a graduated price."""

	allowance: Decimal
	overage: tuple[Tier, ...]
	fee: Decimal = ZERO


@dataclass(frozen=True)
class PercentOf:
	"""`percent` of the sum of other lines, as they are billed: prorated, discounted and rounded.

	`minimum` and `maximum` hold for the sum, and the minimum also when there is nothing to take a percentage of.
	"""

	percent: Decimal
	minimum: Decimal | None = None
	maximum: Decimal | None = None


@dataclass(frozen=True)
class Percentage:
	"""`percent` of the amount of each event plus `fixed`, between `minimum` and `maximum` for the event.

	The first `free_events` are wholly free and use up nothing else; of those that follow, the first `free_amount` is
	free. A wholly free event bears neither the fixed part nor the minimum.
	"""

	percent: Decimal
	fixed: Decimal = ZERO
	free_events: int = 0
	free_amount: Decimal = ZERO
	minimum: Decimal | None = None
	maximum: Decimal | None = None


PriceModel = Free | Flat | PerUnit | Graduated | Volume | Package | Usage | PercentOf | Percentage

#: Models priced from a list of amounts; the others are priced from one quantity.
OF_AMOUNTS = (PercentOf, Percentage)


@dataclass(frozen=True)
class TierFault:
	"""What is wrong with the tier at `index`. `field` is the one to look at, "" for the tier as a whole.

	Codes: no_tiers (index 0 of an empty table), tier_order, tier_open (one before the last has no bound),
	last_tier_bound, tier_negative, tier_no_price, tier_free_priced.
	"""

	code: str
	index: int = 0
	field: str = ""


def faults_of_tiers(tiers: Sequence[Tier]) -> list[TierFault]:
	"""Everything that keeps a table of tiers from having one price for every quantity; empty when all is well."""
	if not tiers:
		return [TierFault("no_tiers")]
	faults = []
	lower = ZERO
	for index, tier in enumerate(tiers):
		faults += _faults_of_bound(tier, lower, index, last=index == len(tiers) - 1)
		faults += _faults_of_price(tier, index)
		lower = tier.up_to if tier.up_to is not None else lower
	return faults


def _faults_of_bound(tier: Tier, lower: Decimal, index: int, *, last: bool) -> list[TierFault]:
	if last:
		return [] if tier.up_to is None else [TierFault("last_tier_bound", index, "up_to")]
	if tier.up_to is None:
		return [TierFault("tier_open", index, "up_to")]
	return [] if tier.up_to > lower else [TierFault("tier_order", index, "up_to")]


def _faults_of_price(tier: Tier, index: int) -> list[TierFault]:
	faults = [
		TierFault("tier_negative", index, field)
		for field in ("unit_price", "flat_fee")
		if getattr(tier, field) < 0
	]
	if faults:
		return faults
	priced = bool(tier.unit_price or tier.flat_fee)
	if not priced and not tier.free:
		return [TierFault("tier_no_price", index)]
	return [TierFault("tier_free_priced", index, "free")] if priced and tier.free else []


def is_priced(model: PriceModel) -> bool:
	"""Whether the model can price a quantity without a price being missing or zero, save where it says free."""
	match model:
		case Free():
			return True
		case Graduated(tiers) | Volume(tiers):
			return not faults_of_tiers(tiers)
		case Usage():
			return not faults_of_tiers(model.overage)
		case Package():
			return model.block_price > 0 and model.block_size > 0
		case PercentOf() | Percentage():
			return model.percent > 0
		case Flat(price) | PerUnit(price):
			return price > 0
	raise TypeError(f"not a price model: {model!r}")
