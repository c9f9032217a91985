"""How questions are spread over time, so that what we say to many TVs never makes a storm of our own.

A hint to many TVs carries `spread` (seconds); each TV asks at its own moment within it, which follows from its serial
and the hint: no two hints favour the same TVs, and nothing is drawn. The moments of many TVs fall like random ones, so
the mean is held so far below the limit that five standard deviations still fit under it.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

LONGEST = 3600
"""Seconds: no hint makes a TV wait longer, whoever sent it. At 50 questions a second it holds for 75,000 TVs, at 500 for 1.2 million."""

_SMALL = 10
"""One part in ten of the rate is kept for hints to a few TVs, which wait for no hotel."""


def mean_rate(most: int) -> float:
	"""Questions a second on average, so that a second of `most` or more is a matter of five standard deviations."""
	root = (math.sqrt(25 + 4 * most) - 5) / 2
	return root * root


def seconds(tvs: int, most: int) -> int:
	"""Over how many seconds this many TVs ask, at most `most` (at least 1) a second; 0 when they may all ask at once."""
	if tvs <= most:
		return 0
	return math.ceil(tvs / mean_rate(most))


def moment(serial: str, version: int, spread: int) -> float:
	"""When this TV asks, in seconds from the hint: in [0, spread), even over the TVs."""
	if spread <= 0:
		return 0.0
	drawn = hashlib.sha256(f"{serial}\n{version}".encode()).digest()[:8]
	return spread * (int.from_bytes(drawn, "big") / 2**64)


def backoff(attempt: int, drawn: float, *, base: float = 1.0, cap: float = 60.0) -> float:
	"""Seconds to wait before trying again: full jitter, uniform in [0, min(cap, base x 2^attempt)).

	:param attempt: failures so far, 0 for the first
	:param drawn: a random number in [0, 1)
	"""
	return drawn * min(cap, base * 2 ** min(attempt, 32))


@dataclass
class Pace:
	"""Says when the next hints may go out, given how many TVs they make ask. Times are seconds of any one clock.

	Hints to many TVs follow each other: one's spread ends before the next begins. Hints to a few take a share of their own.
	"""

	most: int
	_free_at: float = 0.0
	_few: float = 0.0
	_looked_at: float | None = None

	def spread(self, tvs: int, now: float) -> int | None:
		"""The spread to give hints to this many TVs now; None when they have to wait."""
		few = max(1, self.most // _SMALL)
		passed = few if self._looked_at is None else (now - self._looked_at) * few
		self._few, self._looked_at = min(few, self._few + passed), now
		if tvs <= self._few:
			self._few -= tvs
			return 0
		if now < self._free_at:
			return None
		rest = max(1, self.most - few)
		spread = min(LONGEST, seconds(tvs, rest))
		self._free_at = now + max(1, spread)
		return spread
