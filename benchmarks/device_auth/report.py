"""What is printed: the rounds as they were, medians, ratios, and which goals are met."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.device_auth import radius
from benchmarks.device_auth.contenders import DESK, ECHO, ES256
from benchmarks.device_auth.figures import Goal, Spread, per_cpu, per_wall, ratios

Rounds = Sequence[Mapping[str, Mapping]]


def heading(names: Sequence[str]) -> str:
	"""The head of the table of rounds."""
	return "round" + "".join(f"{name:>19}" for name in names)


def row(number: int, these: Mapping[str, Mapping], names: Sequence[str]) -> str:
	"""One round: answers per second of server CPU."""
	return f"{number:>5}" + "".join(
		f"{per_cpu(these[name]):>19,.0f}" if name in these else " " * 19 for name in names
	)


def summary(rounds: Rounds, names: Sequence[str]) -> list[str]:
	"""Medians of each contender, and the load's own share of its core."""
	lines = [
		f"{'median of rounds':<20}{'/s of CPU':>11}{'least':>9}{'most':>9}{'/s of wall':>12}{'CPU used':>10}"
		f"{'p50 ms':>9}{'p99 ms':>9}{'load':>7}{'answered':>11}{'checked':>9}  others"
	]
	for name in names:
		found = [these[name] for these in rounds if name in these]
		if found:
			lines.append(_median_line(name, found))
	return lines


def _median_line(name: str, found: Sequence[Mapping]) -> str:
	cpu, wall = Spread.of([per_cpu(one) for one in found]), Spread.of([per_wall(one) for one in found])
	used = Spread.of([one["cpu"] / one["wall"] for one in found]).median
	load = Spread.of([one["own_cpu"] / one["wall"] for one in found]).median
	p50, p99 = (Spread.of([one[key] * 1000 for one in found]).median for key in ("p50", "p99"))
	answered, checked = (sum(one[key] for one in found) for key in ("answers", "checked"))
	return (
		f"{name:<20}{cpu.median:>11,.0f}{cpu.least:>9,.0f}{cpu.most:>9,.0f}{wall.median:>12,.0f}{used:>10.0%}"
		f"{p50:>9.2f}{p99:>9.2f}{load:>7.0%}{answered:>11,}{checked:>9,}  {_others(found)}"
	)


def _others(found: Sequence[Mapping]) -> str:
	"""Answers that were not the right ones, and what was wrong with them."""
	counts: dict[str, int] = {}
	for one in found:
		for status, count in one["statuses"].items():
			if status not in ("200", "accepted"):
				counts[status] = counts.get(status, 0) + count
	problems = {problem for one in found for problem in one["problems"]}
	return (
		", ".join([*(f"{status}: {count}" for status, count in counts.items()), *sorted(problems)]) or "none"
	)


def comparisons(rounds: Rounds, edges: Sequence[str], others: Sequence[str]) -> list[str]:
	"""How each edge stands to everybody else: the median of the rounds' ratios, and their range."""
	lines = []
	for edge in edges:
		for other in others:
			if other.startswith(ECHO) and other.removeprefix(ECHO) != edge.removeprefix("edge"):
				continue  # an echo is the measure of its own server
			if found := ratios(rounds, edge, other):
				lines.append(
					f"{edge:<14} / {other:<18} {found.median:>8.2f}   (rounds {found.least:.2f} to {found.most:.2f})"
				)
	return lines


def goals(rounds: Rounds, edges: Sequence[str], latencies: Mapping[str, Mapping]) -> list[Goal]:
	"""The goals of shared measure: by the best form of the edge, each against its own echo."""
	found = []
	for edge in edges:
		form = edge.removeprefix("edge ")
		found += [
			_goal(rounds, f"G1 {form}", edge, radius.SQL, 2.5, "FreeRADIUS with SQL, Debian's configuration"),
			_goal(rounds, f"G1 {form}", edge, radius.SQL, 4.0, "the same, moonshot"),
			_goal(
				rounds,
				f"G1 {form}",
				edge,
				radius.BARE,
				2.5,
				"FreeRADIUS with SQL and nothing else configured",
			),
			_goal(rounds, f"G2 {form}", edge, DESK, 70.0, "the desk's endpoint"),
			_goal(rounds, f"G3 {form}", edge, f"echo {form}", 0.6, "an echo on the same server"),
		]
		if edge == edges[0]:  # the one that is asked for signatures too
			found.append(
				_goal(rounds, f"G4 {form}", edge, ES256, 4.0, "a signature verified for each request")
			)
		p99 = latencies[edge]["p99"] * 1000 if edge in latencies else None
		found.append(Goal(f"G9 {form}", "p99 at half load", p99, 10.0, at_most=True, unit="ms"))
	return found


def _goal(rounds: Rounds, name: str, edge: str, other: str, wanted: float, text: str) -> Goal:
	found = ratios(rounds, edge, other)
	return Goal(name, text, found.median if found else None, wanted)
