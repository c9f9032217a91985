"""`./dev benchmark`: what is compared with what, with the figures printed as ratios of one run.

device_auth   desk and edge of the demo, asked in turns
billing       bill runs and ERPNext's own Subscription, on a site made for it
"""

import contextlib
import json
import subprocess
from pathlib import Path

from devtools import bench as benches
from devtools import demo, embedded, packages, paths, proc, services, sites, stack
from devtools.proc import Daemon
from devtools.say import Problem, step

SCRIPT = paths.CLONE / "benchmarks/device_auth/run.py"
BILLING = paths.CLONE / "benchmarks/billing/run.py"
BILLING_SITE = "benchmark.localhost"
LIMITS = "subscriber_tv_limits"
# The desk lets a TV ask ten times a minute; a benchmark asks with few TVs and often.
NO_LIMITS = {"device": [1_000_000, 60], "failures": [1_000_000, 60], "challenges": [1_000_000, 60]}


def run(name: str, arguments: list[str]) -> int:
	"""Run the benchmark of that name; more arguments go to its own script."""
	if demo.is_running():
		raise Problem("the demo is running: `./dev stop` first, so that nothing else takes the processors")
	bench = benches.find_or_make()
	if not bench:
		raise Problem(f"the benchmark {name} needs a bench; `./dev doctor` says how to get one")
	with services.running() as found:
		return BENCHMARKS[name](bench, found, arguments)


def _device_auth(bench: benches.Bench, found: services.Services, arguments: list[str]) -> int:
	"""Serve the demo's site on free ports and compare."""
	running = demo.site_on(bench, found)
	with _unlimited(running):
		running.start()
		try:
			return _compare(running, arguments)
		finally:
			running.stop()


def _billing(bench: benches.Bench, found: services.Services, arguments: list[str]) -> int:
	"""Fill a site made anew and bill it both ways."""
	overlay = benches.Overlay(bench, found, "benchmark", redis_pair=2)
	sites.restore(overlay, sites.with_app(overlay), BILLING_SITE)
	step("measuring")
	command = [overlay.bench.python, BILLING, "--site", BILLING_SITE, *arguments]
	try:
		return subprocess.run(command, cwd=overlay.sites, env=overlay.env()).returncode
	finally:
		sites.drop(overlay, BILLING_SITE)


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
		"--masters",
		running.masters,
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


BENCHMARKS = {"device_auth": _device_auth, "billing": _billing}
