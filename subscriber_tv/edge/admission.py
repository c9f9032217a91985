"""The door of a worker: it measures what the worker can give, lets in, asks back, and counts what it answered.

The rules are `core.activation.admission` and `.limits`; here are the clock, the dice, the address and the headers.
"""

from __future__ import annotations

import asyncio
import math
import os
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import msgspec

from subscriber_tv.core.activation import admission, enrolment
from subscriber_tv.core.activation.admission import Gate, Verdict, rank_of
from subscriber_tv.core.activation.capacity import Capacity, Sample
from subscriber_tv.core.activation.limits import Limits
from subscriber_tv.core.devices import wire
from subscriber_tv.edge import metrics, runtime
from subscriber_tv.edge.config import Config

SLOT_HEADER = b"x-tv-slot"
# Whoever watches the edge must hear from it, above all when it is full.
_ALWAYS = frozenset({"/v1/health", "/v1/ready"})
# Where a TV proves what it is; elsewhere 200 proves nothing.
_PROVING = frozenset(f"/v1/{name}" for name in ("auth", "assert", "heartbeat", "stream"))
_TICK = 0.05
_TICKS_A_SAMPLE = 20

Scope = dict[str, Any]
Answering = Callable[[Scope, Any], Awaitable[wire.Answer]]


class Said(msgspec.Struct, frozen=True):
	"""What a request's headers tell the door."""

	priority: str
	ticket: str
	forwarded: tuple[bytes, ...]


def said(headers: Iterable[tuple[bytes, bytes]]) -> Said:
	"""Read these headers, whose names are in small letters; of what is given twice the last one counts."""
	priority = ticket = ""
	forwarded: list[bytes] = []
	for name, value in headers:
		if name == b"priority":
			priority = value.decode("latin-1")
		elif name == SLOT_HEADER:
			ticket = value.decode("latin-1")
		elif name == b"x-forwarded-for":
			forwarded.append(value)
	return Said(priority, ticket, tuple(forwarded))


