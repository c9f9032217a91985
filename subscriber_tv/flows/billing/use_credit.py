"""Settles new invoices with what the payer has on his account: advances and credit notes, the oldest first.

Taken are unallocated Payment Entries, payments booked by Journal Entry that name no invoice, and credit notes left on
the account, in the company, the receivable account and the currency of the invoice. The caller holds the payer's lock;
each source is locked as well, because staff reconcile payments without that lock.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

import frappe
from frappe import _
from frappe.query_builder.functions import Sum
from frappe.utils import cint, strip_html
from rq.timeouts import JobTimeoutException

from subscriber_tv.core.billing.credit import Source, Use, allocate
from subscriber_tv.core.money import money
from subscriber_tv.flows.billing.lock import CONFLICTS, CreditMoved
from subscriber_tv.ledger.settlement import settle

SAVEPOINT = "tv_credit"
FIELDS = (
	"name",
	"customer",
	"company",
	"currency",
	"debit_to",
	"party_account_currency",
	"outstanding_amount",
)


def use_credit(invoices: Sequence[str], credit_notes: Sequence[str] = ()) -> tuple[str, ...]:
	"""Settle the submitted `invoices` of one payer; returns sentences on what could not be used.

	`credit_notes` are those just posted: what is more than was open on the invoice they correct pays that rest first.
	Without the switch in TV Settings only that happens. A failure leaves the invoices posted and the credit on the
	account. Conflicts with others are raised (`lock.CONFLICTS`): the unit runs again.
	"""
	frappe.db.savepoint(SAVEPOINT)
	try:
		for note in credit_notes:
			_settle_what_it_corrects(note)
		if invoices and cint(frappe.get_cached_doc("TV Settings").use_credit_first):
			_settle_new(invoices)
	except (*CONFLICTS, JobTimeoutException):
		raise
	except Exception as error:
		frappe.db.rollback(save_point=SAVEPOINT)
		return (_note_failure(error, (*invoices, *credit_notes)),)
	return ()


def _note_failure(error: Exception, invoices: Sequence[str]) -> str:
	frappe.clear_messages()
	if not isinstance(error, frappe.ValidationError):
		frappe.log_error(
			title="Credit not used", reference_doctype="Sales Invoice", reference_name=invoices[0]
		)
	return _(
		"The credit on the account was not used for {0}: {1} Settle it with Payment Reconciliation."
	).format(", ".join(invoices), strip_html(str(error)).strip() or type(error).__name__)


def _settle_what_it_corrects(credit_note: str) -> None:
	"""A credit above what was open stays on the account as a whole, and the rest of its invoice stays open."""
	original = frappe.db.get_value("Sales Invoice", credit_note, "return_against")
	document = _document(original)
	source = _note(credit_note, document.currency)
	if source and document.outstanding_amount > 0:
		_apply(allocate([(original, money(document.outstanding_amount))], [source]))


def _settle_new(invoices: Sequence[str]) -> None:
	"""Invoices of one currency and account share the sources."""
	accounts: dict[tuple, list] = {}
	for document in map(_document, invoices):
		# An account in another currency holds amounts that were not paid in that of the invoice.
		if document.currency == document.party_account_currency and document.outstanding_amount > 0:
			accounts.setdefault((document.debit_to, document.currency), []).append(document)
	for documents in accounts.values():
		opens = [(document.name, money(document.outstanding_amount)) for document in documents]
		_apply(allocate(opens, list(_sources(documents[0]))))


def _apply(uses: Sequence[Use]) -> None:
	left: dict[Source, Decimal] = {}
	for use in uses:
		rest = left.get(use.source, use.source.amount)
		settle(Use(_with_rest(use.source, rest), use.invoice, use.amount))
		left[use.source] = rest - use.amount


def _with_rest(source: Source, rest: Decimal) -> Source:
	row = source.row
	if source.doctype == "Journal Entry" and rest != source.amount:
		# ERPNext splits the row of a Journal Entry: the rest is another row now.
		row = next((found.row for found in _journal_rows(source.name) if found.amount == rest), row)
	return Source(source.doctype, source.name, source.day, rest, row)


def _document(name: str):
	return frappe.db.get_value("Sales Invoice", name, FIELDS, as_dict=True)


def _sources(document) -> Iterator[Source]:
	"""What the payer has on the account of `document`, each locked and read anew."""
	for doctype, name in _positions(document):
		if doctype == "Payment Entry":
			source = _payment(name, document.currency)
			yield from (source,) if source else ()
		elif doctype == "Sales Invoice":
			source = _note(name, document.currency)
			yield from (source,) if source else ()
		else:
			yield from _journal(name, document)


def _positions(document) -> list[tuple[str, str]]:
	"""Vouchers with more paid or credited than used, by the payment ledger: one indexed read of the payer's entries."""
	entry = frappe.qb.DocType("Payment Ledger Entry")
	return (
		frappe.qb.from_(entry)
		.select(entry.against_voucher_type, entry.against_voucher_no)
		.where((entry.party_type == "Customer") & (entry.party == document.customer))
		.where((entry.company == document.company) & (entry.delinked == 0))
		.where(entry.account.isin(accounts_of(document)) & (entry.account_currency == document.currency))
		.where(entry.against_voucher_type.isin(("Payment Entry", "Journal Entry", "Sales Invoice")))
		.groupby(entry.against_voucher_type, entry.against_voucher_no)
		.having(Sum(entry.amount_in_account_currency) < 0)
		.run()
	)


