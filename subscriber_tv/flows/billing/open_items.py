"""What is still open between the operator and its payers: unbilled periods, unpaid invoices."""

from collections.abc import Iterator
from datetime import date

import frappe
from frappe.utils import getdate

from subscriber_tv.core.billing.bill import PayerBill
from subscriber_tv.flows.billing import facts
from subscriber_tv.flows.billing.bill_payer import decide_for


def unbilled_subscriptions(today: date | None = None) -> list[str]:
	"""Subscriptions for which a run of `today` would bill or credit something, or would be refused; sorted."""
	found: set[str] = set()
	for _payer, bill in _decisions(getdate(today)):
		for part in bill.bills:
			found |= {charge.subscription for charge in part.charges}
			found |= {credit.row.subscription for credit in part.credits}
		found |= {refusal.values["subscription"] for refusal in bill.refused}
	return sorted(found)


def unpaid_invoices() -> list[str]:
	"""Submitted invoices with rows of ours that are not paid in full; sorted."""
	item, invoice = frappe.qb.DocType("Sales Invoice Item"), frappe.qb.DocType("Sales Invoice")
	rows = (
		frappe.qb.from_(item)
		.join(invoice)
		.on(item.parent == invoice.name)
		.select(invoice.name)
		.distinct()
		.where((invoice.docstatus == 1) & (invoice.is_return == 0) & (invoice.outstanding_amount > 0))
		.where(item.tv_line.notnull() & (item.tv_line != ""))
		.orderby(invoice.name)
		.run()
	)
	return [row[0] for row in rows]


def to_be_billed_again(payer: str, today: date | None = None) -> list[dict]:
	"""Periods that stood on an invoice now cancelled and that the next run bills anew: line, from, to."""
	cancelled = _cancelled_periods(payer)
	if not cancelled:
		return []
	companies = {row.company for row in cancelled}
	due = {
		(charge.claim.line, charge.claim.start, charge.claim.end)
		for company in companies
		for part in decide_for(payer, company, getdate(today)).bills
		for charge in part.charges
	}
	periods = {(row.tv_line, row.tv_from, row.tv_to) for row in cancelled}
	return [{"line": line, "from": start, "to": end} for line, start, end in sorted(periods & due)]


def _decisions(today: date) -> Iterator[tuple[str, PayerBill]]:
	for company in frappe.get_all("TV Subscription", pluck="company", distinct=True, order_by="company"):
		for payer in facts.payers(company):
			yield payer, decide_for(payer, company, today)


def _cancelled_periods(payer: str) -> list[dict]:
	item, invoice = frappe.qb.DocType("Sales Invoice Item"), frappe.qb.DocType("Sales Invoice")
	return (
		frappe.qb.from_(item)
		.join(invoice)
		.on(item.parent == invoice.name)
		.select(invoice.company, item.tv_line, item.tv_from, item.tv_to)
		.where((invoice.docstatus == 2) & (invoice.is_return == 0) & (invoice.customer == payer))
		.where(item.tv_line.notnull() & (item.tv_line != ""))
		.run(as_dict=True)
	)
