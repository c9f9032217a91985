"""All rows of the app in one zip: every TV DocType with its child tables, and what the app wrote on ERPNext's rows.

Layout: `manifest.json` (format, versions, counts, SHA-256 of every member), `rows/<DocType>.jsonl` (one row a line, all
columns), `fields/<DocType>.jsonl` (name and the app's custom fields where any is set), `singles.json`, `series.json`.
Key files are never in it.
"""

import hashlib
import json
import os
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import frappe
from frappe.utils import now_datetime

import subscriber_tv
from subscriber_tv.setup.custom_fields import doctypes_with_fields

FORMAT = 1
MODULE = "Subscriber TV"
BATCH = 5000
RIGHTS_SEQUENCE = "TV-RIGHTS-SEQ"
LAYOUT_FIELDS = ("Section Break", "Column Break", "Tab Break")


def write_backup(folder: str | Path | None = None) -> Path:
	"""Write the zip (mode 0600) into `folder`, by default the site's private files; return its path."""
	folder = Path(folder or frappe.get_site_path("private", "files")).resolve()
	stamp = now_datetime().strftime("%Y%m%d-%H%M%S")
	path = folder / f"subscriber_tv-{frappe.local.site}-{stamp}.zip"
	descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
	with (
		os.fdopen(descriptor, "w+b") as handle,
		zipfile.ZipFile(handle, "w", zipfile.ZIP_DEFLATED) as archive,
	):
		_fill(archive)
	return path


def tv_doctypes(*, single: bool = False) -> list[str]:
	"""Names of the app's DocTypes with a table of their own, child tables included; or the single ones."""
	return frappe.get_all(
		"DocType", {"module": MODULE, "issingle": int(single), "is_virtual": 0}, pluck="name", order_by="name"
	)


def own_prefixes() -> list[str]:
	"""What the numbers of the app's own documents begin with, in every series a site has given them."""
	fields = (frappe.get_meta(doctype).get_field("naming_series") for doctype in tv_doctypes())
	series = (one for field in fields if field for one in (field.options or "").split("\n"))
	return sorted({prefix for one in series if (prefix := one.split(".")[0].strip())})


def app_columns(doctype: str) -> list[str]:
	"""The app's custom fields of an ERPNext DocType that hold values."""
	return [
		field["fieldname"]
		for field in doctypes_with_fields()[doctype]
		if field["fieldtype"] not in LAYOUT_FIELDS
	]


def _fill(archive: zipfile.ZipFile) -> None:
	members: dict[str, dict] = {}
	for doctype in tv_doctypes():
		_add(archive, members, f"rows/{doctype}.jsonl", _rows(doctype))
	for doctype in doctypes_with_fields():
		_add(archive, members, f"fields/{doctype}.jsonl", _field_values(doctype))
	_add(archive, members, "singles.json", iter([_singles()]))
	_add(archive, members, "series.json", iter([_series()]))
	manifest = {
		"format": FORMAT,
		"app": "subscriber_tv",
		"version": subscriber_tv.__version__,
		"site": frappe.local.site,
		"made_at": now_datetime().isoformat(),
		"members": members,
	}
	archive.writestr("manifest.json", json.dumps(manifest, indent=1))


def _add(archive: zipfile.ZipFile, members: dict, name: str, rows: Iterator[dict]) -> None:
	digest, count = hashlib.sha256(), 0
	with archive.open(name, "w", force_zip64=True) as member:
		for row in rows:
			line = json.dumps(row, default=_plain, ensure_ascii=False).encode() + b"\n"
			digest.update(line)
			member.write(line)
			count += 1
	members[name] = {"rows": count, "sha256": digest.hexdigest()}


def _rows(doctype: str) -> Iterator[dict]:
	"""Every row in order of name, by the batch: the largest table need not fit into memory."""
	table = frappe.qb.DocType(doctype)
	last = None
	while True:
		query = frappe.qb.from_(table).select(table.star).orderby(table.name).limit(BATCH)
		rows = (query.where(table.name > last) if last is not None else query).run(as_dict=True)
		yield from rows
		if len(rows) < BATCH:
			return
		last = rows[-1].name


def _field_values(doctype: str) -> Iterator[dict]:
	"""Rows of an ERPNext DocType on which the app wrote something."""
	names = [column for column in app_columns(doctype) if frappe.db.has_column(doctype, column)]
	if not names:
		return
	table = frappe.qb.DocType(doctype)
	# A form that a user saves leaves empty text where nothing was chosen.
	given = {field["fieldname"] for field in doctypes_with_fields()[doctype] if field.get("default")}
	marks = [column for column in names if column not in given]
	written = table[marks[0]].isnotnull() & (table[marks[0]] != "")
	for column in marks[1:]:
		written = written | (table[column].isnotnull() & (table[column] != ""))
	last = None
	while True:
		query = frappe.qb.from_(table).select(table.name, *(table[column] for column in names)).where(written)
		query = query.orderby(table.name).limit(BATCH)
		rows = (query.where(table.name > last) if last is not None else query).run(as_dict=True)
		yield from rows
		if len(rows) < BATCH:
			return
		last = rows[-1].name


def _singles() -> dict:
	return {doctype: _single(doctype) for doctype in tv_doctypes(single=True)}


def _single(doctype: str) -> dict:
	table = frappe.qb.Table("tabSingles")
	rows = frappe.qb.from_(table).select(table.field, table.value).where(table.doctype == doctype).run()
	return dict(rows)


def _series() -> dict:
	"""Counters of the app's own numbers and of its invoice series: a number is never given twice."""
	prefixes = [RIGHTS_SEQUENCE, *own_prefixes()]
	settings = frappe.get_doc("TV Settings")
	prefixes += [row.series.split(".")[0] for row in settings.invoice_series]
	table = frappe.qb.Table("tabSeries")
	rows = frappe.qb.from_(table).select(table.name, table.current).run()
	return {name: current for name, current in rows if any((name or "").startswith(p) for p in prefixes)}


def _plain(value: object) -> str:
	if isinstance(value, timedelta | Decimal):
		return str(value)
	return value.isoformat(sep=" ") if hasattr(value, "hour") else value.isoformat()
