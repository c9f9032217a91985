"""Reads and writes TV Entitlement: the projection's rows, one per TV and per offer version, tombstones included.

What a TV's row says in whole stands packed in one column (core.activation.compact), as it goes to the edges; the columns
beside it are what people and queries ask for.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import frappe
import msgspec
from frappe.utils import now_datetime

from subscriber_tv.core.activation import compact
from subscriber_tv.core.activation.feed import DEVICE, OFFER, Entry
from subscriber_tv.core.activation.projection import Signed
from subscriber_tv.core.devices.jws import b64url, b64url_decode

_STANDARD = ("name", "creation", "modified", "owner", "modified_by", "docstatus")
_COLUMNS = (
	"kind",
	"subject",
	"seq",
	"version",
	"removed",
	"device",
	"subscription",
	"state",
	"rights_from",
	"rights_until",
	"offers",
	"lease",
	"expires_at",
	"due_at",
	"packed",
	"signed_at",
	"document_hash",
	"facts_hash",
)
_REPLACED = ", ".join(f"`{name}` = values(`{name}`)" for name in ("modified", "modified_by", *_COLUMNS))
_INSERT = f"insert into `tabTV Entitlement` ({', '.join((*_STANDARD, *_COLUMNS))}) values "
# Rows in one statement: about 400 kB.
_AT_ONCE = 500


class Stored(NamedTuple):
	"""What decides whether a row must be signed again."""

	facts_hash: str
	version: int
	removed: int


def name_of(kind: str, subject: str) -> str:
	"""Name of the row: TVs and offer versions share one table and could share a name."""
	return f"{kind}/{subject}"


def stored(names: Iterable[str]) -> dict[str, Stored]:
	"""What stands of these rows, by name."""
	names = list(names)
	if not names:
		return {}
	table = frappe.qb.DocType("TV Entitlement")
	query = frappe.qb.from_(table).select(table.name, table.facts_hash, table.version, table.removed)
	return {name: Stored(*row) for name, *row in query.where(table.name.isin(names)).run()}


def save(rows: Sequence[Signed]) -> None:
	"""Insert or replace numbered rows, some hundred in a statement."""
	now, user = now_datetime(), frappe.session.user
	standard = (str(now), str(now), user, user, 0)
	for start in range(0, len(rows), _AT_ONCE):
		values = [_values(row, standard) for row in rows[start : start + _AT_ONCE]]
		# As text: the query builder takes ten times as long as the database.
		frappe.db.sql(_statement(len(values)), values)


def _statement(rows: int) -> str:
	"""Inserts so many rows, each given as one parameter."""
	return f"{_INSERT}{', '.join(['%s'] * rows)} on duplicate key update {_REPLACED}"


def entry(kind: str, subject: str) -> Entry | None:
	"""The stored row of a TV or an offer version, None when there is none or it was removed."""
	table = frappe.qb.DocType("TV Entitlement")
	found = _entries(table, (table.name == name_of(kind, subject)) & (table.removed == 0), 1)
	return compact.opened(found[0]) if found else None


def entries_after(seq: int, upto: int, limit: int) -> list[Entry]:
	"""Rows numbered in (seq, upto], in order of their numbers, tombstones included, as they travel; at most `limit`."""
	table = frappe.qb.DocType("TV Entitlement")
	return _entries(table, (table.seq > seq) & (table.seq <= upto), limit)


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


def _entries(table, condition, limit: int) -> list[Entry]:
	query = frappe.qb.from_(table).select(
		table.kind, table.subject, table.seq, table.version, table.removed, table.packed
	)
	query = query.select(table.lease, table.document_hash)
	return [_entry(row) for row in query.where(condition).orderby(table.seq).limit(limit).run()]


def _entry(row: tuple) -> Entry:
	kind, subject, seq, version, removed, packed, document, document_hash = row
	if removed:
		return Entry(kind, subject, seq, version, removed=True)
	if kind == DEVICE:
		return Entry(kind, subject, seq, packed=b64url_decode(packed))
	return Entry(kind, subject, seq, version, document=document or "", document_hash=document_hash or "")


def _values(row: Signed, standard: tuple) -> tuple:
	"""The row's own columns. An offer's document stands in the column that once held the leases too."""
	found = row.entry
	return (
		name_of(found.kind, found.subject),
		*standard,
		found.kind,
		found.subject,
		found.seq,
		found.version,
		int(found.removed),
		found.subject if found.kind == DEVICE else None,
		row.subscription or None,
		found.state,
		found.rights_from,
		found.rights_until,
		msgspec.json.encode(found.offers).decode(),
		found.document,
		found.expires_at,
		row.due_at,
		"" if found.removed or found.kind != DEVICE else b64url(compact.pack(found)),
		row.signed_at,
		found.document_hash,
		row.facts_hash,
	)
