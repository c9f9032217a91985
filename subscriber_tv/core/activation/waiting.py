"""How long TVs waited for their first picture: from the moment they could have played to the first allowed answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class First:
	"""A TV's first allowed answer, and what went before. All in one time zone; None: it never happened."""

	allowed: datetime
	delivered: datetime | None = None
	installed: datetime | None = None
	sector: str = ""
	segment: str = ""
	partner: str = ""
	channel: str = ""


GROUPS = ("sector", "segment", "partner", "channel")
"""By what waits are told: territory and customer group of the site, sales partner of the customer, sales channel of the contract."""


@dataclass(frozen=True)
class Figures:
	"""TVs of one group and what half and 95 % of them waited at most, in minutes."""

	group: tuple[str, ...]
	tvs: int
	median: int
	percentile_95: int


def minutes(first: First) -> int | None:
	"""Whole minutes from the later of delivery and finished installation to the first allowed answer; None: neither is known.

	What is dated after the answer was written down late and did not keep anybody waiting.
	"""
	before = [moment for moment in (first.delivered, first.installed) if moment and moment <= first.allowed]
	return int((first.allowed - max(before)).total_seconds()) // 60 if before else None


def by_group_and_month(firsts: Iterable[First], group: str = "sector") -> tuple[Figures, ...]:
	"""Figures per month (of the first allowed answer) and one of GROUPS, oldest month first."""
	groups: dict[tuple[str, str], list[int]] = {}
	for first in firsts:
		waited = minutes(first)
		if waited is not None:
			groups.setdefault((f"{first.allowed:%Y-%m}", getattr(first, group)), []).append(waited)
	return tuple(figures(group, waits) for group, waits in sorted(groups.items()))


def figures(group: tuple[str, ...], waits: Sequence[int]) -> Figures:
	"""Figures of one group, which has at least one TV."""
	return Figures(group, len(waits), percentile(waits, 50), percentile(waits, 95))


def percentile(values: Sequence[int], share: int) -> int:
	"""The smallest value that `share` percent of the values do not pass (nearest rank)."""
	ordered = sorted(values)
	rank = -(-len(ordered) * share // 100)
	return ordered[max(0, rank - 1)]
