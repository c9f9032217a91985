"""Counts answers and state changes in TV Activation. The rows are bounded: see core.activation.rollup."""

import frappe
from frappe.utils import now_datetime
from pypika.terms import Values

from subscriber_tv.core.activation import rollup

COLUMNS = (
	"name",
	"creation",
	"modified",
	"owner",
	"modified_by",
	"docstatus",
	"kind",
	"code",
	"device",
	"subscription",
	"audience",
	"network",
	"count",
	"first_seen",
	"last_seen",
	"version",
)


def count(bucket: rollup.Bucket) -> None:
	"""Count one answer in its row, which is made by the first."""
	_write(
		name=bucket.key,
		kind=bucket.kind,
		code=bucket.code,
		device=bucket.serial or None,
		audience=bucket.audience,
		network=bucket.network,
		version=bucket.version,
	)


def state_change(code: str, serial: str, subscription: str | None) -> None:
	"""One row for what staff or stock did to a TV's pairing: `bound` or `unbound`."""
	_write(
		name=f"C|{serial}|{frappe.generate_hash(length=12)}",
		kind="State Change",
		code=code,
		device=serial,
		subscription=subscription,
		audience="desk",
	)


def _write(**values) -> None:
	now, user = now_datetime(), frappe.session.user
	values.setdefault("version", 0)
	values |= {
		"creation": now,
		"modified": now,
		"owner": user,
		"modified_by": user,
		"docstatus": 0,
		"count": 1,
		"first_seen": now,
		"last_seen": now,
	}
	table = frappe.qb.DocType("TV Activation")
	(
		frappe.qb.into(table)
		.columns(*COLUMNS)
		.insert(*(values.get(column) for column in COLUMNS))
		.on_duplicate_key_update(table["count"], table["count"] + 1)
		.on_duplicate_key_update(table.last_seen, Values(table.last_seen))
		.on_duplicate_key_update(table.modified, Values(table.modified))
		.run()
	)
