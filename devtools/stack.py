"""The processes of a running site: web, realtime, workers, scheduler, publisher, edge. Started in order, ended together."""

import contextlib
import json
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from devtools import packages, paths, proc
from devtools.bench import Overlay
from devtools.proc import Daemon, free_port, listening
from devtools.say import Problem, step

INSIDE = Path(__file__).parent / "inside"
# Most and in how many seconds; a TV asks ten times a minute, whoever measures or attacks asks with few TVs and often.
NO_LIMITS = {kind: [1_000_000, 60] for kind in ("device", "failures", "challenges", "enrolments")}
WEB_OPTIONS = ("--worker-class", "gthread", "--workers", "1", "--threads", "8", "--timeout", "180")
# In the order in which they end.
PARTS = ("fleet", "listener", "edge", "publisher", "scheduler", "worker", "front", "realtime", "web")


@dataclass(frozen=True)
class Ports:
	"""Loopback ports of one running site."""

	front: int
	web: int
	realtime: int
	publisher: int
	edge: int

	@classmethod
	def free(cls, front: int | None = None, edge: int | None = None) -> "Ports":
		return cls(_preferred(front), free_port(), free_port(), free_port(), _preferred(edge))


class Stack:
	"""One site being served. Its processes are found again by their pid files, whoever started them."""

	def __init__(self, overlay: Overlay, site: str, ports: Ports, edge_name: str = "demo") -> None:
		self.overlay = overlay
		self.edge_name = edge_name
		self.site = site
		self.ports = ports
		self.folder = run_folder(overlay.root)

	@property
	def desk(self) -> str:
		return f"http://127.0.0.1:{self.ports.front}"

	@property
	def web(self) -> str:
		"""The desk's own server, without what stands in front of it."""
		return f"http://127.0.0.1:{self.ports.web}"

	@property
	def edge(self) -> str:
		return f"http://127.0.0.1:{self.ports.edge}"

	@property
	def edge_database(self) -> Path:
		"""The edge's file, one for each database, so that another site's rights are never served."""
		return self.folder / f"edge-{self._config()['db_name']}.sqlite"

	@property
	def masters(self) -> str:
		"""The site's file of masters, which TVs' keys follow from."""
		return self._config()["subscriber_tv_masters"]

	@property
	def _signed_keys(self) -> Path:
		return self.folder / "lease-keys.json"

	@property
	def _config_file(self) -> Path:
		return self.overlay.sites / self.site / "site_config.json"

	def _config(self) -> dict:
		return json.loads(self._config_file.read_text())

	def start(self) -> None:
		"""Everything, each once it answers; on a failure what runs already is ended again."""
		try:
			self._sign_keys()
			self._start_web()
			self._start_jobs()
			self._start_publisher()
			self._start_edge()
		except BaseException:
			self.stop()
			raise

	def start_listener(self) -> None:
		"""What hears the message broker for the desk."""
		step("listening to the message broker")
		command = [*self.overlay.command, "--site", self.site, "subscriber-tv", "mqtt"]
		Daemon("listener", self.folder).start(command, env=self.overlay.env(), cwd=self.overlay.sites)

	def start_fleet(self, bindings: Path, leave: str) -> Path:
		"""The TVs of a file but one power on and live on, at the edge and the broker; the log of what they see."""
		step("powering on the fleet")
		fleet = Daemon("fleet", self.folder)
		fleet.log.unlink(missing_ok=True)
		places = [self.edge, bindings, self.desk, self.site]
		command = [packages.tool_python(), INSIDE / "power_fleet.py", *places, "--leave", leave]
		fleet.start(command, env=proc.clean_env(PYTHONPATH=str(paths.CLONE)), cwd=self.folder)
		fleet.wait_until(lambda: "power-ons in" in fleet.log.read_text())
		return fleet.log

	def stop(self) -> None:
		stop(self.overlay.root)

	def _sign_keys(self) -> None:
		"""The site's public keys under a root key: what TVs pin when they are paired, whoever answers them later."""
		config = self._config()
		for key in ("subscriber_tv_lease_key", "subscriber_tv_feed_secret", "subscriber_tv_masters"):
			if key not in config:
				raise Problem(f"{self.site} names no {key}: its installation is not complete")
		# One root for all sites of this clone, so that a demo begun anew is still its TVs' operator.
		root = paths.state() / "root-key.pem"
		command = [packages.tool_python(), INSIDE / "public_keys.py", config["subscriber_tv_lease_key"], root]
		keys = proc.capture(command, env=proc.clean_env(PYTHONPATH=str(paths.CLONE)))
		if not keys:
			raise Problem(f"the signing key of {self.site} cannot be read")
		self._signed_keys.write_text(keys)
		config["subscriber_tv_signed_keys"] = str(self._signed_keys)
		self._config_file.write_text(json.dumps(config, indent=1, sort_keys=True))

	def _start_web(self) -> None:
		step("starting web and realtime")
		overlay, ports = self.overlay, self.ports
		realtime = Daemon("realtime", self.folder)
		env = overlay.env(FRAPPE_SOCKETIO_PORT=str(ports.realtime))
		node = packages.need_program("node")
		realtime.start([node, overlay.bench.root / "apps/frappe/socketio.js"], env=env, cwd=overlay.sites)
		web = Daemon("web", self.folder)
		server = [overlay.bench.python, "-m", "gunicorn", "--bind", f"127.0.0.1:{ports.web}"]
		env = overlay.env(SUBSCRIBER_TV_SITE=self.site)
		application = ["--pythonpath", str(INSIDE), "web:application"]
		web.start([*server, *WEB_OPTIONS, *application], env=env, cwd=overlay.sites)
		front = Daemon("front", self.folder)
		numbers = [str(ports.front), str(ports.web), str(ports.realtime)]
		command = [sys.executable, "-m", "devtools.front", *numbers, self.site]
		front.start(command, env=proc.clean_env(PYTHONPATH=str(paths.CLONE)), cwd=paths.CLONE)
		web.wait_until(lambda: listening(ports.web), seconds=120)
		realtime.wait_until(lambda: listening(ports.realtime))
		front.wait_until(lambda: answers(f"{self.desk}/api/method/ping"), seconds=120)

	def _start_jobs(self) -> None:
		step("starting workers and scheduler")
		overlay = self.overlay
		for name, arguments in (
			("worker", ["worker", "--queue", "short,default,long"]),
			("scheduler", ["schedule"]),
		):
			Daemon(name, self.folder).start(
				[*overlay.command, *arguments], env=overlay.env(), cwd=overlay.sites
			)

	def _start_publisher(self) -> None:
		step("starting the publisher")
		overlay, port = self.overlay, self.ports.publisher
		publisher = Daemon("publisher", self.folder)
		command = [*overlay.command, "--site", self.site, "subscriber-tv", "publisher", "--port", str(port)]
		publisher.start(command, env=overlay.env(), cwd=overlay.sites)
		publisher.wait_until(lambda: listening(port), seconds=120)

	def _start_edge(self) -> None:
		step("starting the edge")
		edge = Daemon("edge", self.folder)
		env = proc.clean_env(PYTHONPATH=str(paths.CLONE), **self._edge_settings())
		edge.start([packages.tool_python(), "-m", "subscriber_tv.edge"], env=env, cwd=self.folder)
		edge.wait_until(lambda: answers(f"{self.edge}/v1/ready"), seconds=60)

	def _edge_settings(self) -> dict[str, str]:
		config = self._config()
		return {
			"SUBSCRIBER_TV_EDGE_NAME": self.edge_name,
			# Benchmarks and demonstrations ask more than a TV in a living room may.
			"SUBSCRIBER_TV_EDGE_TV_PER_MINUTE": "600000",
			"SUBSCRIBER_TV_EDGE_FAILURES_PER_MINUTE": "600000",
			"SUBSCRIBER_TV_EDGE_HOST": "127.0.0.1",
			"SUBSCRIBER_TV_EDGE_PORT": str(self.ports.edge),
			"SUBSCRIBER_TV_EDGE_DATABASE": str(self.edge_database),
			"SUBSCRIBER_TV_EDGE_FEED_URL": f"http://127.0.0.1:{self.ports.publisher}",
			"SUBSCRIBER_TV_EDGE_FEED_SECRET_FILE": config["subscriber_tv_feed_secret"],
			"SUBSCRIBER_TV_EDGE_PUBLIC_KEY_FILE": str(self._signed_keys),
			"SUBSCRIBER_TV_EDGE_MASTERS_FILE": config["subscriber_tv_masters"],
			"SUBSCRIBER_TV_EDGE_ERP_URL": self.desk,
			"SUBSCRIBER_TV_EDGE_ERP_SITE": self.site,
		}


def run_folder(overlay_root: Path) -> Path:
	folder = overlay_root / "run"
	folder.mkdir(parents=True, exist_ok=True)
	return folder


def stop(overlay_root: Path) -> list[str]:
	"""End the processes of the site served from this overlay; the names of those that ran."""
	return [name for name in PARTS if Daemon(name, run_folder(overlay_root)).stop()]


@contextlib.contextmanager
def served(overlay: Overlay, site: str, **options: str) -> Iterator[Stack]:
	"""The whole stack for as long as the caller needs it."""
	stop(overlay.root)
	stack = Stack(overlay, site, Ports.free(), **options)
	try:
		stack.start()
		yield stack
	finally:
		stack.stop()


def answers(address: str) -> bool:
	"""Whether an address answers 200."""
	try:
		with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, timeout=5) as reply:
			return reply.status == 200
	except (OSError, urllib.error.URLError, ValueError):
		return False


def _preferred(port: int | None) -> int:
	return port if port and not listening(port) else free_port()
