"""Reads and writes TV Entitlement: the projection's rows, one per TV and per offer version, tombstones included."""

from collections.abc import Iterable

import frappe
import msgspec
from frappe.utils import now_datetime
from pypika.terms import Values

from subscriber_tv.core.activation.feed import DEVICE, OFFER, Entry
from subscriber_tv.core.activation.projection import Signed

FEED_FIELDS = (
	"kind",
	"subject",
	"seq",
	"version",
	"removed",
	"state",
	"key_hash",
	"rights_from",
	"rights_until",
	"offers",
	"play_seconds",
	"lease",
	"expires_at",
	"denial",
	"document_hash",
	"public_key",
	"parts",
	"account",
	"streams",
	"parental_lock",
	"pin_verifier",
)


def name_of(kind: str, subject: str) -> str:
	"""Name of the row: TVs and offer versions share one table and could share a name."""
	return f"{kind}/{subject}"


def stored(names: Iterable[str]) -> dict[str, dict]:
	"""What decides whether a row must be signed again, by name."""
	names = list(names)
	if not names:
		return {}
	fields = ["name", "facts_hash", "version", "removed"]
	rows = frappe.get_all("TV Entitlement", filters={"name": ("in", names)}, fields=fields, limit=0)
	return {row.name: row for row in rows}


def save(rows: Iterable[Signed]) -> None:
	"""Insert or replace numbered rows, in one statement."""
	rows = list(rows)
	if not rows:
		return
	now, user = now_datetime(), frappe.session.user
	table = frappe.qb.DocType("TV Entitlement")
	values = [_columns(row) for row in rows]
	standard = ("name", "creation", "modified", "owner", "modified_by", "docstatus")
	query = frappe.qb.into(table).columns(*standard, *values[0])
	for row, columns in zip(rows, values, strict=True):
		name = name_of(row.entry.kind, row.entry.subject)
		query = query.insert(name, now, now, user, user, 0, *columns.values())
	for field in ("modified", "modified_by", *values[0]):
		query = query.on_duplicate_key_update(table[field], Values(table[field]))
	query.run()


def entry(kind: str, subject: str) -> Entry | None:
	"""The stored row of a TV or an offer version, None when there is none or it was removed."""
	found = _entries({"name": name_of(kind, subject), "removed": 0})
	return found[0] if found else None


def entries_after(seq: int, upto: int, limit: int) -> list[Entry]:
	"""Rows numbered in (seq, upto], in order of their numbers, tombstones included; at most `limit`."""
	# Two conditions: Frappe knows "between" for dates only and would compare with one number.
	return _entries([["seq", ">", seq], ["seq", "<=", upto]], limit)


def document_hashes(offers: Iterable[str]) -> list[str]:
	"""Hashes of the current documents of these offer versions, in the order given; unknown ones left out."""
	names = [name_of(OFFER, offer) for offer in offers]
	if not names:
		return []
	rows = frappe.get_all(
		"TV Entitlement",
		filters={"name": ("in", names), "removed": 0},
		fields=["name", "document_hash"],
		as_list=True,
	)
	hashes = dict(rows)
	return [hashes[name] for name in names if hashes.get(name)]


def document(document_hash: str) -> str | None:
	"""The signed offer document with this hash; None when no current offer has it."""
	return frappe.db.get_value(
		"TV Entitlement", {"kind": OFFER, "document_hash": document_hash, "removed": 0}, "lease"
	)


def _entries(filters: dict | list, limit: int = 1) -> list[Entry]:
	rows = frappe.get_all(
		"TV Entitlement", filters=filters, fields=list(FEED_FIELDS), order_by="seq asc", limit=limit
	)
	return [_entry(row) for row in rows]


def _entry(row) -> Entry:
	is_offer = row.kind == OFFER
	return Entry(
		kind=row.kind,
		subject=row.subject,
		seq=row.seq,
		version=row.version,
		removed=bool(row.removed),
		state=row.state or "",
		key_hash=row.key_hash or "",
		rights_from=row.rights_from,
		rights_until=row.rights_until,
		offers=msgspec.json.decode(row.offers or "[]", type=tuple[str, ...]),
		play_seconds=row.play_seconds,
		lease="" if is_offer else row.lease or "",
		expires_at=row.expires_at,
		denial=row.denial or "",
		document=(row.lease or "") if is_offer else "",
		document_hash=row.document_hash or "",
		key=row.public_key or "",
		fp=row.parts or "",
		account=row.account or "",
		streams=row.streams or 0,
		lock=row.parental_lock or 0,
		pin=row.pin_verifier or "",
	)


def _columns(row: Signed) -> dict:
	"""The row's own columns. An offer's document stands in the column of the lease: a row has one or the other."""
	found = row.entry
	return {
		"kind": found.kind,
		"subject": found.subject,
		"seq": found.seq,
		"version": found.version,
		"removed": int(found.removed),
		"device": found.subject if found.kind == DEVICE else None,
		"subscription": row.subscription or None,
		"state": found.state,
		"key_hash": found.key_hash,
		"rights_from": found.rights_from,
		"rights_until": found.rights_until,
		"offers": msgspec.json.encode(found.offers).decode(),
		"play_seconds": found.play_seconds,
		"lease": found.lease or found.document,
		"expires_at": found.expires_at,
		"denial": found.denial,
		"signed_at": row.signed_at,
		"document_hash": found.document_hash,
		"public_key": found.key,
		"parts": found.fp,
		"account": found.account,
		"streams": found.streams,
		"parental_lock": found.lock,
		"pin_verifier": found.pin,
		"facts_hash": row.facts_hash,
	}
