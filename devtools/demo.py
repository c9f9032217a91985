"""`./dev demo`: the product running on demo data, until Ctrl-C or `./dev stop`."""

import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path

from devtools import bench as benches
from devtools import embedded, packages, paths, proc, services, sites, stack
from devtools.proc import Daemon
from devtools.say import Problem, line, step, tail

SITE = "tv.localhost"
PASSWORD = "canal-orange-42-girafe"
DESK_PORT = 8000
EDGE_PORT = 8090
PEOPLE = stack.INSIDE / "people.py"


def run(*, detach: bool, embedded: bool, reset: bool) -> int:
	"""Start what is not running and show where it is; in the foreground it ends with Ctrl-C."""
	if _pid():
		line(_shown())
		line("The demo runs already; `./dev stop` ends it.")
		return 0
	if detach:
		return _in_background(embedded, reset)
	_remember(os.getpid())
	try:
		_serve(embedded, reset)
	finally:
		_forget()
	return 0


def stop() -> int:
	"""End the demo and whatever of this clone still runs."""
	pid = _pid()
	if pid:
		with contextlib.suppress(ProcessLookupError):
			os.kill(pid, signal.SIGTERM)
		deadline = time.monotonic() + 60
		while _pid() and time.monotonic() < deadline:
			time.sleep(0.1)
	_forget()
	ended = [name for root in sorted(paths.state().glob("bench-*")) for name in stack.stop(root)]
	ended += embedded.stop()
	with proc.lock("services"):
		services_ended = services.stop()
	line("stopped" if pid or ended or services_ended else "nothing was running")
	return 0


def _serve(without_bench: bool, reset: bool) -> None:
	bench = None if without_bench else benches.find_or_make()
	with contextlib.ExitStack() as leaving:
		if bench:
			text = leaving.enter_context(_full(bench, reset))
		else:
			text = leaving.enter_context(embedded.running(EDGE_PORT))
		_file("demo.txt").write_text(text)
		line(text)
		line("Ctrl-C ends the demo.")
		while True:
			time.sleep(3600)


@contextlib.contextmanager
def _full(bench: benches.Bench, reset: bool):
	with services.running() as found:
		running = site_on(bench, found, reset=reset)
		logins = _logins(running.overlay)
		try:
			_ready_site(running)
			running.start()
			running.start_listener()
			tvs = _tv_addresses()
			fleet = running.start_fleet(embedded.FIXTURES / "bindings.csv", leave=tvs["watching_serial"])
			yield _describe(running, logins, tvs, fleet)
		finally:
			step("stopping")
			running.stop()


def site_on(bench: benches.Bench, found: services.Services, *, reset: bool = False) -> stack.Stack:
	"""The demo's site with its data, not started yet; what an earlier demo of this clone left running is ended."""
	packages.install_programs(("wkhtmltopdf",))
	ports = stack.Ports.free(DESK_PORT, EDGE_PORT)
	overlay = benches.Overlay(bench, found, "demo", redis_pair=1, ports={"socketio_port": ports.realtime})
	stack.stop(overlay.root)
	_prepare_site(overlay, reset)
	return stack.Stack(overlay, SITE, ports)


def is_running() -> bool:
	"""Whether a demo of this clone runs."""
	return _pid() is not None


def _prepare_site(overlay: benches.Overlay, reset: bool) -> None:
	"""The demo's site, made once and kept; a changed package migrates it. A half-loaded one is made again."""
	log = paths.logs() / "demo.log"
	package = paths.tree_digest(paths.PACKAGE)
	memory = overlay.root / "demo-site"
	known = memory.read_text() if memory.exists() and sites.exists(overlay, SITE) else ""
	if reset or not known:
		memory.unlink(missing_ok=True)
		dump = sites.with_app(overlay)
		step("restoring the operator's site")
		sites.restore(overlay, dump, SITE)
		step("loading the demo operator")
		overlay.run(
			"--site", SITE, "subscriber-tv", "demo", what="loading the demo", log=log, heartbeat="demo data"
		)
	elif known != package:
		step("migrating the demo's site")
		overlay.run("--site", SITE, "migrate", what="migrating the demo's site", log=log, heartbeat="migrate")
	memory.write_text(package)


