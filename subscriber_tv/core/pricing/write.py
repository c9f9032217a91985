"""A price model as plain JSON values, which `read_model` reads back: the copy kept on an invoice row."""

from decimal import Decimal
from typing import Any

from subscriber_tv.core.money import plain
from subscriber_tv.core.pricing.models import (
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

_KINDS = {
	Flat: "flat",
	PerUnit: "per_unit",
	Graduated: "graduated",
	Volume: "volume",
	Package: "package",
	Usage: "usage",
	PercentOf: "percent_of",
	Percentage: "percentage",
}


def write_model(model: PriceModel) -> dict[str, Any]:
	"""The object `read_model` makes this model from. Bounds that a percentage has not are left out."""
	if isinstance(model, Free):
		return {"kind": "flat", "free": True}
	values = {name: _value(value) for name, value in vars(model).items() if value is not None}
	return {"kind": _KINDS[type(model)], **values}


def _value(value: Decimal | int | tuple[Tier, ...]) -> Any:
	if isinstance(value, tuple):
		return [_tier(tier) for tier in value]
	return plain(value) if isinstance(value, Decimal) else value


def _tier(tier: Tier) -> dict[str, Any]:
	return {
		"up_to": None if tier.up_to is None else plain(tier.up_to),
		"unit_price": plain(tier.unit_price),
		"flat_fee": plain(tier.flat_fee),
		"free": tier.free,
	}
