"""The demo's small form, for a machine without a bench: the edge on SQLite, the TV page and a fleet of simulated TVs."""

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from devtools import bench, packages, paths, proc
from devtools.proc import Daemon, free_port, listening
from devtools.say import Problem, step
from devtools.stack import INSIDE, answers

FIXTURES = paths.CLONE / "fixtures" / "demo"
PARTS = ("fleet", "edge")


@contextlib.contextmanager
def running(port: int) -> Iterator[str]:
	"""Edge and fleet for as long as the caller needs them; gives the text to show."""
	stop()
	folder = _folder()
	shutil.rmtree(folder, ignore_errors=True)
	summary = _prepare(_folder())
	address = f"http://127.0.0.1:{port if not listening(port) else free_port()}"
	try:
		_start_edge(address)
		_start_fleet(address, summary["left"])
		yield _describe(address, summary)
	finally:
		step("stopping")
		stop()


def stop() -> list[str]:
	"""End what runs of it; the names of what ran."""
	return [name for name in PARTS if Daemon(name, _folder()).stop()]


def _folder() -> Path:
	folder = paths.state() / "embedded"
	folder.mkdir(exist_ok=True)
	return folder


def _env(**settings: str) -> dict[str, str]:
	return proc.clean_env(PYTHONPATH=str(paths.CLONE), **settings)


def _prepare(folder: Path) -> dict:
	step("compiling and signing the demo's rights")
	command = [packages.tool_python(), INSIDE / "prepare_embedded.py", FIXTURES, folder]
	log = paths.logs() / "embedded.log"
	answer = proc.capture(command, env=_env(), timeout=120)
	if not answer:
		log.write_text("")
		proc.must(command, what="compiling the demo's rights", log=log, env=_env())
		raise Problem(f"compiling the demo's rights failed once; its log is {log}")
	return json.loads(answer)


def _start_edge(address: str) -> None:
	step("starting the edge")
	folder = _folder()
	edge = Daemon("edge", folder)
	settings = {
		"SUBSCRIBER_TV_EDGE_NAME": "embedded",
		# Demonstrations ask more than a TV in a living room may.
		"SUBSCRIBER_TV_EDGE_TV_PER_MINUTE": "600000",
		"SUBSCRIBER_TV_EDGE_FAILURES_PER_MINUTE": "600000",
		"SUBSCRIBER_TV_EDGE_PORT": address.rsplit(":", 1)[1],
		"SUBSCRIBER_TV_EDGE_DATABASE": str(folder / "edge.sqlite"),
		"SUBSCRIBER_TV_EDGE_PUBLIC_KEY_FILE": str(folder / "lease-keys.json"),
		"SUBSCRIBER_TV_EDGE_MASTERS_FILE": str(folder / "tv-masters.json"),
	}
	edge.start([packages.tool_python(), "-m", "subscriber_tv.edge"], env=_env(**settings), cwd=folder)
	edge.wait_until(lambda: answers(f"{address}/v1/ready"))


def _start_fleet(address: str, left: list[str]) -> None:
	step("powering on the fleet")
	command = [packages.tool_python(), INSIDE / "power_fleet.py", address, FIXTURES / "bindings.csv"]
	command += [option for serial in left for option in ("--leave", serial)]
	fleet = Daemon("fleet", _folder())
	fleet.start(command, env=_env(), cwd=_folder())
	fleet.wait_until(lambda: "power-ons in" in fleet.log.read_text())


def _describe(address: str, summary: dict) -> str:
	log = Daemon("fleet", _folder()).log
	seen = "\n".join(f"           {line}" for line in log.read_text().splitlines())
	return f"""
TV page    {address}{summary["watching"]}
           may watch; this one may not:
           {address}{summary["refused"]}
Edge       {address}/v1/health
Fleet      {summary["devices"] - len(summary["left"])} other TVs power on again and again ({log}):
{seen}

{_what_is_missing()}
"""


def _what_is_missing() -> str:
	if bench.find():
		return "This is the form without ERPNext: leave out --embedded for desk, billing and pairing."
	return f"This is the form without ERPNext: {bench.NO_BENCH}. Set FRAPPE_BENCH_ROOT for desk, billing and pairing."