def accounts_of(document) -> tuple[str, ...]:
	"""The receivable account, and that of advances where the company books them apart; `document` names the payer."""
	company = frappe.get_cached_doc("Company", document.company)
	if not company.book_advance_payments_in_separate_party_account:
		return (document.debit_to,)
	from erpnext.accounts.party import get_party_account

	accounts = get_party_account("Customer", document.customer, document.company, include_advance=True)
	return (document.debit_to, *filter(None, accounts[1:]))


def _locked(doctype: str, filters: dict | str, fields: tuple[str, ...]) -> dict | None:
	"""One record, locked. CreditMoved when someone changed it since this transaction began to read."""
	row = frappe.db.get_value(doctype, filters, fields, as_dict=True, for_update=True)
	if row != frappe.db.get_value(doctype, filters, fields, as_dict=True):
		raise CreditMoved(_("{0} {1} is being used by somebody else. Try again.").format(_(doctype), filters))
	return row


def _payment(name: str, currency: str) -> Source | None:
	fields = ("docstatus", "posting_date", "unallocated_amount", "paid_from_account_currency", "payment_type")
	row = _locked("Payment Entry", name, fields)
	if row.docstatus != 1 or row.payment_type != "Receive" or row.paid_from_account_currency != currency:
		return None
	return _source("Payment Entry", name, row.posting_date, row.unallocated_amount)


def _note(name: str, currency: str) -> Source | None:
	row = _locked(
		"Sales Invoice", name, ("docstatus", "is_return", "posting_date", "outstanding_amount", "currency")
	)
	if row.docstatus != 1 or not row.is_return or row.currency != currency:
		return None
	return _source("Sales Invoice", name, row.posting_date, -row.outstanding_amount)


def _source(doctype: str, name: str, day, amount: float) -> Source | None:
	return Source(doctype, name, day, money(amount)) if amount > 0 else None


def _journal(name: str, document) -> Iterator[Source]:
	"""The rows of a Journal Entry that credit the payer and name no document."""
	if _locked("Journal Entry", name, ("docstatus", "modified")).docstatus != 1:
		return
	for row in _journal_rows(name):
		place = frappe.db.get_value(
			"Journal Entry Account", row.row, ("account", "party", "account_currency"), as_dict=True
		)
		if (place.account, place.party) == (document.debit_to, document.customer):
			yield row


def _journal_rows(name: str) -> list[Source]:
	entry, row = frappe.qb.DocType("Journal Entry"), frappe.qb.DocType("Journal Entry Account")
	found = (
		frappe.qb.from_(row)
		.join(entry)
		.on(row.parent == entry.name)
		.select(row.name, entry.posting_date, row.credit_in_account_currency, row.debit_in_account_currency)
		.where((row.parent == name) & (row.reference_type.isnull() | (row.reference_type == "")))
		.where(
			(row.party_type == "Customer") & (row.credit_in_account_currency > row.debit_in_account_currency)
		)
		.orderby(row.idx)
		.run()
	)
	return [
		Source("Journal Entry", name, day, money(credit) - money(debit), row=row)
		for row, day, credit, debit in found
	]
