"""A power cut ends: fifty times what the edge can answer in a second, switched on within five seconds.

The capacity is measured first, in the same form, and not told to the edge: it finds out by itself, as in production.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict

from benchmarks.device_auth import servers, storm_load
from benchmarks.device_auth.contenders import Bench, Contender
from benchmarks.device_auth.figures import Goal, per_wall

WITHIN = 5.0
# Of the ideal: no storm is followed longer.
_GIVE_UP = 5.0
_MIB = 2**20
# What memory may grow by in a storm: the limits' own tables, which are bounded, take most of it.
FLAT = 64 * _MIB


def run(bench: Bench, forms: Sequence[str], times: float) -> dict:
	"""Both ways to reach an edge of each form: the outcomes, and the goals printed."""
	found = {}
	for form in forms:
		for way in (storm_load.RELAYED, storm_load.OWN):
			with servers.edge(bench.folder, bench.built, bench.publisher, [bench.server_core], form) as edge:
				found[f"{form} {way}"] = _one(bench, edge, form, way, times)
	found["wrong"] = any(one["problems"] for one in found.values())
	return found


def _one(bench: Bench, edge: servers.Server, form: str, way: str, times: float) -> dict:
	asked, capacity = _capacity(bench, edge, way)
	most = len(bench.fleet) - asked
	number = min(round(times * capacity), most)
	ideal = number / capacity
	print(
		f"\nstorm at edge {form}, {way}: {capacity:,.0f} answers/s measured, {number:,} TVs within {WITHIN:g} s"
	)
	outcome = _storm(bench, edge, way, asked, number, WITHIN, ideal * _GIVE_UP)
	goals = goals_of(outcome, ideal)
	memory = [value / _MIB for value in outcome["resident"]]
	print(
		f"ideal {ideal:.1f} s; half answered after {outcome['p50']:.1f} s, 99 % after {outcome['p99']:.1f} s, the last "
		f"after {outcome['last']:.1f} s\n"
		f"answers {outcome['statuses']}, lost patience {outcome['lost_patience']:,} times, all had asked the edge once "
		f"after {outcome['all_asked']:.1f} s\n"
		f"requests a TV {outcome['mean_requests']:.2f}, at most {outcome['most_requests']}; memory "
		f"{memory[0]:.0f} MiB before, {max(memory):.0f} at most; server {outcome['cpu'] / outcome['last']:.0%} and load "
		f"{outcome['own_cpu'] / outcome['last']:.0%} of their cores; {outcome['checked']:,} answers checked: "
		f"{outcome['problems'] or 'all right'}"
	)
	print(*goals, sep="\n", flush=True)
	told = [{**goal.__dict__, "verdict": goal.verdict} for goal in goals]
	return {**outcome, "capacity": capacity, "tvs": number, "ideal": ideal, "goals": told}


def goals_of(outcome: dict, ideal: float) -> list[Goal]:
	"""G6. `ideal`: seconds in which the edge could have answered all, one after the other."""
	memory = outcome["resident"]
	grown = (max(memory) - memory[0]) / _MIB if memory else None
	return [
		Goal("G6", "99 % answered, against the ideal", outcome["p99"] / ideal, 1.6, at_most=True),
		Goal("G6", "the last answered, against the ideal", outcome["last"] / ideal, 5, at_most=True),
		Goal("G6", "requests a TV", outcome["mean_requests"], 3, at_most=True, unit=""),
		Goal(
			"G6",
			"valid TVs denied or never answered",
			outcome["denied"] + outcome["never"],
			0,
			at_most=True,
			unit="TVs",
		),
		Goal("G6", "memory flat: growth of the worker", grown, FLAT / _MIB, at_most=True, unit="MiB"),
	]


def _capacity(bench: Bench, edge: servers.Server, way: str) -> tuple[int, float]:
	"""How many have asked by then, and the answers a second that the edge gives in this form when it is kept busy."""
	if way == storm_load.RELAYED:
		one = Contender("edge", bench, edge)
		one.warm_up(4.0)
		return one.asked + one.number, per_wall(one.ask(rest=False))
	asked, rate = 0, 0.0
	for number in (2000, 10_000, 10_000):
		# No more at once than the edge lets in: TVs that ask as the ones before them are answered.
		outcome = _storm(bench, edge, way, asked, number, 0.0, 60.0, at_once=32, patience=60.0)
		asked, rate = asked + number, outcome["answered"] / outcome["last"]
	return asked, rate


def _storm(
	bench: Bench,
	edge: servers.Server,
	way: str,
	start: int,
	number: int,
	within: float,
	give_up: float,
	**more: float,
) -> dict:
	order = storm_load.Order(
		edge.port,
		"/v1/auth",
		"bench",
		start,
		number,
		str(bench.keys),
		str(bench.built.public_keys),
		way,
		within,
		give_up,
		**more,
		pids=edge.pids,
		workers=edge.workers,
		core=bench.load_core,
	)
	done = subprocess.run(
		[sys.executable, "-m", storm_load.__name__],
		input=json.dumps(asdict(order)),
		capture_output=True,
		text=True,
		cwd=servers.REPOSITORY,
	)
	if done.returncode:
		raise SystemExit(f"storm: {done.stderr.strip()[-600:]}")
	return json.loads(done.stdout)
