"""`./dev test`: every suite that can run here, one after the other, and one last line with the counts."""

import contextlib
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from devtools import bench as benches
from devtools import packages, paths, proc, results, services, sites
from devtools.results import Result
from devtools.say import Problem, line, step, tail

TEST_SITE = "test.localhost"
ROUND_TRIP_SITE = "roundtrip.localhost"
BROWSER_SITE = "browser.localhost"
HOSTILE_SITE = "hostile.localhost"
HOUR = 3600


@dataclass
class Run:
	"""What the suites of one run share: the bench, when there is one, and the overlay made on first use."""

	arguments: list[str]
	bench: benches.Bench | None = None
	stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
	_overlay: benches.Overlay | None = None

	def overlay(self) -> benches.Overlay:
		if self._overlay is None:
			found = self.stack.enter_context(services.running())
			self._overlay = benches.Overlay(self.bench, found, "test", redis_pair=0)
		return self._overlay


@dataclass(frozen=True)
class Suite:
	"""One kind of test: where it lies, whether it needs a bench, how it runs."""

	name: str
	folder: Path
	needs_bench: bool
	run: Callable[["Suite", Run, Path], Result]


def run_all(names: list[str], arguments: list[str]) -> int:
	"""Run the named suites, or all; 0 only when something passed and nothing failed."""
	unknown = set(names) - {suite.name for suite in SUITES}
	if unknown:
		known = ", ".join(suite.name for suite in SUITES)
		raise Problem(f"no suite {', '.join(sorted(unknown))}; the suites are {known}")
	chosen = [suite for suite in SUITES if not names or suite.name in names]
	total = Result()
	with (
		proc.lock("test", waiting="another ./dev test runs in this clone; waiting for it"),
		_run(arguments) as run,
	):
		for suite in chosen:
			total += _one(suite, run)
	for reason in total.reasons:
		line(f"skipped  {reason}")
	line(str(total))
	return 1 if total.failed or not total.passed else 0


def bench_command(arguments: list[str]) -> int:
	"""Pass a command on to bench in the test overlay, with the terminal attached."""
	with _run([]) as run:
		run.bench = benches.find()
		if not run.bench:
			raise Problem(benches.NO_BENCH)
		overlay = run.overlay()
		if "--site" in arguments and not sites.exists(overlay, arguments[arguments.index("--site") + 1]):
			sites.restore(overlay, sites.with_app(overlay), TEST_SITE)
		return subprocess.call([*overlay.command, *arguments], cwd=overlay.sites, env=overlay.env())


@contextlib.contextmanager
def _run(arguments: list[str]) -> Iterator[Run]:
	run = Run(arguments)
	with run.stack:
		yield run


def _one(suite: Suite, run: Run) -> Result:
	if not _has_tests(suite.folder):
		line(f"{suite.name}: no tests in {suite.folder.relative_to(paths.CLONE)}")
		return Result(failed=1)
	if suite.needs_bench and not run.bench:
		run.bench = benches.find_or_make()
		if not run.bench:
			return results.not_run(suite.name, benches.NO_BENCH)
	log = paths.logs() / f"test-{suite.name}.log"
	log.write_text("")
	step(f"{suite.name} …")
	began = time.monotonic()
	try:
		result = suite.run(suite, run, log)
	except Problem as problem:
		line(str(problem))
		result = Result(failed=1)
	if result.failed:
		tail(log, 60)
		line(f"the whole log of {suite.name}: {log}")
	step(f"{suite.name}: {result} in {time.monotonic() - began:.1f} s")
	return result


def _has_tests(folder: Path) -> bool:
	return folder.is_dir() and (folder == paths.CLONE or any(folder.rglob("test_*.py")))


def _pytest(
	suite: Suite, run: Run, log: Path, cwd: Path = paths.CLONE, python: Path | None = None, **env: str
) -> Result:
	report = log.with_suffix(".xml")
	report.unlink(missing_ok=True)
	options = ["-q", "-p", "no:cacheprovider", f"--junitxml={report}", f"--rootdir={paths.CLONE}"]
	python = python or packages.tool_python()
	command = [python, "-m", "pytest", suite.folder, *options, *run.arguments]
	base = proc.clean_env(
		PYTHONPATH=str(paths.CLONE),
		HYPOTHESIS_STORAGE_DIRECTORY=str(paths.state() / "hypothesis"),
	)
	options = {"env": base | env, "cwd": cwd, "timeout": HOUR, "heartbeat": suite.name}
	code = proc.run(command, log=log, **options)
	return results.from_junit(report, suite.name, code)


def _core(suite: Suite, run: Run, log: Path) -> Result:
	"""The rules of the core, in a suite of its own so that its seconds are seen."""
	return _pytest(suite, replace(run, arguments=["-m", "not histories", *run.arguments]), log)


