"""A million pairs of questions with one number, each pair at two workers at once: is any number ever taken twice?"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict

from benchmarks.device_auth import replay_load, servers
from benchmarks.device_auth.contenders import Bench
from benchmarks.device_auth.figures import Goal


def run(bench: Bench, form: str, pairs: int) -> dict:
	"""Send them, print what became of them and the goal."""
	cores = sorted({bench.server_core, bench.load_core})
	with servers.edge(bench.folder, bench.built, bench.publisher, cores, form, workers=2) as edge:
		order = replay_load.Order(
			edge.port, "/v1/auth", "bench", pairs, str(bench.keys), str(bench.built.public_keys), edge.workers
		)
		done = subprocess.run(
			[sys.executable, "-m", replay_load.__name__],
			input=json.dumps(asdict(order)),
			capture_output=True,
			text=True,
			cwd=servers.REPOSITORY,
		)
	if done.returncode:
		raise SystemExit(f"replay: {done.stderr.strip()[-600:]}")
	outcome = json.loads(done.stdout)
	print(
		f"\nreplay at edge {form}: {pairs:,} pairs at two workers {outcome['workers']} in {outcome['wall']:.0f} s"
	)
	for kind, counts in outcome["pairs"].items():
		print(f"{kind:<17} " + ", ".join(f"{what}: {count:,}" for what, count in sorted(counts.items())))
	print(f"{outcome['checked']:,} answers checked: {outcome['problems'] or 'all right'}")
	goals = goals_of(outcome["pairs"])
	print(*goals, sep="\n", flush=True)
	wrong = bool(outcome["problems"]) or any(goal.verdict != "met" for goal in goals)
	return {
		**outcome,
		"goals": [{**goal.__dict__, "verdict": goal.verdict} for goal in goals],
		"wrong": wrong,
	}


def goals_of(pairs: dict[str, dict[str, int]]) -> list[Goal]:
	"""G7, and what goes with it."""
	forks, repeats = pairs[replay_load.FORK], pairs[replay_load.REPEAT]
	twice = forks.get("BOTH TAKEN", 0)
	different = repeats.get("DIFFERENT ANSWERS", 0)
	others = forks.get("other", 0) + repeats.get("other", 0)
	return [
		Goal("G7", "numbers taken twice, under two nonces", twice, 0, at_most=True, unit="pairs"),
		Goal("G7", "same question, different answers", different, 0, at_most=True, unit="pairs"),
		Goal("G7", "pairs that ended in any other way", others, 0, at_most=True, unit="pairs"),
	]
