"""Versions of offers side by side: how they sold, who stayed, and what they bring in a month."""

from typing import Any

import frappe
from frappe import _

from subscriber_tv.flows.catalogue.compare_versions import compare_versions


def execute(filters: dict[str, Any] | None = None) -> tuple:
	"""Columns, rows and a chart of the monthly revenue, one bar a version."""
	filters = frappe._dict(filters or {})
	rows = compare_versions(company=filters.company, offer=filters.offer)
	return _columns(), rows, None, _chart(rows)


def _columns() -> list[dict]:
	money = {"fieldtype": "Currency", "options": "currency", "width": 130}
	return [
		_link("version", _("Offer Version"), "TV Offer Version", 170),
		_link("offer", _("Offer"), "TV Offer", 140),
		{"fieldname": "valid_from", "label": _("On Sale From"), "fieldtype": "Date", "width": 110},
		{"fieldname": "valid_upto", "label": _("On Sale Until"), "fieldtype": "Date", "width": 110},
		{"fieldname": "sold", "label": _("Sold"), "fieldtype": "Int", "width": 80},
		{"fieldname": "served", "label": _("Served Now"), "fieldtype": "Int", "width": 100},
		{"fieldname": "ended", "label": _("Ended"), "fieldtype": "Int", "width": 80},
		{"fieldname": "kept", "label": _("Kept"), "fieldtype": "Percent", "width": 90},
		{"fieldname": "outlets", "label": _("Outlets"), "fieldtype": "Int", "width": 90},
		{"fieldname": "monthly", "label": _("Revenue a Month"), **money},
		{"fieldname": "per_outlet", "label": _("An Outlet a Month"), **money},
	]


def _link(fieldname: str, label: str, doctype: str, width: int) -> dict:
	return {"fieldname": fieldname, "label": label, "fieldtype": "Link", "options": doctype, "width": width}


def _chart(rows: list[dict]) -> dict:
	return {
		"data": {
			"labels": [row["version"] for row in rows],
			"datasets": [{"name": _("Revenue a Month"), "values": [row["monthly"] for row in rows]}],
		},
		"type": "bar",
		"fieldtype": "Currency",
	}
