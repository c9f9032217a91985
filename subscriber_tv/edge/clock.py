"""What time it is, whatever somebody does to the machine's clock.

The publisher refuses a question whose time is more than two minutes off its own (core.activation.feed): a time that it
accepted is right within that. From then on the time that passed since, by a clock that nobody can step, says what the
machine's clock must say; where it says otherwise, it was stepped and is not believed. What was accepted last is kept in a
file, which every process of the edge reads once a second, and which is good until the machine starts anew.

An edge that the publisher never let in since the machine started has its machine's clock and nothing else.
"""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

import msgspec

from subscriber_tv.core.activation import feed

log = logging.getLogger("subscriber_tv.edge")

# Seconds by which the machine's clock may be off before it is not believed.
TOLERANCE = feed.CLOCK_SKEW
# Seconds after which what was accepted is written down again.
_WRITE_EVERY = 60.0
_READ_EVERY = 1.0
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Vouched(msgspec.Struct, frozen=True):
	"""A time that the publisher accepted (epoch seconds), and the seconds since the machine's start at that moment."""

	boot: str
	time: float
	passed: float


_decode = msgspec.json.Decoder(Vouched).decode


class Clock:
	"""Call it for the time, in epoch seconds UTC."""

	def __init__(self, path: Path):
		self._path = path
		self._boot = _boot()
		self._vouched: Vouched | None = None
		self._read_at = self._wrote_at = -float("inf")
		self._is_off = False

	def __call__(self) -> float:
		here = time.time()
		expected = self._expected()
		off = expected is not None and abs(here - expected) > TOLERANCE
		if off != self._is_off:
			self._is_off = off
			self._say(here, expected)
		return expected if expected is not None and off else here

	def vouch(self, accepted: float, passed: float) -> None:
		"""The publisher accepted this time, which a question bore so many seconds after the machine's start."""
		off = self._expected()
		off = None if off is None else off - passed_since_start() + passed - accepted
		self._vouched = Vouched(self._boot, accepted, passed)
		if off is None or abs(off) > TOLERANCE / 2 or passed - self._wrote_at > _WRITE_EVERY:
			self._wrote_at = passed
			self._write(self._vouched)

	def _expected(self) -> float | None:
		passed = passed_since_start()
		if passed - self._read_at >= _READ_EVERY:
			self._read_at = passed
			self._vouched = self._read() or self._vouched
		vouched = self._vouched
		return vouched.time + passed - vouched.passed if vouched else None

	def _read(self) -> Vouched | None:
		try:
			found = _decode(self._path.read_bytes())
		except (OSError, msgspec.MsgspecError):
			return None
		return found if found.boot == self._boot and found.passed <= passed_since_start() else None

	def _write(self, vouched: Vouched) -> None:
		fresh = self._path.with_name(f"{self._path.name}.new")
		try:
			fresh.write_bytes(msgspec.json.encode(vouched))
			os.replace(fresh, self._path)
		except OSError as error:
			# A full disk: other processes go by what they read before.
			log.warning("the time could not be written down: %s", error)

	def _say(self, here: float, expected: float | None) -> None:
		if self._is_off and expected is not None:
			log.error(
				"the clock of this machine is %.0f s off: the publisher's time is kept to", here - expected
			)
		else:
			log.info("the clock of this machine is right again")


def passed_since_start() -> float:
	"""Seconds since the machine's start, sleep included, by a clock that nobody can set."""
	return time.clock_gettime(time.CLOCK_BOOTTIME)


def _boot() -> str:
	try:
		return _BOOT.read_text().strip()
	except OSError:
		return ""
