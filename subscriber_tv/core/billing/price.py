"""What a charge costs: the price of a whole period, and a row that should stand on an invoice.

Amounts are Decimal, net of VAT, in the currency of the contract; a row is rounded once, when its days are known.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import pairwise
from typing import Any

from subscriber_tv.core.billing.periods import Span
from subscriber_tv.core.money import ZERO, money, plain, round_money
from subscriber_tv.core.pricing.discount import Discount
from subscriber_tv.core.pricing.models import Free, PriceModel, is_priced
from subscriber_tv.core.pricing.offered import FLAT as FLAT
from subscriber_tv.core.pricing.offered import LINE, model_of
from subscriber_tv.core.pricing.offered import PER_UNIT as PER_UNIT
from subscriber_tv.core.pricing.price import Priced, part_of, price_of
from subscriber_tv.core.pricing.read import read_model
from subscriber_tv.core.pricing.write import write_model

ONE_OFF = "one-off"
RECURRING = "recurring"
MINIMUM = "minimum"
USAGE = "usage"
DEPOSIT = "deposit"
EXIT_FEE = "exit-fee"
CORRECTION = "correction"
CONCESSION = "concession"

#: Kinds whose rows are compared by what they come to: the days of such a row do not share its amount.
BY_TOTAL = (USAGE, DEPOSIT)

ONE_DAY = timedelta(days=1)
FAR = date(9999, 12, 31)


class Refused(Exception):
	"""Billing of a contract stops before anything is written. `code` says why, `values` name the records.

	Codes: no_offer, no_price, price_model, overlap, too_many_rows, too_long_ago, first_bill (see flows/billing/first_bills.py),
	facts_lost (an invoice row without its snapshot), percent_cycle (charges that are a percentage of each other),
	percent_periods (a percentage of charges whose periods differ) and usage_below_zero.
	"""

	def __init__(self, code: str, **values: str):
		super().__init__(f"{code}: {values}")
		self.code = code
		self.values = values


@dataclass(frozen=True)
class OfferCharge:
	"""One charge of an offer version; `unit_price` is net of VAT, for one interval, in the version's currency.

	`scheme`, when given, prices the quantity instead of `model` and `unit_price`. In arrears a period is charged when
	it is over. Without proration a period begun is due whole, at the price of its first day. `minimum` is the least
	that a whole period of this charge comes to. `of` names the charges a percentage is taken of: a code, which is that
	of the same line if it has one and else of every line, or `LINE/CODE`. `counts_over` is the base that picks the tier
	(see `base`).
	"""

	code: str
	kind: str
	item: str
	model: str
	unit_price: Decimal
	interval_months: int = 1
	free: bool = False
	description: str = ""
	scheme: PriceModel | None = None
	arrears: bool = False
	prorate: bool = True
	discounts: tuple[Discount, ...] = ()
	minimum: Decimal | None = None
	of: tuple[str, ...] = ()
	counts_over: str = LINE

	@property
	def pricing(self) -> PriceModel:
		"""What prices the quantity. ValueError when no scheme is given and `model` is none that needs no scheme."""
		return Free() if self.free else self.scheme or model_of(self.model, self.unit_price)


Offers = Mapping[str, tuple[OfferCharge, ...]]


@dataclass(frozen=True)
class Share:
	"""A charge that a percentage is taken of: what its whole period comes to, and whether its days share that."""

	line: str
	full_amount: Decimal
	prorate: bool = True

	def value_of(self, days: int, period: Span, places: int) -> Decimal:
		"""As its own row is billed: rounded once."""
		if not self.prorate:
			return round_money(self.full_amount if days > 0 else ZERO, places)
		return round_money(self.full_amount * days / period.days, places)


@dataclass(frozen=True)
class Price:
	"""The price of a whole period, with what it was made of: the snapshot that later credits and pages read.

	`base` is the quantity of the whole base that picks the tier, None when it is this quantity alone. `of` is what a
	percentage is taken of. `rated` is what usage came to, which no days share, and `already` what stands invoiced of
	it or of a deposit; the quantity of usage may be a fraction. `discounts` are the parts of `discount` by their labels, `change` is the number of the contract's change since which
	the line is as it is, `why` what a sum of its own is made of, in plain values; they explain the price and make no
	other of it.
	"""

	offer_version: str
	charge_code: str
	item: str
	model: str
	unit_price: Decimal
	quantity: int | Decimal
	interval_months: int
	period: Span
	description: str = ""
	scheme: PriceModel | None = None
	discount: Decimal = ZERO
	prorate: bool = True
	base: Decimal | None = None
	of: tuple[Share, ...] = ()
	rated: Decimal | None = None
	already: Decimal = ZERO
	discounts: tuple[tuple[str, Decimal], ...] = field(default=(), compare=False)
	change: int = field(default=0, compare=False)
	why: tuple[tuple[str, str], ...] = field(default=(), compare=False)

	@property
	def pricing(self) -> PriceModel:
		"""What prices the quantity."""
		return self.scheme or model_of(self.model, self.unit_price)

	@cached_property
	def priced(self) -> Priced:
		"""What the quantity, or the base it is a part of, costs in a whole period, and the parts of it. Not rounded."""
		if self.of:
			return price_of(self.pricing, [share.full_amount for share in self.of])
		return price_of(self.pricing, money(self.quantity if self.base is None else self.base))

	@property
	def before_discount(self) -> Decimal:
		if self.rated is not None:
			return self.rated
		if self.base is None:
			return self.priced.amount
		return self.priced.amount * self.quantity / self.base

	@property
	def full_amount(self) -> Decimal:
		"""Not rounded: quantity is multiplied first, the one rounding comes with the days."""
		return max(self.before_discount - self.discount - self.already, ZERO)

	def value_of(self, days: int, places: int) -> Decimal:
		"""Value of `days` days of the period, rounded once; without proration one day is worth the whole.

		A percentage is taken of the rounded values of those days; its bounds have their share by days.
		"""
		if self.of and self.rated is None:
			return self._percentage(days, places)
		if not self.prorate:
			return round_money(self.full_amount if days > 0 else ZERO, places)
		return round_money(self.full_amount * days / self.period.days, places)

	def _percentage(self, days: int, places: int) -> Decimal:
		if days <= 0:
			return round_money(ZERO, places)
		model = part_of(self.pricing, days, self.period.days) if self.prorate else self.pricing
		amounts = [share.value_of(days, self.period, places) for share in self.of]
		return round_money(max(price_of(model, amounts).amount - self.discount, ZERO), places)

	def snapshot(self, span: Span) -> dict[str, Any]:
		"""Plain values for the invoice row's facts; amounts are decimal strings, days are counts.

		A scheme is kept whole, tiers and all, in the form of docs/pricing.md.
		"""
		return self._special() | {
			"offer_version": self.offer_version,
			"charge_code": self.charge_code,
			"model": self.model,
			"unit_price": plain(self.unit_price),
			"quantity": self.quantity if isinstance(self.quantity, int) else plain(self.quantity),
			"interval_months": self.interval_months,
			"full_amount": plain(self.full_amount),
			"full_from": self.period.start.isoformat(),
			"full_to": self.period.end.isoformat(),
			"full_days": self.period.days,
			"days": span.days,
		}

	def _special(self) -> dict[str, Any]:
		"""What only some prices have."""
		values = {
			"scheme": self.scheme and write_model(self.scheme),
			"discount": plain(self.discount) if self.discount else None,
			"discounts": [[label, plain(amount)] for label, amount in self.discounts] or None,
			"change": self.change or None,
			"why": dict(self.why) or None,
			"prorate": None if self.prorate else 0,
			"base": None if self.base is None else plain(self.base),
			"of": [[one.line, plain(one.full_amount), int(one.prorate)] for one in self.of] or None,
			"rated": None if self.rated is None else plain(self.rated),
			"already": plain(self.already) if self.already else None,
		}
		return {name: value for name, value in values.items() if value is not None}

	@classmethod
	def from_snapshot(cls, facts: Mapping[str, Any], item: str) -> "Price":
		"""The price as it was when the row was billed. KeyError, TypeError or ValueError when facts are damaged."""
		price = cls(
			offer_version=facts["offer_version"],
			charge_code=facts["charge_code"],
			item=item,
			model=facts["model"],
			unit_price=Decimal(facts["unit_price"]),
			quantity=_quantity(facts["quantity"]),
			interval_months=int(facts["interval_months"]),
			period=Span(date.fromisoformat(facts["full_from"]), date.fromisoformat(facts["full_to"])),
			scheme=read_model(facts["scheme"]) if "scheme" in facts else None,
			discount=Decimal(facts.get("discount", ZERO)),
			prorate=bool(facts.get("prorate", 1)),
			base=Decimal(facts["base"]) if "base" in facts else None,
			of=tuple(Share(line, Decimal(full), bool(shared)) for line, full, shared in facts.get("of", ())),
			rated=Decimal(facts["rated"]) if "rated" in facts else None,
			already=Decimal(facts.get("already", ZERO)),
			discounts=tuple((label, Decimal(amount)) for label, amount in facts.get("discounts", ())),
			change=int(facts.get("change", 0)),
			why=tuple(facts.get("why", {}).items()),
		)
		if not is_priced(price.pricing):
			raise ValueError("the price is lost")
		return price


def _quantity(value: Any) -> int | Decimal:
	"""Units of usage are written as text, those of a line as a number."""
	return Decimal(value) if isinstance(value, str) else int(value)


@dataclass(frozen=True)
class Expected:
	"""One row that should stand on an invoice: `span` of `line` at `price`.

	`closes` is the end of its period or of the service, if that is earlier; `due` the first day a run may charge it.
	A deposit closes on the day it is given back.
	"""

	subscription: str
	line: str
	kind: str
	span: Span
	price: Price
	due: date
	closes: date

	def cut(self, days: Iterable[date]) -> "list[Expected]":
		"""The row in parts that end at these days; each part of one charged in advance is due on its first day."""
		inner = sorted({day for day in days if self.span.start < day < self.span.end})
		if not inner:
			return [self]
		in_advance = self.due == self.span.start
		return [
			replace(self, span=Span(start, end), due=start if in_advance else self.due)
			for start, end in pairwise((self.span.start, *inner, self.span.end))
		]


def line_key(subscription: str, line_id: str, charge_code: str) -> str:
	"""The name of a charge of a contract line for ever: `TVS-00001/1/BASE`."""
	return f"{subscription}/{line_id}/{charge_code}"


def line_id_of(subscription: str, line: str) -> str:
	"""The contract line in the name of a charge: `L1` of `TVS-00001/L1/BASE`."""
	return line.removeprefix(f"{subscription}/").rpartition("/")[0]
