"""What a node must supply so that core can answer TVs: its name, its keys, its rows and its counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from subscriber_tv.core.activation.counter import Verdict
from subscriber_tv.core.activation.decide import ALLOW, Decision, Row
from subscriber_tv.core.activation.lineage import Line
from subscriber_tv.core.activation.parental import Guesses
from subscriber_tv.core.activation.streams import Slots
from subscriber_tv.core.devices.mac import Masters
from subscriber_tv.core.devices.requests import StreamSlot
from subscriber_tv.core.devices.wire import Answer


class Node(Protocol):
	"""The desk or an edge. Every method may raise; then nothing was decided, and the TV asks again."""

	audience: str
	masters: Masters
	guesses: Guesses

	def row(self, serial: str) -> Row | None:
		"""The projection's row of a TV."""

	def documents(self, offers: Sequence[str]) -> Sequence[str]:
		"""Hashes of the current documents of these offer versions; unknown ones are left out."""

	def channels(self, offers: Sequence[str]) -> Mapping[str, int]:
		"""Codes of the channels in these offer versions, and for which age on each is."""

	def count(self, serial: str, counter: int, nonce: str, proven: bool) -> Verdict:
		"""Judge and remember a TV's number in one atomic step, as core.activation.counter.judge says."""

	def place(self, serial: str) -> dict[str, str] | None:
		"""The TV's place at the message broker; only the desk knows it."""

	def line(self, serial: str) -> Line:
		"""The nonce counted last of a TV, and the tips of its lines that were overtaken."""

	def overtake(self, serial: str, tips: tuple[str, ...]) -> None:
		"""Remember these tips as overtaken, in place of those before."""

	def slots(self, row: Row, request: StreamSlot, now: int) -> Slots:
		"""Judge and remember a stream in one atomic step, as core.activation.streams.judge says."""


class Answered(msgspec.Struct, frozen=True):
	"""The answer, and what it says for our own records.

	`proven`: the TV signed an assertion, which a copy of it would have to do as well. `told`: its heartbeat. `number`: the
	one that it was refused. `line`: which line it goes on from (core.activation.lineage). `stream`: the one that runs.
	"""

	answer: Answer
	decision: Decision
	proven: bool = False
	told: dict[str, str] | None = None
	number: int = 0
	line: str = ""
	stream: str = ""

	@property
	def is_counted(self) -> bool:
		"""Whether our records count this answer: every refusal, and of what is allowed the power-ons."""
		return self.decision.kind != ALLOW or not self.decision.code
