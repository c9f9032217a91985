"""Who gets a promotion, why somebody does not, and the discounts it makes. Pure: refusals are returned, not raised."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from subscriber_tv.core.money import ZERO
from subscriber_tv.core.pricing.discount import Discount


@dataclass(frozen=True)
class Promotion:
	"""`percent` or `amount` off, for `periods` (None: not counted), until `until` (None: for ever).

	It is on offer in `[valid_from, valid_upto]`. Empty `offers`, `segments` or `channels` mean any. With `of_lines` it is
	taken off the lines of those offers, each by itself; else off all recurring charges together.
	"""

	name: str
	label: str
	currency: str
	company: str
	percent: Decimal = ZERO
	amount: Decimal = ZERO
	periods: int | None = None
	until: date | None = None
	of_lines: bool = False
	offers: Collection[str] = ()
	segments: Collection[str] = ()
	channels: Collection[str] = ()
	valid_from: date = date.min
	valid_upto: date | None = None
	minimum_quantity: int = 0
	minimum_commitment: int = 0
	max_uses: int | None = None
	once_per_customer: bool = False
	combinable: bool = False
	disabled: bool = False


@dataclass(frozen=True)
class PromotedLine:
	line_id: str
	offer: str
	quantity: int


@dataclass(frozen=True)
class Case:
	"""The contract that asks, on `day` at its site. `segments` are the buyer's segment and those above it."""

	day: date
	company: str
	currency: str
	lines: Sequence[PromotedLine]
	segments: Sequence[str] = ()
	channel: str = ""
	commitment_months: int = 0


@dataclass(frozen=True)
class Used:
	"""How often a promotion was given: in all, to this customer, to this contract."""

	times: int = 0
	by_customer: int = 0
	by_contract: int = 0


@dataclass(frozen=True)
class Refusal:
	"""`code` of why not, `value` to word it."""

	code: str
	value: str = ""


NEVER = Used()


def refusals(promotion: Promotion, case: Case, used: Used = NEVER) -> list[Refusal]:
	"""Everything that keeps the contract from the promotion; empty when it may have it.

	Codes: disabled, not_yet, over, other_company, other_currency, no_offer, segment, channel, quantity, commitment,
	used_up, customer_had_it, contract_has_it.
	"""
	concerned = concerned_lines(promotion, case)
	quantity = sum(line.quantity for line in concerned)
	checks = (
		("disabled", promotion.disabled, ""),
		("not_yet", case.day < promotion.valid_from, promotion.valid_from.isoformat()),
		("over", _over(promotion, case.day), str(promotion.valid_upto or promotion.until or "")),
		("other_company", promotion.company != case.company, promotion.company),
		("other_currency", promotion.currency != case.currency, promotion.currency),
		("no_offer", not concerned, ", ".join(sorted(promotion.offers))),
		("segment", _lacks(promotion.segments, case.segments), ", ".join(sorted(promotion.segments))),
		("channel", _lacks(promotion.channels, [case.channel]), ", ".join(sorted(promotion.channels))),
		(
			"quantity",
			bool(concerned) and quantity < promotion.minimum_quantity,
			str(promotion.minimum_quantity),
		),
		(
			"commitment",
			case.commitment_months < promotion.minimum_commitment,
			str(promotion.minimum_commitment),
		),
		("used_up", _used_up(promotion, used), str(promotion.max_uses)),
		("customer_had_it", promotion.once_per_customer and used.by_customer > 0, ""),
		("contract_has_it", used.by_contract > 0, ""),
	)
	return [Refusal(code, value) for code, refused, value in checks if refused]


def concerned_lines(promotion: Promotion, case: Case) -> list[PromotedLine]:
	"""The lines of the offers it names, all of them when it names none."""
	return [line for line in case.lines if not promotion.offers or line.offer in promotion.offers]


def discounts_of(promotion: Promotion, case: Case) -> tuple[Discount, ...]:
	"""What is taken off, one discount for the contract or one for each line concerned."""
	lines: Iterable[str | None] = [None]
	if promotion.of_lines:
		lines = [line.line_id for line in concerned_lines(promotion, case)]
	return tuple(
		Discount(
			percent=promotion.percent,
			amount=promotion.amount,
			periods=promotion.periods,
			until=promotion.until,
			line=line,
			label=promotion.label,
			promotion=promotion.name,
		)
		for line in lines
	)


def combined(given: Sequence[Promotion], others: Iterable[Promotion]) -> list[Promotion]:
	"""Those of `others`, in their order, that may stand beside `given` and one another."""
	chosen = list(given)
	added = []
	for promotion in others:
		if chosen and not (promotion.combinable and all(one.combinable for one in chosen)):
			continue
		chosen.append(promotion)
		added.append(promotion)
	return added


def _over(promotion: Promotion, day: date) -> bool:
	"""No longer on offer, or nothing left of it."""
	return bool(
		(promotion.valid_upto and day > promotion.valid_upto) or (promotion.until and day >= promotion.until)
	)


def _lacks(wanted: Collection[str], has: Iterable[str]) -> bool:
	return bool(wanted) and not set(wanted) & set(has)


def _used_up(promotion: Promotion, used: Used) -> bool:
	return promotion.max_uses is not None and used.times >= promotion.max_uses
