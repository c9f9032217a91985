"""The edge's HTTP side: plain ASGI, a handful of routes, no framework on the way of a power-on.

What a TV is answered comes from `core`; this file only guards the door. Every refusal is JSON, and a fault of ours is
the one 503, never a stack trace.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import sqlite3
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from subscriber_tv.core.activation import prove, respond
from subscriber_tv.core.activation.node import Answered
from subscriber_tv.core.devices import wire
from subscriber_tv.edge import config as configuration
from subscriber_tv.edge.admission import Door, Said
from subscriber_tv.edge.answers import Counter
from subscriber_tv.edge.clock import Clock
from subscriber_tv.edge.enrol import CARRIED, Forwarder
from subscriber_tv.edge.node import EdgeNode
from subscriber_tv.edge.static import load_pages
from subscriber_tv.edge.telemetry import Telemetry

log = logging.getLogger("subscriber_tv.edge")

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

TV_PAGE = Path(__file__).resolve().parent.parent / "public" / "tv"
# Beyond this age the health says so; TVs are answered all the same until their leases run out.
STALE_AFTER = 300
_COMPLAIN_EVERY = 60
_HASH = re.compile(r"\A[A-Za-z0-9_-]{43}\Z")
_OFFER = "/v1/offer/"
# What a TV asks, and who answers it here.
ASKED: dict[str, Callable[[bytes, EdgeNode, int], Answered]] = {
	"/v1/auth": respond.auth,
	"/v1/heartbeat": respond.heartbeat,
	"/v1/stream": respond.stream,
	"/v1/challenge": prove.give_challenge,
	"/v1/assert": prove.assertion,
}


_CARRIED = {f"/v1/{operation}": operation for operation in CARRIED}


class Refused(Exception):
	"""The request ends here, with this answer."""

	def __init__(self, refusal: wire.Answer):
		super().__init__(refusal.status)
		self.answer = refusal


class Edge:
	"""The ASGI application of one worker process."""

	def __init__(self, config: configuration.Config, clock: Callable[[], float] | None = None):
		self._config = config
		self._clock = clock or Clock(config.clock_file)
		self._node = EdgeNode(config)
		self._forwarder = Forwarder(config)
		self._door = Door(config, each_tick=self._node.let_go)
		self._complained = 0
		# Without a publisher nobody would ever read the counts.
		self._counter: Counter | None = None
		self._telemetry: Telemetry | None = None
		if config.feed_url:
			self._counter = Counter(config.answers_file, config.name, config.answers_every)
			self._telemetry = Telemetry(config)
		self._pages = load_pages(TV_PAGE)
		self._jwks = wire.Answer(
			200,
			config.public_keys(),
			(("Content-Type", "application/json"), ("Cache-Control", "max-age=3600")),
		)

	async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
		"""Serve one request, or the server's start and stop."""
		if scope["type"] == "lifespan":
			await _lifespan(receive, send, self._counter, self._telemetry)
		elif scope["type"] == "http":
			await _respond(scope, send, await self._door.through(scope, receive, self._answer))

	async def _answer(self, scope: Scope, receive: Receive) -> wire.Answer:
		try:
			return await self._route(scope, receive)
		except Exception as error:
			return self._after(error)

	def answer_now(self, path: str, given: Said, body: bytes, peer: str) -> wire.Answer:
		"""What `__call__` answers to a POST of this body to one of ASKED, for a server that has all of it in hand.

		:param peer: the address of the connection
		"""
		began = time.perf_counter()
		address = self._door.address(peer, given.forwarded)
		answer = self._door.enter(path, given, address)
		if answer is None:
			try:
				answer = self._ask(path, body, address)
			except Exception as error:
				answer = self._after(error)
			answer = self._door.weighed(path, answer, address)
		self._door.leave(path, answer.status, began)
		return answer

	def refused(self, answer: wire.Answer, peer: str) -> wire.Answer:
		"""What whoever sent no proper request hears: this, or that it failed too often."""
		answer = self._door.weighed("", answer, peer)
		self._door.leave("", answer.status, time.perf_counter())
		return answer

	def _after(self, error: Exception) -> wire.Answer:
		"""The answer when there was none."""
		if isinstance(error, Refused):
			return error.answer
		if isinstance(error, sqlite3.Error):
			# The disk is full or bad: said once a minute, not once a TV.
			self._complain(error)
		else:
			log.error("a request failed", exc_info=error)
		return wire.UNAVAILABLE

	def _complain(self, error: sqlite3.Error) -> None:
		now = int(self._clock())
		if now - self._complained >= _COMPLAIN_EVERY or now < self._complained:
			self._complained = now
			log.error("TVs are asked to come back: %s", error)

	async def _route(self, scope: Scope, receive: Receive) -> wire.Answer:
		path = scope["path"]
		if sum(len(name) + len(value) for name, value in scope["headers"]) > wire.MAX_HEAD:
			raise Refused(wire.HEADERS_TOO_LARGE)
		if path in ASKED:
			return self._ask(path, await self._body(scope, receive), _address(scope))
		if path in _CARRIED:
			body = await self._body(scope, receive)
			return await self._forwarder.carry(_CARRIED[path], body, _address(scope))
		if scope["method"] not in ("GET", "HEAD"):
			is_known = self._is_known(path)
			raise Refused(
				wire.METHOD_NOT_ALLOWED.plus(("Allow", "GET, HEAD")) if is_known else wire.NOT_FOUND
			)
		return self._read(path)

	def _read(self, path: str) -> wire.Answer:
		if path == "/v1/health":
			return self._health()
		if path == "/v1/ready":
			return self._ready()
		if path == "/v1/jwks":
			return self._jwks
		if path == "/v1/hello":
			return wire.hello(self._node.audience, int(self._clock()))
		if path.startswith(_OFFER):
			return self._offer(path.removeprefix(_OFFER))
		return self._pages.get(path, wire.NOT_FOUND)

	def _is_known(self, path: str) -> bool:
		return (
			path in ("/v1/health", "/v1/ready", "/v1/jwks", "/v1/hello")
			or path.startswith(_OFFER)
			or path in self._pages
		)

	def _ask(self, path: str, body: bytes, address: str) -> wire.Answer:
		now = int(self._clock())
		state = self._node.refresh(now)
		if not state.as_of:
			# Never filled: nobody is a stranger yet.
			return wire.UNAVAILABLE
		# What the publisher signed is past: a clock that says otherwise lost its time, and must not end or delay rights.
		now = max(now, state.as_of)
		answered = ASKED[path](body, self._node, now)
		proven = answered.decision.row
		# Each kind of question by itself: who streams and tells how it is may ask for its rights all the same.
		if proven and (refused := self._door.tv(f"{proven.serial} {path}")):
			return refused
		if self._counter and answered.is_counted:
			self._counter.count(answered.decision, address, now)
		if self._telemetry:
			self._telemetry.watch.note(answered, address, now)
		given = answered.answer
		return wire.Answer(given.status, given.body, _aged(given.headers, state.age(now)), given.mac)

	def _offer(self, document_hash: str) -> wire.Answer:
		token = self._node.store.document(document_hash) if _HASH.match(document_hash) else None
		return wire.offer_document(token) if token else wire.NOT_FOUND

	def _health(self) -> wire.Answer:
		now = int(self._clock())
		state = self._node.store.state()
		age = state.age(now) if state.as_of else None
		status = "empty" if age is None else "stale" if age > STALE_AFTER else "ok"
		document = {
			"status": status,
			"name": self._config.name,
			"seq": state.seq,
			"as_of": state.as_of,
			"age_seconds": age,
			"rows": state.devices,
		}
		return wire.Answer(200, msgspec.json.encode(document))

	def _ready(self) -> wire.Answer:
		"""Whether TVs may be sent here: as soon as the file holds something, however old."""
		is_ready = bool(self._node.store.state().as_of)
		return wire.Answer(200 if is_ready else 503, msgspec.json.encode({"ready": is_ready}))

	async def _body(self, scope: Scope, receive: Receive) -> bytes:
		if scope["method"] != "POST":
			raise Refused(wire.METHOD_NOT_ALLOWED.plus(("Allow", "POST")))
		check_headers(scope["headers"])
		try:
			return await _within(self._config.request_timeout, _read_body(receive))
		except (asyncio.TimeoutError, TimeoutError):
			raise Refused(wire.TIMEOUT) from None


