"""One connection of a TV or a proxy: whole requests in, whole replies out, in order, each within its time.

A daily question goes straight to the application's `answer_now`; any other request is a call of the same application by
ASGI. A connection holds at most one request that is not whole yet, reads nothing while it answers or while the other
side does not take its replies, and ends when something takes too long.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import msgspec

from subscriber_tv.core.devices import wire
from subscriber_tv.edge import admission
from subscriber_tv.edge.app import ASKED, Edge, Refused, check_headers
from subscriber_tv.edge.lean import reply
from subscriber_tv.edge.lean.head import END, BadHead, Head, check_begun, parse

log = logging.getLogger("subscriber_tv.edge")

# Requests of one connection answered in a row before others have their turn.
_IN_A_ROW = 16
# Seconds in which a connection that is over may still take its last reply, and the bytes it may send meanwhile.
_LINGER = 1.0
_LINGER_BYTES = 256 * 1024
# Heads up to so many bytes are remembered with what they say.
_REMEMBERED_BYTES = 1024
# Seconds without a request after which a connection is closed.
IDLE = 120.0
# Seconds in which whoever connects is expected to begin to ask.
FIRST = 15.0
# What may pass at most from one look to the next, in seconds: several looks before any patience ends.
_LONGEST_LOOK = 0.25
_FOREVER = float("inf")


class Direct(msgspec.Struct, frozen=True):
	"""A question that needs no ASGI: its path, and what its headers tell the door."""

	path: str
	said: admission.Said


def read(data: bytes) -> tuple[Head, Direct | None]:
	"""What a whole head says, and what it is when it is a daily question whose headers are in order. Errors: BadHead."""
	return _remembered(data) if len(data) <= _REMEMBERED_BYTES else _read(data)


def _read(data: bytes) -> tuple[Head, Direct | None]:
	head = parse(data)
	if head.method != "POST" or head.target not in ASKED or head.expects:
		return head, None
	try:
		check_headers(head.headers)
	except Refused:
		return head, None
	return head, Direct(head.target, admission.said(head.headers))


# TVs and proxies repeat themselves, and equal bytes always say the same.
_remembered = lru_cache(maxsize=4096)(_read)


class Served:
	"""What the connections of a worker share.

	`now` is a clock that goes on only as far as the worker looks: what came while it was busy elsewhere is not held
	against whoever sent it in time.
	"""

	def __init__(self, app: Edge, loop: asyncio.AbstractEventLoop, seconds: float):
		self.app = app
		self.loop = loop
		self.seconds = seconds
		self.now = self._looked = loop.time()
		self.ending = False
		self.connections: set[Connection] = set()
		self.tasks: set[asyncio.Task[None]] = set()

	def look(self) -> None:
		"""End what took too long; to be called several times a second."""
		before, self._looked = self._looked, self.loop.time()
		self.now += min(self._looked - before, _LONGEST_LOOK)
		for connection in [one for one in self.connections if one.deadline <= self.now]:
			connection.overdue()


class Connection(asyncio.Protocol):
	"""One connection. `deadline` is when its patience ends, whatever it waits for at present."""

	def __init__(self, served: Served):
		self._served = served
		self._waiting = b""
		# The head of the request whose body is not whole yet.
		self._begun: tuple[int, Head, Direct | None] | None = None
		self._answering: asyncio.Task[None] | None = None
		self._asking = False
		self._full = False
		self._over = False
		self._lingered = 0
		self.deadline = served.now + FIRST

	# what the transport calls

	def connection_made(self, transport: Any) -> None:
		"""It begins."""
		self._transport = transport
		peer = transport.get_extra_info("peername")
		self._peer = peer if isinstance(peer, tuple) else ("", 0)
		self._served.connections.add(self)

	def connection_lost(self, _error: Exception | None) -> None:
		"""It is gone; nobody waits for what is being answered."""
		self._served.connections.discard(self)
		self._over = True
		if self._answering:
			self._answering.cancel()

	def data_received(self, data: bytes) -> None:
		"""Bytes came."""
		if self._over:
			self._lingered += len(data)
			if self._lingered > _LINGER_BYTES:
				self._transport.abort()
			return
		if not self._asking:
			self._asking = True
			self.deadline = self._served.now + self._served.seconds
		self._waiting = self._waiting + data if self._waiting else data
		self._serve()

	def eof_received(self) -> bool:
		"""The other side sends no more: a request that is whole is still answered."""
		if self._answering and not self._over:
			self._over = True
			return True
		return False

	def pause_writing(self) -> None:
		"""Replies pile up: no further request is looked at."""
		self._full = True
		self._read_on(False)
		self.deadline = self._served.now + self._served.seconds

	def resume_writing(self) -> None:
		"""Replies are taken again."""
		self._full = False
		self._go_on()

	# time

	def overdue(self) -> None:
		"""Its time is up."""
		if self._over or self._full:
			self.deadline = _FOREVER
			self._transport.abort()
		elif self._waiting:
			self._refuse(wire.TIMEOUT)
		else:
			self._close()

	@property
	def is_idle(self) -> bool:
		"""Whether it waits for a request."""
		return not (self._waiting or self._answering or self._full or self._over)

	def end_soon(self) -> None:
		"""The worker ends: what is under way is answered, what is idle is closed."""
		if self.is_idle:
			self._close()

	# requests

	def _serve(self) -> None:
		"""Answer what is whole, a few in a row."""
		for _ in range(_IN_A_ROW):
			if not self._waiting or self._is_held():
				return
			try:
				if not self._take():
					return  # its deadline stands
			except BadHead as bad:
				self._refuse(bad.answer)
				return
		if self._waiting and not self._is_held():
			# Whoever sends requests in heaps waits for his turn like everybody.
			self._read_on(False)
			self._served.loop.call_soon(self._go_on)

	def _is_held(self) -> bool:
		return self._over or self._full or self._answering is not None

	def _go_on(self) -> None:
		if not self._is_held():
			self._read_on(True)
			self._serve()

	def _take(self) -> bool:
		"""Answer the first request in what came; False when it is not whole."""
		data = self._waiting
		begun = self._begun or self._head(data)
		if begun is None:
			return False
		end, head, question = begun
		whole = end + head.length
		if len(data) < whole:
			if head.expects and self._begun is None and len(data) == end:
				self._transport.write(reply.CONTINUE)
			self._begun = begun
			return False
		self._begun = None
		self._waiting = data[whole:]
		self._asking = bool(self._waiting)
		self.deadline = self._served.now + (self._served.seconds if self._asking else IDLE)
		if question is None:
			self._call(head, data[end:whole])
		else:
			self._answer(head, question, data[end:whole])
		return True

	def _head(self, data: bytes) -> tuple[int, Head, Direct | None] | None:
		"""Where the head ends, and what it says; None when it is not whole."""
		end = data.find(END, 0, wire.MAX_HEAD) + len(END)
		if end >= len(END):
			return end, *read(data[:end])
		if len(data) >= wire.MAX_HEAD:
			raise BadHead(wire.HEADERS_TOO_LARGE)
		check_begun(data)
		return None

	def _answer(self, head: Head, question: Direct, body: bytes) -> None:
		answer = self._served.app.answer_now(question.path, question.said, body, self._peer[0])
		closes = not head.keeps_alive or self._served.ending or reply.closes_after(answer.headers)
		self._transport.write(reply.of_answer(answer, closes))
		if closes:
			self._finish()

	def _refuse(self, answer: wire.Answer) -> None:
		answer = self._served.app.refused(answer, self._peer[0])
		self._transport.write(reply.of_answer(answer, True))
		self._finish()

	def _finish(self) -> None:
		"""No more requests: the last reply is given time to arrive before the connection is cut."""
		self._over = True
		self._waiting = b""
		self.deadline = self._served.now + _LINGER
		if not self._transport.is_closing():
			self._read_on(True)
			self._transport.write_eof()

	def _close(self) -> None:
		self._over = True
		self.deadline = _FOREVER
		self._transport.close()

	def _read_on(self, reads: bool) -> None:
		transport = self._transport
		if transport.is_closing() or transport.is_reading() == reads:
			return
		if reads:
			transport.resume_reading()
		else:
			transport.pause_reading()

	# everything else

	def _call(self, head: Head, body: bytes) -> None:
		self._read_on(False)
		self.deadline = _FOREVER  # the application has time limits of its own
		self._answering = self._served.loop.create_task(self._called(head, body))
		self._answering.add_done_callback(self._served.tasks.discard)
		self._served.tasks.add(self._answering)

	async def _called(self, head: Head, body: bytes) -> None:
		given = Reply()
		try:
			await self._served.app(_scope(head, self._peer), _receiving(body), given.send)
		except Exception:
			log.exception("a request failed")
			given = Reply.unavailable()
		self._answering = None
		if self._transport.is_closing():
			return
		closes = self._over or not head.keeps_alive or self._served.ending or reply.says_close(given.headers)
		is_head = head.method == "HEAD"
		self._transport.write(
			reply.of_message(given.status, given.headers, given.body, closes=closes, is_head=is_head)
		)
		self.deadline = self._served.now + (self._served.seconds if self._waiting else IDLE)
		if closes:
			self._finish()
		else:
			self._go_on()


class Reply:
	"""What an ASGI application sends."""

	def __init__(self):
		self.status = 503
		self.headers: list[tuple[bytes, bytes]] = []
		self.body = b""

	async def send(self, message: dict[str, Any]) -> None:
		"""Take one message."""
		if message["type"] == "http.response.start":
			self.status, self.headers = message["status"], list(message["headers"])
		else:
			self.body += message.get("body", b"")

	@classmethod
	def unavailable(cls) -> Reply:
		"""What is said when the application failed."""
		made = cls()
		made.body = wire.UNAVAILABLE.body
		made.headers = [(name.lower().encode(), value.encode()) for name, value in wire.UNAVAILABLE.headers]
		made.headers.append((b"content-length", b"%d" % len(made.body)))
		return made


def _scope(head: Head, peer: tuple[Any, ...]) -> dict[str, Any]:
	path, _, query = head.target.partition("?")
	return {
		"type": "http",
		"asgi": {"version": "3.0", "spec_version": "2.3"},
		"http_version": head.version,
		"method": head.method,
		"scheme": "http",
		"path": unquote(path),
		"raw_path": path.encode(),
		"query_string": query.encode(),
		"root_path": "",
		"headers": head.headers,
		"client": (peer[0], peer[1]),
		"server": None,
	}


def _receiving(body: bytes) -> Callable[[], Any]:
	messages: Iterable[dict[str, Any]] = iter([{"type": "http.request", "body": body, "more_body": False}])

	async def receive() -> dict[str, Any]:
		return next(messages, {"type": "http.disconnect"})  # type: ignore[call-overload]

	return receive
