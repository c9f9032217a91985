"""Makes signed, numbered rows of compiled ones; large batches are signed by other processes where there are some."""

from collections.abc import Iterator, Sequence

import frappe

from subscriber_tv.adapters.signers import BATCH, Signers
from subscriber_tv.core.activation import compact, projection, signing
from subscriber_tv.core.activation.feed import DEVICE
from subscriber_tv.flows.activation import keys
from subscriber_tv.flows.mqtt import broker

Numbered = tuple[projection.Unsigned, int, int]
"""A compiled row, its version and its number."""

_number = [0]
_helpers: dict[str, tuple[int, Signers]] = {}


def sign_rows(rows: Sequence[Numbered], now: int) -> Iterator[list[projection.Signed]]:
	"""The rows signed at `now` (epoch seconds UTC), in their order and some hundred at a time."""
	settings = frappe.get_cached_doc("TV Settings")
	issuer, max_stale = settings.issuer or "subscriber_tv", (settings.max_stale_hours or 168) * 3600
	signer = keys.lease_signer()
	helpers = _signers() if len(rows) > BATCH else None
	has_broker = broker.enabled()
	prepared = [_job(*row, now, max_stale, issuer, signer.kid, has_broker) for row in rows]
	jobs = [job for job in prepared if job]
	packed = _packed(jobs, helpers)
	ready: list[bytes] = []
	for start in range(0, len(rows), BATCH):
		done = []
		for (row, version, seq), job in zip(
			rows[start : start + BATCH], prepared[start : start + BATCH], strict=True
		):
			if job is None:
				signed = projection.sign(row, signer, now, max_stale, issuer, version, has_broker=has_broker)
				entry = signed.entry.numbered(seq)
			else:
				ready = ready or next(packed)[::-1]
				entry = projection.as_signed(row, ready.pop(), version, seq, job[1].expires_at)
			due_at = projection.due_again(row, now, max_stale)
			done.append(projection.Signed(entry, row.subscription, row.facts_hash, now, due_at))
		yield done


def use_processes(number: int) -> None:
	"""Have large batches signed by so many other processes from now on; 0: by this one."""
	close()
	_number[0] = number


def close() -> None:
	"""End the other processes."""
	for _changed, helpers in _helpers.values():
		helpers.close()
	_helpers.clear()


def _packed(jobs: list[signing.Job], helpers: Signers | None) -> Iterator[list[bytes]]:
	if helpers:
		yield from helpers.sign(jobs)
		return
	signer = keys.lease_signer()
	for start in range(0, len(jobs), BATCH):
		batch = signing.batch(jobs[start : start + BATCH])
		yield signing.rows_of(signing.sign_batch(batch, signer))


def _job(
	row: projection.Unsigned,
	version: int,
	seq: int,
	now: int,
	max_stale: int,
	issuer: str,
	kid: str,
	has_broker: bool,
) -> signing.Job | None:
	"""None for what has no packed form: offers, tombstones, and TVs with keys of no usual kind."""
	if row.kind != DEVICE or row.removed:
		return None
	expires = min(now + max_stale, row.rights_until or now + max_stale) if row.rights_from else 0
	said = {"kid": kid, "now": now, "expires": expires, "issuer": issuer, "has_broker": has_broker}
	try:
		return signing.prepare(row, version=version, seq=seq, **said)
	except (compact.Otherwise, ValueError, KeyError):
		return None


def _signers() -> Signers | None:
	"""The helpers of this site's present key."""
	if not _number[0]:
		return None
	path = keys.lease_key()
	changed = path.stat().st_mtime_ns
	known = _helpers.get(str(path))
	if known and known[0] == changed:
		return known[1]
	if known:
		known[1].close()
	helpers = Signers(path.read_bytes(), _number[0])
	_helpers[str(path)] = (changed, helpers)
	return helpers
