"""The load of one round, a process of its own: `python -m benchmarks.device_auth.load` reads its orders as JSON.

All questions are spelled before the clock starts. The processor time of the server's processes is read before the first
question and after the last answer, once the server has nothing left to do: what it puts off, it pays for too. What it uses
while nobody asks is measured before the clock starts, and taken off for the time of that wait.
"""

from __future__ import annotations

import gc
import json
import os
import random
import sys
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.device_auth import questions
from benchmarks.device_auth.figures import percentile
from benchmarks.device_auth.fleet import Fleet
from benchmarks.device_auth.measure import Idle, cpu_seconds, settle
from benchmarks.device_auth.wires import Wires, parted

# One answer in so many is kept and checked to its last byte; of all others the status is.
SAMPLE = 50
SILENCE = 10.0


@dataclass
class Order:
	"""What to ask whom. `rate` 0: each connection asks again as soon as it is answered; else so many a second, at random moments."""

	host: str
	port: int
	path: str
	kind: str
	audience: str
	start: int
	number: int
	keys: str
	public_keys: str
	connections: int = 64
	rate: float = 0.0
	headers: tuple[str, ...] = ()
	pids: tuple[int, ...] = ()
	# Seconds that the server is given at least to do what it put off.
	rest: float = 0.0
	core: int = -1


@dataclass
class Result:
	"""What came of a round; times in seconds. `cpu` is the server's."""

	answers: int = 0
	wall: float = 0.0
	cpu: float = 0.0
	own_cpu: float = 0.0
	p50: float = 0.0
	p99: float = 0.0
	longest: float = 0.0
	statuses: dict[str, int] = field(default_factory=dict)
	checked: int = 0
	problems: list[str] = field(default_factory=list)
	answer_bytes: int = 0


class Round:
	"""The questions of one round, and what is noted of their answers."""

	def __init__(self, order: Order, fleet: Fleet):
		spell = questions.Desk(fleet, order.audience).question
		kind = questions.AUTH if order.kind == questions.ECHO else order.kind
		host = f"{order.host}:{order.port}"
		self._headers = tuple(order.headers)
		self.asked = [spell(kind, order.start + turn) for turn in range(order.number)]
		self.requests = [questions.posted(host, order.path, one.body, self._headers) for one in self.asked]
		self.took = [0.0] * order.number
		self.statuses: Counter[int] = Counter()
		self.kept: list[tuple[int, bytes]] = []

	def note(self, turn: int, status: int, data: bytes, took: float) -> None:
		"""One answer is in."""
		self.statuses[status] += 1
		self.took[turn] = took
		if not turn % SAMPLE or (status != 200 and len(self.kept) < 1000):
			self.kept.append((turn, data))

	def problems(self, check: Callable[[questions.Question, bytes, str], str]) -> list[str]:
		"""What is wrong with the answers that were kept."""
		found = []
		for turn, data in self.kept:
			headers, body = parted(data)
			if data[9:12] != b"200":
				found.append(f"status {data[9:12].decode()}: {body[:80].decode(errors='replace')}")
			elif problem := check(self.asked[turn], body, headers.get("x-tv-mac", "")):
				found.append(problem)
		return found


def flat_out(wires: Wires, this: Round) -> None:
	"""Every connection asks as soon as it is answered, until all questions are."""
	clock, requests, total = time.perf_counter, this.requests, len(this.requests)
	turn = answered = 0
	last = clock()
	for wire in wires.all[:total]:
		wire.turn, wire.sent = turn, clock()
		wires.send(wire, requests[turn])
		turn += 1
	while answered < total:
		for wire, status, data in wires.receive(1.0):
			now = last = clock()
			this.note(wire.turn, status, data, now - wire.sent)
			answered += 1
			wire.turn = -1
			if turn < total:
				wire.turn, wire.sent = turn, now
				wires.send(wire, requests[turn])
				turn += 1
		if clock() - last > SILENCE:
			raise SystemExit(f"no answer for {SILENCE:.0f} s; {answered} of {total} came")


def at_rate(wires: Wires, this: Round, rate: float, draws: random.Random) -> None:
	"""Questions at random moments, `rate` a second on average; how long each took counts from its moment, asked or not."""
	clock, total = time.perf_counter, len(this.requests)
	moments, moment = [], 0.0
	for _ in range(total):
		moment += draws.expovariate(rate)
		moments.append(moment)
	free, turn, answered, began = deque(wires.all), 0, 0, clock()
	last = began
	while answered < total:
		now = clock() - began
		while turn < total and free and moments[turn] <= now:
			wire = free.popleft()
			wire.turn = turn
			wires.send(wire, this.requests[turn])
			turn += 1
		for wire, status, data in wires.receive(0):
			last = clock()
			this.note(wire.turn, status, data, last - began - moments[wire.turn])
			wire.turn = -1
			free.append(wire)
			answered += 1
		if clock() - last > SILENCE:
			raise SystemExit(f"no answer for {SILENCE:.0f} s; {answered} of {total} came")


def run(order: Order) -> Result:
	"""Spell, ask, wait until the server is idle again, check."""
	if order.core >= 0:
		os.sched_setaffinity(0, {order.core})
	fleet = Fleet(Path(order.keys))
	idle = Idle(order.pids)
	this = Round(order, fleet)
	rate = idle.rate()
	wires = Wires(order.host, order.port, order.connections)
	gc.collect()
	gc.disable()
	before, own, began = cpu_seconds(order.pids), time.process_time(), time.perf_counter()
	if order.rate:
		at_rate(wires, this, order.rate, random.Random(order.start))
	else:
		flat_out(wires, this)
	wall, own = time.perf_counter() - began, time.process_time() - own
	settle(order.pids, order.rest)
	waited = time.perf_counter() - began - wall
	spent = cpu_seconds(order.pids) - before - rate * waited
	wires.close()
	return _result(order, this, fleet, wall, spent, own)


def _result(order: Order, this: Round, fleet: Fleet, wall: float, spent: float, own: float) -> Result:
	check = questions.Checker(fleet, Path(order.public_keys).read_bytes()).problem
	if order.kind == questions.ECHO:
		check = _echoed
	problems = this.problems(check)
	return Result(
		answers=this.statuses[200],
		wall=wall,
		cpu=spent,
		own_cpu=own,
		p50=percentile(this.took, 0.5),
		p99=percentile(this.took, 0.99),
		longest=max(this.took),
		statuses={str(status): count for status, count in sorted(this.statuses.items())},
		checked=len(this.kept),
		problems=problems[:5],
		answer_bytes=len(this.kept[0][1]),
	)


def _echoed(question: questions.Question, body: bytes, _mac: str) -> str:
	return "" if body.startswith(question.body) else "this is not the echo of what was sent"


def main() -> None:
	"""Orders come in on standard input, the result goes out as one line."""
	order = Order(**json.loads(sys.stdin.read()))
	print(json.dumps(asdict(run(order))))


if __name__ == "__main__":
	main()
