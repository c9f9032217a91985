"""`./dev doctor`: what is present, what is missing, and the fix for each."""

import os
import sys
from dataclasses import dataclass

from devtools import bench, packages, paths, proc
from devtools.say import line

WHAT_FOR = {
	"mariadbd": "database of the test and demo sites",
	"mariadb": "restoring sites",
	"redis-server": "cache, queues and realtime",
	"mosquitto": "MQTT",
	"chromium": "browser tests",
	"wkhtmltopdf": "PDF invoices",
	"node": "realtime server",
	"git": "making a bench",
}


@dataclass(frozen=True)
class Finding:
	"""One line of the table. `needed` findings that are not `fine` make the exit code 1."""

	name: str
	fine: bool
	detail: str
	fix: str = ""
	needed: bool = True


def report() -> int:
	"""Print the table; 1 when something needed is missing."""
	findings = [_python(), *(_program(name) for name in WHAT_FOR), _bench(), _tools(), _space()]
	width = max(len(finding.name) for finding in findings)
	for finding in findings:
		mark = "ok     " if finding.fine else "MISSING" if finding.needed else "none   "
		line(f"{mark}  {finding.name:<{width}}  {finding.detail}")
		if not finding.fine:
			line(f"{'':7}  {'':<{width}}  -> {finding.fix}")
	line()
	line(f"state of this clone: {paths.state()}")
	return 1 if any(finding.needed and not finding.fine for finding in findings) else 0


def _python() -> Finding:
	version = ".".join(str(number) for number in sys.version_info[:3])
	return Finding("python", sys.version_info >= (3, 10), version, "install Python 3.10 or later")


def _program(name: str) -> Finding:
	found = packages.program(name)
	fix = f"apt-get install {packages.PROGRAMS[name]} (./dev test does it when it runs as root or with sudo)"
	return Finding(name, bool(found), found or WHAT_FOR[name], fix)


def _bench() -> Finding:
	found = bench.find()
	if found:
		return Finding(
			"bench",
			True,
			f"{found.root} (frappe {found.version('frappe')}, erpnext {found.version('erpnext')})",
		)
	root = bench.wanted_root()
	detail = f"{root} lacks {', '.join(bench.missing_parts(root))}"
	if bench.upstream_reachable():
		return Finding("bench", False, detail, "./dev test makes one from github.com", needed=False)
	fix = "set FRAPPE_BENCH_ROOT to a bench with frappe and erpnext 15 and built assets, or give access to github.com"
	return Finding("bench", False, detail, fix, needed=False)


def _tools() -> Finding:
	ready = any(paths.shared().glob("tools-*/complete"))
	reachable = ready or _registry_answers()
	detail = (
		"installed"
		if ready
		else "fetched from PyPI on the first run"
		if reachable
		else "PyPI does not answer"
	)
	return Finding(
		"tools", reachable, detail, "give pip access to PyPI or a mirror (pip config set global.index-url)"
	)


def _registry_answers() -> bool:
	pip = [
		sys.executable,
		"-m",
		"pip",
		"download",
		"--no-deps",
		"-q",
		"-d",
		paths.state() / "probe",
		"iniconfig",
	]
	return proc.capture(pip, timeout=60) is not None


def _space() -> Finding:
	stats = os.statvfs(paths.cache_root() if paths.cache_root().exists() else paths.state())
	free = stats.f_bavail * stats.f_frsize / 1e9
	return Finding(
		"disk", free > 3, f"{free:.0f} GB free for {paths.cache_root()}", "free 3 GB, or set XDG_CACHE_HOME"
	)