class Door:
	"""Stands before the routes of one worker. `through` is the one call a request makes."""

	def __init__(
		self,
		config: Config,
		clock: Callable[[], float] = time.monotonic,
		each_tick: Callable[[], None] = lambda: None,
	):
		self._clock = clock
		self._each_tick = each_tick
		self._trusted = frozenset(config.trusted_proxies.replace(",", " ").split())
		folder = runtime.folder()
		self._secret = runtime.slot_secret(folder)
		self._board = metrics.Board.of_this_process(folder) if folder else metrics.Board()
		self._capacity = Capacity(config.capacity / config.workers)
		self._gate = Gate(self._capacity.value, clock())
		self._limits = Limits(config.failures_per_minute, config.tv_per_minute)
		self._meter = Meter(config.workers)
		self._late = 0.0
		self._watching: asyncio.Task[None] | None = None
		runtime.end_with_main()

	async def through(self, scope: Scope, receive: Any, answer: Answering) -> wire.Answer:
		"""The answer to a request: the routes' own, or the refusal that spares them the work."""
		began = time.perf_counter()
		scope = self._with_address(scope)
		address = scope["client"][0] if scope.get("client") else ""
		path = scope["path"]
		given = self.enter(path, said(scope["headers"]), address)
		if given is None:
			given = self.weighed(path, await answer(scope, receive), address)
		self.leave(path, given.status, began)
		return given

	def enter(self, path: str, given: Said, address: str) -> wire.Answer | None:
		"""The refusal that spares the routes the work; None for whoever is let in."""
		if self._watching is None:
			self._watching = asyncio.get_running_loop().create_task(self._watch())
		refused = None if path in _ALWAYS else self._refusal(path, given, address)
		self._meter.admitted += refused is None
		return refused

	def weighed(self, path: str, given: wire.Answer, address: str) -> wire.Answer:
		"""The answer of the routes, or what an address that fails too often hears instead."""
		if path in _PROVING or given.status in (400, 401):
			return self._weighed(given, address)
		return given

	def leave(self, path: str, status: int, began: float) -> None:
		"""Count an answer that began then (`time.perf_counter`)."""
		self._board.count_answer(path, status, time.perf_counter() - began)

	def address(self, peer: str, forwarded: Iterable[bytes]) -> str:
		"""Behind a proxy that we trust the TV's address is the last one in X-Forwarded-For that is not such a proxy's."""
		if peer not in self._trusted:
			return peer
		values = b",".join(forwarded).decode("latin-1")
		for address in reversed([part.strip() for part in values.split(",")]):
			if address and address not in self._trusted:
				return address
		return peer

	def tv(self, serial: str) -> wire.Answer | None:
		"""To be asked once a TV has proved to be the one it names; the refusal when it asks too often."""
		wait = self._limits.tv(serial, self._clock())
		if not wait:
			return None
		self._board.add(metrics.TV_TOO_OFTEN)
		return _too_often(wait)

	def _refusal(self, path: str, given: Said, address: str) -> wire.Answer | None:
		slot = admission.slot_in(given.ticket, self._secret, address) if given.ticket else 0.0
		rank = rank_of(path, given.priority)
		verdict = self._gate.ask(rank, self._clock(), random.random(), slot, self._late)
		if verdict.admitted:
			return None
		self._meter.refused += 1
		self._board.add(metrics.SLOT_GIVEN if verdict.slot else metrics.PUT_OFF)
		ticket = admission.ticket(self._secret, address, verdict.slot) if verdict.slot else ""
		return overloaded(verdict, ticket)

	def _weighed(self, given: wire.Answer, address: str) -> wire.Answer:
		"""What came of a request counts for or against its address; beyond the limit, failing is answered 429."""
		if given.status in (200, 204, 403):
			self._limits.succeeded(address)
		elif given.status in (400, 401) and given.body not in enrolment.WAITING:
			now = self._clock()
			if self._limits.is_hostile(address, now):
				self._board.add(metrics.ADDRESS_FAILS)
				given = _too_often(60.0)
			self._limits.failed(address, now)
		return given

	def _with_address(self, scope: Scope) -> Scope:
		client = scope.get("client")
		if not client or client[0] not in self._trusted:
			return scope
		address = self.address(client[0], said(scope["headers"]).forwarded)
		return {**scope, "client": (address, client[1])}

	async def _watch(self) -> None:
		loop = asyncio.get_running_loop()
		while True:
			latest = 0.0
			for _ in range(_TICKS_A_SAMPLE):
				due = loop.time() + _TICK
				await asyncio.sleep(_TICK)
				self._late = loop.time() - due
				self._each_tick()
				latest = max(latest, self._late)
			self._gate.set_capacity(self._capacity.note(self._meter.sample(latest)))
			self._tell(latest)

	def _tell(self, late: float) -> None:
		addresses, tvs = self._limits.sizes()
		self._board.set(metrics.CAPACITY, self._capacity.value)
		self._board.set(metrics.QUEUE, self._gate.queue(self._clock()))
		self._board.set(metrics.LATE, late)
		self._board.set(metrics.REMEMBERED, addresses + tvs + self._gate.remembered)
		self._board.set(metrics.CPU, time.process_time())


class Meter:
	"""Counts what a worker does and what that costs it, from one sample to the next."""

	def __init__(self, workers: int):
		self.admitted = self.refused = 0
		# A process may need more than one core, but all processes together have no more than there are.
		self._crowding = workers / len(os.sched_getaffinity(0))
		self._spent = self._clocks()

	def sample(self, late: float) -> Sample:
		"""What was done since the last sample. Call it in the thread of the event loop."""
		before, self._spent = self._spent, self._clocks()
		thread, process = (now - then for now, then in zip(self._spent, before, strict=True))
		# The loop's thread is the bottleneck, or the machine is.
		taken = Sample(self.admitted, self.refused, max(thread, process * self._crowding), late)
		self.admitted = self.refused = 0
		return taken

	def _clocks(self) -> tuple[float, float]:
		return time.thread_time(), time.process_time()


def overloaded(verdict: Verdict, ticket: str) -> wire.Answer:
	"""The 503 that says when to come back: whole seconds in the header, milliseconds and the ticket in the body."""
	document: dict[str, Any] = {
		"error": "overloaded",
		"error_description": "Too many TVs ask at once. Ask again at the given time.",
		"retry_ms": math.ceil(verdict.wait * 1000),
	}
	if ticket:
		document["slot"] = ticket
	body = msgspec.json.encode(document)
	return wire.Answer(503, body).plus(("Retry-After", str(math.ceil(verdict.wait))))


def _too_often(wait: float) -> wire.Answer:
	limited = wire.RATE_LIMITED
	kept = tuple(header for header in limited.headers if header[0] != "Retry-After")
	return wire.Answer(429, limited.body, (*kept, ("Retry-After", str(math.ceil(wait)))))
