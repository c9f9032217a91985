"""Reads a price model from plain JSON values; whatever is wrong is told with its JSON path.

A price that is missing or zero is an error unless the model or tier says free.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from subscriber_tv.core.json_values import (
	MOST,
	BadValue,
	Fields,
	a_flag,
	a_list,
	a_number,
	an_object,
	only,
)
from subscriber_tv.core.money import ZERO
from subscriber_tv.core.pricing.kinds import BY_NAME
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
	faults_of_tiers,
)


def read_model(value: Any, path: str = "$") -> PriceModel:
	"""The price model of a JSON object with `kind` and the fields of that kind. BadValue names what is wrong."""
	fields = an_object(value, path)
	name = fields.get("kind")
	if not isinstance(name, str) or name not in BY_NAME:
		raise BadValue(f"{path}.kind", "one of " + ", ".join(BY_NAME))
	kind = BY_NAME[name]
	may_be_free = kind.model not in OF_AMOUNTS
	only(fields, ("kind", *kind.fields, *(("free",) if may_be_free else ())), path)
	if a_flag(fields, "free", path):
		only(fields, ("kind", "free"), path, "a free model has no price: remove it, or free")
		return Free()
	return _READERS[kind.model](fields, path)


def read_given(model: PriceModel, value: Any, path: str) -> Decimal | tuple[Decimal, ...]:
	"""What is to be priced with `model`: a quantity, or for a percentage an amount or a list of amounts."""
	if not isinstance(model, OF_AMOUNTS):
		return a_number(value, path)
	if not isinstance(value, list):
		return (a_number(value, path),)
	least = -MOST if isinstance(model, PercentOf) else ZERO
	return tuple(
		a_number(item, f"{path}[{index}]", least=least) for index, item in enumerate(a_list(value, path))
	)


def _number(fields: Fields, name: str, path: str, default: Decimal | None = None) -> Decimal:
	if name not in fields and default is not None:
		return default
	if name not in fields:
		raise BadValue(f"{path}.{name}", "missing")
	return a_number(fields[name], f"{path}.{name}")


def _positive(fields: Fields, name: str, path: str, *, what: str) -> Decimal:
	number = _number(fields, name, path)
	if number == 0:
		raise BadValue(f"{path}.{name}", f"{what} is above zero")
	return number


def _price(fields: Fields, name: str, path: str) -> Decimal:
	if name not in fields:
		raise BadValue(f"{path}.{name}", "a price is missing; if none is meant, say free: true")
	number = a_number(fields[name], f"{path}.{name}")
	if number == 0:
		raise BadValue(f"{path}.{name}", "the price is zero; if that is meant, say free: true")
	return number


_WHY = {
	"no_tiers": "at least one tier is needed",
	"tier_order": "the bounds of the tiers must rise from above zero",
	"tier_open": "only the last tier is without a bound",
	"last_tier_bound": "the last tier must be without a bound: null",
	"tier_negative": "a price is never below zero",
	"tier_no_price": "a price is missing; if none is meant, say free: true",
	"tier_free_priced": "a free tier has no price: remove it, or free",
}


def _tiers(fields: Fields, name: str, path: str) -> tuple[Tier, ...]:
	path = f"{path}.{name}"
	if name not in fields:
		raise BadValue(path, "missing")
	rows = a_list(fields[name], path)
	tiers = tuple(_tier(row, f"{path}[{index}]") for index, row in enumerate(rows))
	for fault in faults_of_tiers(tiers):
		place = f"{path}[{fault.index}]" if tiers else path
		raise BadValue(f"{place}.{fault.field}" if fault.field else place, _WHY[fault.code])
	return tiers


def _tier(value: Any, path: str) -> Tier:
	fields = an_object(value, path)
	only(fields, ("up_to", "unit_price", "flat_fee", "free"), path)
	if "up_to" not in fields:
		raise BadValue(f"{path}.up_to", "missing; null for a tier without a bound")
	return Tier(
		up_to=None if fields["up_to"] is None else a_number(fields["up_to"], f"{path}.up_to"),
		unit_price=_number(fields, "unit_price", path, ZERO),
		flat_fee=_number(fields, "flat_fee", path, ZERO),
		free=a_flag(fields, "free", path),
	)


def _flat(fields: Fields, path: str) -> Flat:
	return Flat(_price(fields, "amount", path))


def _per_unit(fields: Fields, path: str) -> PerUnit:
	return PerUnit(_price(fields, "unit_price", path))


def _graduated(fields: Fields, path: str) -> Graduated:
	return Graduated(_tiers(fields, "tiers", path))


def _volume(fields: Fields, path: str) -> Volume:
	return Volume(_tiers(fields, "tiers", path))


def _package(fields: Fields, path: str) -> Package:
	return Package(
		block_price=_price(fields, "block_price", path),
		block_size=_positive(fields, "block_size", path, what="the size of a block"),
		free_units=_number(fields, "free_units", path, ZERO),
	)


def _usage(fields: Fields, path: str) -> Usage:
	return Usage(
		allowance=_number(fields, "allowance", path),
		overage=_tiers(fields, "overage", path),
		fee=_number(fields, "fee", path, ZERO),
	)


def _percent_of(fields: Fields, path: str) -> PercentOf:
	minimum, maximum = _bounds(fields, path)
	return PercentOf(_positive(fields, "percent", path, what="a percentage"), minimum, maximum)


def _percentage(fields: Fields, path: str) -> Percentage:
	minimum, maximum = _bounds(fields, path)
	free_events = _number(fields, "free_events", path, ZERO)
	if free_events != int(free_events):
		raise BadValue(f"{path}.free_events", "a whole number is needed")
	return Percentage(
		percent=_positive(fields, "percent", path, what="a percentage"),
		fixed=_number(fields, "fixed", path, ZERO),
		free_events=int(free_events),
		free_amount=_number(fields, "free_amount", path, ZERO),
		minimum=minimum,
		maximum=maximum,
	)


def _bounds(fields: Fields, path: str) -> tuple[Decimal | None, Decimal | None]:
	minimum = _number(fields, "minimum", path) if fields.get("minimum") is not None else None
	maximum = _number(fields, "maximum", path) if fields.get("maximum") is not None else None
	if minimum is not None and maximum is not None and maximum < minimum:
		raise BadValue(f"{path}.maximum", "the maximum is below the minimum")
	return minimum, maximum


_READERS: dict[type, Callable[[Fields, str], PriceModel]] = {
	Flat: _flat,
	PerUnit: _per_unit,
	Graduated: _graduated,
	Volume: _volume,
	Package: _package,
	Usage: _usage,
	PercentOf: _percent_of,
	Percentage: _percentage,
}
