"""Writes several documents of one kind with one statement, with the very values Frappe would write one by one."""

from collections.abc import Iterable, Sequence

import frappe
from frappe.model.document import Document


def insert_rows(docs: Iterable[Document]) -> None:
	"""Insert documents that have a name and are validated; one INSERT per DocType, in the order given.

	The values are those of `Document.db_insert`. A name that is taken raises the driver's IntegrityError.
	"""
	by_doctype: dict[str, list[dict]] = {}
	for doc in docs:
		values = doc.get_valid_dict(convert_dates_to_str=True, ignore_virtual=True)
		if seen := doc.get("_seen"):
			values["_seen"] = seen
		by_doctype.setdefault(doc.doctype, []).append(values)
		doc.set("__islocal", False)
	for doctype, rows in by_doctype.items():
		_insert(doctype, rows)


def _insert(doctype: str, rows: Sequence[dict]) -> None:
	values = [value for row in rows for value in row.values()]
	frappe.db.sql(_statement(doctype, tuple(rows[0]), len(rows)), values)


def _statement(doctype: str, columns: tuple[str, ...], rows: int) -> str:
	"""An INSERT with placeholders only; DocType and columns come from Frappe's own meta."""
	names = ", ".join(f"`{column}`" for column in columns)
	row = "(" + ", ".join(["%s"] * len(columns)) + ")"
	return f"INSERT INTO `tab{doctype}` ({names}) VALUES " + ", ".join([row] * rows)
