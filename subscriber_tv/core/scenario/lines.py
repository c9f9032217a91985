"""Reads the lines of a contract of a scenario: what is charged, by which price model, and how."""

from collections.abc import Mapping, Sequence
from typing import Any

from subscriber_tv.core.billing.price import DEPOSIT, ONE_OFF, RECURRING, USAGE
from subscriber_tv.core.billing.terms import Discount
from subscriber_tv.core.json_values import BadValue, Fields, a_flag, a_list, an_object, only
from subscriber_tv.core.money import ZERO
from subscriber_tv.core.pricing.models import PercentOf, PriceModel
from subscriber_tv.core.pricing.offered import CONTRACT, GROUP, LINE, PAYER
from subscriber_tv.core.pricing.read import read_model
from subscriber_tv.core.scenario.fields import (
	a_day,
	a_name,
	a_percent,
	a_whole,
	amount_or_none,
	an_amount,
	day_or_none,
	in_order,
	is_name,
	needed,
	one_of,
	percent_or,
	whole_or,
	word_or,
)
from subscriber_tv.core.scenario.model import LineTerms

FIELDS = (
	"id",
	"kind",
	"price",
	"quantity",
	"start",
	"end",
	"billing",
	"proration",
	"tax_percent",
	"discounts",
	"minimum",
	"of",
	"counts_over",
	"counts",
)
KINDS = (RECURRING, ONE_OFF, USAGE, DEPOSIT)
TIMINGS = ("advance", "arrears")
PRORATIONS = ("actual_days", "none")
REACHES = {"line": LINE, "contract": CONTRACT, "payer": PAYER, "group": GROUP}
TIERED = ("graduated", "volume")
#: Price models that say what a quantity costs in a period.
PERIODIC = ("flat", "per_unit", "graduated", "volume", "package")
#: The price models each kind of line knows.
MODELS: Mapping[str, tuple[str, ...]] = {
	RECURRING: (*PERIODIC, "percent_of"),
	ONE_OFF: PERIODIC,
	USAGE: ("per_unit", "graduated", "volume", "package", "usage", "percent_of", "percentage"),
	DEPOSIT: ("per_unit",),
}
_ALWAYS = ("id", "kind", "price", "start", "end", "tax_percent")
#: The fields each kind of line has, and why it has no others.
_OWN: Mapping[str, tuple[tuple[str, ...], str]] = {
	RECURRING: (("quantity", "billing", "proration", "discounts", "minimum", "counts_over", "counts"), ""),
	ONE_OFF: (("quantity",), "a one-off line has none: it is charged once, on its first day"),
	USAGE: (("proration",), "a line of usage has none: it is rated when its period closes"),
	DEPOSIT: (("quantity",), "a deposit has none: it is held and given back"),
}
_PERCENT = (("billing", "of"), "a percentage of other lines has none: it follows them")


def read_line(value: Any, path: str, contract: Fields, above: str, places: int) -> LineTerms:
	"""One line; what it does not say its contract, at the path `above`, may say. BadValue names what is wrong."""
	fields = an_object(value, path)
	only(fields, FIELDS, path)
	kind = word_or(fields, "kind", path, KINDS)
	price = price_of_line(needed(fields, "price", path), f"{path}.price", kind)
	percent = kind == RECURRING and isinstance(price, PercentOf)
	own, reason = _PERCENT if percent else _OWN[kind]
	only(fields, (*_ALWAYS, *own), path, reason or "only a percentage of other lines has it")
	start, end = day_or_none(fields, "start", path), day_or_none(fields, "end", path)
	in_order(start, end, f"{path}.end")
	arrears = kind == RECURRING and _inherited(fields, path, contract, above, "billing", TIMINGS) == "arrears"
	name = a_name(fields, path)
	return LineTerms(
		id=name,
		kind=kind,
		price=price,
		quantity=whole_or(fields, "quantity", path, 1, 0, 10_000_000),
		start=start,
		end=end,
		arrears=arrears,
		prorate=percent or _inherited(fields, path, contract, above, "proration", PRORATIONS) != "none",
		tax_percent=percent_or(fields, "tax_percent", path, percent_or(contract, "tax_percent", above, ZERO)),
		discounts=read_discounts(fields, path, places),
		minimum=amount_or_none(fields, "minimum", path, places),
		of=_names(fields, path) if percent else (),
		counts_over=_reach(fields, path),
		counts=_counted(fields, path) or name,
	)


