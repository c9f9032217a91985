"""Who is compared: each contender is a running server and the one kind of question that it is asked."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.device_auth import fleet, load, measure, questions, radius, radius_load, servers
from benchmarks.device_auth.figures import per_wall
from benchmarks.device_auth.servers import Server

DESK, ES256, ECHO = "desk", "es256", "echo"
DESK_PATH = "/api/method/subscriber_tv.api.activation."


@dataclass
class Bench:
	"""What all contenders share: the fleet, the projection, where files go, which core is whose."""

	keys: Path
	fleet: fleet.Fleet
	built: fleet.Projection
	folder: Path
	server_core: int
	load_core: int
	publisher: Server | None = None


@dataclass
class Contender:
	"""A server under one kind of question. `asked` is how many it has been asked so far: each is another one."""

	name: str
	bench: Bench
	server: Server
	kind: str = questions.AUTH
	path: str = "/v1/auth"
	audience: str = "bench"
	headers: tuple[str, ...] = ()
	connections: int = 64
	first: int = 2000
	asked: int = 0
	number: int = 0
	rounds: list[dict] = field(default_factory=list)

	def warm_up(self, seconds: float) -> None:
		"""Learn how many questions fill a round; what was measured is discarded."""
		self.number = self.first
		for _ in range(2):
			self.number = max(200, round(per_wall(self.ask(rest=False)) * seconds))

	def ask(self, rate: float = 0.0, seconds: float = 0.0, rest: bool = True) -> dict:
		"""One round by a process of its own: flat out, or at `rate` for so many seconds. Errors: SystemExit."""
		number = round(rate * seconds) if rate else self.number
		order = self._order(number, rate, self.server.rest if rest else 0.0)
		module = radius_load if isinstance(order, radius_load.Order) else load
		command = [sys.executable, "-m", module.__name__]
		given = json.dumps(asdict(order))
		done = subprocess.run(command, input=given, capture_output=True, text=True, cwd=servers.REPOSITORY)
		self.asked += number
		if done.returncode:
			last = (done.stderr.strip() or "it died").splitlines()[-1]
			raise SystemExit(f"{self.name}: {last}")
		return json.loads(done.stdout)

	def _order(self, number: int, rate: float, rest: float):
		bench, server = self.bench, self.server
		if self.name in radius.KINDS:
			return radius_load.Order(
				server.port,
				self.asked,
				number,
				str(bench.keys),
				server.pids,
				bench.load_core,
				self.connections,
			)
		return load.Order(
			server.host,
			server.port,
			self.path,
			self.kind,
			self.audience,
			self.asked,
			number,
			str(bench.keys),
			str(bench.built.public_keys),
			connections=self.connections,
			rate=rate,
			headers=self.headers,
			pids=server.pids,
			rest=rest,
			core=bench.load_core,
		)


def edges(bench: Bench, leaving: ExitStack, forms: Iterable[str]) -> Iterator[Contender]:
	"""The edge in each of these forms, and an echo on the same server."""
	for form in forms:
		running = leaving.enter_context(
			servers.edge(bench.folder, bench.built, bench.publisher, [bench.server_core], form)
		)
		found = Contender(f"edge {form}", bench, running)
		found.number = 200
		size = found.ask(rest=False)["answer_bytes"]
		yield found
		yield _echo(bench, leaving, form, size)


def es256(edge: Contender) -> Contender:
	"""The same edge, each TV proving itself by a signature."""
	# The TVs that come last in the table's order: whoever asked with a MAC has counted further.
	return Contender(
		ES256,
		edge.bench,
		edge.server,
		questions.ASSERTION,
		"/v1/assert",
		first=500,
		asked=_from_the_end(edge),
	)


def _from_the_end(edge: Contender) -> int:
	return len(edge.bench.fleet) // 2


def _echo(bench: Bench, leaving: ExitStack, form: str, size: int) -> Contender:
	"""An echo whose answers have as many bytes, all in all, as an edge's."""
	probe = ExitStack()
	with probe:
		found = _echo_of(bench, probe, form, 0)
		padding = size - found.ask(rest=False)["answer_bytes"]
	# One more digit in Content-Length.
	return _echo_of(bench, leaving, form, padding if padding < 1000 else padding - 1)


def _echo_of(bench: Bench, leaving: ExitStack, form: str, padding: int) -> Contender:
	running = leaving.enter_context(servers.echo(bench.folder, bench.server_core, form, padding))
	return Contender(f"{ECHO} {form}", bench, running, questions.ECHO, number=200)


def radii(bench: Bench, leaving: ExitStack) -> Iterator[Contender]:
	"""FreeRADIUS in its ways; says so when it cannot be had."""
	if reason := radius.missing():
		print(f"FreeRADIUS is not measured: {reason}", flush=True)
		return
	for kind in radius.KINDS:
		try:
			running = leaving.enter_context(
				radius.running(bench.folder, bench.fleet, bench.server_core, kind)
			)
		except servers.DidNotStart as error:
			print(f"FreeRADIUS is not measured: {error}", flush=True)
			continue
		yield Contender(kind, bench, running, connections=32)


def desk(bench: Bench, url: str, pid: int, site: str) -> Contender:
	"""The site's own endpoint, on the servers' core from now on."""
	host, port = url.removeprefix("http://").rstrip("/").split(":")
	measure.pin(measure.tree(pid), bench.server_core)
	headers = {"X-Frappe-Site-Name": site} if site else {}
	audience = servers.audience(f"{url}{DESK_PATH}hello", headers)
	server = _Served(DESK, int(port), host=host, main=pid)
	lines = tuple(f"{name}: {value}" for name, value in headers.items())
	return Contender(
		DESK,
		bench,
		server,
		path=f"{DESK_PATH}auth",
		audience=audience,
		headers=lines,
		connections=8,
		first=100,
	)


@dataclass
class _Served(Server):
	"""A server that somebody else started and will end."""

	main: int = 0

	@property
	def pids(self) -> tuple[int, ...]:
		return measure.tree(self.main)
