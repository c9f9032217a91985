"""The charges of an offer version as rows of a file: their tiers, and the cell that a problem of the version is in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from subscriber_tv.core.catalogue.charge import Problem
from subscriber_tv.core.imports.rows import OfferRow
from subscriber_tv.core.money import ZERO
from subscriber_tv.core.pricing.models import Tier

#: Column that each problem of a charge is put right in; `unused_field` names its column itself.
COLUMNS = {
	"charge_code": "charge_code",
	"duplicate_charge": "charge_code",
	"negative_price": "unit_price",
	"zero_price": "unit_price",
	"priced_but_free": "unit_price",
	"priced_in_tiers": "unit_price",
	"block_size": "block_size",
	"free_units": "free_units",
	"blocks_unused": "block_size",
	"interval": "interval_months",
	"model_of_kind": "price_model",
	"no_percent": "percent",
	"bounds_reversed": "maximum",
	"below_zero": "minimum",
	"of_missing": "of_charges",
	"of_unknown": "of_charges",
	"of_kind": "of_charges",
	"of_itself": "of_charges",
	"of_intervals": "of_charges",
}
#: Columns of the version itself, which are the same in all its rows.
VERSION_COLUMNS = {
	"dates_reversed": "valid_upto",
	"no_bouquets": "bouquets",
	"duplicate_bouquet": "bouquets",
	"empty_bouquet": "bouquets",
	"bouquet_disabled": "bouquets",
}


@dataclass(frozen=True)
class Placed:
	"""A problem in one cell. Its `row` is what the sentence counts: the line of the file, or the tier within the cell."""

	line: int
	column: str
	problem: Problem


def tiers_of(row: OfferRow) -> tuple[Tier, ...]:
	"""The tiers of a row whose cell was read without a problem."""
	return tuple(_tier(text) for text in row.tiers)


def is_free(row: OfferRow) -> bool:
	"""A price of 0 says that the charge costs nothing, unless another column prices it."""
	return row.unit_price == 0 and not (row.tiers or row.percent)


def place(problems: Iterable[Problem], rows: Sequence[OfferRow]) -> list[Placed]:
	"""Where in the file each problem of the version is, whose charges and tiers are those of `rows` in their order."""
	return [_placed(problem, rows) for problem in problems]


def _placed(problem: Problem, rows: Sequence[OfferRow]) -> Placed:
	if problem.code in VERSION_COLUMNS:
		return Placed(rows[0].line, VERSION_COLUMNS[problem.code], problem)
	if problem.code == "no_tiers":
		return _in_charge(problem, rows, "tiers")
	if "tier_" in problem.code:
		return _in_tiers(problem, rows)
	column = problem.value if problem.code == "unused_field" else COLUMNS.get(problem.code, "")
	return _in_charge(problem, rows, column)


def _in_charge(problem: Problem, rows: Sequence[OfferRow], column: str) -> Placed:
	line = rows[problem.row - 1].line if problem.row else rows[0].line
	return Placed(line, column, replace(problem, row=line))


def _in_tiers(problem: Problem, rows: Sequence[OfferRow]) -> Placed:
	"""The tiers of a version are numbered through; a user counts those of one cell."""
	number = problem.row
	for row in rows:
		if number <= len(row.tiers):
			return Placed(row.line, "tiers", replace(problem, row=number))
		number -= len(row.tiers)
	raise IndexError(problem.row)


def _tier(text: str) -> Tier:
	bound, price = (part.strip() for part in text.split(":"))
	up_to = None if bound == "*" else Decimal(bound)
	if price == "free":
		return Tier(up_to, free=True)
	unit_price, _plus, fee = price.partition("+")
	return Tier(up_to, _amount(unit_price), _amount(fee) if fee else ZERO)


def _amount(text: str) -> Decimal:
	return Decimal(text.strip().replace(",", "."))
