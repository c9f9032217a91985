"""Into which TV Activation row an answer counts, so that no number of requests makes the table grow without bound.

One row per TV, audience and day of allowed power-ons; one per TV, day, code and version of rights of refusals; and for
everybody else one per reason, network and hour: a stranger's serial is never a key. Days and hours are UTC.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import lru_cache

import msgspec

from subscriber_tv.core.activation.decide import ALLOW, STRANGER, Decision

ALLOWED = "Allowed"
REFUSED = "Refused"
STRANGERS = "Stranger"
CHANGED = "State Change"
ENROLLED = "enrolled"
"""Code of the rows that count how often a TV asked for a pairing code: one a TV and day, however often it asks."""
# The code of the rows that count what has no row of its own.
OVERFLOW = "overflow"

# Networks, not addresses: enough to act on, and no attacker owns many of them.
_PREFIX = {4: 24, 6: 48}


class Bucket(msgspec.Struct, frozen=True):
	"""The row to count in. `key` is its name; the other fields are what the row says."""

	key: str
	kind: str
	code: str = ""
	serial: str = ""
	audience: str = ""
	network: str = ""
	version: int = 0


@dataclass
class Tally:
	"""How often a bucket was counted, and when first and last (epoch seconds UTC)."""

	bucket: Bucket
	count: int
	first: int
	last: int


class Tallies:
	"""Counts in memory: at most `limit` rows of each kind, so that strangers never push out the operator's own TVs.

	What finds no place is counted all the same, in one row per kind and day (or hour).
	"""

	def __init__(self, limit: int = 20_000):
		self._limit = limit
		self._rows: dict[str, Tally] = {}
		self._sizes: dict[str, int] = {}

	def count(self, bucket: Bucket, now: int) -> None:
		"""Count one answer given at `now` (epoch seconds UTC)."""
		found = self._rows.get(bucket.key)
		if found is None:
			self._place(Tally(bucket, 1, now, now))
			return
		found.count += 1
		found.last = max(found.last, now)

	def take(self) -> list[Tally]:
		"""All that was counted; counting begins anew."""
		taken = list(self._rows.values())
		self._rows, self._sizes = {}, {}
		return taken

	def put_back(self, tallies: Iterable[Tally]) -> None:
		"""Count again what could not be kept elsewhere."""
		for tally in tallies:
			self._place(tally)

	def _place(self, tally: Tally) -> None:
		if not self._has_place(tally.bucket):
			tally = Tally(overflow(tally.bucket, tally.first), tally.count, tally.first, tally.last)
		kind, found = tally.bucket.kind, self._rows.get(tally.bucket.key)
		if found is None:
			self._rows[tally.bucket.key] = tally
			self._sizes[kind] = self._sizes.get(kind, 0) + 1
			return
		found.count += tally.count
		found.first, found.last = min(found.first, tally.first), max(found.last, tally.last)

	def _has_place(self, bucket: Bucket) -> bool:
		return bucket.key in self._rows or self._sizes.get(bucket.kind, 0) < self._limit


def bucket(decision: Decision, *, audience: str, address: str, now: int) -> Bucket:
	"""The bucket of an answer given at `now` (epoch seconds UTC) to `address` by `audience` (desk, or an edge's name)."""
	code, row = decision.code, decision.row
	if decision.kind == STRANGER or row is None:
		return named(STRANGERS, when=now, code=code, audience=audience, network=network_of(address))
	kind, code = (ALLOWED, "") if decision.kind == ALLOW else (REFUSED, code)
	return named(kind, when=now, code=code, serial=row.serial, audience=audience, version=row.version)


def overflow(crowded: Bucket, when: int) -> Bucket:
	"""The bucket that counts for this one when it has no place: of the same kind and time, and of nobody in particular."""
	return named(crowded.kind, when=when, code=OVERFLOW, audience=crowded.audience)


def named(
	kind: str,
	*,
	when: int,
	code: str = "",
	serial: str = "",
	audience: str = "",
	network: str = "",
	version: int = 0,
) -> Bucket:
	"""The bucket of these facts at `when` (epoch seconds UTC): the one place where its key is composed."""
	hour = _hour(when // 3600)
	if kind == STRANGERS:
		key = f"S|{code}|{network}|{hour}"
	elif kind == ALLOWED:
		key = f"A|{serial}|{audience}|{hour[:10]}"
	else:
		key = f"R|{serial}|{hour[:10]}|{code}|{version}"
	return Bucket(key, kind, code, serial, audience, network, version)


@lru_cache(maxsize=64)
def _hour(hours: int) -> str:
	return f"{datetime.fromtimestamp(hours * 3600, timezone.utc):%Y-%m-%dT%H}"


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
	"""The /24 (IPv4) or /48 (IPv6) that an address belongs to; "unknown" for what is no address."""
	try:
		parsed = ipaddress.ip_address(address.strip())
	except ValueError:
		return "unknown"
	mapped = getattr(parsed, "ipv4_mapped", None)
	parsed = mapped or parsed
	return str(
		ipaddress.ip_network(f"{parsed.compressed.partition('%')[0]}/{_PREFIX[parsed.version]}", strict=False)
	)
