"""What a fleet of TVs is answered while things break: one table, a row for every fault.

	python benchmarks/reliability/run.py [--only NAME ...] [--tvs 200] [--seconds 20] [--seed 4]

Every fault is done to real processes over real sockets, by the same code as the tests in tests/edge (faults.py). With
`--site`, `--sites` and `--bench-python` those of the ERP's side are done on that site as well (erp.py). Exit code 1 when a
valid TV was denied or a cancelled one served beyond its lease, or when something did not heal. See README.md.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
CLONE = HERE.parents[1]
sys.path[:0] = [str(CLONE), str(CLONE / "tests" / "edge")]

import days
import faults
import ready

DAY = 86_400
COLUMNS = (
	"TVs",
	"asks",
	"served",
	"refused",
	"lost",
	"dark",
	"denied",
	"beyond",
	"again",
	"longest",
	"healed",
)
HEAD = f"{'fault':24}" + "".join(f"{name:>9}" for name in COLUMNS)


def everything(options: argparse.Namespace) -> dict[str, Callable[[Path], dict]]:
	"""Every fault by its name."""
	long = options.seconds
	given = {"tvs": options.tvs, "seed": options.seed, "every": 1.0}
	fleet = {
		"publisher": partial(faults.publisher_gone, long=long, **given),
		"kill-worker": partial(faults.killed, what="worker", long=long, **given),
		"kill-main": partial(faults.killed, what="main", long=long, **given),
		"kill-both": partial(faults.killed, what="both", long=long, **given),
		"broker": partial(faults.broker_down, long=long, **given),
		"disk": partial(faults.disk_full, long=long, **given),
		"clock-hour-ahead": partial(faults.clock_stepped, seconds=3600, long=long / 2, **given),
		"clock-month-ahead": partial(faults.clock_stepped, seconds=30 * DAY, long=long / 2, **given),
		"clock-hour-behind": partial(faults.clock_stepped, seconds=-3600, long=long / 2, **given),
		"clock-year-behind": partial(faults.clock_stepped, seconds=-400 * DAY, long=long / 2, **given),
		"file-bits": partial(faults.spoiled, how="bits", long=long, **given),
		"file-half": partial(faults.spoiled, how="half", long=long, **given),
		"file-stranger": partial(faults.spoiled, how="stranger", long=long, **given),
		"two-edges": partial(faults.node_lost, long=long, **given),
		"days-without-erp": partial(days.erp_stopped, days=9, tvs=options.tvs, seed=options.seed),
	}
	found = {name: partial(_with_fleet, fault) for name, fault in fleet.items()}
	found["ready-after-kill"] = partial(ready.after_kill, tvs=options.rows)
	if options.site:
		for name in ("publisher-killed", "redis"):
			found[name] = partial(_on_site, name, options)
	return found


def _with_fleet(fault: Callable[..., faults.Outcome], folder: Path) -> dict:
	outcome = fault(folder)
	return outcome.row()


def _on_site(name: str, options: argparse.Namespace, folder: Path) -> dict:
	answer = folder / "answer.json"
	command = [options.bench_python, HERE / "erp.py", name, "--site", options.site, "--answer", answer]
	command += ["--tvs", str(options.tvs), "--seconds", str(options.seconds), "--seed", str(options.seed)]
	done = subprocess.run([str(part) for part in command], cwd=options.sites, env=os.environ)
	if done.returncode or not answer.exists():
		raise RuntimeError(f"{name}: exit code {done.returncode}")
	return json.loads(answer.read_text())


def main() -> int:
	"""Run what is asked for and print the table."""
	options = _options()
	chosen = everything(options)
	if unknown := [name for name in options.only if not any(known.startswith(name) for known in chosen)]:
		print(f"no fault {', '.join(unknown)}; there are {', '.join(chosen)}", file=sys.stderr)
		return 2
	print(
		f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, seed {options.seed}, faults of {options.seconds:g} s"
	)
	print(HEAD, flush=True)
	broken = 0
	for name, fault in chosen.items():
		if options.only and not any(name.startswith(wanted) for wanted in options.only):
			continue
		broken += not _one(name, fault)
	print("every law was kept" if not broken else f"{broken} faults broke a law, or did not heal")
	return 1 if broken else 0


def _one(name: str, fault: Callable[[Path], dict]) -> bool:
	with tempfile.TemporaryDirectory(prefix="reliability-") as folder:
		try:
			row = fault(Path(folder))
		except (AssertionError, OSError, RuntimeError, subprocess.SubprocessError) as error:
			print(f"{name:24}  not done: {str(error).splitlines()[0]}", flush=True)
			return False
	shown = "".join(f"{_short(row.get(column)):>9}" for column in COLUMNS)
	besides = ", ".join(f"{what} {_short(value)}" for what, value in row["seen"].items())
	print(f"{name:24}{shown}  {besides}", flush=True)
	for law in row.get("broken", ()):
		print(f"{'':24}  BROKEN {law}", flush=True)
	return not row.get("broken")


def _short(value: float | None) -> str:
	if value is None:
		return "–"
	return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _options() -> argparse.Namespace:
	asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
	asked.add_argument("--only", nargs="+", default=[], help="faults whose names begin so")
	asked.add_argument("--tvs", type=int, default=200)
	asked.add_argument("--rows", type=int, default=563_000, help="TVs in the file of ready-after-kill")
	asked.add_argument("--seconds", type=float, default=20.0, help="how long a fault lasts")
	asked.add_argument("--seed", type=int, default=4)
	asked.add_argument("--site")
	asked.add_argument("--sites", help="the bench's folder of sites")
	asked.add_argument("--bench-python")
	return asked.parse_args()


if __name__ == "__main__":
	sys.exit(main())
