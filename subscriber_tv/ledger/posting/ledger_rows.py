"""Posts an invoice to GL Entry and Payment Ledger Entry: ERPNext's own entries and checks, one INSERT a table."""

import frappe
from erpnext.accounts import general_ledger
from erpnext.accounts.doctype.accounting_dimension_filter.accounting_dimension_filter import (
	get_dimension_filter_map,
)
from erpnext.accounts.doctype.budget.budget import validate_expense_against_budget
from erpnext.accounts.utils import get_payment_ledger_entries, update_voucher_outstanding
from frappe.utils import flt

from subscriber_tv.ledger.posting.entries import Links, links_of, post_entries

# The outstanding amount of an invoice that nothing was paid on is what the invoice says of itself.
FLAGS = {"ignore_permissions": 1, "adv_adj": False, "update_outstanding": "No", "from_repost": False}


def post_ledger(invoice) -> None:
	"""What `SalesInvoice.make_gl_entries` posts for an invoice that nothing has been paid on yet."""
	gl_map = invoice.get_gl_entries()
	general_ledger.make_acc_dimensions_offsetting_entry(gl_map)
	general_ledger.validate_accounting_period(gl_map)
	general_ledger.validate_disabled_accounts(gl_map)
	gl_map = _processed(gl_map)
	# The invoice was inserted in this transaction, and Frappe has looked up what it and its rows name.
	known = {("Sales Invoice", invoice.name)}.union(*map(links_of, (invoice, *invoice.items)))
	payable = get_payment_ledger_entries(gl_map)
	post_entries("Payment Ledger Entry", payable, FLAGS, known)
	for entry in payable:
		_agree_on_outstanding(invoice, entry)
	_post_general_ledger(gl_map, known)


def _agree_on_outstanding(invoice, entry: dict) -> None:
	"""What is open in the ledger stands on the invoice already, unless its account is in a currency of its own."""
	places = invoice.precision("outstanding_amount")
	if flt(entry.amount_in_account_currency, places) != flt(invoice.outstanding_amount, places):
		update_voucher_outstanding(
			invoice.doctype, invoice.name, entry.account, entry.party_type, entry.party
		)


def _post_general_ledger(gl_map: list[dict], known: Links) -> None:
	general_ledger.process_debit_credit_difference(gl_map)
	allowed = get_dimension_filter_map()
	posting_date, company = gl_map[0].posting_date, gl_map[0].company
	general_ledger.check_freezing_date(posting_date, False)
	general_ledger.validate_against_pcv(False, posting_date, company)
	for entry in gl_map:
		general_ledger.validate_allowed_dimensions(entry, allowed)
	post_entries("GL Entry", gl_map, FLAGS, known)
	for entry in gl_map if _rows_in("Budget") else ():
		validate_expense_against_budget(entry)


def _processed(gl_map: list[dict]) -> list[dict]:
	"""`process_gl_map` without merging; its first half asks of each entry what one question answers for all."""
	if _rows_in("Budget") or _rows_in("Cost Center Allocation"):
		return general_ledger.process_gl_map(gl_map, merge_entries=False)
	return general_ledger.toggle_debit_credit_if_negative(gl_map)


def _rows_in(doctype: str) -> bool:
	return bool(frappe.db.get_value(doctype, {}, "name", order_by=None))
