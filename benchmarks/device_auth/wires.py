"""Connections of a load: epoll over non-blocking sockets, one question under way on each, nothing else in the way.

Written for speed: on one core it asks more than any of the servers can answer on another.
"""

from __future__ import annotations

import select
import socket

_END = b"\r\n\r\n"
_LENGTH = b"content-length:"
_READ = 262_144
# Linux chooses the port only when the other side is known, so that each pair of addresses has all ports.
_BIND_ADDRESS_NO_PORT = 24


class Broken(Exception):
	"""The server hung up in the middle of an answer, or did not say how long one is."""


class Wire:
	"""One kept connection. `turn` and `sent` are the caller's: which question is under way, and since when."""

	__slots__ = ("partly", "sent", "socket", "source", "turn")

	def __init__(self, source: str):
		self.socket: socket.socket | None = None
		self.source = source
		self.partly = b""
		self.turn = -1
		self.sent = 0.0


class Wires:
	"""Kept connections to one address. `spread`: from so many loopback addresses, as many hotels would."""

	def __init__(self, host: str, port: int, number: int, spread: int = 1):
		self._address = (host, port)
		self._epoll = select.epoll()
		self._open_ones: dict[int, Wire] = {}
		self.all = [Wire(f"127.0.0.{2 + n % spread}" if spread > 1 else "") for n in range(number)]
		for wire in self.all:
			self._connect(wire)

	def send(self, wire: Wire, request: bytes) -> None:
		"""Put a question on a connection that is free."""
		try:
			wire.socket.send(request)
		except (BrokenPipeError, ConnectionResetError):
			# It was closed while it lay idle.
			self._connect(wire)
			wire.socket.send(request)

	def receive(self, seconds: float) -> list[tuple[Wire, int, bytes]]:
		"""Wait at most so long; whoever is free again with the status and the whole answer."""
		found = []
		for number, _ in self._epoll.poll(seconds):
			wire = self._open_ones[number]
			data = wire.socket.recv(_READ)
			if not data:
				self._ended(wire)
				continue
			if wire.partly:
				data = wire.partly + data
			if whole(data):
				wire.partly = b""
				found.append((wire, int(data[9:12]), data))
			else:
				wire.partly = data
		return found

	def close(self) -> None:
		"""Hang up everywhere."""
		self._epoll.close()
		for wire in self.all:
			wire.socket.close()

	def _ended(self, wire: Wire) -> None:
		if wire.partly or wire.turn >= 0:
			raise Broken("the server hung up before it had answered")
		self._connect(wire)

	def _connect(self, wire: Wire) -> None:
		if wire.socket:
			del self._open_ones[wire.socket.fileno()]
			wire.socket.close()
		fresh = wire.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
		if wire.source:
			fresh.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
			fresh.bind((wire.source, 0))
		fresh.connect(self._address)
		fresh.setblocking(False)
		fresh.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
		self._open_ones[fresh.fileno()] = wire
		self._epoll.register(fresh.fileno(), select.EPOLLIN)


def whole(data: bytes) -> bool:
	"""Whether an answer is there to its last byte. Errors: Broken."""
	end = data.find(_END)
	if end < 0:
		return False
	if data[9:12] == b"204":
		return True
	head = data[:end].lower()
	start = head.find(_LENGTH)
	if start < 0:
		raise Broken("an answer without Content-Length")
	stop = head.find(b"\r", start)
	length = int(head[start + len(_LENGTH) : stop if stop > 0 else end])
	return len(data) >= end + 4 + length


def parted(data: bytes) -> tuple[dict[str, str], bytes]:
	"""Headers (names in small letters) and body of an answer."""
	head, _, body = data.partition(_END)
	lines = (line.partition(b":") for line in head.split(b"\r\n")[1:])
	return {name.decode().lower(): value.strip().decode() for name, _, value in lines}, body