def price_of_line(value: Any, path: str, kind: str) -> PriceModel:
	"""A price model that prices what a line of this kind has: a quantity, usage, units held or other lines."""
	model = read_model(value, path)
	if not value.get("free"):
		one_of(value["kind"], f"{path}.kind", MODELS[kind])
	return model


def check_bases(lines: Sequence[LineTerms], path: str) -> None:
	"""A percentage is taken of recurring lines and usage of its contract, and never of itself by any way."""
	by_id = {line.id: line for line in lines}
	for index, line in enumerate(lines):
		for place, name in enumerate(line.of):
			at = f"{path}.lines[{index}].of[{place}]"
			base = by_id[one_of(name, at, by_id)]
			if base.kind not in (RECURRING, USAGE):
				raise BadValue(at, "a percentage is taken of recurring lines and usage")
			if line.id in _reached(name, by_id):
				raise BadValue(at, "the line would be a percentage of itself")


def _reached(name: str, by_id: Mapping[str, LineTerms]) -> set[str]:
	found: set[str] = set()
	names = [name]
	while names:
		name = names.pop()
		if name not in found and name in by_id:
			found.add(name)
			names += by_id[name].of
	return found


def _names(fields: Fields, path: str) -> tuple[str, ...]:
	names = a_list(needed(fields, "of", path), f"{path}.of")
	if not names:
		raise BadValue(f"{path}.of", "at least one is needed")
	return tuple(names)


def _reach(fields: Fields, path: str) -> str:
	word = word_or(fields, "counts_over", path, tuple(REACHES))
	if word != "line" and fields["price"].get("kind") not in TIERED:
		raise BadValue(f"{path}.counts_over", "only a graduated or volume price has tiers that count")
	return REACHES[word]


def _counted(fields: Fields, path: str) -> str:
	return is_name(fields["counts"], f"{path}.counts") if fields.get("counts") is not None else ""


def _inherited(fields: Fields, path: str, contract: Fields, above: str, name: str, words: tuple) -> str:
	"""What the line says, else what its contract says, else the first of `words`."""
	if fields.get(name) is not None:
		return word_or(fields, name, path, words)
	return word_or(contract, name, above, words)


def read_discounts(fields: Fields, path: str, places: int) -> tuple[Discount, ...]:
	path = f"{path}.discounts"
	rows = a_list(fields.get("discounts") or [], path)
	return tuple(_discount(row, f"{path}[{index}]", places) for index, row in enumerate(rows))


def _discount(value: Any, path: str, places: int) -> Discount:
	fields = an_object(value, path)
	only(fields, ("percent", "amount", "once", "periods", "until"), path)
	if ("percent" in fields) == ("amount" in fields):
		raise BadValue(path, "either percent or amount is needed")
	if sum(name in fields for name in ("once", "periods", "until")) > 1:
		raise BadValue(path, "only one of once, periods and until can be meant; none of them: for ever")
	periods = a_whole(fields["periods"], f"{path}.periods", 1, 1200) if "periods" in fields else None
	return Discount(
		percent=a_percent(fields["percent"], f"{path}.percent") if "percent" in fields else ZERO,
		amount=an_amount(fields["amount"], f"{path}.amount", places) if "amount" in fields else ZERO,
		periods=1 if a_flag(fields, "once", path) else periods,
		until=a_day(fields["until"], f"{path}.until") if "until" in fields else None,
	)
