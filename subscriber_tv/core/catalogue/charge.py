"""Checks of the charges of an offer version, one by one and against each other. Pure: problems are returned."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from subscriber_tv.core.money import ZERO
from subscriber_tv.core.pricing.offered import (
	FLAT,
	GRADUATED,
	LINE,
	PACKAGE,
	PER_UNIT,
	PERCENT_OF,
	PERCENTAGE,
	PERCENTS,
	TIERED,
	USAGE,
	VOLUME,
)

#: A charge code is part of the key of a billed period, so it stays short and free of separators.
CHARGE_CODE = re.compile(r"[A-Z0-9][A-Z0-9_-]{0,19}")

#: Contracts run up to five years; a longer cycle is a typing error.
MAX_INTERVAL_MONTHS = 60

RECURRING, ONE_OFF, OF_USAGE, DEPOSIT = "Recurring", "One-off", "Usage", "Deposit"
#: What each kind of charge may be priced by.
MODELS_OF: dict[str, tuple[str, ...]] = {
	RECURRING: (PER_UNIT, FLAT, GRADUATED, VOLUME, PACKAGE, PERCENT_OF),
	ONE_OFF: (PER_UNIT, FLAT, GRADUATED, VOLUME, PACKAGE),
	OF_USAGE: (PER_UNIT, GRADUATED, VOLUME, PACKAGE, USAGE, PERCENTAGE),
	DEPOSIT: (PER_UNIT,),
}


@dataclass(frozen=True)
class Charge:
	"""One charge of a version. `row` is its number as the user sees it.

	`of` are the codes a percentage is taken of; `minimum` and `maximum` are None where none is given.
	"""

	row: int
	code: str
	kind: str
	unit_price: Decimal
	free: bool = False
	interval_months: int = 1
	model: str = PER_UNIT
	block_size: Decimal = ZERO
	free_units: Decimal = ZERO
	allowance: Decimal = ZERO
	percent: Decimal = ZERO
	of: tuple[str, ...] = ()
	minimum: Decimal | None = None
	maximum: Decimal | None = None
	arrears: bool = False
	prorate: bool = True
	counts_over: str = LINE

	@property
	def tiered(self) -> bool:
		"""Whether its whole price stands in the table of tiers."""
		return self.model in TIERED and not self.free

	@property
	def has_tiers(self) -> bool:
		"""Whether a part of its price, if not all, stands in the table of tiers."""
		return self.model in (*TIERED, USAGE) and not self.free

	@property
	def percentage(self) -> bool:
		return self.model in PERCENTS


@dataclass(frozen=True)
class Problem:
	"""`code` of what is wrong, `row` of the table it is in (0: the document), `value` that offends.

	For `unused_field` the value is the name of the field, for those of a percentage the code that it names.
	"""

	code: str
	row: int = 0
	value: str = ""


def problems_of_charges(charges: Sequence[Charge], elsewhere: Collection[str] = ()) -> list[Problem]:
	"""What is wrong with each charge; `elsewhere` are the codes of charges that other offers bear."""
	problems: list[Problem] = []
	seen: set[str] = set()
	for charge in charges:
		problems += problems_of_charge(charge)
		if charge.code in seen:
			problems.append(Problem("duplicate_charge", charge.row, charge.code))
		seen.add(charge.code)
	return problems + list(_problems_of_bases(charges, elsewhere))


def problems_of_charge(charge: Charge) -> list[Problem]:
	"""What is wrong with one charge by itself."""
	problems = []
	if not CHARGE_CODE.fullmatch(charge.code):
		problems.append(Problem("charge_code", charge.row, charge.code))
	if charge.model not in MODELS_OF.get(charge.kind, ()):
		problems.append(Problem("model_of_kind", charge.row, charge.code))
	problems += _problems_of_price(charge)
	problems += _problems_of_blocks(charge)
	problems += _problems_of_percent(charge)
	problems += [Problem("unused_field", charge.row, name) for name in _unused(charge)]
	if _has_interval(charge) and not 1 <= charge.interval_months <= MAX_INTERVAL_MONTHS:
		problems.append(Problem("interval", charge.row, str(charge.interval_months)))
	return problems


def _has_interval(charge: Charge) -> bool:
	return charge.kind in (RECURRING, OF_USAGE) and charge.model != PERCENT_OF


def _problems_of_price(charge: Charge) -> list[Problem]:
	may_be_zero = charge.free or charge.has_tiers or charge.percentage
	if charge.unit_price < 0:
		return [Problem("negative_price", charge.row, charge.code)]
	if charge.unit_price == 0:
		return [] if may_be_zero else [Problem("zero_price", charge.row, charge.code)]
	if charge.free:
		return [Problem("priced_but_free", charge.row, charge.code)]
	if charge.tiered:
		return [Problem("priced_in_tiers", charge.row, charge.code)]
	return [Problem("unused_field", charge.row, "unit_price")] if charge.percentage else []


def _problems_of_blocks(charge: Charge) -> list[Problem]:
	if charge.model != PACKAGE:
		used = charge.block_size or charge.free_units
		return [Problem("blocks_unused", charge.row, charge.code)] if used else []
	problems = []
	if charge.block_size <= 0 and not charge.free:
		problems.append(Problem("block_size", charge.row, charge.code))
	if charge.free_units < 0:
		problems.append(Problem("free_units", charge.row, charge.code))
	return problems


def _problems_of_percent(charge: Charge) -> list[Problem]:
	problems = []
	if charge.percentage and not charge.free and charge.percent <= 0:
		problems.append(Problem("no_percent", charge.row, charge.code))
	if charge.minimum and charge.maximum and charge.maximum < charge.minimum:
		problems.append(Problem("bounds_reversed", charge.row, charge.code))
	if any((value or ZERO) < 0 for value in (charge.minimum, charge.maximum, charge.allowance)):
		problems.append(Problem("below_zero", charge.row, charge.code))
	return problems


def _unused(charge: Charge) -> Iterable[str]:
	"""Fields that hold something which nothing reads for this kind of charge and price model."""
	of_periods = charge.kind == RECURRING
	holds = {
		"allowance": charge.allowance and charge.model != USAGE,
		"percent": charge.percent and not charge.percentage,
		"of_charges": charge.of and charge.model != PERCENT_OF,
		"maximum": charge.maximum and not charge.percentage,
		"minimum": charge.minimum and not (of_periods or charge.percentage),
		"timing": charge.arrears and charge.kind in (ONE_OFF, DEPOSIT),
		"proration": not charge.prorate and (charge.kind in (ONE_OFF, DEPOSIT) or charge.model == PERCENT_OF),
		"counts_over": charge.counts_over != LINE and not (of_periods and charge.model in TIERED),
	}
	return (name for name, held in holds.items() if held)


def _problems_of_bases(charges: Sequence[Charge], elsewhere: Collection[str]) -> Iterable[Problem]:
	"""A percentage is taken of charges that are there, go by periods and are no percentage of it in turn."""
	by_code = {charge.code: charge for charge in charges}
	for charge in charges:
		if charge.model != PERCENT_OF or charge.free:
			continue
		if not charge.of:
			yield Problem("of_missing", charge.row, charge.code)
		for code in charge.of:
			if problem := _problem_of_base(by_code.get(code), code, elsewhere):
				yield Problem(problem, charge.row, code)
		if charge.code in _reached(charge, by_code):
			yield Problem("of_itself", charge.row, charge.code)
		yield from _problems_of_intervals(charge, by_code)


def _problem_of_base(base: Charge | None, code: str, elsewhere: Collection[str]) -> str | None:
	if base is None:
		return None if code in elsewhere else "of_unknown"
	return None if base.kind in (RECURRING, OF_USAGE) else "of_kind"


def _reached(charge: Charge, by_code: dict[str, Charge]) -> set[str]:
	"""Codes of all that this charge is a percentage of, and of what those are of in turn."""
	found: set[str] = set()
	open_codes = list(charge.of)
	while open_codes:
		code = open_codes.pop()
		if code not in found:
			found.add(code)
			open_codes += by_code[code].of if code in by_code else ()
	return found


def _problems_of_intervals(charge: Charge, by_code: dict[str, Charge]) -> Iterable[Problem]:
	"""Of recurring charges with one interval only: their periods are those of the percentage."""
	reached = [by_code[code] for code in sorted(_reached(charge, by_code)) if code in by_code]
	intervals = {
		base.interval_months for base in reached if base.kind == RECURRING and base.model != PERCENT_OF
	}
	if len(intervals) > 1:
		yield Problem("of_intervals", charge.row, charge.code)
