"""Settles an invoice with an advance or a credit note, by the vouchers that ERPNext's Payment Reconciliation makes.

A payment (Payment Entry or Journal Entry) is reconciled in place. A credit note is settled by a system generated
Journal Entry of type Credit Note that moves the amount within the customer's account; ERPNext cancels it together
with the invoice. The invoice's own table of advances would not do: it lists payments and never a credit note.

The caller holds the payer's lock and the lock of the source, commits, and has checked who may bill.
"""

from decimal import Decimal

import frappe
from erpnext.accounts.utils import create_gain_loss_journal

from subscriber_tv.core.billing.credit import Use
from subscriber_tv.core.money import money, places_of, round_money

INVOICE_FIELDS = (
	"name",
	"company",
	"customer",
	"currency",
	"debit_to",
	"party_account_currency",
	"conversion_rate",
	"posting_date",
	"cost_center",
)


def settle(use: Use) -> None:
	"""Post one use of credit. What ERPNext refuses it raises: the amount was taken by someone else, the books are closed."""
	invoice = frappe.db.get_value("Sales Invoice", use.invoice, INVOICE_FIELDS, as_dict=True)
	if use.source.doctype == "Sales Invoice":
		_settle_with_note(use, invoice)
		return
	try:
		_settle_with_payment(use, invoice)
	finally:
		# ERPNext leaves it set when it refuses.
		frappe.flags.ignore_party_validation = False


def _settle_with_payment(use: Use, invoice) -> None:
	source = use.source
	tool = frappe.get_doc(
		{
			"doctype": "Payment Reconciliation",
			"company": invoice.company,
			"party_type": "Customer",
			"party": invoice.customer,
			"receivable_payable_account": invoice.debit_to,
		}
	)
	payment = {
		"reference_type": source.doctype,
		"reference_name": source.name,
		"reference_row": source.row or None,
		"amount": float(source.amount),
		"currency": invoice.currency,
		"exchange_rate": _rate_of_payment(source.doctype, source.name, source.row),
		"posting_date": source.day,
		"cost_center": invoice.cost_center,
	}
	open_item = {
		"invoice_type": "Sales Invoice",
		"invoice_number": use.invoice,
		"invoice_date": invoice.posting_date,
		"currency": invoice.currency,
		"outstanding_amount": float(use.amount),
	}
	tool.append("payments", payment)
	tool.append("invoices", open_item)
	tool.allocate_entries({"payments": [payment], "invoices": [open_item]})
	tool.reconcile_allocations()


def _rate_of_payment(doctype: str, name: str, row: str) -> float:
	if doctype == "Payment Entry":
		return frappe.db.get_value(doctype, name, "source_exchange_rate") or 1
	return frappe.db.get_value("Journal Entry Account", row, "exchange_rate") or 1


def _settle_with_note(use: Use, invoice) -> None:
	note = frappe.db.get_value("Sales Invoice", use.source.name, INVOICE_FIELDS, as_dict=True)
	amount = float(use.amount)
	entry = frappe.get_doc(
		{
			"doctype": "Journal Entry",
			"voucher_type": "Credit Note",
			# The first day on which both stand in the books; Payment Reconciliation would take today's.
			"posting_date": max(invoice.posting_date, note.posting_date),
			"company": invoice.company,
			"multi_currency": int(invoice.currency != _company_currency(invoice.company)),
			"is_system_generated": 1,
			"accounts": [
				_side(invoice, invoice.conversion_rate, credit_in_account_currency=amount),
				_side(note, invoice.conversion_rate, debit_in_account_currency=amount),
			],
		}
	)
	entry.flags.ignore_mandatory = True
	entry.flags.ignore_exchange_rate = True
	entry.flags.skip_remarks_creation = True
	# Part of the bill, see invoices._submit.
	entry.flags.ignore_permissions = True
	entry.submit()
	_post_exchange_difference(use.amount, invoice, note)


def _side(document, rate: float, **amount: float) -> dict:
	return {
		"account": document.debit_to,
		"party_type": "Customer",
		"party": document.customer,
		"reference_type": "Sales Invoice",
		"reference_name": document.name,
		"cost_center": document.cost_center,
		"exchange_rate": rate,
		**amount,
	}


def _post_exchange_difference(amount: Decimal, invoice, note) -> None:
	"""Book what the account in a foreign currency gained or lost between the note's rate and the invoice's."""
	currency = _company_currency(invoice.company)
	if invoice.party_account_currency == currency:
		return
	rates = money(note.conversion_rate) - money(invoice.conversion_rate)
	difference = round_money(rates * amount, places_of(currency))
	if not difference:
		return
	sides = ("credit", "debit") if difference < 0 else ("debit", "credit")
	create_gain_loss_journal(
		invoice.company,
		max(invoice.posting_date, note.posting_date),
		"Customer",
		invoice.customer,
		invoice.debit_to,
		frappe.get_cached_value("Company", invoice.company, "exchange_gain_loss_account"),
		float(difference),
		*sides,
		"Sales Invoice",
		note.name,
		None,
		"Sales Invoice",
		invoice.name,
		None,
		invoice.cost_center,
		frappe._dict(),
	)


def _company_currency(company: str) -> str:
	return frappe.get_cached_value("Company", company, "default_currency")
