"""The TVs of a storm, a process of their own: `python -m benchmarks.device_auth.storm_load` reads its orders as JSON.

Each TV keeps the rules of `subscriber_tv.simulator.storm`: it asks the same question until it is answered, comes back when
it is told to, with its ticket; hearing nothing for five seconds it waits at random, longer each time. They reach the edge
either through the proxies of their hotels, which keep connections and put one question on each, or each over a new
connection of its own. A TV that waits for its proxy loses patience like any other, and its question is then not sent.
"""

from __future__ import annotations

import gc
import heapq
import json
import os
import random
import select
import socket
import sys
import time
from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.device_auth import questions
from benchmarks.device_auth.figures import percentile
from benchmarks.device_auth.fleet import Fleet
from benchmarks.device_auth.measure import cpu_seconds, resident
from benchmarks.device_auth.wires import Wires, parted, whole
from subscriber_tv.simulator.storm import PATIENCE

RELAYED, OWN = "relayed", "own"
# As subscriber_tv.simulator.storm has it: seconds between which a TV waits at random that heard nothing.
_FIRST, _LONGEST = 16.0, 300.0
_LOOK = 0.5


@dataclass
class Order:
	"""So many TVs, switched on within so many seconds, followed until `give_up`."""

	port: int
	path: str
	audience: str
	start: int
	number: int
	keys: str
	public_keys: str
	form: str
	within: float
	give_up: float
	hotels: int = 50
	connections: int = 1000
	# Connections of TVs' own that are open at the same time: each is a file.
	at_once: int = 12_000
	patience: float = PATIENCE
	pids: tuple[int, ...] = ()
	workers: tuple[int, ...] = ()
	core: int = -1


@dataclass
class Outcome:
	"""What came of it; moments in seconds since the first TV was switched on."""

	answered: int = 0
	p50: float = 0.0
	p99: float = 0.0
	last: float = 0.0
	mean_requests: float = 0.0
	most_requests: int = 0
	never: int = 0
	denied: int = 0
	statuses: dict[str, int] = field(default_factory=dict)
	lost_patience: int = 0
	all_asked: float = 0.0
	cpu: float = 0.0
	own_cpu: float = 0.0
	resident: list[int] = field(default_factory=list)
	checked: int = 0
	problems: list[str] = field(default_factory=list)


class Proxies:
	"""Hotels with kept connections; a question waits for a free one of its own hotel."""

	def __init__(self, order: Order):
		self._wires = Wires("127.0.0.1", order.port, order.connections, order.hotels)
		self._free: list[deque] = [deque() for _ in range(order.hotels)]
		for number, wire in enumerate(self._wires.all):
			self._free[number % order.hotels].append(wire)
		self._waiting: list[deque[tuple[int, float]]] = [deque() for _ in range(order.hotels)]
		self._busy: set[int] = set()
		self._hotels = order.hotels

	def ask(self, tv: int, moment: float) -> None:
		"""A TV asks its proxy."""
		hotel = tv % self._hotels
		self._waiting[hotel].append((tv, moment))
		self._busy.add(hotel)

	def forward(self, storm: Storm) -> None:
		"""Put on free connections what waits for them."""
		for hotel in list(self._busy):
			free, waiting = self._free[hotel], self._waiting[hotel]
			while waiting and free:
				tv, moment = waiting.popleft()
				if storm.is_patient(tv, moment):
					wire = free.popleft()
					wire.turn, wire.sent = tv, moment
					self._wires.send(wire, storm.request(tv))
			if not waiting:
				self._busy.discard(hotel)

	def answers(self, seconds: float) -> list[tuple[int, float, int, bytes]]:
		"""What came: TV, when it had asked, status, answer."""
		found = []
		for wire, status, data in self._wires.receive(seconds):
			found.append((wire.turn, wire.sent, status, data))
			self._free[wire.turn % self._hotels].append(wire)
			wire.turn = -1
		return found


class Connections:
	"""Each question over a new connection, from the addresses of many hotels; no more at once than files may be open."""

	def __init__(self, order: Order):
		self._address = ("127.0.0.1", order.port)
		self._hotels = order.hotels
		self._at_once = order.at_once
		self._epoll = select.epoll()
		self._open: dict[int, tuple[socket.socket, int, float, list[bytes]]] = {}
		self._waiting: deque[tuple[int, float]] = deque()

	def ask(self, tv: int, moment: float) -> None:
		"""A TV connects as soon as there is room."""
		self._waiting.append((tv, moment))

	def forward(self, storm: Storm) -> None:
		"""Connect and ask."""
		for _ in range(min(500, len(self._waiting))):
			if len(self._open) >= self._at_once:
				return
			tv, moment = self._waiting.popleft()
			if storm.is_patient(tv, moment):
				self._connect(tv, moment, storm.request(tv))

	def _connect(self, tv: int, moment: float, request: bytes) -> None:
		one = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
		one.setsockopt(socket.IPPROTO_IP, 24, 1)
		# Nothing is left behind on this side when it is closed: ports are needed again soon.
		one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
		one.bind((f"127.0.0.{2 + tv % self._hotels}", 0))
		one.setblocking(False)
		one.connect_ex(self._address)
		self._open[one.fileno()] = (one, tv, moment, [request])
		self._epoll.register(one.fileno(), select.EPOLLOUT)

	def answers(self, seconds: float) -> list[tuple[int, float, int, bytes]]:
		"""What came, and who heard nothing (status 0)."""
		found = []
		for number, events in self._epoll.poll(seconds):
			one, tv, moment, parts = self._open[number]
			try:
				if events & select.EPOLLOUT:
					one.send(parts.pop())
					self._epoll.modify(number, select.EPOLLIN)
					continue
				parts.append(one.recv(65_536))
				data = b"".join(parts)
				if parts[-1] and not whole(data):
					continue
			except OSError:
				data = b""
			del self._open[number]
			one.close()
			found.append((tv, moment, int(data[9:12] or 0), data))
		return found


