"""What a charge costs: the price of a whole period, and a row that should stand on an invoice.

Amounts are Decimal, net of VAT, in the currency of the contract; a row is rounded once, when its days are known.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from subscriber_tv.core.billing.periods import Span
from subscriber_tv.core.money import ZERO, money, plain, round_money
from subscriber_tv.core.pricing.discount import Discount
from subscriber_tv.core.pricing.models import Free, PriceModel, is_priced
from subscriber_tv.core.pricing.offered import FLAT as FLAT
from subscriber_tv.core.pricing.offered import PER_UNIT as PER_UNIT
from subscriber_tv.core.pricing.offered import model_of
from subscriber_tv.core.pricing.price import Priced, price_of
from subscriber_tv.core.pricing.read import read_model
from subscriber_tv.core.pricing.write import write_model

ONE_OFF = "one-off"
RECURRING = "recurring"
MINIMUM = "minimum"
CORRECTION = "correction"

ONE_DAY = timedelta(days=1)
FAR = date(9999, 12, 31)


class Refused(Exception):
	"""Billing of a contract stops before anything is written. `code` says why, `values` name the records.

	Codes: no_offer, no_price, price_model, overlap, too_long_ago and facts_lost (an invoice row without its snapshot).
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
	that a whole period of this charge comes to.
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

	@property
	def pricing(self) -> PriceModel:
		"""What prices the quantity. ValueError when no scheme is given and `model` is none that needs no scheme."""
		return Free() if self.free else self.scheme or model_of(self.model, self.unit_price)


Offers = Mapping[str, tuple[OfferCharge, ...]]


@dataclass(frozen=True)
class Price:
	"""The price of a whole period, with what it was made of: the snapshot that later credits and pages read.

	`discounts` are the parts of `discount` by their labels, `change` is the number of the contract's change since which
	the line is as it is; both explain the price and make no other of it.
	"""

	offer_version: str
	charge_code: str
	item: str
	model: str
	unit_price: Decimal
	quantity: int
	interval_months: int
	period: Span
	description: str = ""
	scheme: PriceModel | None = None
	discount: Decimal = ZERO
	prorate: bool = True
	discounts: tuple[tuple[str, Decimal], ...] = field(default=(), compare=False)
	change: int = field(default=0, compare=False)

	@property
	def pricing(self) -> PriceModel:
		"""What prices the quantity."""
		return self.scheme or model_of(self.model, self.unit_price)

	@cached_property
	def priced(self) -> Priced:
		"""What the quantity costs in a whole period, before discounts, and the parts of it. Not rounded."""
		return price_of(self.pricing, money(self.quantity))

	@property
	def before_discount(self) -> Decimal:
		return self.priced.amount

	@property
	def full_amount(self) -> Decimal:
		"""Not rounded: quantity is multiplied first, the one rounding comes with the days."""
		return max(self.before_discount - self.discount, ZERO)

	def value_of(self, days: int, places: int) -> Decimal:
		"""Value of `days` days of the period, rounded once; without proration one day is worth the whole."""
		if not self.prorate:
			return round_money(self.full_amount if days > 0 else ZERO, places)
		return round_money(self.full_amount * days / self.period.days, places)

	def snapshot(self, span: Span) -> dict[str, Any]:
		"""Plain values for the invoice row's facts; amounts are decimal strings, days are counts.

		A scheme is kept whole, tiers and all, in the form of docs/pricing.md.
		"""
		special: dict[str, Any] = {}
		if self.scheme is not None:
			special["scheme"] = write_model(self.scheme)
		if self.discount:
			special["discount"] = plain(self.discount)
		if self.discounts:
			special["discounts"] = [[label, plain(amount)] for label, amount in self.discounts]
		if self.change:
			special["change"] = self.change
		if not self.prorate:
			special["prorate"] = 0
		return special | {
			"offer_version": self.offer_version,
			"charge_code": self.charge_code,
			"model": self.model,
			"unit_price": plain(self.unit_price),
			"quantity": self.quantity,
			"interval_months": self.interval_months,
			"full_amount": plain(self.full_amount),
			"full_from": self.period.start.isoformat(),
			"full_to": self.period.end.isoformat(),
			"full_days": self.period.days,
			"days": span.days,
		}

	@classmethod
	def from_snapshot(cls, facts: Mapping[str, Any], item: str) -> "Price":
		"""The price as it was when the row was billed. KeyError, TypeError or ValueError when facts are damaged."""
		price = cls(
			offer_version=facts["offer_version"],
			charge_code=facts["charge_code"],
			item=item,
			model=facts["model"],
			unit_price=Decimal(facts["unit_price"]),
			quantity=int(facts["quantity"]),
			interval_months=int(facts["interval_months"]),
			period=Span(date.fromisoformat(facts["full_from"]), date.fromisoformat(facts["full_to"])),
			scheme=read_model(facts["scheme"]) if "scheme" in facts else None,
			discount=Decimal(facts.get("discount", ZERO)),
			prorate=bool(facts.get("prorate", 1)),
			discounts=tuple((label, Decimal(amount)) for label, amount in facts.get("discounts", ())),
			change=int(facts.get("change", 0)),
		)
		if not is_priced(price.pricing):
			raise ValueError("the price is lost")
		return price


@dataclass(frozen=True)
class Expected:
	"""One row that should stand on an invoice: `span` of `line` at `price`.

	`closes` is the end of its period or of the service, if that is earlier; `due` the first day a run may charge it.
	"""

	subscription: str
	line: str
	kind: str
	span: Span
	price: Price
	due: date
	closes: date


def line_key(subscription: str, line_id: str, charge_code: str) -> str:
	"""The name of a charge of a contract line for ever: `TVS-00001/1/BASE`."""
	return f"{subscription}/{line_id}/{charge_code}"


def line_id_of(subscription: str, line: str) -> str:
	"""The contract line in the name of a charge: `L1` of `TVS-00001/L1/BASE`."""
	return line.removeprefix(f"{subscription}/").rpartition("/")[0]
