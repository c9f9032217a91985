"""Tax of the rows of a bill, as the books will have it: one function for simulation, preview, quote and check.

ERPNext rounds the tax of an account on the total of the document, or row by row where the site says so, to the
decimals of the site and by its rounding method. Rounded on the total, a row gets what the total grows by when it
is added, so that the rows add up to the total.

The arithmetic here is exact. ERPNext adds up binary fractions: where a document of dozens of rows comes to exactly
half a cent of tax, its sum may lie a hair below the half and lose the cent. Row by row that does not happen.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from subscriber_tv.core.money import EXACT, ZERO, plain, round_money

COMMERCIAL = "Commercial Rounding"
BANKERS = "Banker's Rounding"
BANKERS_LEGACY = "Banker's Rounding (legacy)"

HALF = Decimal("0.5")


@dataclass(frozen=True)
class TaxRounding:
	"""How a site rounds tax: for each row or on the total, to how many decimals, by which method of ERPNext."""

	by_row: bool = False
	places: int = 2
	method: str = COMMERCIAL


@dataclass(frozen=True)
class TaxedRow:
	"""A row of a document: its net amount and the percents it is taxed with, by account."""

	document: str
	net: Decimal
	rates: tuple[tuple[str, Decimal], ...]


def taxed(document: str, net: Decimal, percent: Decimal) -> TaxedRow:
	"""A row taxed with one percent, on an account of its own."""
	return TaxedRow(document, net, ((plain(percent), percent),))


def taxes(rows: Iterable[TaxedRow], rounding: TaxRounding) -> list[Decimal]:
	"""The tax of each row, in the order given."""
	sums: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
	return [sum((_grow(sums, row, *rate, rounding) for rate in row.rates), ZERO) for row in rows]


def _grow(
	sums: dict[tuple[str, str], Decimal], row: TaxedRow, account: str, percent: Decimal, rounding: TaxRounding
) -> Decimal:
	"""What the tax on this account of the document grows by. The sums are not rounded."""
	tax = row.net * percent / 100
	if rounding.by_row:
		return round_tax(tax, rounding)
	before = sums[row.document, account]
	sums[row.document, account] = before + tax
	return round_tax(before + tax, rounding) - round_tax(before, rounding)


def round_tax(tax: Decimal, rounding: TaxRounding) -> Decimal:
	"""Round one amount by the method of the site. ValueError for a method that ERPNext does not have."""
	if rounding.method == COMMERCIAL:
		return round_money(tax, rounding.places)
	unit = Decimal(1).scaleb(-rounding.places)
	if rounding.method == BANKERS or (rounding.method == BANKERS_LEGACY and not rounding.places):
		return tax.quantize(unit, rounding=ROUND_HALF_EVEN, context=EXACT)
	if rounding.method == BANKERS_LEGACY:
		# Despite its name it takes every half upwards, minus a half to zero, where there are decimals.
		return (tax + unit * HALF).quantize(unit, rounding=ROUND_FLOOR, context=EXACT)
	raise ValueError(f"unknown rounding method {rounding.method}")
