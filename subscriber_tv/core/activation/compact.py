"""A TV's row in few bytes: keys, hashes and signatures raw, and of lease and denial only what the row does not say.

The tokens are spelled again when they are asked for, to the byte as they were signed: header and claims follow from the
row, only the signature cannot. What is not spelled as we spell it (an older publisher's lease, a name of another kind) is
kept as it is, a msgpack map. Serials stand beside the row and are no part of it.

The first byte tells the form, and no map begins with it. Its spelling may never change, as files are full of it: what
leases say in future is a form more. tests/unit/core/activation/test_compact.py holds it to bytes written long ago.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec
from msgspec import UNSET

from subscriber_tv.core.activation import documents
from subscriber_tv.core.activation.decide import Row
from subscriber_tv.core.activation.feed import DEVICE, Entry
from subscriber_tv.core.devices import jws, wire
from subscriber_tv.core.devices.jws import b64url

FIRST = b"\x01"

STATES = ("", "Active", "Suspended", "Ended", "Not Started", "Quarantined")
NUMBERS = {state: number for number, state in enumerate(STATES)}
# An account's name is 22 characters, which are 132 bits.
_ACCOUNT = 22


class PackedRow(msgspec.Struct, frozen=True, array_like=True):
	"""Form 1. Times are epoch seconds UTC; a signature that is not there is empty."""

	seq: int
	version: int
	state: int
	key_hash: bytes
	rights_from: int
	rights_until: int
	offers: tuple[str, ...]
	play_seconds: int
	signed_at: int
	expires_at: int
	signed_by: bytes
	issuer: str
	lease: bytes
	denial_code: str
	denial: bytes
	key: bytes
	fp: bytes
	account: bytes
	streams: int
	lock: int = 0
	pin: bytes = b""
	mqtt: int = 0


class Otherwise(Exception):
	"""The row is not spelled as this form has it."""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(PackedRow).decode
_decode_entry = msgspec.msgpack.Decoder(Entry).decode
_json = msgspec.json.Encoder().encode
_read_lease = msgspec.json.Decoder(documents.Lease).decode
_read_denial = msgspec.json.Decoder(documents.Denial).decode


def pack(entry: Entry) -> bytes:
	"""The bytes of a TV's row."""
	if entry.packed:
		return entry.packed
	try:
		return seal(_packed(entry))
	except (Otherwise, ValueError, KeyError):
		return _encode(entry)


def seal(found: PackedRow) -> bytes:
	"""The bytes of a row of form 1."""
	return FIRST + _encode(found)


def on_its_way(entry: Entry) -> Entry:
	"""The row as it travels."""
	if entry.kind != DEVICE or entry.removed:
		return entry
	return Entry(DEVICE, entry.subject, entry.seq, packed=pack(entry))


def opened(sent: Entry) -> Entry:
	"""The row in whole, of one as it travels."""
	return entry(sent.subject, sent.packed) if sent.packed else sent


def entry(serial: str, packed: bytes) -> Entry:
	"""The row as it was packed. msgspec.MsgspecError for bytes that `pack` never made."""
	if packed[:1] != FIRST:
		return _decode_entry(packed)
	found = _decode(packed[1:])
	lease, denial = _tokens(serial, found)
	return Entry(
		kind=DEVICE,
		subject=serial,
		seq=found.seq,
		version=found.version,
		state=STATES[found.state],
		key_hash=b64url(found.key_hash),
		rights_from=found.rights_from,
		rights_until=found.rights_until,
		offers=found.offers,
		play_seconds=found.play_seconds,
		lease=lease,
		expires_at=found.expires_at,
		denial=denial,
		key=b64url(found.key),
		fp=b64url(found.fp),
		account=b64url(found.account)[:_ACCOUNT],
		streams=found.streams,
		lock=found.lock,
		pin=b64url(found.pin),
	)


def row(serial: str, packed: bytes) -> Row:
	"""The row as the decision reads it. Errors as of `entry`."""
	if packed[:1] != FIRST:
		return _decode_entry(packed).row()
	found = _decode(packed[1:])
	lease, denial = _tokens(serial, found)
	return Row(
		serial=serial,
		key_hash=b64url(found.key_hash),
		state=STATES[found.state],
		rights_from=found.rights_from,
		rights_until=found.rights_until,
		lease=lease,
		lease_expires=found.expires_at,
		denial=denial,
		offers=found.offers,
		play_seconds=found.play_seconds,
		version=found.version,
		key=b64url(found.key),
		fp=b64url(found.fp),
		account=b64url(found.account)[:_ACCOUNT],
		streams=found.streams,
		lock=found.lock,
		pin=b64url(found.pin),
	)


