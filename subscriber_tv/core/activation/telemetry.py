"""What a node hears beside rights: heartbeats, rolled up by hour, and TVs that lost count and proved themselves.

	POST /feed/telemetry    body: one Batch, as JSON; 200 when it is kept

Telemetry is sent once: what a lost publisher does not take is dropped, for it is never worth a node's memory.
"""

from __future__ import annotations

import re
from typing import Annotated

import msgspec

from subscriber_tv.core.activation.decide import CONFLICT
from subscriber_tv.core.activation.node import Answered
from subscriber_tv.core.activation.report import BadReport, Identity
from subscriber_tv.core.activation.rollup import network_of
from subscriber_tv.core.devices.heartbeats import Hour, Hours
from subscriber_tv.core.devices.requests import Serial

TELEMETRY_PATH = "/feed/telemetry"
BATCH_ROWS = 2000
# Seconds within which a TV that was refused a number proves itself, when the one follows from the other.
FOLLOWS = 300
_REMEMBERED = 20_000
_LARGEST = 2**33
_SERIAL = re.compile(r"\A[A-Z0-9-]{6,32}\Z")


class Resync(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
	"""A TV was refused a number and then proved itself; `at` in epoch seconds (UTC)."""

	serial: Serial
	at: Annotated[int, msgspec.Meta(ge=0, le=_LARGEST)]
	counter: Annotated[int, msgspec.Meta(ge=0, le=10**16)]
	network: Annotated[str, msgspec.Meta(pattern=r"\A[a-z0-9.:/]{0,50}\Z")] = ""


class Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
	"""What one edge heard."""

	edge: Identity
	hours: Annotated[tuple[Hour, ...], msgspec.Meta(max_length=BATCH_ROWS)] = ()
	resyncs: Annotated[tuple[Resync, ...], msgspec.Meta(max_length=BATCH_ROWS)] = ()


class Watch:
	"""What one process hears until somebody takes it; bounded."""

	def __init__(self):
		self._hours = Hours()
		self._refused: dict[str, tuple[int, int]] = {}
		self._resyncs: list[Resync] = []

	def note(self, answered: Answered, address: str, now: int) -> None:
		"""Hear what a TV at `address` was answered at `now` (epoch seconds UTC)."""
		row = answered.decision.row
		if row is None:
			return
		if answered.told is not None:
			self._hours.hear(row.serial, answered.told, at=now, network=network_of(address))
		elif answered.decision.kind == CONFLICT and answered.number:
			if len(self._refused) >= _REMEMBERED:
				self._refused.clear()
			self._refused[row.serial] = (now, answered.number)
		elif answered.proven:
			self._proved(row.serial, address, now)

	def take(self) -> tuple[list[Hour], list[Resync]]:
		"""All that was heard; hearing begins anew."""
		resyncs, self._resyncs = self._resyncs, []
		return self._hours.take(), resyncs

	def _proved(self, serial: str, address: str, now: int) -> None:
		since, number = self._refused.pop(serial, (0, 0))
		if number and now - since <= FOLLOWS and len(self._resyncs) < _REMEMBERED:
			self._resyncs.append(Resync(serial, now, number, network_of(address)))


_batch = msgspec.json.Decoder(Batch, strict=True)


def encode(edge: str, hours: list[Hour], resyncs: list[Resync]) -> list[bytes]:
	"""The bodies of the requests that bring these rows."""
	most = max(len(hours), len(resyncs))
	return [
		msgspec.json.encode(
			Batch(edge, tuple(hours[start : start + BATCH_ROWS]), tuple(resyncs[start : start + BATCH_ROWS]))
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
