"""The fleet that asks: 563,000 TVs with P-256 keys of their own, and the projection that says what each may watch.

The keys are made once and kept in the cache. The projection is built by the product's own functions from facts, signed,
cut into pages as the publisher does, and loaded by the edge's own store; it is kept too, while the code that made it
stays as it is and its leases have days to live.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import mmap
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from subscriber_tv.core.activation import feed, projection
from subscriber_tv.core.activation.projection import (
	BouquetFacts,
	ChannelFacts,
	ContractFacts,
	DeviceFacts,
	Facts,
	LineSpan,
	OfferFacts,
	Span,
)
from subscriber_tv.core.devices import jws, mac
from subscriber_tv.edge.store import Store

TVS = 563_000
# TVs of one subscription, as in a hotel of the reference operator.
OF_A_SITE = 56
# Changes with what the file of keys holds.
KEYS_VERSION = 1
LEASE_SECONDS = 7 * 86_400
# A kept projection is built anew after this many seconds: its leases must outlive the run.
KEEP_SECONDS = 2 * 86_400
MASTERS = mac.Masters(
	{1: hashlib.sha256(b"benchmark 1").digest(), 2: hashlib.sha256(b"benchmark 2").digest()}
)
FEED_SECRET = b"the benchmark's own"
_RECORD = 128
_LEASE_KEY = "lease-key.pem"
_REPORT = "built.json"
_CURVE = ec.SECP256R1()
CHANNELS = tuple(ChannelFacts(f"CH{number:03}", f"Channel {number}", number) for number in range(1, 121))
OFFERS = (
	OfferFacts("HOTEL-V1", "Hotel", (BouquetFacts("BASE", "Base", "E1", CHANNELS[:60]),), 86_400),
	OfferFacts("SPORT-V1", "Sport", (BouquetFacts("SPORT", "Sport", "E2", CHANNELS[60:]),), 86_400),
)


class Fleet:
	"""Serials and keys by number. A record holds private key, x, y and the key's thumbprint, 32 bytes each."""

	def __init__(self, path: Path):
		with path.open("rb") as file:
			self._keys = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

	def __len__(self) -> int:
		return len(self._keys) // _RECORD

	def serial(self, number: int) -> str:
		"""The name of a TV."""
		return f"BENCH-{number:07d}"

	def thumbprint(self, number: int) -> str:
		"""What names its key."""
		return jws.b64url(self._part(number, 3))

	def point(self, number: int) -> str:
		"""Its public key, as rows of rights hold it."""
		start = number * _RECORD
		return jws.b64url(self._keys[start + 32 : start + 96])

	def signer(self, number: int) -> jws.Signer:
		"""What only the TV holds."""
		scalar = int.from_bytes(self._part(number, 0), "big")
		return jws.Signer(jws.pem_of(ec.derive_private_key(scalar, _CURVE)))

	def _part(self, number: int, part: int) -> bytes:
		start = number * _RECORD + 32 * part
		return self._keys[start : start + 32]


@dataclass(frozen=True)
class Projection:
	"""Where the projection lies, and what making it took (seconds of one core); zero when it was kept from before."""

	database: Path
	public_keys: Path
	signer: jws.Signer
	rows: int
	bytes_a_tv: float
	compiled: float
	loaded: float

	@property
	def lease_key(self) -> Path:
		"""The file of the key that signed it."""
		return self.database.with_name(_LEASE_KEY)


def keys(folder: Path, tvs: int = TVS) -> Fleet:
	"""The fleet's keys, made when they are not there."""
	path = keys_path(folder, tvs)
	with _alone(folder):
		if not path.exists():
			print(f"making {tvs:,} P-256 keys (once)", flush=True)
			draft = path.with_suffix(".draft")
			with draft.open("wb") as file:
				for _ in range(tvs):
					file.write(_new_record())
			draft.rename(path)
	return Fleet(path)


def keys_path(folder: Path, tvs: int) -> Path:
	"""Where the keys of so many TVs are kept."""
	return folder / f"keys-v{KEYS_VERSION}-{tvs}"


def _new_record() -> bytes:
	key = ec.generate_private_key(_CURVE).private_numbers()
	point = key.public_numbers
	d, x, y = (number.to_bytes(32, "big") for number in (key.private_value, point.x, point.y))
	digest = jws.b64url_decode(jws.thumbprint(jws.b64url(x), jws.b64url(y)))
	return d + x + y + digest


