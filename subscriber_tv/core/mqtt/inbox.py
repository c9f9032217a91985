"""What a TV makes of what the broker brings: the rules that let it trust the broker with nothing.

* A hint only ever makes it ask its edge, once for each version, and not more often than every `LEAST_PAUSE` seconds: a
  forged one costs a question, a flood of them costs no more.
* A command is obeyed when the operator signed it, it is addressed to this TV, its site or its group, it has not run out, and
  it was not obeyed before: none can be made up, sent to somebody else, kept for later or said again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field

from subscriber_tv.core.devices import jws
from subscriber_tv.core.mqtt import payloads, spread, topics

LEAST_PAUSE = 30.0
"""Seconds between two questions that hints cause."""

DOCUMENTS = 50
"""Hashes of offer documents that a TV was told of and remembers."""

REMEMBERED = 200
"""Commands whose names a TV keeps, beyond those that still run."""

CLOCK_SKEW = 300
"""Seconds by which a command may seem to come from the future."""


@dataclass
class Inbox:
	"""What a TV remembers of what it heard. Times are epoch seconds by the TV's authenticated clock.

	:param site: label of its site in topics; empty when it is told of none
	:param group: the same of its group
	"""

	serial: str
	site: str = ""
	group: str = ""
	_heard: int = 0
	_heard_of: deque[str] = field(default_factory=lambda: deque(maxlen=DOCUMENTS))
	_asked_at: float | None = None
	_asks_at: float | None = None
	_obeyed: dict[str, int] = field(default_factory=dict)

	def hinted(
		self, payload: bytes, known_version: int, now: float, documents: Collection[str] = ()
	) -> float | None:
		"""When to ask (epoch seconds; one question is enough, whatever was said before), or None when there is no reason to.

		:param known_version: version of the rights the TV has
		:param documents: hashes of the offer documents that it has
		"""
		try:
			found = payloads.read_hint(payload)
		except payloads.BadPayload:
			return None
		if not self._is_news(found, known_version, documents):
			return None
		if self._asks_at is not None and self._asks_at <= now:
			self._asked_at, self._asks_at = self._asks_at, None
		at = now + spread.moment(self.serial, found.v, found.spread)
		if self._asked_at is not None:
			at = max(at, self._asked_at + LEAST_PAUSE)
		# A question that is due sooner answers this hint too; one that is due later must not hold it up.
		self._asks_at = at if self._asks_at is None else min(at, self._asks_at)
		return self._asks_at

	def _is_news(self, found: payloads.Hint, known_version: int, documents: Collection[str]) -> bool:
		if found.eh:
			if found.eh in documents or found.eh in self._heard_of:
				return False
			self._heard_of.append(found.eh)
			return True
		if found.v <= known_version or found.v == self._heard:
			return False
		self._heard = found.v
		return True

	def commanded(self, payload: bytes, verifier: jws.Verifier, now: float) -> payloads.Command | None:
		"""The command to obey, or None when this is none for this TV now."""
		try:
			found = payloads.read_command(payload, verifier)
		except payloads.BadPayload:
			return None
		if found.to not in self._addresses() or not found.iat - CLOCK_SKEW <= now < found.exp:
			return None
		if found.id in self._obeyed:
			return None
		self._forget(now)
		self._obeyed[found.id] = found.exp
		return found

	def moment_of(self, command: payloads.Command, now: float) -> float:
		"""When to obey it (epoch seconds): within its spread, each TV at its own time."""
		return now + spread.moment(self.serial, command.iat, command.spread)

	def _addresses(self) -> set[str]:
		shared = ((topics.SITE, self.site), (topics.GROUP, self.group))
		return {f"{topics.DEVICE}/{self.serial}", *(f"{kind}/{name}" for kind, name in shared if name)}

	def _forget(self, now: float) -> None:
		"""Let the oldest go that have run out: what runs out cannot be said again."""
		over = [name for name, until in self._obeyed.items() if until < now]
		for name in over[: max(0, len(self._obeyed) - REMEMBERED)]:
			del self._obeyed[name]
