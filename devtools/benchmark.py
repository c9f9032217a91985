"""`./dev benchmark`: desk and edge of the demo asked in turns, with the figures printed as ratios of one run."""

import contextlib
import json
import subprocess
from pathlib import Path

from devtools import bench as benches
from devtools import demo, embedded, packages, paths, proc, services, stack
from devtools.proc import Daemon
from devtools.say import Problem, step

SCRIPT = paths.CLONE / "benchmarks/device_auth/run.py"
LIMITS = "subscriber_tv_limits"
# The desk lets a TV ask ten times a minute; a benchmark asks with few TVs and often.
NO_LIMITS = {"device": [1_000_000, 60], "failures": [1_000_000, 60]}


def run(arguments: list[str]) -> int:
	"""Serve the demo's site on free ports and compare; more arguments go to the benchmark's own script."""
	if demo.is_running():
		raise Problem("the demo is running: `./dev stop` first, so that nothing else takes the processors")
	bench = benches.find_or_make()
	if not bench:
		raise Problem(
			"the benchmark compares with the desk, so it needs a bench; `./dev doctor` says how to get one"
		)
	with services.running() as found:
		running = demo.site_on(bench, found)
		with _unlimited(running):
			running.start()
			try:
				return _compare(running, arguments)
			finally:
				running.stop()


@contextlib.contextmanager
def _unlimited(running: stack.Stack):
	path = running.overlay.sites / running.site / "site_config.json"
	before = path.read_text()
	path.write_text(json.dumps({**json.loads(before), LIMITS: NO_LIMITS}, indent=1))
	try:
		yield
	finally:
		path.write_text(before)


def _compare(running: stack.Stack, arguments: list[str]) -> int:
	# Ended by the stack afterwards all the same; they only take processor time here.
	for name in ("scheduler", "worker"):
		Daemon(name, running.folder).stop()
	tvs = _watching_tvs(running)
	step("measuring")
	addresses = ["--desk-url", f"http://127.0.0.1:{running.ports.web}", "--edge-url", running.edge]
	pids = [
		f"--{kind}-pid={Daemon(name, running.folder).pid()}"
		for kind, name in (("desk", "web"), ("edge", "edge"))
	]
	command = [
		packages.tool_python(),
		SCRIPT,
		*addresses,
		"--site",
		running.site,
		"--tvs",
		tvs,
		*pids,
		*arguments,
	]
	return subprocess.run(
		command, cwd=paths.CLONE, env=proc.clean_env(PYTHONPATH=str(paths.CLONE))
	).returncode


def _watching_tvs(running: stack.Stack) -> Path:
	"""A file of the demo's TVs that may play now, with their credentials."""
	database = running.edge_database
	path = running.folder / "tvs.csv"
	command = [packages.tool_python(), stack.INSIDE / "watching_tvs.py", database, embedded.FIXTURES, path]
	if proc.capture(command, env=proc.clean_env(PYTHONPATH=str(paths.CLONE))) is None:
		raise Problem(f"{database} tells no TV that may play")
	return path
