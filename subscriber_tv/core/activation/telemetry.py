"""What a node hears beside rights: heartbeats, rolled up by hour, and signs that a TV may have a copy.

	POST /feed/telemetry    body: one Batch, as JSON; 200 when it is kept

Heartbeats are sent once: what a lost publisher does not take is dropped, for it is never worth a node's memory. Signs are
kept, within bounds, until they arrive; one that arrives twice is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec

from subscriber_tv.core.activation import lineage, streams
from subscriber_tv.core.activation.decide import BINDING_MISMATCH, CONFLICT
from subscriber_tv.core.activation.node import Answered
from subscriber_tv.core.activation.report import BadReport, Identity
from subscriber_tv.core.activation.rollup import network_of
from subscriber_tv.core.devices import clones
from subscriber_tv.core.devices.heartbeats import Hour, Hours
from subscriber_tv.core.devices.requests import Serial

TELEMETRY_PATH = "/feed/telemetry"
BATCH_ROWS = 2000
# Seconds within which a TV that was refused a number proves itself, when the one follows from the other.
FOLLOWS = 300
_REMEMBERED = 20_000
_LARGEST = 2**33
_SERIAL = re.compile(r"\A[A-Z0-9-]{6,32}\Z")


class Sign(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
	"""One sign of core.devices.clones, seen at `at` (epoch seconds UTC). `counter`: the number that was refused before."""

	serial: Serial
	at: Annotated[int, msgspec.Meta(ge=0, le=_LARGEST)]
	counter: Annotated[int, msgspec.Meta(ge=0, le=10**16)] = 0
	network: Annotated[str, msgspec.Meta(pattern=r"\A[a-z0-9.:/]{0,50}\Z")] = ""
	kind: Literal["resync", "restored", "forked", "fingerprint", "streams"] = "resync"


class Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
	"""What one edge heard."""

	edge: Identity
	hours: Annotated[tuple[Hour, ...], msgspec.Meta(max_length=BATCH_ROWS)] = ()
	signs: Annotated[tuple[Sign, ...], msgspec.Meta(max_length=BATCH_ROWS)] = ()


class Watch:
	"""What one process hears until somebody takes it; bounded."""

	def __init__(self):
		self._hours = Hours()
		self._refused: dict[str, tuple[int, int]] = {}
		self._streams: dict[str, tuple[str, str, int]] = {}
		self._signs: list[Sign] = []

	def note(self, answered: Answered, address: str, now: int) -> None:
		"""Hear what a TV at `address` was answered at `now` (epoch seconds UTC)."""
		row = answered.decision.row
		if row is None:
			return
		if answered.told is not None:
			self._hours.hear(row.serial, answered.told, at=now, network=network_of(address))
		elif answered.decision.kind == CONFLICT and answered.number:
			_put(self._refused, row.serial, (now, answered.number))
		else:
			number = self._refused_before(row.serial, now) if answered.proven else 0
			stream = answered.stream and self._is_second(row.serial, answered.stream, now)
			for kind in kinds(answered, number, bool(stream)):
				self._keep(Sign(row.serial, now, number, network_of(address), kind))

	def take(self) -> tuple[list[Hour], list[Sign]]:
		"""All that was heard; hearing begins anew."""
		signs, self._signs = self._signs, []
		return self._hours.take(), signs

	def put_back(self, signs: Iterable[Sign]) -> None:
		"""These signs did not arrive: they are taken again, as far as there is room."""
		for sign in signs:
			self._keep(sign)

	def _keep(self, sign: Sign) -> None:
		if len(self._signs) < _REMEMBERED:
			self._signs.append(sign)

	def _refused_before(self, serial: str, now: int) -> int:
		since, number = self._refused.pop(serial, (0, 0))
		return number if now - since <= FOLLOWS else 0

	def _is_second(self, serial: str, stream: str, now: int) -> bool:
		"""Whether a stream goes on after another of the same TV began: a TV that changes streams leaves the first one."""
		here, before, since = self._streams.get(serial, ("", "", 0))
		if here != stream:
			_put(self._streams, serial, (stream, here, now))
		return stream == before and now - since <= streams.SLOT


def kinds(answered: Answered, refused: int, second_stream: bool) -> list[str]:
	"""Of which kinds an answer is a sign (core.devices.clones). `refused`: the number that was refused just before."""
	found = []
	if answered.proven:
		by_line = {lineage.BACK: clones.RESTORED, lineage.FORK: clones.FORKED}
		untold = clones.RESYNC if refused and answered.line == lineage.UNTOLD else ""
		found.append(by_line.get(answered.line, untold))
	if answered.decision.code == BINDING_MISMATCH:
		found.append(clones.FINGERPRINT)
	if second_stream:
		found.append(clones.STREAMS)
	return [kind for kind in found if kind]


def _put(memory: dict, serial: str, value: tuple) -> None:
	if len(memory) >= _REMEMBERED and serial not in memory:
		memory.clear()
	memory[serial] = value


_batch = msgspec.json.Decoder(Batch, strict=True)


def encode(edge: str, hours: list[Hour], signs: list[Sign]) -> list[bytes]:
	"""The bodies of the requests that bring these rows."""
	most = max(len(hours), len(signs))
	return [
		msgspec.json.encode(
			Batch(edge, tuple(hours[start : start + BATCH_ROWS]), tuple(signs[start : start + BATCH_ROWS]))
		)
		for start in range(0, most, BATCH_ROWS)
	]


def decode(body: bytes) -> Batch:
	"""The batch in `body`, every value within its bounds; else BadReport."""
	try:
		batch = _batch.decode(body)
	except (msgspec.MsgspecError, ValueError) as error:
		raise BadReport(str(error)) from None
	if not all(_is_sound(hour) for hour in batch.hours):
		raise BadReport("an hour is out of bounds")
	return batch


def _is_sound(hour: Hour) -> bool:
	values = vars(hour)
	return bool(_SERIAL.match(hour.serial)) and all(
		len(value) <= 50 if isinstance(value, str) else value is None or abs(value) < _LARGEST
		for value in values.values()
	)
