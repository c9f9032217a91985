"""Says a `Database.get_values` in SQL when it asks for fields of rows with equal values, which nearly all do.

Frappe builds every query from objects; half of the time of a short question goes into that. The text is the same for
all values and is kept.
"""

import datetime
import re
from functools import lru_cache
from typing import NamedTuple

import frappe
from frappe.database.database import DefaultOrderBy

FIELD = re.compile(r"[a-z_][a-z0-9_]*")
ARGUMENTS = (
	"filters",
	"fieldname",
	"ignore",
	"as_dict",
	"debug",
	"order_by",
	"update",
	"cache",
	"for_update",
)
UNUSUAL = (
	"ignore",
	"debug",
	"update",
	"cache",
	"for_update",
	"pluck",
	"distinct",
	"skip_locked",
)
ALL = ("*",)
ORDERS = {
	DefaultOrderBy: "`modified` DESC",
	"modified desc": "`modified` DESC",
	"idx asc": "`idx` ASC",
	None: "",
}
PLAIN = (str, int, float, datetime.date)


class Question(NamedTuple):
	"""A question for fields of the rows whose `filters` have exactly these values."""

	query: str
	fields: tuple[str, ...]
	filters: dict
	as_dict: bool


def plain_question(doctype: str, args: tuple, kwargs: dict) -> Question | None:
	"""The question that the arguments of `get_values` put; None to leave it to Frappe."""
	asked = {
		"fieldname": "name",
		"order_by": DefaultOrderBy,
		**dict(zip(ARGUMENTS, args, strict=False)),
		**kwargs,
	}
	filters, order_by = asked.get("filters"), asked["order_by"]
	if isinstance(filters, str) and (filters != doctype or doctype == "DocType"):
		filters = {"name": filters}
	fields = (asked["fieldname"],) if isinstance(asked["fieldname"], str) else tuple(asked["fieldname"] or ())
	if (
		not isinstance(filters, dict)
		or any(asked.get(name) for name in UNUSUAL)
		or not _is_plain(fields, filters)
	):
		return None
	if not isinstance(order_by, str | None) or order_by not in ORDERS:
		return None
	query = _query(doctype, fields, tuple(filters), ORDERS[order_by], asked.get("limit"))
	return Question(query, fields, filters, bool(asked.get("as_dict")) or fields == ALL)


def is_whole_record(question: Question) -> bool:
	"""Whether the answer is one record with all its fields."""
	return question.fields == ALL and tuple(question.filters) == ("name",)


def answer_of(question: Question, record: dict) -> list | tuple | None:
	"""The answer the database would give, from the whole record of that name; None where only it can tell.

	The name was asked for in the same letters before. Other values are compared when they are whole numbers: texts are
	equal by the rules of the database.
	"""
	for field, value in question.filters.items():
		if field == "name":
			continue
		if type(value) is not int or type(record.get(field)) is not int:
			return None
		if value != record[field]:
			return [] if question.as_dict else ()
	if question.fields == ALL or any(field not in record for field in question.fields):
		return None
	values = tuple(record[field] for field in question.fields)
	return [frappe._dict(zip(question.fields, values, strict=True))] if question.as_dict else (values,)


def _is_plain(fields: tuple, filters: dict) -> bool:
	if fields != ALL and not all(isinstance(name, str) and FIELD.fullmatch(name) for name in fields):
		return False
	names = all(isinstance(name, str) and FIELD.fullmatch(name) for name in filters)
	return bool(fields) and names and all(isinstance(value, PLAIN) for value in filters.values())


@lru_cache(maxsize=2000)
def _query(
	doctype: str, fields: tuple[str, ...], filters: tuple[str, ...], order: str, limit: int | None
) -> str:
	"""The text, with placeholders for the values; names come from Frappe's callers and are plain words."""
	columns = "*" if fields == ALL else ",".join(f"`{name}`" for name in fields)
	where = " AND ".join(f"`{name}`=%s" for name in filters)
	parts = (
		f"SELECT {columns} FROM `tab{doctype}`",
		f"WHERE {where}" if where else "",
		f"ORDER BY {order}" if order else "",
		f"LIMIT {limit:d}" if limit else "",
	)
	return " ".join(filter(None, parts))
