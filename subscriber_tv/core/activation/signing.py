"""Signs the rows of TVs ahead, straight into the form in which they are kept and sent (compact.py).

A batch is plain bytes both ways, so another process can sign it: it needs the key and nothing of the operator's data.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from subscriber_tv.core.activation import compact, projection
from subscriber_tv.core.activation.compact import PackedRow
from subscriber_tv.core.devices import jws

Job = tuple[str, PackedRow]
_encode = msgspec.msgpack.Encoder().encode
_read_jobs = msgspec.msgpack.Decoder(list[Job]).decode
_read_rows = msgspec.msgpack.Decoder(list[bytes]).decode


def prepare(
	row: projection.Unsigned,
	*,
	kid: str,
	now: int,
	expires: int,
	issuer: str,
	version: int,
	seq: int,
	has_broker: bool = False,
) -> Job:
	"""A TV's row but for its signatures. compact.Otherwise, ValueError or KeyError when it has no such form."""
	return row.subject, PackedRow(
		seq=seq,
		version=version,
		state=compact.NUMBERS[row.state],
		key_hash=compact.raw(row.key_hash),
		rights_from=row.rights_from,
		rights_until=row.rights_until,
		offers=row.offers,
		play_seconds=row.play_seconds,
		signed_at=now,
		expires_at=expires,
		signed_by=compact.raw(kid),
		issuer=issuer,
		lease=b"",
		denial_code=row.denial_code,
		denial=b"",
		key=compact.raw(row.key),
		fp=compact.raw(row.fp),
		account=compact.raw_account(row.account),
		streams=row.streams,
		lock=row.lock,
		pin=compact.raw(row.pin),
		mqtt=1 if has_broker and row.rights_from else 0,
	)


def batch(jobs: Sequence[Job]) -> bytes:
	"""Jobs as bytes."""
	return _encode(jobs)


def sign_batch(jobs: bytes, signer: jws.Signer) -> bytes:
	"""The packed rows of a batch, as bytes, in its order."""
	return _encode([_signed(serial, row, signer) for serial, row in _read_jobs(jobs)])


def rows_of(signed: bytes) -> list[bytes]:
	"""The packed rows that `sign_batch` gave."""
	return _read_rows(signed)


def _signed(serial: str, row: PackedRow, signer: jws.Signer) -> bytes:
	lease = signer.signature(jws.LEASE, compact.lease_claims(serial, row)) if row.rights_from else b""
	denial = signer.signature(jws.DENIAL, compact.denial_claims(serial, row)) if row.denial_code else b""
	return compact.seal(msgspec.structs.replace(row, lease=lease, denial=denial))
