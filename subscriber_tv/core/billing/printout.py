"""What stands on a printed invoice, worked out from its posted rows: sections by contract and the VAT by rate."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from subscriber_tv.core.billing.periods import Span
from subscriber_tv.core.money import ZERO, money, round_money

HUNDRED = Decimal(100)


@dataclass(frozen=True)
class Made:
	"""How the amount of a row was made; amounts are net, not rounded, for a whole period.

	`quantity` times `unit_price` is `whole`; `unit_price` is None where the price does not simply multiply. `discounts` are positive.
	"""

	quantity: Decimal
	unit_price: Decimal | None
	whole: Decimal
	days: int
	whole_days: int
	discounts: tuple[tuple[str, Decimal], ...] = ()

	@property
	def in_part(self) -> bool:
		"""Whether the row bills fewer days than the period has."""
		return 0 < self.days < self.whole_days


@dataclass(frozen=True)
class PrintRow:
	"""A posted row. `rates` are the percents by tax account; `span` and `made` are None on a row that is not ours."""

	text: str
	amount: Decimal
	rates: tuple[tuple[str, Decimal], ...] = ()
	subscription: str = ""
	kind: str = ""
	span: Span | None = None
	made: Made | None = None
	corrects: str = ""

	@property
	def percent(self) -> Decimal:
		"""The rate the row is taxed with."""
		return sum((percent for _account, percent in self.rates), ZERO)


@dataclass(frozen=True)
class Section:
	"""The rows of one contract, in their order; those of no contract share one with an empty name."""

	subscription: str
	rows: tuple[PrintRow, ...]

	@property
	def subtotal(self) -> Decimal:
		return sum((row.amount for row in self.rows), ZERO)


@dataclass(frozen=True)
class VatLine:
	"""Base and tax of one rate; a rate of zero holds what is not taxed."""

	percent: Decimal
	base: Decimal
	tax: Decimal


def made_of(facts: Mapping[str, Any]) -> Made | None:
	"""Read the facts of a row; None when it has none that tell how it was made."""
	try:
		days, whole_days = int(facts["days"]), int(facts["full_days"])
		quantity, full = Decimal(str(facts["quantity"])), Decimal(facts["full_amount"])
		unit_price = Decimal(facts["unit_price"])
	except (KeyError, TypeError, ValueError, ArithmeticError):
		return None
	discounts = tuple((str(label), Decimal(amount)) for label, amount in facts.get("discounts") or ())
	taken = Decimal(facts.get("discount") or 0)
	if taken and not discounts:
		discounts = (("", taken),)
	whole = full + taken
	units = quantity if facts.get("model") == "Per Unit" else Decimal(1)
	simple = not facts.get("scheme") and unit_price * units == whole
	prorated = bool(int(facts.get("prorate", 1))) and int(facts.get("interval_months") or 0) > 0
	return Made(
		# A flat price is one, however many outlets it covers: quantity times price must come to the amount.
		quantity=units if simple else quantity,
		unit_price=unit_price if simple else None,
		whole=whole,
		days=days if prorated else whole_days,
		whole_days=whole_days,
		discounts=discounts,
	)


def sections(rows: Iterable[PrintRow]) -> tuple[Section, ...]:
	"""Contracts in the order they come; rows of no contract last."""
	found: dict[str, list[PrintRow]] = defaultdict(list)
	for row in rows:
		found[row.subscription].append(row)
	names = [name for name in found if name] + [name for name in found if not name]
	return tuple(Section(name, tuple(found[name])) for name in names)


def vat_summary(
	rows: Sequence[PrintRow], posted: Mapping[str, Decimal], places: int = 2
) -> tuple[VatLine, ...]:
	"""Base and tax by rate, low rates first; the bases add up to the net, the taxes to what was `posted` by account.

	Where one account holds several rates, each gets the tax of its base and the highest one the odd cent.
	"""
	bases: dict[Decimal, Decimal] = defaultdict(Decimal)
	by_account: dict[str, dict[Decimal, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
	for row in rows:
		bases[row.percent] += row.amount
		for account, percent in row.rates:
			if percent:
				by_account[account][percent] += row.amount
	taxes: dict[Decimal, Decimal] = defaultdict(Decimal)
	for account, tax in posted.items():
		for percent, part in _share(tax, by_account.get(account, {}), places).items():
			taxes[percent] += part
	for percent in taxes:
		bases[percent] += ZERO
	return tuple(VatLine(percent, bases[percent], taxes.get(percent, ZERO)) for percent in sorted(bases))


def _share(tax: Decimal, bases: Mapping[Decimal, Decimal], places: int) -> dict[Decimal, Decimal]:
	"""The tax of one account by its rates."""
	if not bases:
		return {ZERO: tax} if tax else {}
	*lower, highest = sorted(bases)
	shares = {percent: round_money(bases[percent] * percent / HUNDRED, places) for percent in lower}
	return {**shares, highest: money(tax) - sum(shares.values(), ZERO)}
