"""Checks of an offer version before it may be sold, and of a sale against it. Pure: problems are returned.

A problem carries a code and what is needed to word it; the desk turns it into a sentence in the user's language.
Prices are Decimal, net of VAT, in the currency of the version.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from subscriber_tv.core.catalogue.charge import CHARGE_CODE as CHARGE_CODE
from subscriber_tv.core.catalogue.charge import MAX_INTERVAL_MONTHS as MAX_INTERVAL_MONTHS
from subscriber_tv.core.catalogue.charge import Charge, Problem, problems_of_charges
from subscriber_tv.core.pricing.models import Tier, faults_of_tiers

OFFER_CODE = re.compile(r"[A-Z0-9][A-Z0-9_.-]{0,39}")


@dataclass(frozen=True)
class TierRow:
	"""One row of the table of tiers, of the charge that bears `charge`."""

	row: int
	charge: str
	tier: Tier


@dataclass(frozen=True)
class Version:
	"""What is checked of an offer version. `bouquets` are (code, number of channels, disabled).

	`codes_elsewhere` are those of the charges that other versions bear and a percentage may name.
	"""

	offer: str
	charges: tuple[Charge, ...]
	bouquets: tuple[tuple[str, int, bool], ...]
	valid_from: date
	valid_upto: date | None = None
	tiers: tuple[TierRow, ...] = ()
	codes_elsewhere: Collection[str] = ()


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


def problems_of_version(version: Version) -> list[Problem]:
	"""Everything that keeps this version from being sold, in the order of the form; empty when all is well."""
	problems = []
	if version.valid_upto and version.valid_upto < version.valid_from:
		problems.append(Problem("dates_reversed", value=version.valid_upto.isoformat()))
	problems += _problems_of_bouquets(version.bouquets)
	if not version.charges:
		problems.append(Problem("no_charges"))
	problems += problems_of_charges(version.charges, version.codes_elsewhere)
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


def _problems_of_tiers(version: Version) -> list[Problem]:
	charges = {charge.code: charge for charge in version.charges}
	problems = []
	for row in version.tiers:
		if row.charge not in charges:
			problems.append(Problem("tier_charge", row.row, row.charge))
		elif not charges[row.charge].has_tiers:
			problems.append(Problem("tier_unused", row.row, row.charge))
	for charge in charges.values():
		if charge.has_tiers:
			problems += _problems_of_table(
				charge, [row for row in version.tiers if row.charge == charge.code]
			)
	return problems


def _problems_of_table(charge: Charge, rows: list[TierRow]) -> list[Problem]:
	return [
		Problem(fault.code, rows[fault.index].row if rows else charge.row, charge.code)
		for fault in faults_of_tiers([row.tier for row in rows])
	]
