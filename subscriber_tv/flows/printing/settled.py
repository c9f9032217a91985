"""How far an invoice is settled, or a credit note used, by the payment ledger."""

from collections.abc import Iterator
from decimal import Decimal

import frappe
from frappe.utils import flt

from subscriber_tv.core.money import money

Settled = tuple[str, str, object, Decimal]
"""Text with one placeholder, name of the voucher, day, amount; positive, in the currency of the document."""


def _(text: str) -> str:
	"""Marks a text; it is translated into the language of the document."""
	return text


PAYMENT = _("Payment {0}")
CREDIT_NOTE = _("Credit note {0}")
INVOICE = _("Used for invoice {0}")
ENTRY = _("Booking {0}")


def settled_by(doc) -> list[Settled]:
	"""What others have paid or credited on this document, or what a credit note has paid, oldest first."""
	entry = frappe.qb.DocType("Payment Ledger Entry")
	rows = (
		frappe.qb.from_(entry)
		.select(
			entry.voucher_type,
			entry.voucher_no,
			entry.posting_date,
			entry.amount,
			entry.amount_in_account_currency,
		)
		.where(
			(entry.against_voucher_no == doc.name) & (entry.voucher_no != doc.name) & (entry.delinked == 0)
		)
		.where((entry.against_voucher_type == "Sales Invoice") & (entry.party == doc.customer))
		.orderby(entry.posting_date)
		.orderby(entry.creation)
		.run(as_dict=True)
	)
	found = [_settled(doc, row) for row in rows]
	if doc.is_return and not doc.update_outstanding_for_self and doc.return_against:
		# Posted straight against the invoice: nothing of it was ever on the account.
		found += [
			(INVOICE, doc.return_against, doc.posting_date, abs(money(doc.rounded_total or doc.grand_total)))
		]
	return found


def _settled(doc, row) -> Settled:
	amount = row.amount_in_account_currency
	if doc.party_account_currency != doc.currency:
		amount = flt(row.amount / (doc.conversion_rate or 1), 2)
	text, name = _voucher(doc, row)
	return (text, name, row.posting_date, abs(money(amount)))


def _voucher(doc, row) -> tuple[str, str]:
	if row.voucher_type == "Payment Entry":
		return PAYMENT, row.voucher_no
	if row.voucher_type == "Sales Invoice":
		return CREDIT_NOTE, row.voucher_no
	if other := next(_other_side(row.voucher_no, doc.name), None):
		return (INVOICE if doc.is_return else CREDIT_NOTE), other
	return ENTRY, row.voucher_no


def _other_side(entry: str, document: str) -> Iterator[str]:
	"""The document that a Journal Entry of type Credit Note moves the amount to or from."""
	if frappe.db.get_value("Journal Entry", entry, "voucher_type") != "Credit Note":
		return
	yield from frappe.get_all(
		"Journal Entry Account",
		{"parent": entry, "reference_type": "Sales Invoice", "reference_name": ("!=", document)},
		pluck="reference_name",
		order_by="idx",
	)
