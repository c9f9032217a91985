"""Says a `Database.get_values` in SQL when it asks for fields of rows with equal values, which nearly all do.

Frappe builds every query from objects; half of the time of a short question goes into that. The text is the same for
all values and is kept.
"""

import datetime
import re
from functools import lru_cache

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
ORDERS = {
	DefaultOrderBy: "`modified` DESC",
	"modified desc": "`modified` DESC",
	"idx asc": "`idx` ASC",
	None: "",
}
PLAIN = (str, int, float, datetime.date)


def plain_question(doctype: str, args: tuple, kwargs: dict) -> tuple[str, tuple, bool] | None:
	"""Query, values and whether rows are dicts, for the arguments of `get_values`; None to leave it to Frappe."""
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
	return query, tuple(filters.values()), bool(asked.get("as_dict")) or fields == ("*",)


def _is_plain(fields: tuple, filters: dict) -> bool:
	if fields != ("*",) and not all(isinstance(name, str) and FIELD.fullmatch(name) for name in fields):
		return False
	names = all(isinstance(name, str) and FIELD.fullmatch(name) for name in filters)
	return bool(fields) and names and all(isinstance(value, PLAIN) for value in filters.values())


@lru_cache(maxsize=2000)
def _query(
	doctype: str, fields: tuple[str, ...], filters: tuple[str, ...], order: str, limit: int | None
) -> str:
	"""The text, with placeholders for the values; names come from Frappe's callers and are plain words."""
	columns = "*" if fields == ("*",) else ",".join(f"`{name}`" for name in fields)
	where = " AND ".join(f"`{name}`=%s" for name in filters)
	parts = (
		f"SELECT {columns} FROM `tab{doctype}`",
		f"WHERE {where}" if where else "",
		f"ORDER BY {order}" if order else "",
		f"LIMIT {limit:d}" if limit else "",
	)
	return " ".join(filter(None, parts))
