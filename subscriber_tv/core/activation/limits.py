"""How often one source may do something: a rate with a burst, kept as one number per source, in bounded memory.

The number is the moment at which the source has nothing left to answer for (the generic cell rate algorithm). A
source whose moment has passed needs no entry, so forgetting it changes nothing; under attack the longest silent are
forgotten first, which can only let somebody through, never shut somebody out.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Hashable
from functools import lru_cache

# Failures of one address a minute (and at once) before its further failures are answered 429.
FAILURES_A_MINUTE = 20
# Questions that one authenticated TV may ask a minute; at once, two thirds of that.
TV_A_MINUTE = 6
# Two generations of so many entries: about 10 MB when full.
SIZE = 32_768
_ROUNDING = 1e-6


class Limiter:
	"""Counts per key. Times are seconds of one clock that never goes back."""

	def __init__(self, per_minute: float, burst: int, size: int = SIZE):
		self._step = 60.0 / per_minute
		self._most = burst * self._step
		self._size = size
		self._young: dict[Hashable, float] = {}
		self._old: dict[Hashable, float] = {}

	def __len__(self) -> int:
		return len(self._young) + len(self._old)

	def wait(self, key: Hashable, now: float) -> float:
		"""Seconds until the next one of this key is within the limit; 0 when it is now."""
		wait = self._moment(key) + self._step - self._most - now
		return wait if wait > _ROUNDING else 0.0

	def note(self, key: Hashable, now: float) -> None:
		"""One more of this key, within the limit or not. What is beyond it does not prolong the wait."""
		self._put(key, min(now + self._most, max(now, self._moment(key)) + self._step))

	def take(self, key: Hashable, now: float) -> float:
		"""Note one when it is within the limit and return 0; else the seconds to wait, and nothing is noted."""
		wait = self.wait(key, now)
		if not wait:
			self.note(key, now)
		return wait

	def forgive(self, key: Hashable) -> None:
		"""Take one back, if this key has any."""
		moment = self._moment(key)
		if moment:
			self._put(key, moment - self._step)

	def _moment(self, key: Hashable) -> float:
		return self._young.get(key) or self._old.get(key, 0.0)

	def _put(self, key: Hashable, moment: float) -> None:
		if len(self._young) >= self._size and key not in self._young:
			self._old, self._young = self._young, {}
		self._young[key] = moment


class Limits:
	"""The two limits of a node: failures per address, questions per authenticated TV.

	A failure is never held against a serial: a stranger who names a TV cannot slow that TV down. Nor does an address
	full of failures keep its honest TVs out: only what fails there is answered 429.
	"""

	def __init__(self, failures: int = FAILURES_A_MINUTE, tv: int = TV_A_MINUTE, size: int = SIZE):
		self._failures = Limiter(failures, failures, size)
		# As many at once as come in forty seconds.
		self._tvs = Limiter(tv, -(-tv * 2 // 3), size)

	def is_hostile(self, address: str, now: float) -> bool:
		"""Whether this address failed more often than the limit and its own successes allow."""
		return self._failures.wait(source_of(address), now) > 0

	def failed(self, address: str, now: float) -> None:
		"""A request from this address proved nothing."""
		self._failures.note(source_of(address), now)

	def succeeded(self, address: str) -> None:
		"""A request from this address was a TV's own: it outweighs one failure, as in a hotel behind one address."""
		self._failures.forgive(source_of(address))

	def tv(self, serial: str, now: float) -> float:
		"""Count a question of a TV that proved to be it; the seconds it must wait when it asks too often, else 0."""
		return self._tvs.take(serial, now)

	def sizes(self) -> tuple[int, int]:
		"""Addresses and TVs that are remembered."""
		return len(self._failures), len(self._tvs)


@lru_cache(maxsize=4096)
def source_of(address: str) -> str:
	"""Whose failures count together: one IPv4 address, one IPv6 /64; "unknown" for what is no address."""
	try:
		parsed = ipaddress.ip_address(address.strip().partition("%")[0])
	except ValueError:
		return "unknown"
	if parsed.version == 4:
		return str(parsed)
	if parsed.ipv4_mapped:
		return str(parsed.ipv4_mapped)
	return str(ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))
