"""What a campaign changes in money: recurring revenue and the bills of a year, before and after, by the engine itself."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from statistics import median

from subscriber_tv.core.billing.bill import ContractFacts, expected_of
from subscriber_tv.core.billing.mrr import monthly_on
from subscriber_tv.core.billing.periods import Span, later
from subscriber_tv.core.campaigns.plan import Plan
from subscriber_tv.core.contracts.lines import LineStep
from subscriber_tv.core.contracts.timeline import Change, extend
from subscriber_tv.core.money import ZERO

#: A rise that differs from the middle one by more points than this is shown as an outlier.
OUTLIER_POINTS = Decimal(5)


@dataclass(frozen=True)
class Effect:
	"""Of one contract, net, in its currency: revenue a month from the day of the change, and bills of the year after it."""

	subscription: str
	segment: str
	monthly_before: Decimal
	monthly_after: Decimal
	year_before: Decimal = ZERO
	year_after: Decimal = ZERO
	lines: int = 0

	@property
	def percent(self) -> Decimal | None:
		"""Rise of the revenue a month; None when there was none before."""
		if not self.monthly_before:
			return None
		return round((self.monthly_after / self.monthly_before - 1) * 100, 2)


@dataclass(frozen=True)
class SegmentEffect:
	segment: str
	contracts: int
	before: Decimal
	after: Decimal


@dataclass(frozen=True)
class Summary:
	"""The whole campaign: sums, smallest and largest rise, contracts that stand out."""

	contracts: int
	lines: int
	before: Decimal
	after: Decimal
	year_before: Decimal
	year_after: Decimal
	least: Decimal | None
	most: Decimal | None
	segments: tuple[SegmentEffect, ...]
	outliers: tuple[Effect, ...]


def after_steps(facts: ContractFacts, day: date, steps: Sequence[LineStep]) -> ContractFacts:
	"""The same contract as it will be once the steps are recorded."""
	contract = facts.contract
	no = contract.changes[-1].no + 1
	change = Change(no, "change_lines", contract.state, contract.state, day, steps=tuple(steps))
	return replace(facts, contract=extend(contract, change))


def year_from(facts: ContractFacts, day: date) -> Decimal:
	"""What the days of the twelve months from `day` come to on the bills, discounts and all."""
	year = Span(day, later(day, 12))
	rows = expected_of(facts, year.end)
	met = ((row, row.span.meet(year)) for row in rows)
	return sum((row.price.value_of(span.days, facts.places) for row, span in met if span), ZERO)


def effect_of(facts: ContractFacts, plan: Plan, segment: str, *, bills: bool = False) -> Effect:
	"""What the plan changes; `bills` asks for the year's bills too, which cost more to work out."""
	day = plan.effective
	assert day is not None
	after = after_steps(facts, day, plan.steps)
	return Effect(
		facts.contract.subscription,
		segment,
		monthly_on(facts, day),
		monthly_on(after, day),
		year_from(facts, day) if bills else ZERO,
		year_from(after, day) if bills else ZERO,
		len(plan.steps),
	)


def summary_of(effects: Iterable[Effect]) -> Summary:
	"""Sums of one currency; the outliers farthest from the middle come first."""
	effects = list(effects)
	segments: dict[str, list[Effect]] = defaultdict(list)
	for effect in effects:
		segments[effect.segment].append(effect)
	rises = [effect.percent for effect in effects if effect.percent is not None]
	middle = median(rises) if rises else ZERO
	apart = [
		effect
		for effect in effects
		if effect.percent is None or abs(effect.percent - middle) > OUTLIER_POINTS
	]
	return Summary(
		contracts=len(effects),
		lines=sum(effect.lines for effect in effects),
		before=_sum(effects, "monthly_before"),
		after=_sum(effects, "monthly_after"),
		year_before=_sum(effects, "year_before"),
		year_after=_sum(effects, "year_after"),
		least=min(rises, default=None),
		most=max(rises, default=None),
		segments=tuple(
			SegmentEffect(name, len(of), _sum(of, "monthly_before"), _sum(of, "monthly_after"))
			for name, of in sorted(segments.items())
		),
		outliers=tuple(sorted(apart, key=lambda one: _distance(one, middle), reverse=True)),
	)


def _distance(effect: Effect, middle: Decimal) -> Decimal:
	return Decimal("Infinity") if effect.percent is None else abs(effect.percent - middle)


def _sum(effects: Iterable[Effect], name: str) -> Decimal:
	return sum((getattr(effect, name) for effect in effects), ZERO)
