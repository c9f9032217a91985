"""Programs from Debian, tools from PyPI in environments of our own. The bench's own environment stays as it is."""

import json
import os
import shutil
import sys
from pathlib import Path

from devtools import paths, proc
from devtools.say import Problem, step

TOOLS = (
	"pytest>=8",
	"hypothesis~=6.77.0",
	"msgspec>=0.19,<0.23",
	"cryptography>=44",
	"granian>=2.2,<3",
	"uvicorn>=0.30,<1",
	"uvloop>=0.19,<1",
	"waitress>=3.0,<4",
	"paho-mqtt>=2.1,<3",
	"requests>=2.31,<3",
	"ruff>=0.9",
	"playwright>=1.40",
)
# Apart from the tools: schemathesis wants a newer hypothesis than Frappe, joserfc a newer cryptography.
CHECKS = (
	"pytest>=8",
	"schemathesis>=4.30,<5",
	"joserfc>=1.8,<2",
	"cryptography>=45",
	"msgspec>=0.19,<0.23",
	"granian>=2.2,<3",
)
# What Frappe's own test runner wants beside an app's dependencies.
BENCH_TEST_LIBRARIES = ("hypothesis~=6.77.0", "freezegun~=1.2.2", "responses>=0.23,<1", "Faker")
PROGRAMS = {
	"mariadbd": "mariadb-server",
	"mariadb": "mariadb-client",
	"redis-server": "redis-server",
	"mosquitto": "mosquitto",
	"nginx": "nginx",
	"chromium": "chromium",
	"wkhtmltopdf": "wkhtmltopdf",
	"node": "nodejs",
	"git": "git",
}
SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")


def program(name: str) -> str | None:
	"""Full path of a program, looked for also where Debian hides servers from ordinary users."""
	return shutil.which(name) or shutil.which(name, path=os.pathsep.join(SYSTEM_FOLDERS))


def need_program(name: str) -> str:
	"""As `program`; installs the Debian package when it is missing and we may."""
	found = program(name)
	if not found:
		install_programs((name,))
		found = program(name)
	if not found:
		raise Problem(f"{name} is missing: install the Debian package {PROGRAMS.get(name, name)}")
	return found


def install_programs(names: tuple[str, ...]) -> list[str]:
	"""Install the Debian packages of missing programs without starting their services; returns what is still missing."""
	missing = [name for name in names if not program(name)]
	become_root = _root_prefix()
	if not missing or become_root is None or not shutil.which("apt-get"):
		return missing
	packages = sorted({PROGRAMS.get(name, name) for name in missing})
	step(f"installing Debian packages: {' '.join(packages)}")
	log = paths.logs() / "apt.log"
	env = proc.clean_env(DEBIAN_FRONTEND="noninteractive", RUNLEVEL="1")
	with proc.lock("apt", common=True), _services_stay_off(become_root):
		proc.run([*become_root, "apt-get", "-q", "update"], log=log, env=env, timeout=300)
		apt = ["apt-get", "-q", "install", "-y", "--no-install-recommends", *packages]
		proc.run([*become_root, *apt], log=log, env=env, timeout=900, heartbeat="apt-get")
	return [name for name in missing if not program(name)]


class _services_stay_off:
	"""Debian asks policy-rc.d before it starts an installed service; 101 means "do not"."""

	policy = Path("/usr/sbin/policy-rc.d")

	def __init__(self, become_root: list[str]) -> None:
		self.ours = not self.policy.exists() and not become_root

	def __enter__(self) -> None:
		if self.ours:
			self.policy.write_text("#!/bin/sh\nexit 101\n")
			self.policy.chmod(0o755)

	def __exit__(self, *_exc: object) -> None:
		if self.ours:
			self.policy.unlink(missing_ok=True)


def _root_prefix() -> list[str] | None:
	if os.geteuid() == 0:
		return []
	if shutil.which("sudo") and proc.capture(["sudo", "-n", "true"]) is not None:
		return ["sudo", "-n", "DEBIAN_FRONTEND=noninteractive"]
	return None


def tool_python() -> Path:
	"""Python of the tool environment, made on first use and shared by all clones that want the same tools."""
	return _environment("tools", TOOLS, "the tools")


def checks_python() -> Path:
	"""Python of the environment that hostile input is made in, likewise. Problem when PyPI cannot be reached."""
	return _environment("checks", CHECKS, "what hostile input is made with")


def _environment(name: str, wanted: tuple[str, ...], what: str) -> Path:
	key = paths.digest(sys.version, *wanted)
	folder = paths.shared() / f"{name}-{key}"
	python = folder / "bin" / "python"
	with proc.lock(folder.name, common=True, waiting=f"another ./dev is installing {what}"):
		if (folder / "complete").exists() and python.exists():
			return python
		shutil.rmtree(folder, ignore_errors=True)
		step(f"installing {what} from PyPI (once)")
		log = paths.logs() / f"{name}.log"
		proc.must([sys.executable, "-m", "venv", folder], what=f"making the environment {name}", log=log)
		install = [python, "-m", "pip", "install", "-q", *wanted]
		proc.must(install, what=f"installing {what}", log=log, timeout=900, heartbeat="pip")
		(folder / "complete").touch()
	return python


def app_library(bench_python: Path) -> Path:
	"""Folder with the packages our app and its tests need and the bench's environment lacks."""
	wanted = (*app_requirements(), *BENCH_TEST_LIBRARIES)
	tools = tool_python()
	key = paths.digest(str(bench_python), _installed(tools, bench_python), *wanted)
	folder = paths.shared() / f"lib-{key}"
	with proc.lock(f"lib-{key}", common=True, waiting="another ./dev is installing the app's libraries"):
		if (folder / "complete").exists():
			return folder
		shutil.rmtree(folder, ignore_errors=True)
		step("fetching the app's libraries that the bench lacks (once)")
		log = paths.logs() / "library.log"
		missing = _missing(tools, bench_python, wanted, log)
		folder.mkdir(parents=True)
		if missing:
			pip = [tools, "-m", "pip", "--python", bench_python, "install", "-q", "--no-deps", "--target"]
			proc.must([*pip, folder, *missing], what="fetching the app's libraries", log=log, timeout=900)
		(folder / "complete").touch()
	return folder


def app_requirements() -> tuple[str, ...]:
	"""What pyproject.toml asks of PyPI, the edge's extra included (integration tests start an edge)."""
	source = (paths.CLONE / "pyproject.toml").read_text()
	project = _toml(source)["project"]
	return (*project["dependencies"], *project["optional-dependencies"]["edge"])


def _toml(text: str) -> dict:
	try:
		import tomllib
	except ModuleNotFoundError:  # Python 3.10
		from pip._vendor import tomli as tomllib
	return tomllib.loads(text)


def _installed(tools: Path, python: Path) -> str:
	return proc.capture([tools, "-m", "pip", "--python", python, "freeze", "--all"], timeout=120) or ""


def _missing(tools: Path, python: Path, wanted: tuple[str, ...], log: Path) -> list[str]:
	report = paths.state() / "library.json"
	dry = [tools, "-m", "pip", "--python", python, "install", "-q", "--dry-run", "--report", report, *wanted]
	proc.must(dry, what="working out the app's libraries", log=log, timeout=600)
	found = json.loads(report.read_text())["install"]
	return [f"{entry['metadata']['name']}=={entry['metadata']['version']}" for entry in found]