def _ready_site(running: stack.Stack) -> None:
	overlay = running.overlay
	command = [overlay.bench.python, stack.INSIDE / "ready_site.py", SITE, str(overlay.services.mqtt_port)]
	proc.must(
		command,
		what="readying the site for its TVs",
		log=paths.logs() / "demo.log",
		env=overlay.env(),
		cwd=overlay.sites,
	)


def _logins(overlay: benches.Overlay) -> dict[str, str]:
	step("giving every kind of person a login")
	command = [overlay.bench.python, PEOPLE, SITE, PASSWORD]
	answer = proc.capture(command, timeout=180, env=overlay.env(), cwd=overlay.sites)
	if not answer:
		raise Problem(f"the logins could not be made; try {PEOPLE} by hand in {overlay.sites}")
	return json.loads(answer.strip().splitlines()[-1])


def _tv_addresses() -> dict[str, str]:
	command = [packages.tool_python(), stack.INSIDE / "tv_addresses.py", embedded.FIXTURES]
	answer = proc.capture(command, env=proc.clean_env(PYTHONPATH=str(paths.CLONE)))
	if not answer:
		raise Problem(f"the demo's files in {embedded.FIXTURES} cannot be read")
	return json.loads(answer)


def _describe(running: stack.Stack, logins: dict[str, str], tvs: dict[str, str], fleet: Path) -> str:
	people = "\n".join(f"  {kind.removeprefix('TV '):<12} {address}" for kind, address in logins.items())
	seen = "\n".join(f"           {line}" for line in fleet.read_text().splitlines())
	return f"""
Desk       {running.desk}/app/subscriber-tv
Fleet      {running.desk}/app/tv-fleet-board
TV page    {running.edge}{tvs["watching"]}
           may watch. This one waits to be bound to {tvs["waiting_subscription"]}: scan its QR code, or open
           {running.desk}/pair-tv
           {running.edge}{tvs["waiting"]}
Edge       {running.edge}/v1/health
MQTT       127.0.0.1:{running.overlay.services.mqtt_port}
TVs        power on, say how they are and listen to the broker ({fleet}):
{seen}

Logins (password {PASSWORD}):
{people}
  {"Everything":<12} Administrator (password {sites.ADMIN_PASSWORD})
"""


def _in_background(without_bench: bool, reset: bool) -> int:
	_file("demo.txt").unlink(missing_ok=True)
	flags = [flag for flag, given in (("--embedded", without_bench), ("--reset", reset)) if given]
	daemon = Daemon("demo-process")
	daemon.log.unlink(missing_ok=True)
	daemon.start([sys.executable, paths.CLONE / "dev", "demo", *flags], env=dict(os.environ), cwd=paths.CLONE)
	seen = 0
	while daemon.pid():
		text = daemon.log.read_text()
		print(text[seen:], end="", flush=True)
		seen = len(text)
		if _file("demo.txt").exists():
			line("`./dev stop` ends it.")
			return 0
		time.sleep(0.5)
	tail(daemon.log)
	raise Problem(f"the demo did not start; its log is {daemon.log}")


def _file(name: str) -> Path:
	return paths.state() / name


def _remember(pid: int) -> None:
	_file("demo.txt").unlink(missing_ok=True)
	_file("demo.pid").write_text(f"{pid} {proc.start_time(pid)}")


def _forget() -> None:
	for name in ("demo.pid", "demo.txt"):
		_file(name).unlink(missing_ok=True)


def _pid() -> int | None:
	try:
		pid, started = _file("demo.pid").read_text().split()
	except (OSError, ValueError):
		return None
	return int(pid) if proc.start_time(int(pid)) == started else None


def _shown() -> str:
	path = _file("demo.txt")
	return path.read_text() if path.exists() else "It is still starting."
