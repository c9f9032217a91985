"""A price model as plain JSON values, which `read_model` reads back: the copy kept on an invoice row."""

from decimal import Decimal
from typing import Any

from subscriber_tv.core.money import plain
from subscriber_tv.core.pricing.kinds import BY_MODEL
from subscriber_tv.core.pricing.models import Free, PriceModel, Tier


def write_model(model: PriceModel) -> dict[str, Any]:
	"""The object `read_model` makes this model from. Bounds that a percentage has not are left out."""
	if isinstance(model, Free):
		return {"kind": "flat", "free": True}
	values = {name: _value(value) for name, value in vars(model).items() if value is not None}
	return {"kind": BY_MODEL[type(model)].name, **values}


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
