"""The yearly revision of prices: by a percentage, or by an index as P0 x S1 / S0.

An index revision starts from the price P0 and the index S0 it was agreed at, never from last year's rounded result: ten
revisions drift no further than one. Cap and floor limit what a price rises or falls against the one in force.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, localcontext

from subscriber_tv.core.billing.price import RECURRING, OfferCharge, Offers
from subscriber_tv.core.billing.terms import Terms
from subscriber_tv.core.campaigns.plan import (
	Plan,
	Timing,
	charges_of,
	effective_day,
)
from subscriber_tv.core.contracts.lines import Line, LineStep
from subscriber_tv.core.contracts.price_origin import price_set_by
from subscriber_tv.core.contracts.timeline import Contract
from subscriber_tv.core.money import EXACT, plain
from subscriber_tv.core.pricing.models import PriceModel
from subscriber_tv.core.pricing.offered import name_of
from subscriber_tv.core.pricing.scale import PriceRounding, scaled, weight
from subscriber_tv.core.pricing.write import write_model

USAGE = "usage"
TO_THE_CENT = PriceRounding()


@dataclass(frozen=True)
class Base:
	"""A price P0 with the value S0 of the index `name` on the day it was agreed."""

	name: str
	price: PriceModel
	index: Decimal


@dataclass(frozen=True)
class Formula:
	"""A rise of `percent`, or that of an index from `base_index` (S0) to `new_index` (S1).

	`cap` and `floor` are percentages against the price in force; None: no limit. A floor of zero lets no price fall.
	"""

	percent: Decimal | None = None
	index_name: str = ""
	base_index: Decimal | None = None
	new_index: Decimal | None = None
	cap: Decimal | None = None
	floor: Decimal | None = None
	rounding: PriceRounding = TO_THE_CENT


@dataclass(frozen=True)
class Origin:
	"""What is known of a change that set prices: whether a revision made it, and the bases it kept by line and charge."""

	revision: bool = False
	bases: Mapping[tuple[str, str], Base] = field(default_factory=dict)


@dataclass(frozen=True)
class Revision:
	"""Which prices of a contract are revised: those of `offers` (empty: of all), by offer version.

	Negotiated prices stay unless `negotiated`; of usage they are revised when `usage`.
	"""

	formula: Formula
	timing: Timing
	versions: Collection[str] = ()
	negotiated: bool = False
	usage: bool = False


def plan_revision(
	contract: Contract, offers: Offers, terms: Terms, revision: Revision, origins: Mapping[int, Origin]
) -> Plan:
	"""What the revision does to one contract. `origins` says by number which changes a revision made."""
	day = effective_day(contract, offers, terms, revision.timing)
	if day is None:
		return Plan(left_out="no_anniversary")
	if not contract.served_on(day):
		return Plan(day, left_out="over")
	lines = [
		line
		for line in contract.lines_on(day)
		if not revision.versions or line.offer_version in revision.versions
	]
	found = [_of_line(contract, line, offers, revision, origins, day) for line in lines]
	steps = tuple(one.step for one in found if one.step)
	if not steps:
		reasons = {reason for one in found for reason in one.reasons}
		return Plan(
			day, left_out=next((why for why in ("negotiated", "unchanged") if why in reasons), "no_line")
		)
	return Plan(day, steps, tuple(detail for one in found for detail in one.details))


@dataclass
class _OfLine:
	step: LineStep | None = None
	details: list[dict] = field(default_factory=list)
	reasons: set[str] = field(default_factory=set)


def _of_line(
	contract: Contract,
	line: Line,
	offers: Offers,
	revision: Revision,
	origins: Mapping[int, Origin],
	day: date,
) -> _OfLine:
	found = _OfLine()
	prices: dict[str, PriceModel] = {}
	for charge in charges_of(line, offers):
		if not _concerned(charge, revision):
			continue
		setter = price_set_by(contract, line.line_id, charge.code, day)
		origin = origins.get(setter, Origin()) if setter else Origin(revision=True)
		if not (origin.revision or revision.negotiated):
			found.reasons.add("negotiated")
			continue
		base = _base(revision.formula, origin.bases.get((line.line_id, charge.code)), charge.pricing)
		after = revised(charge.pricing, revision.formula, base)
		if after == charge.pricing:
			found.reasons.add("unchanged")
			continue
		prices[charge.code] = after
		found.details.append(_detail(line, charge, after, base))
	if prices:
		found.step = LineStep(line.line_id, prices=tuple(sorted(prices.items(), key=lambda one: one[0])))
	return found


def revised(price: PriceModel, formula: Formula, base: Base | None) -> PriceModel:
	"""The price after the revision; `base` is what an index revision starts from."""
	now = weight(price)
	if not now:
		return price
	with localcontext(EXACT):
		if base is None:
			start, factor = price, 1 + (formula.percent or Decimal(0)) / 100
		else:
			start, factor = base.price, (formula.new_index or base.index) / base.index
		rise = weight(start) * factor / now - 1
		limited = _limited(rise, formula)
		if not limited:
			return price  # and not rounded to another one
		if limited != rise:
			start, factor = price, 1 + limited
	return scaled(start, factor, formula.rounding)


def _limited(rise: Decimal, formula: Formula) -> Decimal:
	if formula.cap is not None:
		rise = min(rise, formula.cap / 100)
	if formula.floor is not None:
		rise = max(rise, formula.floor / 100)
	return rise


def _base(formula: Formula, kept: Base | None, price: PriceModel) -> Base | None:
	"""P0 and S0: those kept by the last revision of the same index, else the price in force and the given S0."""
	if formula.base_index is None:
		return None
	if kept and kept.name == formula.index_name and type(kept.price) is type(price):
		return kept
	return Base(formula.index_name, price, formula.base_index)


def _concerned(charge: OfferCharge, revision: Revision) -> bool:
	return charge.kind == RECURRING or (charge.kind == USAGE and revision.usage)


def _detail(line: Line, charge: OfferCharge, after: PriceModel, base: Base | None) -> dict:
	before = charge.pricing
	with localcontext(EXACT):
		percent = (weight(after) / weight(before) - 1) * 100
	detail = {
		"line": line.line_id,
		"offer_version": line.offer_version,
		"charge": charge.code,
		"item": charge.item,
		"quantity": line.quantity,
		"interval_months": charge.interval_months,
		"before": write_model(before),
		"after": write_model(after),
		"model": name_of(before)[0],
		"unit_price_before": plain(name_of(before)[1]),
		"unit_price_after": plain(name_of(after)[1]),
		"percent": plain(round(percent, 2)),
	}
	if base:
		detail |= {"index": base.name, "base_price": write_model(base.price), "base_index": plain(base.index)}
	return detail
