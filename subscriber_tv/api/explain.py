"""Explain this line: why a row of an invoice costs what it costs."""

import frappe
from frappe import _

from subscriber_tv.api.disputes import RAISING
from subscriber_tv.api.guards import has_role
from subscriber_tv.flows.billing import explain_facts, explain_line, trail_of_row
from subscriber_tv.flows.billing.explain_words import days


@frappe.whitelist(methods=["GET", "POST"])
def line(row: str) -> dict:
	"""The explanation of one row with the records behind it, and whether the user may dispute it.

	For whoever may read the invoice or the subscription it bills. DoesNotExistError for a row no bill has made.
	"""
	found = explain_facts.row_named(row)
	if not _may_read(found):
		raise frappe.PermissionError
	explained = explain_line.explain_line(row)
	disputable = found.docstatus == 1 and not found.is_return
	return explained | {
		"trail": trail_of_row.trail_of_row(row),
		"can_dispute": disputable and has_role(RAISING),
	}


@frappe.whitelist(methods=["GET", "POST"])
def rows(invoice: str | None = None, subscription: str | None = None) -> list:
	"""Rows of an invoice, or the youngest of a subscription, that can be explained; those the user may read."""
	if not invoice and not subscription:
		frappe.throw(_("Name an invoice or a subscription."))
	found = explain_facts.rows_of(invoice=invoice, subscription=subscription)
	readable = [row for row in found if _may_read(row)]
	if found and not readable:
		raise frappe.PermissionError
	return [_listed(row) for row in readable]


def _may_read(row: dict) -> bool:
	"""Support reads no invoices, but has to explain what a subscription was billed."""
	if frappe.has_permission("Sales Invoice", doc=row.parent):
		return True
	subscription = row.tv_subscription
	return bool(subscription) and bool(frappe.has_permission("TV Subscription", doc=subscription))


def _listed(row: dict) -> dict:
	span = explain_line.span_of(row)
	return {
		"row": row.name,
		"invoice": row.parent,
		"posting_date": row.posting_date,
		"subscription": row.tv_subscription,
		"line": row.tv_line,
		"kind": row.tv_kind,
		"item": row.item_name or row.item_code,
		"days": days(span) if span else None,
		"amount": row.net_amount,
		"currency": row.currency,
	}