class Storm:
	"""All TVs, their questions and what they heard."""

	def __init__(self, order: Order):
		self._order = order
		self._fleet = Fleet(Path(order.keys))
		spell = questions.Desk(self._fleet, order.audience).question
		self._asked = [spell(questions.AUTH, order.start + tv) for tv in range(order.number)]
		closing = "Connection: close\r\n" if order.form == OWN else ""
		self._head = (
			f"POST {order.path} HTTP/1.1\r\nHost: 127.0.0.1:{order.port}\r\nContent-Type: application/json\r\n"
			f"Priority: u=0\r\n{closing}"
		).encode()
		self._tickets: dict[int, bytes] = {}
		self._requests = bytearray(order.number)
		self._draws = random.Random(order.start)
		self._due = [(self._draws.uniform(0, order.within), tv) for tv in range(order.number)]
		heapq.heapify(self._due)
		self.outcome = Outcome()
		self._times: list[float] = []
		self._statuses: Counter[int] = Counter()
		self._kept: list[tuple[int, bytes]] = []
		self._silent = set(range(order.number))
		self._began = 0.0

	def request(self, tv: int) -> bytes:
		"""What this TV sends now, with the ticket that it was given."""
		body, ticket = self._asked[tv].body, self._tickets.get(tv, b"")
		if tv in self._silent:
			self._silent.discard(tv)
			self.outcome.all_asked = self._now()
		return b"%bContent-Length: %d\r\n%b\r\n%b" % (self._head, len(body), ticket, body)

	def is_patient(self, tv: int, moment: float) -> bool:
		"""Whether a TV that asked then still waits; one that does not will ask again."""
		if self._now() - moment <= self._order.patience:
			return True
		self._heard_nothing(tv, moment)
		return False

	def run(self) -> None:
		"""From the first TV's switching on until all are answered, or patience ends."""
		order = self._order
		way = Proxies(order) if order.form == RELAYED else Connections(order)
		gc.collect()
		gc.disable()
		spent, own = cpu_seconds(order.pids), time.process_time()
		self._began, looked = time.perf_counter(), -_LOOK
		while len(self._times) + self.outcome.denied < order.number and self._now() < order.give_up:
			now = self._now()
			while self._due and self._due[0][0] <= now:
				moment, tv = heapq.heappop(self._due)
				way.ask(tv, moment)
			way.forward(self)
			for tv, moment, status, data in way.answers(0.001):
				self._take(tv, moment, status, data)
			if now - looked >= _LOOK:
				looked = now
				self.outcome.resident.append(sum(map(resident, order.workers)))
		self.outcome.cpu = cpu_seconds(order.pids) - spent
		self.outcome.own_cpu = time.process_time() - own

	def _now(self) -> float:
		return time.perf_counter() - self._began

	def _take(self, tv: int, moment: float, status: int, data: bytes) -> None:
		now = self._now()
		if not status or now - moment > self._order.patience:
			# Whatever came, nobody was there any more to hear it.
			self._heard_nothing(tv, moment)
			return
		self._requests[tv] += 1
		self._statuses[status] += 1
		if status == 200:
			self._times.append(now)
			self._tickets.pop(tv, None)
			if not tv % 50:
				self._kept.append((tv, data))
		elif status in (429, 503):
			self._told_to_wait(tv, now, data)
		else:
			self.outcome.denied += 1

	def _told_to_wait(self, tv: int, now: float, data: bytes) -> None:
		headers, body = parted(data)
		document = json.loads(body)
		if slot := document.get("slot"):
			self._tickets[tv] = b"X-TV-Slot: %b\r\n" % slot.encode()
		wait = document.get("retry_ms", 1000 * float(headers.get("retry-after", 1))) / 1000
		heapq.heappush(self._due, (now + wait, tv))

	def _heard_nothing(self, tv: int, moment: float) -> None:
		self._requests[tv] += 1
		self.outcome.lost_patience += 1
		self._tickets.pop(tv, None)
		longest = min(_LONGEST, _FIRST * 2 ** (self._requests[tv] - 1))
		heapq.heappush(self._due, (moment + self._order.patience + self._draws.uniform(0, longest), tv))

	def result(self) -> Outcome:
		"""The figures, and the check of a sample."""
		found, times = self.outcome, self._times
		check = questions.Checker(self._fleet, Path(self._order.public_keys).read_bytes()).problem
		for tv, data in self._kept:
			headers, body = parted(data)
			if problem := check(self._asked[tv], body, headers.get("x-tv-mac", "")):
				found.problems.append(problem)
		found.checked = len(self._kept)
		found.answered, found.never = len(times), self._order.number - len(times) - found.denied
		found.p50, found.p99 = percentile(times, 0.5), percentile(times, 0.99)
		found.last = max(times, default=0.0)
		found.mean_requests = sum(self._requests) / self._order.number
		found.most_requests = max(self._requests)
		found.statuses = {str(status): count for status, count in sorted(self._statuses.items())}
		found.problems = found.problems[:5]
		return found


def main() -> None:
	"""Orders come in on standard input, the outcome goes out as one line."""
	order = Order(**json.loads(sys.stdin.read()))
	if order.core >= 0:
		os.sched_setaffinity(0, {order.core})
	storm = Storm(order)
	storm.run()
	print(json.dumps(asdict(storm.result())))


if __name__ == "__main__":
	main()