@lru_cache(maxsize=256)
def _aged(headers: tuple[tuple[str, str], ...], age: int) -> tuple[tuple[str, str], ...]:
	return (*headers, ("X-TV-Data-Age", str(age)))


def check_headers(headers: Iterable[tuple[bytes, bytes]]) -> None:
	"""What a question's headers must be. Errors: Refused."""
	headers = tuple(headers)
	found = dict(headers)
	length = found.get(b"content-length", b"")
	# A length and a chunked body together are how requests are smuggled; a TV has no reason to send chunks at all.
	is_plain = (
		b"transfer-encoding" not in found and [name for name, _ in headers].count(b"content-length") == 1
	)
	if not is_plain or not length.isdigit():
		raise Refused(wire.INVALID_REQUEST.plus(("Connection", "close")))
	content_type = found.get(b"content-type", b"").decode("latin-1")
	encoding = found.get(b"content-encoding", b"").decode("latin-1")
	refused = wire.check_content(content_type, encoding, int(length[:12]))
	if refused:
		raise Refused(refused)


async def _read_body(receive: Receive) -> bytes:
	chunks: list[bytes] = []
	size = 0
	more = True
	while more:
		message = await receive()
		if message["type"] == "http.disconnect":
			raise Refused(wire.TIMEOUT)
		chunk = message.get("body", b"")
		size += len(chunk)
		if size > wire.MAX_BODY:
			raise Refused(wire.TOO_LARGE)
		chunks.append(chunk)
		more = message.get("more_body", False)
	return b"".join(chunks)


