"""The figures of the fleet board: sums over TV Fleet Count, which user permissions narrow down like any list."""

import frappe

GROUPS = ("segment", "territory", "site", "firmware", "company")
FIGURES = ("tvs", "online", "alarms", "suspected")
ROWS = 100
"""Rows shown at a time, the largest first."""


def fleet_board(group: str, filters: dict[str, str]) -> dict:
	"""Totals of the TVs in service that the user may see, and the largest `ROWS` groups.

	:param group: one of GROUPS
	:param filters: value by field, of GROUPS; "" is TVs without one
	"""
	if group not in GROUPS or set(filters) - set(GROUPS):
		raise KeyError(group)
	sums = [f"sum({figure}) as {figure}" for figure in FIGURES]
	narrowed = [["TV Fleet Count", "tvs", ">", 0]] + [
		["TV Fleet Count", field, "=", value] if value else ["TV Fleet Count", field, "is", "not set"]
		for field, value in filters.items()
	]
	totals = frappe.get_list("TV Fleet Count", filters=narrowed, fields=[*sums, "max(modified) as as_of"])[0]
	rows = frappe.get_list(
		"TV Fleet Count",
		filters=narrowed,
		fields=[group, *sums],
		group_by=group,
		order_by="tvs desc",
		limit=ROWS,
	)
	return {
		"group": group,
		"totals": {figure: int(totals.get(figure) or 0) for figure in FIGURES},
		"as_of": totals.get("as_of"),
		"rows": _titled(group, rows),
		"more": len(rows) == ROWS,
	}


def open_alarms(limit: int = 10) -> list[dict]:
	"""The youngest open alarms that the user may see."""
	fields = ["name", "kind", "rule", "device", "site", "issue", "opened_on", "value"]
	return frappe.get_list("TV Alarm", {"state": "Open"}, fields, order_by="opened_on desc", limit=limit)


def alarms_by_kind() -> dict[str, int]:
	"""How many alarms are open, by rule or kind; for whom user permissions restrict nothing or by their lists."""
	rows = frappe.get_list(
		"TV Alarm", {"state": "Open"}, ["rule", "kind", "count(name) as alarms"], group_by="rule, kind"
	)
	return {row.rule or row.kind: row.alarms for row in rows}


def _titled(group: str, rows: list) -> list[dict]:
	"""Sites are read by their names, not by their numbers."""
	titles = {}
	if group == "site":
		names = [row.site for row in rows if row.site]
		found = (
			frappe.get_all("TV Site", {"name": ("in", names)}, ["name", "site_name"], limit=0)
			if names
			else []
		)
		titles = {row.name: row.site_name for row in found}
	return [
		{
			"key": row[group] or "",
			"title": titles.get(row[group]) or row[group] or "",
			**{figure: int(row[figure] or 0) for figure in FIGURES},
		}
		for row in rows
	]
