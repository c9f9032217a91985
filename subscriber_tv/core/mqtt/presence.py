"""What TVs say on the broker, gathered until it is written: one entry a TV, however often it spoke.

Only the last word of a TV counts. A message that the broker had kept (retained) tells whether the TV is there, and nothing
about when. Mere signs of life are written at most every `EVERY` seconds a TV, and what TVs measure is added up by the hour: telemetry is no
load on the database.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from subscriber_tv.core.devices.clones import TAKEOVERS_AN_HOUR
from subscriber_tv.core.devices.heartbeats import HOUR, Hours
from subscriber_tv.core.mqtt import payloads, topics

EVERY = 600
"""Seconds between two writes of a TV that did nothing but go on."""

REMEMBERED = 50_000
"""TVs of which is known how often they came within the hour; beyond it counting begins anew."""

OPEN_COMMANDS = 1000
"""Commands whose acknowledgements are told apart by TV; the oldest are forgotten first."""


@dataclass(frozen=True)
class Heard:
	"""One message of a TV. `at` is when it came, epoch seconds."""

	address: topics.Address
	payload: bytes
	retained: bool
	at: int


@dataclass(frozen=True)
class Changes:
	"""What to write. `live` are serials heard themselves: they were seen now; `kept` only speak of their state."""

	online_live: tuple[str, ...] = ()
	online_kept: tuple[str, ...] = ()
	offline_live: tuple[str, ...] = ()
	offline_kept: tuple[str, ...] = ()
	seen: tuple[str, ...] = ()
	done: dict[str, int] = field(default_factory=dict)
	refused: dict[str, int] = field(default_factory=dict)

	def __bool__(self) -> bool:
		return any(vars(self).values())


class Presence:
	"""Takes messages, gives changes. Remembers what was written, so that it need not be written again."""

	def __init__(self):
		self._states: dict[str, tuple[bool, bool]] = {}
		self._seen: dict[str, int] = {}
		self._written: dict[str, int] = {}
		self._acknowledged: dict[str, set[str]] = {}
		self._outcomes: dict[str, Counter] = {payloads.DONE: Counter(), payloads.REFUSED: Counter()}
		self._here: set[str] = set()
		self.refused = 0
		"""Messages that were none."""
		self.hours = Hours()
		"""What heartbeats told, by TV and hour, until somebody takes it."""
		self._again: dict[str, tuple[int, int]] = {}
		self._taken_over: list[tuple[str, int]] = []

	def take(self, heard: Heard) -> None:
		"""Take one message; one that cannot be read is counted and forgotten."""
		kinds = {
			topics.STATE: self._take_state,
			topics.HEARTBEAT: self._take_heartbeat,
			topics.ACKNOWLEDGEMENT: self._take_acknowledgement,
		}
		try:
			kinds[heard.address.leaf](heard)
		except (KeyError, payloads.BadPayload):
			self.refused += 1

	def changes(self) -> Changes:
		"""What came since the last call; serials in order, so that two writers never wait for each other."""
		sorts: dict[tuple[bool, bool], list[str]] = {(a, b): [] for a in (True, False) for b in (True, False)}
		for serial, found in sorted(self._states.items()):
			sorts[found].append(serial)
		done, refused = (dict(counter) for counter in self._outcomes.values())
		found = Changes(
			online_live=tuple(sorts[True, True]),
			online_kept=tuple(sorts[True, False]),
			offline_live=tuple(sorts[False, True]),
			offline_kept=tuple(sorts[False, False]),
			seen=tuple(sorted(set(self._seen) - set(self._states))),
			done=done,
			refused=refused,
		)
		self._states, self._seen = {}, {}
		for counter in self._outcomes.values():
			counter.clear()
		return found

	def give_back(self, changes: Changes) -> None:
		"""These could not be written: they are told again, unless something newer came."""
		for serials, online, live in (
			(changes.online_live, True, True),
			(changes.online_kept, True, False),
			(changes.offline_live, False, True),
			(changes.offline_kept, False, False),
		):
			for serial in serials:
				self._states.setdefault(serial, (online, live))
		for serial in changes.seen:
			self._seen.setdefault(serial, self._written.get(serial, 0))
		self._outcomes[payloads.DONE].update(changes.done)
		self._outcomes[payloads.REFUSED].update(changes.refused)

	def taken_over(self) -> list[tuple[str, int]]:
		"""TVs (serial, epoch seconds) that came again and again within an hour without having gone; told once an hour.

		Two sets with one name throw each other off the broker (0x8E): the one that is thrown off comes back.
		"""
		found, self._taken_over = self._taken_over, []
		return found

	def begin_anew(self) -> None:
		"""The connection is a new one: who is here is told again."""
		self._here = set()

	def missing(self, online: Iterable[str]) -> list[str]:
		"""Those of these serials that the database has online and that are not here on this connection."""
		return sorted(serial for serial in online if serial not in self._here)

	def _take_state(self, heard: Heard) -> None:
		online, serial = payloads.read_state(heard.payload), heard.address.id
		if online and not heard.retained and serial in self._here:
			self._comes_again(serial, heard.at)
		(self._here.add if online else self._here.discard)(serial)
		before = self._states.get(serial, (None, False))
		# A state told again (retained) after a live one does not make the live one less seen.
		self._states[serial] = (online, not heard.retained or before == (online, True))
		if not heard.retained:
			self._written[serial] = heard.at

	def _comes_again(self, serial: str, at: int) -> None:
		hour, times = self._again.get(serial, (0, 0))
		times = times + 1 if hour == at // HOUR else 1
		if len(self._again) >= REMEMBERED and serial not in self._again:
			self._again.clear()
		self._again[serial] = (at // HOUR, times)
		if times == TAKEOVERS_AN_HOUR:
			self._taken_over.append((serial, at))

	def _take_heartbeat(self, heard: Heard) -> None:
		told, serial = payloads.read_heartbeat(heard.payload), heard.address.id
		if heard.retained:
			return
		self.hours.hear(serial, told, at=heard.at)
		if heard.at - self._written.get(serial, 0) >= EVERY:
			self._seen[serial] = self._written[serial] = heard.at

	def _take_acknowledgement(self, heard: Heard) -> None:
		found = payloads.read_acknowledgement(heard.payload)
		if found.id not in self._acknowledged and len(self._acknowledged) >= OPEN_COMMANDS:
			del self._acknowledged[next(iter(self._acknowledged))]
		tvs = self._acknowledged.setdefault(found.id, set())
		if not heard.retained and heard.address.id not in tvs:
			tvs.add(heard.address.id)
			self._outcomes[found.s][found.id] += 1
