"""Minutes from delivery or finished installation to the first allowed answer, by month and sector, segment, partner or channel."""

import datetime

import frappe
from frappe import _
from frappe.utils import add_months, get_datetime, getdate

from subscriber_tv.core.activation import waiting
from subscriber_tv.flows.support.activation_time import first_answers


def execute(filters: dict | None = None) -> tuple[list[dict], list[dict], None, dict]:
	"""Columns, rows and chart; the filters `from_date`, `to_date` (both included) and `company` narrow them down, `group` is one of GROUPS."""
	filters = filters or {}
	group = filters.get("group") or "sector"
	if group not in waiting.GROUPS:
		frappe.throw(_("The minutes are shown by {0}.").format(", ".join(waiting.GROUPS)))
	until = getdate(filters.get("to_date"))
	since = getdate(filters.get("from_date") or add_months(until, -12))
	if since > until:
		frappe.throw(_("The first day lies after the last."))
	firsts = first_answers(
		get_datetime(since), get_datetime(until) + datetime.timedelta(days=1), filters.get("company")
	)
	rows = [
		{
			"month": row.group[0],
			group: row.group[1],
			"tvs": row.tvs,
			"median": row.median,
			"percentile_95": row.percentile_95,
		}
		for row in waiting.by_group_and_month(firsts, group)
	]
	return _columns(group), rows, None, _chart(firsts)


def _chart(firsts: list[waiting.First]) -> dict:
	months: dict[str, list[int]] = {}
	for first in firsts:
		waited = waiting.minutes(first)
		if waited is not None:
			months.setdefault(f"{first.allowed:%Y-%m}", []).append(waited)
	labels = sorted(months)
	return {
		"type": "bar",
		"data": {
			"labels": labels,
			"datasets": [
				{"name": _(name), "values": [waiting.percentile(months[month], share) for month in labels]}
				for name, share in (("Median (minutes)", 50), ("95 % (minutes)", 95))
			],
		},
	}


def _columns(group: str) -> list[dict]:
	groups = {
		"sector": (_("Sector"), "Territory"),
		"segment": (_("Segment"), "Customer Group"),
		"partner": (_("Sales Partner"), "Sales Partner"),
		"channel": (_("Sales Channel"), "TV Sales Channel"),
	}
	label, doctype = groups[group]
	return [
		{"fieldname": "month", "label": _("Month"), "fieldtype": "Data", "width": 110},
		{
			"fieldname": group,
			"label": label,
			"fieldtype": "Link",
			"options": doctype,
			"width": 200,
		},
		{"fieldname": "tvs", "label": _("TVs"), "fieldtype": "Int", "width": 100},
		{"fieldname": "median", "label": _("Median (minutes)"), "fieldtype": "Int", "width": 150},
		{"fieldname": "percentile_95", "label": _("95 % (minutes)"), "fieldtype": "Int", "width": 150},
	]
