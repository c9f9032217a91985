"""Was what was quoted billed? Each quoted row beside what was invoiced for it, until the contract was changed."""

from typing import Any

import frappe
from frappe import _

from subscriber_tv.core.billing.quote import total_difference
from subscriber_tv.flows.quotes.compare_quote import compare_quotes

MOST_QUOTATIONS = 200


def execute(filters: dict[str, Any] | None = None) -> tuple:
	"""Columns, rows and a summary for the quotations the user may read that became subscriptions."""
	filters = frappe._dict(filters or {})
	rows = list(compare_quotes(_quotations(filters)))
	shown = [row for row in rows if _otherwise(*row[2:]) or not filters.only_differences]
	return _columns(), [_row(*row) for row in shown], None, None, _summary(rows)


def _otherwise(terms, row) -> bool:
	return bool(row.difference) or not terms.kept


def _quotations(filters: dict) -> list[str]:
	if filters.quotation:
		return [filters.quotation] if frappe.has_permission("Quotation", doc=filters.quotation) else []
	wanted = {"docstatus": 1, "name": ("in", _became_contracts(filters.company))}
	return frappe.get_list(
		"Quotation", wanted, pluck="name", order_by="transaction_date desc", limit=MOST_QUOTATIONS
	)


def _became_contracts(company: str | None) -> list[str]:
	wanted = {"quotation": ("is", "set"), "activated_on": ("is", "set")}
	if company:
		wanted["company"] = company
	return frappe.get_all("TV Subscription", wanted, pluck="quotation", distinct=True, limit=0) or [""]


def _row(quotation: str, subscription: str, terms, row) -> dict:
	return {
		"quotation": quotation,
		"subscription": subscription,
		"currency": frappe.get_cached_value("TV Subscription", subscription, "currency"),
		"line": row.line.partition("/")[2],
		"from": row.start,
		"to": row.end,
		"quoted": float(row.quoted),
		"billed": float(row.billed),
		"difference": float(row.difference),
		"promotion": terms.promotion,
		"quoted_end": terms.quoted_end,
		"agreed_end": terms.agreed_end,
		"terms_kept": int(terms.kept),
	}


def _columns() -> list[dict]:
	money = {"fieldtype": "Currency", "options": "currency", "width": 120}
	return [
		{
			"fieldname": "quotation",
			"label": _("Quotation"),
			"fieldtype": "Link",
			"options": "Quotation",
			"width": 190,
		},
		{
			"fieldname": "subscription",
			"label": _("TV Subscription"),
			"fieldtype": "Link",
			"options": "TV Subscription",
			"width": 130,
		},
		{"fieldname": "line", "label": _("Line"), "fieldtype": "Data", "width": 140},
		{"fieldname": "from", "label": _("From"), "fieldtype": "Date", "width": 110},
		{"fieldname": "to", "label": _("To (excluded)"), "fieldtype": "Date", "width": 110},
		{"fieldname": "quoted", "label": _("Quoted"), **money},
		{"fieldname": "billed", "label": _("Billed"), **money},
		{"fieldname": "difference", "label": _("Difference"), **money},
		{"fieldname": "promotion", "label": _("Promotion Code"), "fieldtype": "Data", "width": 120},
		{"fieldname": "quoted_end", "label": _("Quoted: Bound Until"), "fieldtype": "Date", "width": 130},
		{"fieldname": "agreed_end", "label": _("Contract: Bound Until"), "fieldtype": "Date", "width": 130},
		{
			"fieldname": "terms_kept",
			"label": _("Commitment and Discounts as Quoted"),
			"fieldtype": "Check",
			"width": 120,
		},
	]


def _summary(found: list) -> list[dict]:
	rows = [row for *_names, row in found]
	wrong = sum(bool(row.difference) for row in rows)
	changed = len({subscription for _quotation, subscription, terms, _row in found if not terms.kept})
	return [
		{"label": _("Rows Compared"), "value": len(rows), "datatype": "Int", "indicator": "Blue"},
		{
			"label": _("Rows Billed Otherwise"),
			"value": wrong,
			"datatype": "Int",
			"indicator": "Red" if wrong else "Green",
		},
		{
			"label": _("Contracts with Other Terms"),
			"value": changed,
			"datatype": "Int",
			"indicator": "Red" if changed else "Green",
		},
		{
			"label": _("Billed More Than Quoted"),
			"value": float(total_difference(rows)),
			"datatype": "Float",
			"indicator": "Red" if wrong else "Green",
		},
	]
