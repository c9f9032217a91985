"""`./dev benchmark`: what is compared with what, with the figures printed as ratios of one run.

device_auth   power-ons a second of edge, desk, an echo and FreeRADIUS at 563,000 TVs; a storm; replays
billing       bill runs and ERPNext's own Subscription, on a site made for it
reliability   what TVs are answered while edges, disks, clocks, publishers and brokers fail
projection    from contracts to rights at the edge, stage by stage, on a site made for it
"""

import subprocess
from pathlib import Path

from devtools import bench as benches
from devtools import demo, packages, paths, proc, services, sites, stack
from devtools.proc import Daemon
from devtools.say import Problem, step

BILLING = paths.CLONE / "benchmarks/billing/run.py"
RELIABILITY = paths.CLONE / "benchmarks/reliability/run.py"
# Its faults on the ERP's side.
WITH_SITE = ("publisher-killed", "redis")
PROJECTION = paths.CLONE / "benchmarks/projection/run.py"
SITE = "benchmark.localhost"
DEVICE_AUTH = "benchmarks.device_auth"
# What the figures of power-ons depend on: a projection that other code made is not used.
POWER_ON_CODE = ("core", "edge")


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
	"""Measure power-ons; the desk needs a site of its own, filled with as many TVs."""
	packages.install_programs(("freeradius",))
	if any(part in arguments for part in ("storm", "replay")) and "rounds" not in arguments:
		return _measure([], arguments)
	overlay = benches.Overlay(bench, found, "benchmark", redis_pair=2)
	sites.restore(overlay, sites.with_app(overlay), SITE)
	web = Daemon("benchmark-web")
	try:
		step("filling the site with TVs")
		command = [
			overlay.bench.python,
			"-m",
			f"{DEVICE_AUTH}.desk",
			"--site",
			SITE,
			*_kept(),
			*_tvs(arguments),
		]
		log = paths.logs() / "benchmark.log"
		proc.must(
			command, what="filling the site", log=log, cwd=overlay.sites, env=overlay.env(), heartbeat="TVs"
		)
		port = _serve(web, overlay)
		desk = ["--desk-url", f"http://127.0.0.1:{port}", "--desk-pid", str(web.pid()), "--site", SITE]
		return _measure(desk, arguments)
	finally:
		web.stop()
		sites.drop(overlay, SITE)


def _serve(web: Daemon, overlay: benches.Overlay) -> int:
	"""Serve the site as the demo does; the port."""
	port = proc.free_port()
	server = [overlay.bench.python, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", *stack.WEB_OPTIONS]
	application = ["--pythonpath", str(stack.INSIDE), "web:application"]
	web.start([*server, *application], env=overlay.env(SUBSCRIBER_TV_SITE=SITE), cwd=overlay.sites)
	web.wait_until(lambda: stack.answers(f"http://127.0.0.1:{port}/api/method/ping"), seconds=120)
	return port


def _measure(more: list[str], arguments: list[str]) -> int:
	step("measuring")
	command = [packages.tool_python(), "-m", f"{DEVICE_AUTH}.run", *_kept(), *more, *arguments]
	env = proc.clean_env(PYTHONPATH=str(paths.CLONE))
	return subprocess.run(command, cwd=paths.CLONE, env=env).returncode


def _kept() -> list[str]:
	"""Where keys and projection are kept, and by which code the latter was made."""
	folder = paths.shared() / "device_auth"
	version = paths.digest(*(paths.tree_digest(paths.PACKAGE / part, (".py",)) for part in POWER_ON_CODE))
	return ["--cache", str(folder), "--version", version]


def _tvs(arguments: list[str]) -> list[str]:
	"""How many TVs, when that is asked for."""
	return arguments[arguments.index("--tvs") :][:2] if "--tvs" in arguments else []


def _billing(bench: benches.Bench, found: services.Services, arguments: list[str]) -> int:
	"""Fill a site made anew and bill it both ways."""
	return _on_own_site(BILLING, bench, found, arguments)


def _projection(bench: benches.Bench, found: services.Services, arguments: list[str]) -> int:
	"""Fill a site made anew with TVs and publish their rights."""
	return _on_own_site(PROJECTION, bench, found, arguments)


def _on_own_site(script: Path, bench: benches.Bench, found: services.Services, arguments: list[str]) -> int:
	overlay = benches.Overlay(bench, found, "benchmark", redis_pair=2)
	sites.restore(overlay, sites.with_app(overlay), SITE)
	step("measuring")
	command = [overlay.bench.python, script, "--site", SITE, *arguments]
	try:
		return subprocess.run(command, cwd=overlay.sites, env=overlay.env()).returncode
	finally:
		sites.drop(overlay, SITE)


def _reliability(bench: benches.Bench, found: services.Services, arguments: list[str]) -> int:
	"""Break edges made for it, and the publisher of a site made anew when that is asked for."""
	overlay = benches.Overlay(bench, found, "benchmark", redis_pair=2)
	command = [packages.tool_python(), RELIABILITY, *arguments]
	if "--only" in arguments and not any(name in arguments for name in WITH_SITE):
		return subprocess.run(command, cwd=paths.CLONE, env=overlay.env()).returncode
	sites.restore(overlay, sites.with_app(overlay), SITE)
	step("breaking things")
	site = ["--site", SITE, "--sites", overlay.sites, "--bench-python", overlay.bench.python]
	try:
		return subprocess.run([*command, *site], cwd=paths.CLONE, env=overlay.env()).returncode
	finally:
		sites.drop(overlay, SITE)


BENCHMARKS = {
	"device_auth": _device_auth,
	"billing": _billing,
	"reliability": _reliability,
	"projection": _projection,
}
