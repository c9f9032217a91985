"""Pairs of questions for two workers at once, a process of its own: `python -m benchmarks.device_auth.replay_load`.

Both questions of a pair bear one number of one TV. Half of the pairs are two questions under nonces of their own, of which one
may be taken; the others are the same bytes twice, as a TV sends them whose answer was lost. Each pair goes over two connections
that different processes of the edge accepted, which the kernel's own tables show.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.device_auth import questions
from benchmarks.device_auth.fleet import Fleet
from benchmarks.device_auth.wires import Wire, Wires, parted

FORK, REPEAT = "two nonces", "same bytes twice"
SAMPLE = 500
_CHUNK = 50_000
_SILENCE = 20.0
_MOMENTS = ("time", "play_until", "ask_after")


@dataclass
class Order:
	"""So many pairs; `workers` are the processes between which they are divided."""

	port: int
	path: str
	audience: str
	number: int
	keys: str
	public_keys: str
	workers: tuple[int, ...]
	slots: int = 32


@dataclass
class Outcome:
	"""How the pairs ended; see `judge` for the words."""

	pairs: dict[str, dict[str, int]] = field(default_factory=dict)
	wall: float = 0.0
	workers: dict[str, int] = field(default_factory=dict)
	checked: int = 0
	problems: list[str] = field(default_factory=list)


@dataclass
class Slot:
	"""Two connections, one to each worker, and the pair under way on them."""

	wires: tuple[Wire, Wire]
	pair: int = -1
	answers: list[tuple[int, bytes]] = field(default_factory=list)


def judge(kind: str, one: tuple[int, bytes], other: tuple[int, bytes]) -> str:
	"""What a pair came to, from the two (status, body)."""
	statuses = sorted((one[0], other[0]))
	if kind == FORK:
		if statuses == [200, 409]:
			refused = one[1] if one[0] == 409 else other[1]
			return "one taken, one replayed" if json.loads(refused)["error"] == "replayed" else "other"
		return "BOTH TAKEN" if statuses == [200, 200] else "other"
	if statuses != [200, 200]:
		return "other"
	if one[1] == other[1]:
		return "the same answer, byte for byte"
	return (
		"the same answer, a second later" if _timeless(one[1]) == _timeless(other[1]) else "DIFFERENT ANSWERS"
	)


def _timeless(body: bytes) -> dict:
	return {name: value for name, value in json.loads(body).items() if name not in _MOMENTS}


class Replay:
	"""The pairs, in heaps that are spelled before they are sent."""

	def __init__(self, order: Order):
		self._order = order
		self._fleet = Fleet(Path(order.keys))
		self._spell = questions.Desk(self._fleet, order.audience)
		self._slots, self._workers = _slots(order)
		self._counts: dict[str, Counter[str]] = {FORK: Counter(), REPEAT: Counter()}
		self._kept: list[tuple[questions.Question, bytes]] = []
		self.wall = 0.0

	def run(self) -> None:
		"""All pairs."""
		for first in range(0, self._order.number, _CHUNK):
			pairs = [self._pair(number) for number in range(first, min(first + _CHUNK, self._order.number))]
			gc.collect()
			gc.disable()
			began = time.perf_counter()
			self._send(pairs)
			self.wall += time.perf_counter() - began
			gc.enable()

	def _pair(self, number: int) -> tuple[str, questions.Question, questions.Question]:
		one = self._spell.question(questions.AUTH, number)
		if number % 2:
			return REPEAT, one, one
		return FORK, one, self._spell.question(questions.AUTH, number)

	def _send(self, pairs: list) -> None:
		waiting = iter(range(len(pairs)))
		busy: dict[int, Slot] = {}
		for slot in self._slots:
			self._begin(slot, pairs, waiting, busy)
		last = time.perf_counter()
		while busy:
			for wire, status, data in self._wires.receive(1.0):
				last = time.perf_counter()
				slot = busy[id(wire)]
				wire.turn = -1
				slot.answers.append((status, data))
				if len(slot.answers) == 2:
					self._end(slot, pairs[slot.pair], busy)
					self._begin(slot, pairs, waiting, busy)
			if time.perf_counter() - last > _SILENCE:
				raise SystemExit(f"no answer for {_SILENCE:.0f} s")

	def _begin(self, slot: Slot, pairs: list, waiting: Iterator[int], busy: dict[int, Slot]) -> None:
		"""Both questions of the next pair, one after the other without a pause; each worker is the first as often."""
		slot.pair = next(waiting, -1)
		if slot.pair < 0:
			return
		_, one, other = pairs[slot.pair]
		wires = slot.wires if slot.pair % 4 < 2 else slot.wires[::-1]
		slot.answers.clear()
		for wire, question in zip(wires, (one, other), strict=True):
			busy[id(wire)] = slot
			wire.turn = slot.pair
			self._wires.send(wire, self._request(question))

	def _end(self, slot: Slot, pair: tuple, busy: dict[int, Slot]) -> None:
		for wire in slot.wires:
			del busy[id(wire)]
		kind, one, other = pair
		(first, data), (second, more) = slot.answers
		self._counts[kind][judge(kind, (first, parted(data)[1]), (second, parted(more)[1]))] += 1
		if not slot.pair % SAMPLE:
			self._kept += [
				(question, data)
				for question in (one, other)
				for status, data in slot.answers
				if status == 200
			]

	def _request(self, question: questions.Question) -> bytes:
		return questions.posted(f"127.0.0.1:{self._order.port}", self._order.path, question.body)

	@property
	def _wires(self) -> Wires:
		return self._workers[0]

	def result(self) -> Outcome:
		"""The figures, and the check of a sample: what was taken is the answer to one of the two."""
		check = questions.Checker(self._fleet, Path(self._order.public_keys).read_bytes()).problem
		problems = []
		for question, data in self._kept:
			headers, body = parted(data)
			if json.loads(body)["n"] == question.nonce and (
				problem := check(question, body, headers["x-tv-mac"])
			):
				problems.append(problem)
		return Outcome(
			{kind: dict(counts) for kind, counts in self._counts.items()},
			self.wall,
			self._workers[1],
			len(self._kept),
			problems[:5],
		)


def _slots(order: Order) -> tuple[list[Slot], tuple[Wires, dict[str, int]]]:
	"""Pairs of connections, each to two workers; who accepts which is up to the kernel, so more are opened than are needed."""
	wires = Wires("127.0.0.1", order.port, 8 * order.slots)
	hello = f"GET /v1/hello HTTP/1.1\r\nHost: 127.0.0.1:{order.port}\r\n\r\n".encode()
	for wire in wires.all:
		wires.send(wire, hello)
	greeted, deadline = 0, time.monotonic() + _SILENCE
	while greeted < len(wires.all) and time.monotonic() < deadline:
		greeted += len(wires.receive(0.1))
	by_worker = _accepted(order, wires.all)
	one, other = sorted(by_worker, key=lambda pid: -len(by_worker[pid]))[:2] if len(by_worker) > 1 else (0, 0)
	pairs = list(zip(by_worker[one], by_worker[other], strict=False))[: order.slots]
	if not pairs:
		raise SystemExit("one worker accepted all connections")
	return [Slot(pair) for pair in pairs], (wires, {str(pid): len(found) for pid, found in by_worker.items()})


def _accepted(order: Order, wires: list[Wire]) -> dict[int, list[Wire]]:
	"""Which worker holds the other end of each connection."""
	inodes = {}
	for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
		fields = line.split()
		local, remote = (int(address.rpartition(":")[2], 16) for address in fields[1:3])
		if local == order.port:
			inodes[f"socket:[{fields[9]}]"] = remote
	holder = {}
	for pid in order.workers:
		for entry in Path(f"/proc/{pid}/fd").iterdir():
			with suppress(OSError):
				if port := inodes.get(os.readlink(entry)):
					holder[port] = pid
	found: dict[int, list[Wire]] = {0: []}
	for wire in wires:
		if pid := holder.get(wire.socket.getsockname()[1]):
			found.setdefault(pid, []).append(wire)
	return {pid: held for pid, held in found.items() if held} or found


def main() -> None:
	"""Orders come in on standard input, the outcome goes out as one line."""
	replay = Replay(Order(**json.loads(sys.stdin.read())))
	replay.run()
	print(json.dumps(asdict(replay.result())))


if __name__ == "__main__":
	main()
