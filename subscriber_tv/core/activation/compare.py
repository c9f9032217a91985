"""Does an edge hold what the ERP says it should? Compared by sums over slices, so that 563,000 TVs cost two small answers.

Every TV falls into one slice by its serial. Either side adds up fingerprints slice by slice, in any order and in constant
memory; only slices whose sums differ are then compared TV by TV.

	POST /compare/slices  {"slices": N}               how far the edge is, and count and sum of each slice
	POST /compare/rows    {"slices": N, "of": [i, …]}  serial, number and fingerprint of every TV in these slices

An edge is always a little behind: what was numbered after its last number is on its way and no difference.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated

import msgspec

from subscriber_tv.core.activation import compact
from subscriber_tv.core.activation.feed import Entry

SLICES_PATH = "/compare/slices"
ROWS_PATH = "/compare/rows"
# About 140 TVs in a slice of the largest operator: 100 kB for all sums, 8 kB for a slice looked into.
SLICES = 4096
# What one answer lists at most: beyond that an edge should rather take a snapshot.
MOST_ROWS = 50_000
_MASK = 2**64 - 1

MISSING = "missing"
EXTRA = "extra"
DIFFERENT = "different"


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
	"""What the ERP asks of an edge."""

	slices: Annotated[int, msgspec.Meta(ge=1, le=65_536)]
	of: Annotated[tuple[int, ...], msgspec.Meta(max_length=65_536)] = ()


class Slices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
	"""How far an edge is, its offers' document hashes, and each slice's count and sum (16 hexadecimal digits)."""

	seq: int
	as_of: int
	counts: tuple[int, ...]
	sums: tuple[str, ...]
	offers: dict[str, str]


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
	"""One TV: its serial, the number of its row and the row's fingerprint. A removed row has no fingerprint."""

	serial: str
	seq: int
	fingerprint: str = ""


class Rows(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
	"""The TVs of some slices; `complete` is false when there were too many to list."""

	seq: int
	rows: tuple[Line, ...]
	complete: bool = True


@dataclass(frozen=True)
class Difference:
	"""Something an edge should hold otherwise: a TV or an offer, with the row's number at the ERP and at the edge."""

	kind: str
	subject: str
	ours: int = 0
	theirs: int = 0


class Sums:
	"""Counts and sums of all slices."""

	def __init__(self, slices: int = SLICES):
		self.slices = slices
		self.counts = [0] * slices
		self._sums = [0] * slices

	def add(self, serial: str, row: bytes) -> None:
		"""One TV, with its row as `packed` gives it."""
		at = slice_of(serial, self.slices)
		self.counts[at] += 1
		self._sums[at] = (self._sums[at] + _number(row)) & _MASK

	def sums(self) -> tuple[str, ...]:
		"""Each slice's sum."""
		return tuple(f"{found:016x}" for found in self._sums)


def packed(entry: Entry) -> bytes:
	"""A row as both sides fingerprint it, and as an edge keeps it."""
	return compact.pack(entry)


def fingerprint(row: bytes) -> str:
	"""16 hexadecimal digits of a packed row."""
	return f"{_number(row):016x}"


def slice_of(serial: str, slices: int) -> int:
	"""The slice that a serial falls into."""
	return zlib.crc32(serial.encode()) % slices


def unequal(ours: Sums, theirs: Slices) -> list[int]:
	"""The slices that must be looked into. ValueError when the edge cut other slices."""
	if len(theirs.counts) != ours.slices or len(theirs.sums) != ours.slices:
		raise ValueError(f"{len(theirs.sums)} slices instead of {ours.slices}")
	pairs = zip(ours.counts, ours.sums(), theirs.counts, theirs.sums, strict=True)
	return [number for number, (a, b, c, d) in enumerate(pairs) if (a, b) != (c, d)]


def differences(ours: Iterable[Line], theirs: Rows, seq: int) -> list[Difference]:
	"""What differs among the TVs of some slices, by serial.

	:param ours: the ERP's rows of these slices, removed ones included
	:param seq: the ERP's last number when it read them; what an edge was sent since then is no difference either
	"""
	expected = {line.serial: line for line in ours}
	held = {line.serial: line for line in theirs.rows}
	found = []
	for serial in sorted(expected.keys() | held.keys()):
		mine, other = expected.get(serial), held.get(serial)
		if (mine and mine.seq > theirs.seq) or (other and other.seq > seq):
			continue
		kind = _compared(mine, other, theirs.complete)
		if kind:
			found.append(Difference(kind, serial, mine.seq if mine else 0, other.seq if other else 0))
	return found


def offer_differences(
	ours: Mapping[str, tuple[int, str]], theirs: Mapping[str, str], seq: int
) -> list[Difference]:
	"""What differs among the offers.

	:param ours: offer version -> number and document hash, "" for a removed one
	:param seq: the edge's last number
	"""
	found = []
	for name in sorted(ours.keys() | theirs.keys()):
		number, document_hash = ours.get(name, (0, ""))
		held = theirs.get(name, "")
		if number > seq or held == document_hash:
			continue
		kind = MISSING if not held else EXTRA if not document_hash else DIFFERENT
		found.append(Difference(kind, name, number))
	return found


def _compared(mine: Line | None, other: Line | None, complete: bool) -> str:
	if other is None:
		return MISSING if mine and mine.fingerprint and complete else ""
	if mine is None or not mine.fingerprint:
		return EXTRA
	return DIFFERENT if mine.fingerprint != other.fingerprint else ""


def _number(row: bytes) -> int:
	return int.from_bytes(hashlib.blake2b(row, digest_size=8).digest(), "big")
