"""Power-on verifications per second of server CPU, at 563,000 TVs, side by side in interleaved rounds.

	python -m benchmarks.device_auth.run --desk-url http://127.0.0.1:8000 --desk-pid PID --site SITE

`./dev benchmark device_auth` starts it with a site of that size; without `--desk-url` everything else is measured. See
README.md for what the figures mean.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.device_auth import contenders, fleet, measure, replay, report, servers, storm
from benchmarks.device_auth.contenders import Bench, Contender
from benchmarks.device_auth.figures import Goal, per_wall

PARTS = ("rounds", "storm", "replay")


def main() -> int:
	"""Measure what is asked for; 1 when an answer was wrong."""
	options = _options()
	# Whoever ends this ends the servers that it started.
	signal.signal(signal.SIGTERM, signal.default_int_handler)
	began = time.monotonic()
	found: dict = {"tvs": options.tvs, "at": int(time.time()), "load_average": os.getloadavg()}
	with ExitStack() as leaving:
		bench = _bench(options, leaving)
		for part in options.only or PARTS:
			found[part] = _measured(part, bench, options)
			if options.json:
				options.json.write_text(json.dumps(found, indent=1))
	print(
		f"\nall in {time.monotonic() - began:.0f} s; load average before and after: "
		f"{found['load_average'][0]:.2f}, {os.getloadavg()[0]:.2f}"
	)
	return int(any(part.get("wrong") for part in found.values() if isinstance(part, dict)))


def _measured(part: str, bench: Bench, options: argparse.Namespace) -> dict:
	"""One part; what keeps it from being measured is said, and the others go on."""
	measures = {"rounds": _rounds, "storm": _storm, "replay": _replay}
	try:
		return measures[part](bench, options)
	except (SystemExit, servers.DidNotStart) as error:
		print(f"\n{part} is not measured: {error}", flush=True)
		return {"error": str(error), "wrong": True}


def _options() -> argparse.Namespace:
	parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
	parser.add_argument("--only", action="append", choices=PARTS, help="this part; may be given again")
	parser.add_argument("--tvs", type=int, default=fleet.TVS)
	parser.add_argument("--rounds", type=int, default=4)
	parser.add_argument("--seconds", type=float, default=4.0, help="length of a round")
	parser.add_argument("--cache", type=Path, required=True, help="where keys and projection are kept")
	parser.add_argument(
		"--version", required=True, help="of the code: a projection made by another is not used"
	)
	parser.add_argument("--json", type=Path, help="a file for the raw figures of every round")
	parser.add_argument("--desk-url", default="", help="address of a site filled by desk.py")
	parser.add_argument("--desk-pid", type=int, default=0, help="main process of its web server")
	parser.add_argument("--site", default="", help="its name")
	parser.add_argument(
		"--leave-out", action="append", default=[], help="a contender's name, or its beginning"
	)
	parser.add_argument(
		"--form", action="append", choices=servers.forms(), help="of the edge; may be given again"
	)
	parser.add_argument("--times", type=float, default=50.0, help="of its capacity: the storm's TVs")
	parser.add_argument("--pairs", type=int, default=1_000_000, help="of questions with one number")
	return parser.parse_args()


def _bench(options: argparse.Namespace, leaving: ExitStack) -> Bench:
	"""What all parts need: keys, projection, a publisher."""
	options.cache.mkdir(parents=True, exist_ok=True)
	tvs = fleet.keys(options.cache, options.tvs)
	built = fleet.built(options.cache, tvs, options.version, int(time.time()))
	if built.compiled:
		print(
			f"projection: {built.rows:,} rows compiled and signed in {built.compiled:.1f} s of CPU, "
			f"taken in by the edge in {built.loaded:.1f} s"
		)
	print(f"projection: {built.bytes_a_tv:.0f} bytes a TV in the edge's file", flush=True)
	server_core, load_core = measure.cores()
	if server_core == load_core:
		print("only one core: server and load share it, and wall times say little")
	folder = Path(leaving.enter_context(tempfile.TemporaryDirectory(prefix="device_auth-")))
	bench = Bench(fleet.keys_path(options.cache, options.tvs), tvs, built, folder, server_core, load_core)
	bench.publisher = leaving.enter_context(servers.publisher(folder, built, load_core))
	return bench


def _rounds(bench: Bench, options: argparse.Namespace) -> dict:
	"""The contenders in turns; then the edges at half of what they gave."""
	with ExitStack() as leaving:
		known = list(_contenders(bench, options, leaving))
		for one in known:
			one.warm_up(options.seconds)
		names = [one.name for one in known]
		print(
			f"\nright answers per second of server CPU, {options.rounds} rounds of about {options.seconds:g} s"
		)
		print(report.heading(names), flush=True)
		rounds = []
		for number in range(options.rounds):
			# Each round begins with another one, so that nobody always follows the same.
			turn = number % len(known)
			rounds.append({one.name: one.ask() for one in known[turn:] + known[:turn]})
			print(report.row(number + 1, rounds[-1], names), flush=True)
		latencies = _latencies([one for one in known if one.name.startswith("edge")], rounds)
	edges = [name for name in names if name.startswith("edge")]
	print("", *report.summary(rounds, names), "", sep="\n")
	print(*report.comparisons(rounds, edges, [name for name in names if name not in edges]), "", sep="\n")
	goals = report.goals(rounds, edges, latencies)
	print(*goals, sep="\n", flush=True)
	wrong = any(one["problems"] for these in rounds for one in these.values())
	return {
		"rounds": rounds,
		"latencies": latencies,
		"goals": [_told(goal) for goal in goals],
		"wrong": wrong,
	}


def _contenders(bench: Bench, options: argparse.Namespace, leaving: ExitStack):
	left_out = tuple(options.leave_out)
	first: Contender | None = None
	for one in contenders.edges(bench, leaving, _forms(options)):
		first = first or one
		if not left_out or not one.name.startswith(left_out):
			yield one
	if first and not contenders.ES256.startswith(left_out or ("-",)):
		yield contenders.es256(first)
	if not "radius".startswith(left_out or ("-",)):
		yield from contenders.radii(bench, leaving)
	if options.desk_url:
		yield contenders.desk(bench, options.desk_url, options.desk_pid, options.site)
	else:
		print("the desk is not measured: no --desk-url", flush=True)


def _storm(bench: Bench, options: argparse.Namespace) -> dict:
	"""A city's TVs ask at once."""
	return storm.run(bench, options.form or _forms(options)[:1], options.times)


