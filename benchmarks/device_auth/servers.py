"""The servers that are measured, each a process tree bound to the servers' core, ended when the benchmark ends."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

from benchmarks.device_auth import measure
from benchmarks.device_auth.fleet import FEED_SECRET, MASTERS, Projection
from subscriber_tv.core.devices import mac
from subscriber_tv.edge import config
from subscriber_tv.edge.config import PREFIX, Config

REPOSITORY = Path(__file__).resolve().parents[2]
EDGE = "edge"
# An edge writes down what it counted every few seconds, and sends it as often: after both, a round is paid for.
_REST = 2 * Config.answers_every + 0.5
_PATIENCE = 120.0


class DidNotStart(Exception):
	"""A server ended or did not answer; the message is the end of its log."""


@dataclass
class Server:
	"""A running server: where it answers and which processes it is."""

	name: str
	port: int
	process: subprocess.Popen | None = None
	log: Path | None = None
	host: str = "127.0.0.1"
	# What it leaves for later is done within so many seconds.
	rest: float = 0.0
	folder: Path | None = None

	@property
	def pids(self) -> tuple[int, ...]:
		"""Its processes."""
		return measure.tree(self.process.pid)

	@property
	def workers(self) -> tuple[int, ...]:
		"""Those of them that answer TVs."""
		return tuple(pid for pid in self.pids[1:] if b"spawn_main" in _command(pid)) or self.pids[:1]

	def stop(self) -> None:
		"""End it, kindly and then otherwise."""
		self.process.send_signal(signal.SIGTERM)
		try:
			self.process.wait(10)
		except subprocess.TimeoutExpired:
			with contextlib.suppress(ProcessLookupError):
				os.killpg(self.process.pid, signal.SIGKILL)
			self.process.wait()


def start(
	name: str,
	command: Sequence[str],
	port: int,
	folder: Path,
	cores: Sequence[int],
	is_up: Callable[[], bool],
	environment: dict[str, str] | None = None,
	rest: float = 0.0,
) -> Server:
	"""Start a server on these cores and wait until it answers. Errors: DidNotStart."""
	log = folder / f"{name.replace(' ', '-')}.log"
	with log.open("ab") as output:
		process = subprocess.Popen(
			command,
			env={**os.environ, "PYTHONPATH": str(REPOSITORY), **(environment or {})},
			stdout=output,
			stderr=output,
			cwd=folder,
			start_new_session=True,
			preexec_fn=lambda: os.sched_setaffinity(0, set(cores)),
		)
	server = Server(name, port, process, log, rest=rest, folder=folder)
	deadline = time.monotonic() + _PATIENCE
	while not is_up():
		if process.poll() is not None or time.monotonic() > deadline:
			server.stop()
			raise DidNotStart(f"{name}: {log.read_text(errors='replace')[-800:]}")
		time.sleep(0.1)
	return server


@contextmanager
def publisher(folder: Path, built: Projection, core: int) -> Iterator[Server]:
	"""Something for edges to follow: nothing changes, and every report is taken."""
	port = free_port()
	command = [sys.executable, "-m", "benchmarks.device_auth.publisher", str(port)]
	command += [str(built.lease_key), str(built.rows)]
	server = start("publisher", command, port, folder, [core], lambda: listening(port))
	try:
		yield server
	finally:
		server.stop()


@contextmanager
def edge(
	folder: Path, built: Projection, feed: Server, cores: Sequence[int], form: str, **settings: object
) -> Iterator[Server]:
	"""An edge as production runs it, on a copy of the projection; `form` is its setting `server`, when it has one."""
	name = f"{EDGE} {form}"
	place = folder / name.replace(" ", "-")
	place.mkdir()
	shutil.copyfile(built.database, place / "edge.db")
	(place / "masters.json").write_bytes(mac.write_masters(MASTERS.keys))
	(place / "secret").write_bytes(FEED_SECRET)
	port = free_port()
	given = {
		"name": "bench",
		"database": place / "edge.db",
		"public_key_file": built.public_keys,
		"masters_file": place / "masters.json",
		"feed_secret_file": place / "secret",
		"feed_url": f"http://127.0.0.1:{feed.port}",
		"port": port,
		**({"server": form} if _has_forms() else {}),
		**settings,
	}
	environment = {f"{PREFIX}{key.upper()}": str(value) for key, value in given.items()}
	command = [sys.executable, "-m", "subscriber_tv.edge"]
	server = start(name, command, port, place, cores, lambda: answers(port, "/v1/ready"), environment, _REST)
	try:
		# It reads its whole file once, to know that it is sound.
		measure.settle(server.pids, 1.0)
		yield server
	finally:
		server.stop()
		shutil.rmtree(place, ignore_errors=True)


@contextmanager
def echo(folder: Path, core: int, form: str, padding: int) -> Iterator[Server]:
	"""What gives a POST's body back, followed by so many bytes, on the same server as the edge of this form."""
	name = f"echo {form}".strip()
	port = free_port()
	command = [sys.executable, "-m", "benchmarks.device_auth.echo", form, str(port), str(padding)]
	server = start(name, command, port, folder, [core], lambda: listening(port))
	try:
		time.sleep(1)
		yield server
	finally:
		server.stop()


def forms() -> tuple[str, ...]:
	"""The values of the edge's setting `server`; granian alone while it has no such setting."""
	return tuple(config.SERVERS) if _has_forms() else ("granian",)


def _has_forms() -> bool:
	return "server" in {field.name for field in fields(Config)}


def free_port() -> int:
	"""A loopback port that nobody uses now."""
	with socket.socket() as probe:
		probe.bind(("127.0.0.1", 0))
		return probe.getsockname()[1]


def listening(port: int) -> bool:
	"""Whether somebody takes connections there."""
	with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
		return True
	return False


def answers(port: int, path: str) -> bool:
	"""Whether this path answers 200."""
	with contextlib.suppress(OSError, ValueError):
		with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as reply:
			return reply.status == 200
	return False


def audience(url: str, headers: dict[str, str]) -> str:
	"""How the server at this address calls itself."""
	with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as reply:
		return json.loads(reply.read())["aud"]


def _command(pid: int) -> bytes:
	with contextlib.suppress(OSError):
		return Path(f"/proc/{pid}/cmdline").read_bytes()
	return b""
