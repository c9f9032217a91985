"""A fleet of TVs that power on against one address, over real sockets, and what they were answered."""

from __future__ import annotations

import csv
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue

from subscriber_tv.core.devices import jws
from subscriber_tv.simulator.http import Service
from subscriber_tv.simulator.tv import Memory, Tv

Tick = Callable[[int, int, Counter], None]


@dataclass(frozen=True)
class Identity:
	"""A TV of a fleet file: a model without a key store, whose secret the file gives."""

	serial: str
	credential: str


@dataclass
class Result:
	"""What happened: how many TVs saw what, each power-on's seconds, and the whole time."""

	screens: Counter = field(default_factory=Counter)
	latencies: list[float] = field(default_factory=list)
	seconds: float = 0.0

	def percentile(self, share: int) -> float:
		"""The latency (seconds) that `share` percent of the power-ons did not pass; 0 when there were none."""
		ordered = sorted(self.latencies)
		return ordered[min(len(ordered) - 1, len(ordered) * share // 100)] if ordered else 0.0


def read_fleet(path: Path) -> list[Identity]:
	"""The TVs of a CSV file with the columns serial and credential; ValueError names the line that has none."""
	fleet = []
	with path.open(newline="", encoding="utf-8") as file:
		for number, row in enumerate(csv.DictReader(file), start=2):
			if not row.get("serial") or not row.get("credential"):
				raise ValueError(f"{path}, line {number}: serial and credential are needed")
			fleet.append(Identity(row["serial"].strip(), row["credential"].strip()))
	return fleet


def power_on_all(
	fleet: Sequence[Identity],
	connect: Callable[[], Service],
	*,
	threads: int = 8,
	tick: Tick | None = None,
	remembered: dict[str, Memory] | None = None,
) -> Result:
	"""Power every TV on once, `threads` at a time, each thread over one kept connection.

	`connect` makes a thread's connection; `tick` is told about the progress. `remembered` holds what the TVs know from one
	time to the next: without it each proves itself anew. NoAnswer when not even the keys come.
	"""
	known = {} if remembered is None else remembered
	first = connect()
	verifier = jws.Verifier(first.get(first.paths.jwks).document)
	first.close()
	waiting: SimpleQueue[Identity] = SimpleQueue()
	for identity in fleet:
		waiting.put(identity)
	result = Result()
	lock = threading.Lock()

	def work() -> None:
		service = connect()
		while True:
			try:
				identity = waiting.get_nowait()
			except Empty:
				break
			tv = Tv(identity.serial, service, identity.credential, verifier=verifier)
			tv.memory = known.setdefault(identity.serial, tv.memory)
			began = time.perf_counter()
			screen = tv.power_on()
			took = time.perf_counter() - began
			with lock:
				result.screens[f"{screen.kind} {screen.code}".strip()] += 1
				result.latencies.append(took)
				if tick:
					tick(len(result.latencies), len(fleet), result.screens)
		service.close()

	began = time.perf_counter()
	workers = [threading.Thread(target=work) for _ in range(min(threads, len(fleet)))]
	for worker in workers:
		worker.start()
	for worker in workers:
		worker.join()
	result.seconds = time.perf_counter() - began
	return result


def progress(done: int, total: int, screens: Counter) -> None:
	"""A line that rewrites itself on a terminal, and nothing where there is none."""
	if sys.stderr.isatty() and (done % 25 == 0 or done == total):
		shown = ", ".join(f"{count} {name}" for name, count in screens.most_common())
		print(
			f"\r{done}/{total} TVs: {shown}",
			end="\n" if done == total else "\033[K",
			file=sys.stderr,
			flush=True,
		)


def report(result: Result) -> str:
	"""The result in words for a terminal."""
	lines = [f"{count:>7}  {name}" for name, count in result.screens.most_common()]
	total = len(result.latencies)
	rate = total / result.seconds if result.seconds else 0.0
	lines.append(f"{total} power-ons in {result.seconds:.2f} s, {rate:.0f} a second")
	spread = "   ".join(f"p{share} {result.percentile(share) * 1000:.1f} ms" for share in (50, 95, 99))
	lines.append(f"latency  {spread}")
	return "\n".join(lines)
