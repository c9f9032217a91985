"""What each part of an answer costs at full size, in one process, part by part: where the next microsecond is to be found.

	python -m benchmarks.device_auth.steps --cache FOLDER --version VERSION

Takes keys and projection as run.py keeps them, and works on copies of what it writes. Every figure is microseconds of this
thread's CPU time (system calls included) for one answer, the median of the rounds; the rounds go through all parts in
turns. A part is measured alone, on TVs in an order without pattern, so the parts together are a little cheaper than the
whole, in which each drives the others' data from the caches.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks.device_auth import fleet, questions
from benchmarks.device_auth.fleet import MASTERS, Fleet, Projection
from subscriber_tv.core.activation import respond
from subscriber_tv.core.devices import mac, requests
from subscriber_tv.edge import admission
from subscriber_tv.edge.app import Edge
from subscriber_tv.edge.config import Config
from subscriber_tv.edge.counts import Counts
from subscriber_tv.edge.lean import protocol, reply
from subscriber_tv.edge.node import EdgeNode
from subscriber_tv.edge.store import Store

AUDIENCE = "edge"
_HEAD = (
	b"POST /v1/auth HTTP/1.1\r\nHost: tv-south.example.com\r\nContent-Type: application/json\r\n"
	b"User-Agent: tv/3.21\r\nPriority: u=0\r\n%bContent-Length: %d\r\n\r\n"
)


class Sink:
	"""A transport without a network."""

	def __init__(self):
		self.last = b""

	def get_extra_info(self, _name: str) -> tuple[str, int]:
		"""The other side's address."""
		return "192.0.2.7", 4711

	def write(self, data: bytes) -> None:
		"""A reply."""
		self.last = data

	def is_closing(self) -> bool:
		"""Never."""
		return False

	def is_reading(self) -> bool:
		"""Always."""
		return True