async def _within(seconds: float, reading: Coroutine[Any, Any, bytes]) -> bytes:
	if sys.version_info < (3, 11):
		return await asyncio.wait_for(reading, seconds)
	# `wait_for` would start a task for every body, which costs more than the whole decision.
	async with asyncio.timeout(seconds):
		return await reading


def _address(scope: Scope) -> str:
	client = scope.get("client")
	return client[0] if client else ""


async def _respond(scope: Scope, send: Send, given: wire.Answer) -> None:
	headers = [*_encoded(given.headers)]
	if given.mac:
		headers.append((b"x-tv-mac", given.mac.encode()))
	if given.status != 204:
		headers.append((b"content-length", b"%d" % len(given.body)))
	await send({"type": "http.response.start", "status": given.status, "headers": headers})
	await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else given.body})


@lru_cache(maxsize=256)
def _encoded(headers: tuple[tuple[str, str], ...]) -> tuple[tuple[bytes, bytes], ...]:
	return tuple((name.lower().encode(), value.encode()) for name, value in headers)


async def _lifespan(receive: Receive, send: Send, *beside: Counter | Telemetry | None) -> None:
	"""Start and stop what runs beside the answers."""
	running = [job for job in beside if job]
	while True:
		message = await receive()
		ends = message["type"] == "lifespan.shutdown"
		for job in running:
			if ends:
				await job.stop()
			else:
				job.start()
		await send({"type": f"{message['type']}.complete"})
		if ends:
			return


def create() -> Edge:
	"""The application with the configuration of this process's environment; servers call it in each worker."""
	return Edge(configuration.load(os.environ))