def _replay(bench: Bench, options: argparse.Namespace) -> dict:
	"""Every number twice, at the edge's default form."""
	return replay.run(bench, _forms(options)[0], options.pairs)


def _forms(options: argparse.Namespace) -> tuple[str, ...]:
	"""The forms of the edge that are asked for: those worth comparing, when nothing is said."""
	return tuple(options.form or (form for form in servers.forms() if form != "uvicorn"))


def _latencies(edges: list[Contender], rounds: list[dict]) -> dict[str, dict]:
	"""Each edge at half of its median rate: questions at random moments, whether or not earlier ones are answered."""
	found = {}
	print("\nat half load, from the moment that a TV wants to ask to its answer, in ms")
	for edge in edges:
		rates = sorted(per_wall(these[edge.name]) for these in rounds)
		rate = rates[len(rates) // 2] / 2
		one = found[edge.name] = edge.ask(rate=rate, seconds=10)
		figures = "  ".join(f"{key} {one[key] * 1000:.2f}" for key in ("p50", "p99", "longest"))
		print(f"{edge.name:<14} {rate:>8,.0f}/s  {figures}  {one['statuses']}", flush=True)
	return found


def _told(goal: Goal) -> dict:
	return {**goal.__dict__, "verdict": goal.verdict}


if __name__ == "__main__":
	raise SystemExit(main())
