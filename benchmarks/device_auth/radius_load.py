"""The load on FreeRADIUS, a process of its own as for the other servers: `python -m benchmarks.device_auth.radius_load`.

Access-Requests with PAP (RFC 2865), spelled before the clock starts; a socket for each 256 under way, because a request's
number has 8 bits. radclient would do, but it is slower than the server.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import select
import socket
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.device_auth.figures import percentile
from benchmarks.device_auth.fleet import Fleet
from benchmarks.device_auth.load import SAMPLE, SILENCE, Result
from benchmarks.device_auth.measure import Idle, cpu_seconds, settle
from benchmarks.device_auth.questions import tv_of

SECRET = b"of the benchmark"
_REQUEST, _ACCEPT = 1, 2
_USER_NAME, _USER_PASSWORD = 1, 2
_BLOCK = 16
# Requests without an answer are sent again after so many seconds, as any client does.
_AGAIN = 2.0


@dataclass
class Order:
	"""Whom to ask for what; the fields mean what they mean in load.Order."""

	port: int
	start: int
	number: int
	keys: str
	pids: tuple[int, ...]
	core: int
	under_way: int = 64


def packet(number: int, user: str, password: str, authenticator: bytes) -> bytes:
	"""An Access-Request: the password is hidden under the secret, block by block."""
	plain = password.encode()
	plain += b"\0" * (-len(plain) % _BLOCK)
	hidden, mask = b"", authenticator
	for start in range(0, len(plain), _BLOCK):
		key = hashlib.md5(SECRET + mask).digest()
		mask = bytes(a ^ b for a, b in zip(plain[start : start + _BLOCK], key, strict=True))
		hidden += mask
	attributes = _attribute(_USER_NAME, user.encode()) + _attribute(_USER_PASSWORD, hidden)
	return _head(_REQUEST, number, attributes) + authenticator + attributes


def is_accepted(answer: bytes, authenticator: bytes) -> bool:
	"""Whether this is an Access-Accept to the request of this authenticator, from who knows the secret."""
	genuine = hashlib.md5(answer[:4] + authenticator + answer[20:] + SECRET).digest()
	return answer[0] == _ACCEPT and answer[4:20] == genuine


def _attribute(kind: int, value: bytes) -> bytes:
	return bytes((kind, len(value) + 2)) + value


def _head(code: int, number: int, attributes: bytes) -> bytes:
	return bytes((code, number)) + (20 + len(attributes)).to_bytes(2, "big")


class Exchange:
	"""All requests of a round through one socket, so many under way."""

	def __init__(self, order: Order, fleet: Fleet):
		self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_000_000)
		self._socket.connect(("127.0.0.1", order.port))
		self._socket.setblocking(False)
		self.statuses: Counter[str] = Counter()
		self.took: list[float] = []
		self.false = 0
		self._authenticators, self._packets = [], []
		for turn in range(order.start, order.start + order.number):
			tv, authenticator = tv_of(turn, len(fleet)), os.urandom(16)
			self._authenticators.append(authenticator)
			self._packets.append(packet(0, fleet.serial(tv), fleet.thumbprint(tv), authenticator))

	def run(self, under_way: int) -> None:
		"""Ask until everything is answered."""
		clock, poll = time.perf_counter, select.epoll()
		poll.register(self._socket.fileno(), select.EPOLLIN)
		waiting: dict[int, tuple[int, float]] = {}
		free, turn, last = list(range(under_way)), 0, clock()
		while turn < len(self._packets) or waiting:
			while free and turn < len(self._packets):
				number = free.pop()
				waiting[number] = (turn, clock())
				self._send(number, turn)
				turn += 1
			if not poll.poll(_AGAIN):
				self._send_again(waiting)
				if clock() - last > SILENCE:
					raise SystemExit(f"no answer for {SILENCE:.0f} s")
				continue
			last = clock()
			while answer := self._received():
				if answer[1] in waiting:
					asked, sent = waiting.pop(answer[1])
					self._note(asked, clock() - sent, answer)
					free.append(answer[1])

	def _note(self, turn: int, took: float, answer: bytes) -> None:
		self.statuses["accepted" if answer[0] == _ACCEPT else "rejected"] += 1
		self.took.append(took)
		if not turn % SAMPLE:
			self.false += not is_accepted(answer, self._authenticators[turn])

	def _send(self, number: int, turn: int) -> None:
		data = self._packets[turn]
		self._socket.send(data[:1] + bytes((number,)) + data[2:])

	def _send_again(self, waiting: dict[int, tuple[int, float]]) -> None:
		for number, (turn, _sent) in waiting.items():
			self.statuses["sent again"] += 1
			self._send(number, turn)

	def _received(self) -> bytes:
		try:
			return self._socket.recv(4096)
		except BlockingIOError:
			return b""


def main() -> None:
	"""Orders come in on standard input, the result goes out as one line."""
	order = Order(**json.loads(sys.stdin.read()))
	os.sched_setaffinity(0, {order.core})
	idle = Idle(order.pids)
	this = Exchange(order, Fleet(Path(order.keys)))
	rate = idle.rate()
	gc.collect()
	gc.disable()
	before, own, began = cpu_seconds(order.pids), time.process_time(), time.perf_counter()
	this.run(order.under_way)
	wall, own = time.perf_counter() - began, time.process_time() - own
	settle(order.pids)
	waited = time.perf_counter() - began - wall
	result = Result(
		answers=this.statuses["accepted"],
		wall=wall,
		cpu=cpu_seconds(order.pids) - before - rate * waited,
		own_cpu=own,
		p50=percentile(this.took, 0.5),
		p99=percentile(this.took, 0.99),
		longest=max(this.took),
		statuses=dict(this.statuses),
		checked=-(-order.number // SAMPLE),
		problems=[f"{this.false} answers are not from the server"] if this.false else [],
	)
	print(json.dumps(asdict(result)))


if __name__ == "__main__":
	main()
