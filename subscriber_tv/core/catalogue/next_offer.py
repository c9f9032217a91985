"""Which offer to propose to a subscriber next: rules of marketing held against what the contract looks like.

A rule proposes an offer to contracts of certain offers and segments, from a number of months, outlets or billed usage
on. Of those that fit, the one of the highest priority comes first; every rule that does not fit says why.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from subscriber_tv.core.money import ZERO


@dataclass(frozen=True)
class Rule:
	"""Propose `proposes` instead of `replaces` (empty: beside what there is, as an option).

	`segments` empty: to everybody. `least_usage` is net, a month, in the currency of the offer.
	"""

	name: str
	proposes: str
	replaces: str = ""
	segments: tuple[str, ...] = ()
	least_months: int = 0
	least_outlets: int = 0
	least_usage: Decimal = ZERO
	priority: int = 0


@dataclass(frozen=True)
class Profile:
	"""One contract today: its segment and those above it, the offers it holds, and what it is like.

	`usage` is what usage came to a month, net, over the last months; `troubled` is a contract that is suspended,
	cancelled or disputed: nobody is sold anything then.
	"""

	segments: Sequence[str]
	offers: Collection[str]
	months_served: int
	outlets: int
	usage: Decimal = ZERO
	troubled: bool = False


@dataclass(frozen=True)
class Verdict:
	"""Whether a rule fits; `reasons` are codes of what keeps it from fitting, empty when it does.

	Codes: troubled, other_segment, has_it, lacks_offer, too_early, too_small, too_little_usage.
	"""

	rule: Rule
	reasons: tuple[str, ...] = ()

	@property
	def fits(self) -> bool:
		return not self.reasons


def judge(profile: Profile, rules: Iterable[Rule]) -> list[Verdict]:
	"""Every rule with its verdict: those that fit first, by priority, then by name."""
	verdicts = [Verdict(rule, tuple(_reasons(profile, rule))) for rule in rules]
	return sorted(verdicts, key=lambda verdict: (not verdict.fits, -verdict.rule.priority, verdict.rule.name))


def _reasons(profile: Profile, rule: Rule) -> Iterable[str]:
	against = {
		"troubled": profile.troubled,
		"other_segment": bool(rule.segments) and not set(rule.segments) & set(profile.segments),
		"has_it": rule.proposes in profile.offers,
		"lacks_offer": bool(rule.replaces) and rule.replaces not in profile.offers,
		"too_early": profile.months_served < rule.least_months,
		"too_small": profile.outlets < rule.least_outlets,
		"too_little_usage": profile.usage < rule.least_usage,
	}
	return (code for code, holds in against.items() if holds)