class Bench:
	"""The parts, on the files of one edge."""

	def __init__(self, folder: Path, tvs: Fleet, built: Projection):
		self.tvs = tvs
		self._desk = questions.Desk(tvs, AUDIENCE)
		self._turn = 0
		(folder / "masters.json").write_bytes(mac.write_masters(MASTERS.keys))
		(folder / "secret").write_bytes(b"nobody asks")
		self.config = Config(
			database=folder / "edge.db",
			public_key_file=built.public_keys,
			masters_file=folder / "masters.json",
			name=AUDIENCE,
			# Nobody is there: counts and telemetry are kept as in production, and sent to no one.
			feed_url="http://127.0.0.1:9",
			feed_secret_file=folder / "secret",
		)
		shutil.copyfile(built.database, self.config.database)
		counts = Counts(self.config.counts_file)
		for tv in range(len(tvs)):
			counts.count(tvs.serial(tv), 1, "A" * 22, False)
		counts.close()
		# All parts use the connections of one worker: what another one writes would be read anew.
		self.edge = Edge(self.config)
		self.node: EdgeNode = self.edge._node
		self.counts = self.node._counts
		self.held = self.node.store
		self.alone = Store(self.config.database, read_only=True)

	def questions(self, count: int) -> list[tuple[str, bytes]]:
		"""The next questions: of whom, and their bodies."""
		found = []
		for turn in range(self._turn, self._turn + count):
			# Everybody was here once already.
			asked = self._desk.question(questions.AUTH, turn + len(self.tvs))
			found.append((self.tvs.serial(asked.tv), asked.body))
		self._turn += count
		return found

	def parts(self) -> dict[str, Callable[[list], Iterator[Callable[[], object]]]]:
		"""Name of a part -> what makes its calls from questions."""
		now = int(time.time())
		parsed = requests.auth(self.questions(1)[0][1])
		key = MASTERS.newest(self.tvs.serial(0), self.tvs.thumbprint(0))
		answered = respond.auth(self.questions(1)[0][1], self.node, now).answer
		head = _HEAD % (b"", 250)
		said = admission.Said("u=0", "", ())
		decided = respond.decide_bound(self.held.row(self.tvs.serial(0)), mac.NOBODY, now)

		def each(call: Callable[..., object]) -> Callable[[list], Iterator[Callable[[], object]]]:
			return lambda asked: ((lambda one=one: call(*one)) for one in asked)

		return {
			"head, seen before": each(lambda _serial, _body: protocol.read(head)),
			"head, new": each(lambda _serial, _body: protocol._read(head)),
			"body": each(lambda _serial, body: requests.auth(body)),
			"row, a transaction each": each(lambda serial, _body: self.alone.row(serial)),
			"row, held": each(lambda serial, _body: self.held.row(serial)),
			"the TV's key": each(lambda serial, _body: MASTERS.of("2", serial, "A" * 43)),
			"MAC of the question": each(
				lambda _serial, _body: mac.of_auth(
					key, AUDIENCE, parsed.d, parsed.e, parsed.c, parsed.n, parsed.f
				)
			),
			"count": self._count,
			"decision": each(lambda _serial, _body: respond.decide_bound(decided.row, mac.NOBODY, now)),
			"reply's body": each(lambda _serial, _body: respond.spell(decided, parsed.n, self.node, now)),
			"MAC of the reply": each(lambda _serial, _body: mac.of_reply(key, answered.body)),
			"door": each(lambda _serial, _body: self.edge._door.enter("/v1/auth", said, "192.0.2.7")),
			"reply's bytes": each(lambda _serial, _body: reply.of_answer(answered, False)),
			"core alone": each(lambda _serial, body: respond.auth(body, self.node, now)),
			"whole": self._whole(varied=False),
			"whole, every head new": self._whole(varied=True),
		}

	def _count(self, asked: list[tuple[str, bytes]]) -> Iterator[Callable[[], object]]:
		for serial, body in asked:
			yield partial(self.counts.count, serial, int(requests.auth(body).c), "B" * 22, False)

	def _whole(self, varied: bool) -> Callable[[list], Iterator[Callable[[], object]]]:
		served = protocol.Served(self.edge, asyncio.get_running_loop(), 5.0)
		connection = protocol.Connection(served)
		sink = Sink()
		connection.connection_made(sink)

		def calls(asked: list[tuple[str, bytes]]) -> Iterator[Callable[[], object]]:
			for _serial, body in asked:
				by = b"X-Forwarded-For: 10.%d.%d.%d\r\n" % tuple(random.randbytes(3)) if varied else b""
				data = _HEAD % (by, len(body)) + body
				yield lambda data=data: self._answered(connection, sink, data)

		return calls

	def _answered(self, connection: protocol.Connection, sink: Sink, data: bytes) -> None:
		connection.data_received(data)
		if not sink.last.startswith(b"HTTP/1.1 200"):
			raise SystemExit(f"not a power-on that was answered: {sink.last[:200]!r}")


def measure(bench: Bench, rounds: int, calls: int) -> dict[str, list[float]]:
	"""Microseconds a call, of every part, by rounds."""
	parts = bench.parts()
	found: dict[str, list[float]] = {name: [] for name in parts}
	for _ in range(rounds):
		for name, make in parts.items():
			made = list(make(bench.questions(calls)))
			began = time.thread_time()
			for call in made:
				call()
			found[name].append((time.thread_time() - began) / calls * 1e6)
	return found


async def _run(options: argparse.Namespace) -> dict[str, list[float]]:
	options.cache.mkdir(parents=True, exist_ok=True)
	tvs = fleet.keys(options.cache, options.tvs)
	built = fleet.built(options.cache, tvs, options.version, int(time.time()))
	with tempfile.TemporaryDirectory(prefix="steps-") as folder:
		return measure(Bench(Path(folder), tvs, built), options.rounds, options.calls)


def main() -> None:
	"""Measure, and print the table."""
	parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
	parser.add_argument("--cache", type=Path, required=True, help="where run.py keeps keys and projection")
	parser.add_argument("--version", required=True, help="of the projection")
	parser.add_argument("--tvs", type=int, default=fleet.TVS)
	parser.add_argument("--rounds", type=int, default=7)
	parser.add_argument("--calls", type=int, default=3000, help="of each part in a round")
	parser.add_argument("--json", type=Path, help="a file for the raw figures of every round")
	options = parser.parse_args()
	found = asyncio.run(_run(options))
	print(f"{'part':26} {'median':>7} {'least':>7} {'most':>7}  µs of CPU, {options.rounds} rounds")
	for name, figures in found.items():
		print(f"{name:26} {statistics.median(figures):7.1f} {min(figures):7.1f} {max(figures):7.1f}")
	if options.json:
		options.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
	main()
