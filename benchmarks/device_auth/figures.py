"""The arithmetic of the measurements: medians, ratios round by round, goals. No clock, no sockets."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


def percentile(values: Sequence[float], share: float) -> float:
	"""The value that this share of all do not exceed (nearest rank); 0 of nothing."""
	if not values:
		return 0.0
	ordered = sorted(values)
	rank = -(-len(ordered) * round(share * 10_000) // 10_000)
	return ordered[max(0, min(len(ordered), rank) - 1)]


def per_cpu(result: Mapping) -> float:
	"""Right answers per second of the server's processor time."""
	return result["answers"] / result["cpu"] if result["cpu"] > 0 else 0.0


def per_wall(result: Mapping) -> float:
	"""Right answers per second by the clock on the wall."""
	return result["answers"] / result["wall"] if result["wall"] > 0 else 0.0


@dataclass(frozen=True)
class Spread:
	"""A figure over the rounds."""

	median: float
	least: float
	most: float

	@classmethod
	def of(cls, values: Sequence[float]) -> Spread:
		"""Of at least one value."""
		return cls(statistics.median(values), min(values), max(values))


def ratios(rounds: Sequence[Mapping[str, Mapping]], one: str, other: str) -> Spread | None:
	"""`one` over `other` per second of server processor time, in each round by itself; None when one is missing."""
	found = [
		per_cpu(these[one]) / per_cpu(these[other])
		for these in rounds
		if one in these and other in these and per_cpu(these[other])
	]
	return Spread.of(found) if found else None


@dataclass(frozen=True)
class Goal:
	"""What a figure should come to. `at_most` turns the comparison round."""

	name: str
	text: str
	figure: float | None
	wanted: float
	at_most: bool = False
	unit: str = "x"

	@property
	def verdict(self) -> str:
		"""Met, not met, or not measured."""
		if self.figure is None:
			return "not measured"
		is_met = self.figure <= self.wanted if self.at_most else self.figure >= self.wanted
		return "met" if is_met else "NOT MET"

	def __str__(self) -> str:
		sign = "<=" if self.at_most else ">="
		figure = "-" if self.figure is None else f"{self.figure:,.2f} {self.unit}"
		return f"{self.name:<4} {self.verdict:<13} {figure:>14}   wanted {sign} {self.wanted:g} {self.unit}: {self.text}"
