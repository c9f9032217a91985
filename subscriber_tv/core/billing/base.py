"""Tiers that count more than one line: over a contract, over all contracts of a payer, or over those of his group.

The quantity of the whole base picks the tier, day by day; each line pays its share of what the base comes to.

	this line     |======== 40 ========|======== 40 ========|
	elsewhere     |---- 50 ----|----------- 80 -------------|     the other contracts of the base
	price of      |  90: tier 1        | 120: tier 2        |     40/90 of it, then 40/120

Counted are the units of every recurring charge of the same Item, once for a line, on the days the contract is served:
trial days and pauses too, lines that are free too. A contract whose payer changes counts for each on the days he pays.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Protocol, TypeVar

from subscriber_tv.core.billing.chain import in_force, services
from subscriber_tv.core.billing.payers import paid_by
from subscriber_tv.core.billing.periods import Span
from subscriber_tv.core.billing.price import RECURRING, Expected, OfferCharge, Offers
from subscriber_tv.core.contracts.timeline import Contract
from subscriber_tv.core.pricing.offered import CONTRACT, GROUP, PAYER


@dataclass(frozen=True)
class Counted:
	"""`quantity` units of `item` on the days of `span`.

	`scope` tells how far off they are: on the contract itself (Contract), on another contract of the same payer
	(Payer), on one of another payer of the group (Group).
	"""

	item: str
	span: Span
	quantity: Decimal
	scope: str = CONTRACT


Base = Sequence[Counted]

#: What each reach of a charge counts.
REACH: Mapping[str, tuple[str, ...]] = {
	CONTRACT: (CONTRACT,),
	PAYER: (CONTRACT, PAYER),
	GROUP: (CONTRACT, PAYER, GROUP),
}


def counted_in(
	contract: Contract, offers: Offers, scope: str = CONTRACT, payers: Collection[str] = ()
) -> list[Counted]:
	"""What the lines of a contract add to the base of each item, on the days that one of `payers` pays, if any is named.

	A version not in `offers` adds nothing.
	"""
	found = []
	days = paid_by(payers, services(contract), contract.payers)
	for line in contract.lines:
		items = {charge.item for charge in offers.get(line.offer_version, ()) if charge.kind == RECURRING}
		spans = [span for paid in days if (span := paid.meet(in_force(line)))]
		found += [
			Counted(item, span, Decimal(line.quantity), scope) for item in sorted(items) for span in spans
		]
	return found


def reach_of(contract: Contract, offers: Offers) -> set[str]:
	"""How far the charges of a contract count: some of Line, Contract, Payer and Group."""
	return {charge.counts_over for line in contract.lines for charge in offers.get(line.offer_version, ())}


def over_base(row: Expected, charge: OfferCharge, base: Base) -> list[Expected]:
	"""The row cut where the base of its charge changes, each part with the quantity of the whole base of its days."""
	scopes = REACH.get(charge.counts_over, ())
	base = [one for one in base if one.scope in scopes and one.item == charge.item]
	if not base:
		return [row]
	parts: list[Expected] = []
	for part in row.cut({day for one in base for day in (one.span.start, one.span.end)}):
		total = quantity_on(base, part.span.start)
		price = replace(part.price, base=total if total > part.price.quantity else None)
		if parts and parts[-1].price == price:
			parts[-1] = replace(parts[-1], span=Span(parts[-1].span.start, part.span.end))
		else:
			parts.append(replace(part, price=price))
	return parts


def quantity_on(base: Base, day: date) -> Decimal:
	"""Units of the base on that day."""
	return sum((one.quantity for one in base if one.span.start <= day < one.span.end), Decimal(0))


class _Facts(Protocol):
	contract: Contract
	offers: Offers
	base: tuple[Counted, ...]
	payer: str


Facts = TypeVar("Facts", bound=_Facts)


def with_base_of_payer(contracts: Sequence[Facts]) -> list[Facts]:
	"""All contracts of one payer, each with what the others add to the base of those of its charges that look so far."""
	looking = [bool(reach_of(facts.contract, facts.offers) & {PAYER, GROUP}) for facts in contracts]
	if not any(looking):
		return list(contracts)
	counted = [
		counted_in(facts.contract, facts.offers, PAYER, (facts.payer,) if facts.payer else ())
		for facts in contracts
	]
	return [
		replace(facts, base=(*facts.base, *_others(counted, place))) if looks else facts
		for place, (facts, looks) in enumerate(zip(contracts, looking, strict=True))
	]


def _others(counted: Sequence[Base], place: int) -> list[Counted]:
	return [one for number, ones in enumerate(counted) if number != place for one in ones]