def number(packed: bytes) -> int:
	"""The number of a packed row. Errors as of `entry`."""
	return _decode(packed[1:]).seq if packed[:1] == FIRST else _decode_entry(packed).seq


def newest(serial: str, packed: bytes) -> bytes:
	"""The same row as `pack` would make it today."""
	return packed if packed[:1] == FIRST else pack(entry(serial, packed))


def _packed(entry: Entry) -> PackedRow:
	if entry.kind != DEVICE or entry.removed or entry.document or entry.document_hash:
		raise Otherwise
	lease, denial = _lease_of(entry), _denial_of(entry)
	said = lease or denial or ("", "", 0)
	if lease and denial and lease[:3] != denial[:3]:
		raise Otherwise
	header, issuer, signed_at = said[:3]
	found = PackedRow(
		seq=entry.seq,
		version=entry.version,
		state=NUMBERS[entry.state],
		key_hash=raw(entry.key_hash),
		rights_from=entry.rights_from,
		rights_until=entry.rights_until,
		offers=entry.offers,
		play_seconds=entry.play_seconds,
		signed_at=signed_at,
		expires_at=entry.expires_at,
		signed_by=raw(header),
		issuer=issuer,
		lease=lease[3] if lease else b"",
		denial_code=denial[4] if denial else "",
		denial=denial[3] if denial else b"",
		key=raw(entry.key),
		fp=raw(entry.fp),
		account=raw_account(entry.account),
		streams=entry.streams,
		lock=entry.lock,
		pin=raw(entry.pin),
		mqtt=lease[4] if lease else 0,
	)
	if _tokens(entry.subject, found) != (entry.lease, entry.denial):
		raise Otherwise
	return found


def _lease_of(entry: Entry) -> tuple[str, str, int, bytes, int] | None:
	"""Key, issuer, moment and signature of the lease, and what it says of a broker."""
	if not entry.lease:
		return None
	claims = _read_lease(jws.unverified_claims(entry.lease))
	return _key_of(entry.lease), claims.iss, claims.iat, _signature_of(entry.lease), claims.mqtt or 0


def _denial_of(entry: Entry) -> tuple[str, str, int, bytes, str] | None:
	if not entry.denial:
		return None
	claims = _read_denial(jws.unverified_claims(entry.denial))
	return _key_of(entry.denial), claims.iss, claims.iat, _signature_of(entry.denial), claims.code


def lease_claims(serial: str, found: PackedRow) -> bytes:
	"""What the lease of this row says, spelled as it is signed."""
	return _json(
		documents.Lease(
			found.issuer,
			serial,
			"tv",
			found.signed_at,
			found.expires_at,
			found.version,
			documents.Confirmation(b64url(found.key_hash)),
			found.offers,
			found.streams or UNSET,
			b64url(found.fp) if found.fp else UNSET,
			found.mqtt or UNSET,
			found.lock or UNSET,
		)
	)


def denial_claims(serial: str, found: PackedRow) -> bytes:
	"""What the denial of this row says, likewise."""
	text = wire.DENIAL_TEXTS[found.denial_code]
	return _json(
		documents.Denial(found.issuer, serial, "tv", found.signed_at, found.version, found.denial_code, text)
	)


def _tokens(serial: str, found: PackedRow) -> tuple[str, str]:
	"""Lease and denial, as they were signed."""
	lease = denial = ""
	if found.lease:
		header = _header(jws.LEASE, found.signed_by)
		lease = f"{header}.{b64url(lease_claims(serial, found))}.{b64url(found.lease)}"
	if found.denial:
		header = _header(jws.DENIAL, found.signed_by)
		denial = f"{header}.{b64url(denial_claims(serial, found))}.{b64url(found.denial)}"
	return lease, denial


@lru_cache(maxsize=64)
def _header(typ: str, kid: bytes) -> str:
	return jws.header_of(typ, b64url(kid))


def _key_of(token: str) -> str:
	return _key_of_header(token.partition(".")[0])


@lru_cache(maxsize=64)
def _key_of_header(header: str) -> str:
	return jws.key_id(header)


def _signature_of(token: str) -> bytes:
	return raw(token.rpartition(".")[2])


def raw(text: str) -> bytes:
	"""The bytes of a base64url text; ValueError when it is not the canonical spelling of any."""
	return jws.b64url_decode(text) if text else b""


def raw_account(text: str) -> bytes:
	"""An account's name in 17 bytes: of the 132 bits the last four share a byte with four that are nothing."""
	raw = jws.b64url_decode(f"{text}A") if text else b""
	if text and (len(text) != _ACCOUNT or len(raw) != 17):
		raise Otherwise
	return raw