def _unit(suite: Suite, run: Run, log: Path) -> Result:
	"""The rest of the unit tests, with those of the core's properties that take long."""
	return _pytest(suite, run, log, SUBSCRIBER_TV_SUITE=suite.name)


def _lint(suite: Suite, _run: Run, log: Path) -> Result:
	ruff = [packages.tool_python(), "-m", "ruff"]
	env = proc.clean_env(RUFF_NO_CACHE="true")
	total = Result()
	for arguments in (["check", "."], ["format", "--check", "."]):
		total += results.from_code(proc.run([*ruff, *arguments], log=log, env=env, cwd=suite.folder))
	return total


def _edge(suite: Suite, run: Run, log: Path) -> Result:
	"""Edges of its own, and the proxy before one where nginx can be had."""
	packages.install_programs(("nginx",))
	return _pytest(suite, run, log)


def _hostile(suite: Suite, run: Run, log: Path) -> Result:
	"""Against a served site and an edge of the desk's name, which answers the same questions; else an edge alone."""
	from devtools import stack

	try:
		python = packages.checks_python()
	except Problem as problem:
		return results.not_run(suite.name, str(problem))
	run.bench = run.bench or benches.find_or_make()
	if not run.bench:
		return _pytest(suite, run, log, python=python)
	overlay = run.overlay()
	limits = {"subscriber_tv_limits": stack.NO_LIMITS}
	sites.restore(overlay, sites.with_app(overlay), HOSTILE_SITE, **limits)
	with stack.served(overlay, HOSTILE_SITE, edge_name="desk") as running:
		env = _site_env(overlay) | {
			"SUBSCRIBER_TV_URL": running.web,
			"SUBSCRIBER_TV_EDGE_URL": running.edge,
			"SUBSCRIBER_TV_SITE": HOSTILE_SITE,
		}
		return _pytest(suite, run, log, python=python, **env)


def _integration(suite: Suite, run: Run, log: Path) -> Result:
	overlay = run.overlay()
	sites.restore(overlay, sites.with_app(overlay), TEST_SITE)
	command = [*overlay.command, "--site", TEST_SITE, "run-tests", "--app", "subscriber_tv", *run.arguments]
	env = overlay.env(
		CI="1", SUBSCRIBER_TV_SITE=TEST_SITE, SUBSCRIBER_TV_TOOL_PYTHON=str(packages.tool_python())
	)
	code = proc.run(command, log=log, env=env, cwd=overlay.sites, timeout=HOUR, heartbeat=suite.name)
	return results.from_unittest(log, suite.name, code)


def _round_trip(suite: Suite, run: Run, log: Path) -> Result:
	overlay = run.overlay()
	sites.restore(overlay, sites.with_operator(overlay), ROUND_TRIP_SITE)
	# The test calls bench itself, so it stands where bench stands and has what bench has.
	env = overlay.env(SUBSCRIBER_TV_ROUNDTRIP_SITE=ROUND_TRIP_SITE)
	return _pytest(suite, run, log, cwd=overlay.sites, **env)


def _browser(suite: Suite, run: Run, log: Path) -> Result:
	from devtools import stack

	packages.need_program("chromium")
	overlay = run.overlay()
	sites.restore(overlay, sites.with_app(overlay), BROWSER_SITE)
	with stack.served(overlay, BROWSER_SITE) as running:
		shots = paths.state() / "shots"
		shutil.rmtree(shots, ignore_errors=True)
		shots.mkdir()
		env = _site_env(overlay) | {
			"SUBSCRIBER_TV_URL": running.desk,
			"SUBSCRIBER_TV_EDGE_URL": running.edge,
			"SUBSCRIBER_TV_SITE": BROWSER_SITE,
			"SUBSCRIBER_TV_CHROMIUM": packages.need_program("chromium"),
			"SUBSCRIBER_TV_SHOTS": str(shots),
		}
		return _pytest(suite, run, log, **env)


def _site_env(overlay: benches.Overlay) -> dict[str, str]:
	"""For a test outside the bench that calls bench commands: their environment, as JSON, beside their command."""
	return {
		"SUBSCRIBER_TV_BENCH": json.dumps(overlay.command),
		"SUBSCRIBER_TV_BENCH_ENV": json.dumps(overlay.env()),
		"SUBSCRIBER_TV_SITES": str(overlay.sites),
	}


TESTS = paths.CLONE / "tests"
SUITES = (
	Suite("lint", paths.CLONE, False, _lint),
	Suite("core", TESTS / "unit" / "core", False, _core),
	Suite("unit", TESTS / "unit", False, _unit),
	Suite("edge", TESTS / "edge", False, _edge),
	Suite("fuzz", TESTS / "fuzz", False, _hostile),
	Suite("integration", paths.PACKAGE, True, _integration),
	Suite("site", TESTS / "site", True, _round_trip),
	Suite("browser", TESTS / "browser", True, _browser),
)
