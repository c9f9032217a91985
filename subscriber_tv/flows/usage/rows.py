"""The rows of TV Usage Record: written by the batch and locked by their names, always in the same order.

Rows are written directly, without loading documents: a batch of a thousand is a handful of statements. Only this module and
`mark_billed` write them.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import frappe
from frappe.utils import now_datetime

from subscriber_tv.core.usage.inbox import REPLACED, Kept
from subscriber_tv.core.usage.judge import Facts, Place
from subscriber_tv.core.usage.problem import Problem
from subscriber_tv.core.usage.read import Read
from subscriber_tv.core.usage.record import Record, name_of_side
from subscriber_tv.flows.usage.load_facts import system_zone
from subscriber_tv.flows.usage.words import stored

DOCTYPE = "TV Usage Record"
CONTENT = (
	"version",
	"state",
	"current_record",
	"problem",
	"problem_values",
	"reason",
	"serial",
	"reference",
	"charge_code",
	"quantity",
	"used_at",
	"day",
	"subscription",
	"company",
	"line_id",
	"invoice",
	"invoice_row",
	"profile",
	"tv_import",
	"row_no",
	"fingerprint",
	"batch",
	"raw",
)
"""What a new version of a record replaces."""
KEY = ("source", "source_key")
STANDARD = ("name", "creation", "modified", "owner", "modified_by", "docstatus", "idx")
COLUMNS = (*STANDARD, *KEY, *CONTENT, "corrected_by")


def content(read: Read, found: Place | Problem | None, facts: Facts) -> dict:
	"""The columns that hold what a source sent and what was found about it."""
	record = read.record
	place = found if isinstance(found, Place) else None
	zone = facts.zones.get(place.subscription) if place else None
	return {
		"version": record.version,
		"serial": record.serial or None,
		"reference": record.subscription or None,
		"charge_code": record.charge or None,
		"quantity": record.quantity or 0,
		"used_at": _site_time(record.at, zone),
		"day": place.day if place else record.day,
		"subscription": place.subscription if place else None,
		"company": facts.companies.get(place.subscription if place else _named(record, facts)),
		"line_id": place.line_id if place else record.line or None,
		"row_no": read.number,
		"fingerprint": record.fingerprint,
		"raw": read.raw,
		"current_record": None,
		"invoice": None,
		"invoice_row": None,
		**stored(place.held if place else found),
	}


def _named(record: Record, facts: Facts) -> str | None:
	"""The contract a record names, or that its TV was last bound to: whose it is although it counts nowhere."""
	bound = facts.bindings.get(record.serial)
	return facts.names.get(record.subscription) or (bound[-1].subscription if bound else None)


def insert(rows: Iterable[Mapping]) -> None:
	"""Insert rows; a name that is there stays as it is. Whoever comes second waits until the first has committed."""
	rows = sorted(rows, key=lambda row: row["name"])
	if not rows:
		return
	now, user = now_datetime(), frappe.session.user
	standard = {
		"creation": now,
		"modified": now,
		"owner": user,
		"modified_by": user,
		"docstatus": 0,
		"idx": 0,
	}
	table = frappe.qb.DocType(DOCTYPE)
	found = [{**standard, **row} for row in rows]
	(
		frappe.qb.into(table)
		.columns(*COLUMNS)
		.insert(*(tuple(row.get(column) for column in COLUMNS) for row in found))
		.on_duplicate_key_update(table.name, table.name)
		.run()
	)


def lock(names: Sequence[str]) -> dict[str, frappe._dict]:
	"""These records as they are committed now, locked until the transaction ends."""
	return _locked(names, COLUMNS)


def lock_others(names: Sequence[str], batch: str) -> dict[str, frappe._dict]:
	"""The same, but only those of these records that another batch wrote; those of this one are ours already."""
	seen = _locked(names, ("name", "batch"))
	return lock([name for name, row in seen.items() if row.batch != batch])


def _locked(names: Sequence[str], columns: Sequence[str]) -> dict[str, frappe._dict]:
	table = frappe.qb.DocType(DOCTYPE)
	query = frappe.qb.from_(table).select(*columns).where(table.name.isin(sorted(names)))
	return (
		{row.name: row for row in query.orderby(table.name).for_update().run(as_dict=True)} if names else {}
	)


def kept(row: frappe._dict) -> Kept:
	"""What the decision needs of a row."""
	return Kept(row.state, row.version, row.fingerprint or "")


def keep_aside(row: frappe._dict) -> None:
	"""File what a record was under a name of its own, before something newer takes its place."""
	side = {column: row[column] for column in (*KEY, *CONTENT, "creation", "owner", "corrected_by")}
	name = name_of_side(row.source, row.source_key, row.version, row.fingerprint or "", False)
	insert([side | {"name": name, "state": REPLACED, "current_record": row.name}])


def update(name: str, values: Mapping) -> None:
	"""Write columns of one record the caller has locked."""
	frappe.db.set_value(DOCTYPE, name, dict(values))


def _site_time(at: datetime | None, zone: str | None) -> datetime | None:
	"""A moment as the site's tables hold times; one of no known time zone as it was written."""
	if at is None:
		return None
	if at.tzinfo is None:
		if not zone:
			return at
		at = at.replace(tzinfo=ZoneInfo(zone))
	return at.astimezone(system_zone()).replace(tzinfo=None)


def utc(at: datetime | None) -> datetime | None:
	"""The moment that a column holds, in UTC."""
	return at.replace(tzinfo=system_zone()).astimezone(timezone.utc) if at else None
