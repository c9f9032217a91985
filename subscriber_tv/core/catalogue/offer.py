"""Checks of an offer version before it may be sold, and of a sale against it. Pure: problems are returned.

A problem carries a code and what is needed to word it; the desk turns it into a sentence in the user's language.
Prices are Decimal, net of VAT, in the currency of the version.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from subscriber_tv.core.money import ZERO
from subscriber_tv.core.pricing.models import Tier, faults_of_tiers
from subscriber_tv.core.pricing.offered import PACKAGE, PER_UNIT, TIERED

#: A charge code is part of the key of a billed period, so it stays short and free of separators.
CHARGE_CODE = re.compile(r"[A-Z0-9][A-Z0-9_-]{0,19}")
OFFER_CODE = re.compile(r"[A-Z0-9][A-Z0-9_.-]{0,39}")

#: Contracts run up to five years; a longer cycle is a typing error.
MAX_INTERVAL_MONTHS = 60


@dataclass(frozen=True)
class Charge:
	"""One charge of a version. `row` is its number as the user sees it."""

	row: int
	code: str
	kind: str
	unit_price: Decimal
	free: bool = False
	interval_months: int = 1
	model: str = PER_UNIT
	block_size: Decimal = ZERO
	free_units: Decimal = ZERO

	@property
	def tiered(self) -> bool:
		"""Whether its price stands in the table of tiers."""
		return self.model in TIERED and not self.free


@dataclass(frozen=True)
class TierRow:
	"""One row of the table of tiers, of the charge that bears `charge`."""

	row: int
	charge: str
	tier: Tier


@dataclass(frozen=True)
class Version:
	"""What is checked of an offer version. `bouquets` are (code, number of channels, disabled)."""

	offer: str
	charges: tuple[Charge, ...]
	bouquets: tuple[tuple[str, int, bool], ...]
	valid_from: date
	valid_upto: date | None = None
	tiers: tuple[TierRow, ...] = ()


@dataclass(frozen=True)
class Sale:
	"""What is checked when a line is sold: the version's side and the buyer's."""

	version: str
	company: str
	currency: str
	submitted: bool
	disabled: bool
	valid_from: date
	valid_upto: date | None
	segments: Collection[str] = ()


@dataclass(frozen=True)
class Problem:
	"""`code` of what is wrong, `row` of the table it is in (0: the document), `value` that offends."""

	code: str
	row: int = 0
	value: str = ""


def problems_of_version(version: Version) -> list[Problem]:
	"""Everything that keeps this version from being sold, in the order of the form; empty when all is well."""
	problems = []
	if version.valid_upto and version.valid_upto < version.valid_from:
		problems.append(Problem("dates_reversed", value=version.valid_upto.isoformat()))
	problems += _problems_of_bouquets(version.bouquets)
	if not version.charges:
		problems.append(Problem("no_charges"))
	seen: set[str] = set()
	for charge in version.charges:
		problems += _problems_of_charge(charge)
		if charge.code in seen:
			problems.append(Problem("duplicate_charge", charge.row, charge.code))
		seen.add(charge.code)
	return problems + _problems_of_tiers(version)


def problems_of_sale(
	sale: Sale, *, company: str, currency: str, segment_path: Sequence[str], day: date | None
) -> list[Problem]:
	"""Why this version cannot be sold to this buyer; empty when it can.

	`segment_path` is the buyer's segment and its parents. `day` is the day of the sale at the site, None for a
	contract taken over from another system, whose sale happened elsewhere.
	"""
	problems = []
	if not sale.submitted:
		problems.append(Problem("not_submitted", value=sale.version))
	if sale.company != company:
		problems.append(Problem("other_company", value=sale.company))
	if sale.currency != currency:
		problems.append(Problem("other_currency", value=sale.currency))
	if sale.segments and not set(sale.segments) & set(segment_path):
		problems.append(Problem("other_segment", value=segment_path[0] if segment_path else ""))
	if day is not None:
		problems += _problems_of_day(sale, day)
	return problems


def _problems_of_day(sale: Sale, day: date) -> list[Problem]:
	if sale.disabled:
		return [Problem("offer_disabled", value=sale.version)]
	if day < sale.valid_from:
		return [Problem("not_yet_on_sale", value=sale.valid_from.isoformat())]
	if sale.valid_upto and day > sale.valid_upto:
		return [Problem("no_longer_on_sale", value=sale.valid_upto.isoformat())]
	return []


def _problems_of_bouquets(bouquets: tuple[tuple[str, int, bool], ...]) -> list[Problem]:
	problems = [] if bouquets else [Problem("no_bouquets")]
	seen: set[str] = set()
	for row, (code, channels, disabled) in enumerate(bouquets, start=1):
		if code in seen:
			problems.append(Problem("duplicate_bouquet", row, code))
		if not channels:
			problems.append(Problem("empty_bouquet", row, code))
		if disabled:
			problems.append(Problem("bouquet_disabled", row, code))
		seen.add(code)
	return problems


def _problems_of_charge(charge: Charge) -> list[Problem]:
	problems = []
	if not CHARGE_CODE.fullmatch(charge.code):
		problems.append(Problem("charge_code", charge.row, charge.code))
	if charge.unit_price < 0:
		problems.append(Problem("negative_price", charge.row, charge.code))
	elif charge.unit_price == 0 and not (charge.free or charge.tiered):
		problems.append(Problem("zero_price", charge.row, charge.code))
	elif charge.unit_price > 0 and charge.free:
		problems.append(Problem("priced_but_free", charge.row, charge.code))
	elif charge.unit_price > 0 and charge.tiered:
		problems.append(Problem("priced_in_tiers", charge.row, charge.code))
	problems += _problems_of_blocks(charge)
	if charge.kind == "Recurring" and not 1 <= charge.interval_months <= MAX_INTERVAL_MONTHS:
		problems.append(Problem("interval", charge.row, str(charge.interval_months)))
	return problems


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


def _problems_of_tiers(version: Version) -> list[Problem]:
	charges = {charge.code: charge for charge in version.charges}
	problems = []
	for row in version.tiers:
		if row.charge not in charges:
			problems.append(Problem("tier_charge", row.row, row.charge))
		elif not charges[row.charge].tiered:
			problems.append(Problem("tier_unused", row.row, row.charge))
	for charge in charges.values():
		if charge.tiered:
			problems += _problems_of_table(
				charge, [row for row in version.tiers if row.charge == charge.code]
			)
	return problems


def _problems_of_table(charge: Charge, rows: list[TierRow]) -> list[Problem]:
	return [
		Problem(fault.code, rows[fault.index].row if rows else charge.row, charge.code)
		for fault in faults_of_tiers([row.tier for row in rows])
	]
