"""Packs the rows of rights that were stored column by column, so that edges and desk go on from them after an update.

The publisher then signs every row anew (`note_all_bound`); until it has, these say what was signed before.
"""

import frappe
import msgspec

from subscriber_tv.core.activation import compact
from subscriber_tv.core.activation.feed import DEVICE, Entry
from subscriber_tv.core.devices.jws import b64url

_AT_ONCE = 2000
_FORMER = ("key_hash", "public_key", "parts", "account", "streams", "play_seconds", "denial", "lease")
# All columns: which of the former ones there are depends on the version that the site comes from.
_QUERY = """
	select * from `tabTV Entitlement`
	where kind = 'Device' and removed = 0 and ifnull(packed, '') = '' and name > %s order by name limit %s
"""


def pack_rights() -> None:
	"""Give every row that has none its packed form. Nothing to do on a site made since."""
	if not set(_FORMER) <= set(frappe.db.get_table_columns("TV Entitlement")):
		return
	last = ""
	while rows := frappe.db.sql(_QUERY, (last, _AT_ONCE), as_dict=True):
		for row in rows:
			values = {"packed": b64url(compact.pack(_entry(row))), "lease": ""}
			frappe.db.set_value("TV Entitlement", row.name, values, update_modified=False)
		last = rows[-1].name


def _entry(row) -> Entry:
	return Entry(
		kind=DEVICE,
		subject=row.subject,
		seq=row.seq,
		version=row.version,
		state=row.state or "",
		key_hash=row.key_hash or "",
		rights_from=row.rights_from,
		rights_until=row.rights_until,
		offers=msgspec.json.decode(row.offers or "[]", type=tuple[str, ...]),
		play_seconds=row.play_seconds,
		lease=row.lease or "",
		expires_at=row.expires_at,
		denial=row.denial or "",
		key=row.public_key or "",
		fp=row.parts or "",
		account=row.account or "",
		streams=row.streams or 0,
		lock=row.get("parental_lock") or 0,
		pin=row.get("pin_verifier") or "",
	)
