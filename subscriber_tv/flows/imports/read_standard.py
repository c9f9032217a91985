"""Reads ERPNext's own Subscriptions: who is billed what there, and up to which day."""

import frappe
from erpnext.accounts.doctype.subscription_plan.subscription_plan import get_plan_rate
from frappe.utils import getdate

from subscriber_tv.core.imports.takeover import PRICE_LIST, Invoice, Plan, Standard
from subscriber_tv.core.money import money

OVER = ("Cancelled", "Completed")
"""States in which ERPNext bills no longer."""


def active_subscriptions(company: str | None = None) -> list[str]:
	"""Standard Subscriptions that ERPNext still bills, of one company or of all; sorted by name."""
	filters = {"status": ("not in", OVER)}
	if company:
		filters["company"] = company
	return frappe.get_all("Subscription", filters, pluck="name", order_by="name", limit=0)


def read_standard(doc) -> Standard:
	"""The facts of one standard Subscription document."""
	return Standard(
		name=doc.name,
		party_type=doc.party_type or "",
		company=doc.company or "",
		start=getdate(doc.start_date) if doc.start_date else None,
		plans=tuple(_plan(doc, row) for row in doc.plans),
		invoices=_invoices(doc.name),
		end=getdate(doc.end_date) if doc.end_date else None,
		trial_end=getdate(doc.trial_period_end) if doc.trial_period_end else None,
		current_end=getdate(doc.current_invoice_end) if doc.current_invoice_end else None,
		generate_at=doc.generate_invoice_at or "",
		cancel_at_period_end=bool(doc.cancel_at_period_end),
		discounted=bool(doc.additional_discount_percentage or doc.additional_discount_amount),
		tax_included=_tax_included(doc.sales_tax_template),
		calendar_months=bool(doc.follow_calendar_months),
	)


def _plan(doc, row) -> Plan:
	plan = frappe.get_cached_doc("Subscription Plan", row.plan)
	rate = plan.cost
	if plan.price_determination == PRICE_LIST:
		# What ERPNext would take today, by its own rules.
		rate = get_plan_rate(plan.name, row.qty, doc.party)
	return Plan(
		name=plan.name,
		item=plan.item,
		currency=plan.currency,
		rate=money(rate),
		interval=plan.billing_interval,
		count=plan.billing_interval_count or 0,
		quantity=row.qty or 0,
		determination=plan.price_determination or "",
	)


def _invoices(subscription: str) -> tuple[Invoice, ...]:
	rows = frappe.get_all(
		"Sales Invoice",
		{"subscription": subscription, "docstatus": ("<", 2)},
		["name", "docstatus", "is_return", "from_date", "to_date"],
		order_by="from_date, name",
		limit=0,
	)
	return tuple(
		Invoice(row.name, row.docstatus == 0, bool(row.is_return), row.from_date, row.to_date) for row in rows
	)


def _tax_included(template: str | None) -> bool:
	if not template:
		return False
	return bool(
		frappe.db.exists("Sales Taxes and Charges", {"parent": template, "included_in_print_rate": 1})
	)