def built(folder: Path, fleet: Fleet, version: str, now: int) -> Projection:
	"""The projection of this version of the code: kept from before, or built. Two who want the same wait for each other."""
	place = folder / f"projection-{len(fleet)}-{version}"
	with _alone(folder):
		_forget(folder, now)
		fresh = not place.exists()
		if fresh:
			_make(place, fleet, now)
	spent = json.loads((place / _REPORT).read_text())
	database = place / "edge.db"
	return Projection(
		database,
		place / "keys.json",
		_signer(place),
		spent["rows"],
		database.stat().st_size / len(fleet),
		spent["compiled"] if fresh else 0.0,
		spent["loaded"] if fresh else 0.0,
	)


def _make(place: Path, fleet: Fleet, now: int) -> None:
	"""Everything in a folder of another name first: what is cut short leaves no half."""
	draft = place.with_suffix(".draft")
	shutil.rmtree(draft, ignore_errors=True)
	draft.mkdir()
	signer = _signer(draft)
	spent = _build(draft / "edge.db", fleet, signer, now)
	(draft / "keys.json").write_text(json.dumps(jws.jwks(signer)))
	(draft / _REPORT).write_text(json.dumps({"at": now, **spent}))
	draft.rename(place)


def _forget(folder: Path, now: int) -> None:
	"""Projections whose leases grow old go; others may be in use by another clone."""
	for report in folder.glob(f"projection-*/{_REPORT}"):
		if now - json.loads(report.read_text())["at"] > KEEP_SECONDS:
			shutil.rmtree(report.parent)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
	with (folder / "lock").open("w") as file:
		fcntl.flock(file, fcntl.LOCK_EX)
		yield


def signed(
	fleet: Fleet, signer: jws.Signer, now: int, tvs: Sequence[int] | None = None
) -> Iterator[list[projection.Signed]]:
	"""The rows of these TVs (all, when not given), offers first, signed and numbered, in lists of a page's size."""
	number, page = 0, []
	for facts in _facts(fleet, range(len(fleet)) if tvs is None else tvs):
		for unsigned in projection.compile(facts, now):
			number += 1
			row = projection.sign(unsigned, signer, now, LEASE_SECONDS, "benchmark", version=number)
			page.append(projection.Signed(row.entry.numbered(number), row.subscription, row.facts_hash, now))
		if len(page) >= feed.PAGE_ROWS:
			yield page
			page = []
	yield page


def _facts(fleet: Fleet, tvs: Iterable[int]) -> Iterator[Facts]:
	"""The offers, then site by site; the TVs come in order of their numbers."""
	yield Facts(offers=OFFERS)
	since = (Span("Active", date(2026, 1, 1)),)
	lines = (LineSpan("L1", "HOTEL-V1"), LineSpan("L2", "SPORT-V1", option_of="L1"))
	for site, numbers in groupby(tvs, lambda tv: tv // OF_A_SITE):
		name = f"SUB-{site:06d}"
		devices = tuple(
			DeviceFacts(fleet.serial(tv), fleet.thumbprint(tv), name, "L1", key=fleet.point(tv))
			for tv in numbers
		)
		yield Facts(devices, (ContractFacts(name, "Europe/Paris", since, lines),))


def _build(database: Path, fleet: Fleet, signer: jws.Signer, now: int) -> dict:
	"""Fill the edge's file; the seconds of CPU that the publisher's part and the edge's part took."""
	print(f"building the projection of {len(fleet):,} TVs", flush=True)
	compiled = rows = 0.0

	def pages() -> Iterator[tuple[bytes, str]]:
		nonlocal compiled, rows
		after, began = 0, time.process_time()
		for page in signed(fleet, signer, now):
			upto = page[-1].entry.seq if page else after
			last = len(page) < feed.PAGE_ROWS
			entries = tuple(row.entry for row in page)
			encoded = feed.encode_page(feed.Page(feed.SNAPSHOT, after, upto, now, last, entries), signer)
			compiled += time.process_time() - began
			after, rows = upto, rows + len(page)
			yield encoded
			began = time.process_time()

	began = time.process_time()
	store = Store(database)
	store.load_snapshot(pages(), jws.Verifier(jws.jwks(signer)))
	store.close()
	total = time.process_time() - began
	return {"rows": int(rows), "compiled": compiled, "loaded": total - compiled}


def _signer(place: Path) -> jws.Signer:
	path = place / _LEASE_KEY
	if not path.exists():
		with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "wb") as file:
			file.write(jws.new_key())
	return jws.Signer(path.read_bytes())
