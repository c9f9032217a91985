"""Heartbeats, rolled up per TV and hour before anything is written: four an hour or four hundred are one row.

A heartbeat says what the wire format names `up` (seconds since the start), `temp` (°C), `err` (errors since the start),
`rssi` (dBm, negative), `fw` and `ch`. All are the TV's own words: what is no number, or none that can be, counts as unsaid.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from subscriber_tv.core.devices.clones import RETURN_SECONDS

HOUR = 3600
_LARGEST = 2**31 - 1
_PLAIN = re.compile(r"\A-?[0-9]{1,10}(\.[0-9]{1,9})?\Z")


@dataclass(frozen=True)
class Beat:
	"""One heartbeat. None: the TV did not say."""

	up: int | None = None
	temp: int | None = None
	err: int | None = None
	rssi: int | None = None
	firmware: str = ""
	channel: str = ""


@dataclass(frozen=True)
class Hour:
	"""What one TV told within one hour (epoch seconds UTC); `hour` is the number of the hour since the epoch.

	:param errors: errors that arose within the row's beats; `err_first` and `err_last` are the counters it began and
		ended with, so that rows of one hour can be added up, and `up_first` and `up_last` likewise
	:param returns: how often the TV was back at a network it had left minutes before
	"""

	serial: str
	hour: int
	beats: int
	first: int
	last: int
	temp_max: int | None = None
	rssi_min: int | None = None
	err_first: int | None = None
	err_last: int | None = None
	errors: int = 0
	up_first: int | None = None
	up_last: int | None = None
	restarts: int = 0
	firmware: str = ""
	channel: str = ""
	network: str = ""
	returns: int = 0


def read(told: Mapping[str, str]) -> Beat:
	"""The beat in what a TV told."""
	return Beat(
		up=_number(told.get("up"), 0, _LARGEST),
		temp=_number(told.get("temp"), -60, 200),
		err=_number(told.get("err"), 0, _LARGEST),
		rssi=_number(told.get("rssi"), -200, -1),
		firmware=_word(told.get("fw")),
		channel=_word(told.get("ch")),
	)


def one(serial: str, beat: Beat, *, at: int, network: str = "") -> Hour:
	"""A single beat as a row of its hour."""
	return Hour(
		serial=serial,
		hour=at // HOUR,
		beats=1,
		first=at,
		last=at,
		temp_max=beat.temp,
		rssi_min=beat.rssi,
		err_first=beat.err,
		err_last=beat.err,
		up_first=beat.up,
		up_last=beat.up,
		firmware=beat.firmware,
		channel=beat.channel,
		network=network,
	)


def add(row: Hour, more: Hour) -> Hour:
	"""Two rows of one TV and hour as one; `more` is the later."""
	if (row.serial, row.hour) != (more.serial, more.hour):
		raise ValueError("rows of different TVs or hours")
	return replace(
		row,
		beats=min(row.beats + more.beats, _LARGEST),
		first=min(row.first, more.first),
		last=max(row.last, more.last),
		temp_max=_most(row.temp_max, more.temp_max),
		rssi_min=_least(row.rssi_min, more.rssi_min),
		err_first=row.err_first if row.err_first is not None else more.err_first,
		err_last=more.err_last if more.err_last is not None else row.err_last,
		errors=min(row.errors + more.errors + arisen(row.err_last, more.err_first), _LARGEST),
		up_first=row.up_first if row.up_first is not None else more.up_first,
		up_last=more.up_last if more.up_last is not None else row.up_last,
		restarts=row.restarts + more.restarts + is_restart(row.up_last, more.up_first),
		firmware=more.firmware or row.firmware,
		channel=more.channel or row.channel,
		network=more.network or row.network,
		returns=row.returns + more.returns,
	)


def arisen(before: int | None, now: int | None) -> int:
	"""Errors between two readings of a counter that a restart sets to zero."""
	if before is None or now is None:
		return 0
	return now - before if now >= before else now


def is_restart(before: int | None, now: int | None) -> bool:
	"""Whether a TV started anew between two readings of its uptime."""
	return before is not None and now is not None and now < before


class Hours:
	"""Rows in memory for a node that hears many TVs: at most `limit`, and networks of as many TVs.

	What finds no place is dropped and counted: telemetry is never worth a node's memory.
	"""

	def __init__(self, limit: int = 50_000):
		self.dropped = 0
		self._limit = limit
		self._rows: dict[tuple[str, int], Hour] = {}
		self._networks: dict[str, tuple[str, str, int]] = {}

	def hear(self, serial: str, told: Mapping[str, str], *, at: int, network: str = "") -> None:
		"""Add what a TV told at `at` (epoch seconds UTC), coming from `network`."""
		fresh = one(serial, read(told), at=at, network=network)
		key = (serial, fresh.hour)
		found = self._rows.get(key)
		if found is None and len(self._rows) >= self._limit:
			self.dropped += 1
			return
		if self._is_back(serial, network, at):
			fresh = replace(fresh, returns=1)
		self._rows[key] = add(found, fresh) if found else fresh

	def take(self) -> list[Hour]:
		"""All rows; hearing begins anew, and networks are remembered."""
		taken = list(self._rows.values())
		self._rows = {}
		return taken

	def _is_back(self, serial: str, network: str, at: int) -> bool:
		if not network:
			return False
		here, before, since = self._networks.get(serial, ("", "", 0))
		if here == network:
			return False
		if len(self._networks) >= self._limit and serial not in self._networks:
			self._networks.clear()
		self._networks[serial] = (network, here, at)
		return before == network and _kind(here) == _kind(network) and at - since <= RETURN_SECONDS


def _kind(network: str) -> int:
	"""A home has an IPv4 and an IPv6 address and uses both in turn."""
	return 6 if ":" in network else 4


def _number(text: str | None, least: int, most: int) -> int | None:
	# Plain digits only: "1e99999999" would be a number too, and a hundred million digits long.
	if not _PLAIN.match(text or ""):
		return None
	value = round(Decimal(text or ""))
	return value if least <= value <= most else None


def _word(text: str | None) -> str:
	return (text or "").strip()[:32]


def _most(one_value: int | None, other: int | None) -> int | None:
	return max((value for value in (one_value, other) if value is not None), default=None)


def _least(one_value: int | None, other: int | None) -> int | None:
	return min((value for value in (one_value, other) if value is not None), default=None)
