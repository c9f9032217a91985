"""Put the rows of a backup zip back after a reinstall, so that nothing is billed twice and every TV stays paired.

Rows that are there stay as they are, so a restore may be repeated. What is signed is not restored but published anew:
a reinstalled site has a new key.
"""

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import frappe
from frappe import _

from subscriber_tv.flows.activation.note_change import note_changes
from subscriber_tv.flows.fill_company import fill_company

FORMAT = 1
BATCH = 2000
DERIVED = ("TV Entitlement", "TV Rights Outbox", "TV Payer Watch")
"""Made again from the other rows by the publisher; and by the bill run, which must look at everybody anew."""


@dataclass
class Restored:
	"""Rows put back by DocType, and what could not be put back, in words."""

	rows: dict[str, int] = field(default_factory=dict)
	fields: dict[str, int] = field(default_factory=dict)
	remarks: list[str] = field(default_factory=list)


def restore_backup(path: str | Path, *, checkpoint: Callable | None = None) -> Restored:
	"""Restore a zip written at uninstall. ValidationError when it is not one, is damaged or of a newer format."""
	checkpoint = checkpoint or frappe.db.commit
	result = Restored()
	with _open(path) as archive:
		manifest = _manifest(archive)
		for member in manifest["members"]:
			_check(archive, member, manifest["members"][member]["sha256"])
		for member in manifest["members"]:
			_restore_member(archive, member, result)
			checkpoint()  # one table is the unit of work; a restore that stopped is started again
		_restore_singles(_json(archive, "singles.json"))
		_restore_series(_json(archive, "series.json"))
	fill_company()  # a backup may be older than the column
	_free_claims_of_cancelled(result)
	note_changes("Offer", frappe.get_all("TV Offer Version", {"docstatus": 1}, pluck="name", limit=0))
	note_changes("Subscription", frappe.get_all("TV Subscription", pluck="name", limit=0))
	checkpoint()
	frappe.clear_cache()
	return result


def _open(path: str | Path) -> zipfile.ZipFile:
	try:
		return zipfile.ZipFile(path)
	except (OSError, zipfile.BadZipFile):
		frappe.throw(_("{0} is not a readable zip file.").format(path))


def _manifest(archive: zipfile.ZipFile) -> dict:
	try:
		manifest = _json(archive, "manifest.json")
	except (KeyError, ValueError):
		manifest = {}
	if manifest.get("app") != "subscriber_tv" or manifest.get("format") != FORMAT:
		frappe.throw(_("This zip is no backup of Subscriber TV that this version can read."))
	return manifest


def _check(archive: zipfile.ZipFile, member: str, sha256: str) -> None:
	digest = hashlib.sha256()
	with archive.open(member) as handle:
		for line in handle:
			digest.update(line)
	if digest.hexdigest() != sha256:
		frappe.throw(_("{0} in the backup is damaged. Nothing was restored.").format(member))


def _restore_member(archive: zipfile.ZipFile, member: str, result: Restored) -> None:
	folder, _slash, rest = member.partition("/")
	doctype = rest.removesuffix(".jsonl")
	if folder == "rows" and doctype not in DERIVED:
		if not frappe.db.table_exists(doctype):
			result.remarks.append(_("{0} does not exist any more; its rows were left out.").format(doctype))
			return
		result.rows[doctype] = _insert_rows(doctype, _lines(archive, member), result)
	elif folder == "fields":
		result.fields[doctype] = _restore_fields(doctype, _lines(archive, member), result)


def _insert_rows(doctype: str, rows: Iterator[dict], result: Restored) -> int:
	known = set(frappe.db.get_table_columns(doctype))
	inserted = 0
	for batch in _batches(rows):
		names = [row["name"] for row in batch]
		there = set(frappe.get_all(doctype, {"name": ("in", names)}, pluck="name", limit=0))
		new = [row for row in batch if row["name"] not in there]
		if not new:
			continue
		columns = [column for column in new[0] if column in known]
		lost = sorted(set(new[0]) - known)
		if lost:
			result.remarks.append(_("{0} has no columns {1} any more.").format(doctype, ", ".join(lost)))
		frappe.db.bulk_insert(doctype, columns, [tuple(row[column] for column in columns) for row in new])
		inserted += len(new)
	return inserted


def _restore_fields(doctype: str, rows: Iterator[dict], result: Restored) -> int:
	"""Write the app's fields back on ERPNext's rows, which may have lost their columns meanwhile."""
	written = missing = 0
	for row in rows:
		name = row.pop("name")
		values = {column: value for column, value in row.items() if frappe.db.has_column(doctype, column)}
		there = frappe.db.get_value(doctype, name, list(values), as_dict=True)
		if there is None:
			missing += 1
		elif any(str(there[column] or "") != str(value or "") for column, value in values.items()):
			frappe.db.set_value(doctype, name, values, update_modified=False)
			written += 1
	if missing:
		result.remarks.append(
			_("{0} rows of {1} were deleted while the app was away.").format(missing, doctype)
		)
	return written


def _restore_singles(singles: dict) -> None:
	for doctype, values in singles.items():
		if frappe.db.exists("DocType", doctype):
			frappe.db.set_single_value(doctype, values, update_modified=False)


def _restore_series(series: dict) -> None:
	"""Bring counters forward, never back."""
	table = frappe.qb.Table("tabSeries")
	for name, current in series.items():
		there = frappe.qb.from_(table).select(table.current).where(table.name == name).for_update().run()
		if not there:
			frappe.qb.into(table).columns("name", "current").insert(name, current).run()
		elif (there[0][0] or 0) < current:
			frappe.qb.update(table).set(table.current, current).where(table.name == name).run()


def _free_claims_of_cancelled(result: Restored) -> None:
	"""An invoice cancelled or deleted while the app was away claims its periods no longer."""
	claim, invoice = frappe.qb.DocType("TV Billed Period"), frappe.qb.DocType("Sales Invoice")
	gone = (
		frappe.qb.from_(claim)
		.left_join(invoice)
		.on((invoice.name == claim.invoice) & (invoice.docstatus == 1))
		.select(claim.name)
		.where(invoice.name.isnull())
	).run()
	names = [name for (name,) in gone]
	if names:
		frappe.db.delete("TV Billed Period", {"name": ("in", names)})
		result.remarks.append(
			_("{0} billed periods are free again: their invoices were cancelled.").format(len(names))
		)


def _lines(archive: zipfile.ZipFile, member: str) -> Iterator[dict]:
	with archive.open(member) as handle:
		for line in handle:
			yield json.loads(line)


def _json(archive: zipfile.ZipFile, member: str) -> dict:
	return json.loads(archive.read(member))


def _batches(rows: Iterator[dict]) -> Iterator[list[dict]]:
	batch: list[dict] = []
	for row in rows:
		batch.append(row)
		if len(batch) == BATCH:
			yield batch
			batch = []
	if batch:
		yield batch
