"""The given bench (read, never written), one of our own when there is none, and our overlay on top of either."""

import json
import os
import re
import shutil
import sys
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from devtools import packages, paths, proc
from devtools.say import Problem, step
from devtools.services import Services, root_login

FRAPPE = "https://github.com/frappe/frappe"
NO_BENCH = (
	"no bench (FRAPPE_BENCH_ROOT or ~/frappe-bench with frappe, erpnext and built assets) "
	"and github.com cannot be reached to make one"
)
APPS = ("frappe", "erpnext")
SOURCES = (".py", ".json", ".txt", ".csv", ".html", ".js")


@dataclass(frozen=True)
class Bench:
	"""A bench with Frappe and ERPNext installed and its assets built."""

	root: Path

	@property
	def python(self) -> Path:
		return self.root / "env" / "bin" / "python"

	@cached_property
	def fingerprint(self) -> str:
		"""Changes when a version or a source file of Frappe or ERPNext does."""
		return paths.digest(*(self.version(app) + _app_digest(self.root, app) for app in APPS))

	def version(self, app: str) -> str:
		source = (self.root / "apps" / app / app / "__init__.py").read_text()
		found = re.search(r"^__version__\s*=\s*[\"']([^\"']+)", source, re.M)
		return found.group(1) if found else "?"


def find() -> Bench | None:
	"""The bench the person has, or the one an earlier run made."""
	for root in (wanted_root(), _own_root()):
		if not missing_parts(root):
			return Bench(root)
	return None


def find_or_make() -> Bench | None:
	"""As `find`; without one, make it with the public `bench` command where upstream can be reached."""
	found = find()
	if found or not upstream_reachable():
		return found
	return _make()


def wanted_root() -> Path:
	return Path(os.environ.get("FRAPPE_BENCH_ROOT") or Path.home() / "frappe-bench").expanduser()


def missing_parts(root: Path) -> list[str]:
	"""What a folder lacks to be a bench we can use."""
	parts = ["apps/frappe/frappe", "apps/erpnext/erpnext", "env/bin/python", "sites/assets/assets.json"]
	return [part for part in parts if not (root / part).exists()]


@cache
def upstream_reachable() -> bool:
	"""Whether github.com answers within a few seconds; asked once."""
	env = proc.clean_env(GIT_TERMINAL_PROMPT="0")
	return proc.capture(["git", "ls-remote", FRAPPE, "version-15"], timeout=10, env=env) is not None


def _own_root() -> Path:
	return paths.shared() / "bench"


def _make() -> Bench:
	"""`bench init` and `get-app` in the cache; takes ten minutes or so, once."""
	with proc.lock("bench", common=True, waiting="another ./dev is making the bench"):
		if not missing_parts(_own_root()):
			return Bench(_own_root())
		shutil.rmtree(_own_root(), ignore_errors=True)
		step("making a bench with Frappe 15 and ERPNext 15 (once; ten minutes or so)")
		packages.install_programs(("git", "node", "redis-server", "npm"))
		log = paths.logs() / "bench.log"
		venv = paths.shared() / "bench-cli"
		proc.must([sys.executable, "-m", "venv", venv], what="making an environment for bench", log=log)
		proc.must([venv / "bin/pip", "install", "-q", "frappe-bench"], what="installing bench", log=log)
		tools = venv / "node"
		proc.must(["npm", "install", "--prefix", tools, "yarn@1"], what="installing yarn", log=log)
		path = os.pathsep.join([str(venv / "bin"), str(tools / "node_modules/.bin"), os.environ["PATH"]])
		options = {"log": log, "env": proc.clean_env(PATH=path), "timeout": 1800, "heartbeat": "bench"}
		init = [
			"bench",
			"init",
			"--skip-redis-config-generation",
			"--frappe-branch",
			"version-15",
			_own_root(),
		]
		proc.must([venv / "bin" / init[0], *init[1:]], what="bench init", **options)
		get_app = [venv / "bin/bench", "get-app", "erpnext", "--branch", "version-15"]
		proc.must(get_app, what="bench get-app erpnext", cwd=_own_root(), **options)
	return Bench(_own_root())


def _app_digest(root: Path, app: str) -> str:
	return paths.tree_digest(root / "apps" / app / app, SOURCES)


class Overlay:
	"""Sites, configuration and logs of our own over a bench's sources: the clone comes first on the path."""

	def __init__(
		self, bench: Bench, services: Services, name: str, *, redis_pair: int, ports: dict | None = None
	):
		self.bench = bench
		self.services = services
		self.root = paths.state() / f"bench-{name}"
		self.sites = self.root / "sites"
		self.library = packages.app_library(bench.python)
		self._lay_out()
		self._configure(name, redis_pair, ports or {})

	@property
	def command(self) -> list[str]:
		"""What `bench` is here, as the start of a command line; run it in `sites` with `env()`."""
		return [str(self.bench.python), "-m", "frappe.utils.bench_helper", "frappe"]

	def env(self, **extra: str) -> dict[str, str]:
		found = proc.clean_env(
			PYTHONPATH=os.pathsep.join([str(paths.CLONE), str(self.library)]),
			FRAPPE_BENCH_ROOT=str(self.root),
			SUBSCRIBER_TV_BENCH=json.dumps(self.command),
			SUBSCRIBER_TV_SITES=str(self.sites),
			SUBSCRIBER_TV_MQTT=f"127.0.0.1:{self.services.mqtt_port}",
		)
		return found | extra

	def run(self, *arguments: str, what: str, log: Path, **options) -> None:
		"""A bench command that must succeed."""
		options.setdefault("env", self.env())
		proc.must([*self.command, *arguments], what=what, log=log, cwd=self.sites, **options)

	def _lay_out(self) -> None:
		for folder in ("sites/assets", "logs", "config", "apps"):
			(self.root / folder).mkdir(parents=True, exist_ok=True)
		(self.sites / "apps.txt").write_text("frappe\nerpnext\nsubscriber_tv\n")
		# Frappe asks GitHub who owns a required app unless a path of its name is here.
		(self.sites / "erpnext").touch()
		for entry in (self.bench.root / "sites" / "assets").iterdir():
			_link(self.sites / "assets" / entry.name, entry.resolve())
		_link(self.sites / "assets" / "subscriber_tv", paths.PACKAGE / "public")
		for app in APPS:
			_link(self.root / "apps" / app, self.bench.root / "apps" / app)
		_link(self.root / "apps" / "subscriber_tv", paths.CLONE)
		_link(self.root / "env", self.bench.root / "env")

	def _configure(self, name: str, redis_pair: int, ports: dict) -> None:
		redis = f"redis://127.0.0.1:{self.services.redis_port}"
		config = {
			"db_host": "localhost",
			"db_socket": self.services.mariadb_socket,
			"root_login": root_login(),
			# Frappe prompts for it; the socket plug-in never looks at it.
			"root_password": "unused",
			"redis_cache": f"{redis}/{2 * redis_pair}",
			"redis_queue": f"{redis}/{2 * redis_pair + 1}",
			"redis_socketio": f"{redis}/{2 * redis_pair}",
			"bench_id": f"{paths.state().name}-{name}",
			"developer_mode": 0,
			"server_script_enabled": 0,
			**ports,
		}
		(self.sites / "common_site_config.json").write_text(json.dumps(config, indent=1))


def _link(path: Path, target: Path) -> None:
	if path.is_symlink():
		if path.readlink() == target:
			return
		path.unlink()
	elif path.exists():
		raise Problem(f"{path} is in the way; remove it")
	path.symlink_to(target)
