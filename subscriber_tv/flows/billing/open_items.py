"""What is still open between the operator and its payers: unbilled periods, unpaid invoices."""

from collections.abc import Iterator
from datetime import date

import frappe
from frappe.utils import add_days, getdate

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
	"""Periods with days of an invoice now cancelled that a run of `today` bills anew: line, from, to.

	The period may be another than the cancelled one, when the contract has changed since.
	"""
	cancelled = _cancelled_periods(payer)
	if not cancelled:
		return []
	ahead = frappe.get_cached_doc("TV Settings").bill_days_ahead or 0
	until = add_days(getdate(today), ahead)
	due = {
		charge.claim
		for company in {row.company for row in cancelled}
		for part in decide_for(payer, company, until).bills
		for charge in part.charges
	}
	again = [
		claim
		for claim in due
		if any(
			row.tv_line == claim.line and row.tv_from < claim.end and claim.start < row.tv_to
			for row in cancelled
		)
	]
	again.sort(key=lambda claim: (claim.line, claim.start))
	return [{"line": claim.line, "from": claim.start, "to": claim.end} for claim in again]


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
