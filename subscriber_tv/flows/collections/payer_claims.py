"""What may be asked of a payer today: his open invoices, their disputes, and the credit on his account."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import frappe
from frappe.query_builder.functions import Sum
from frappe.utils import getdate

from subscriber_tv.core.collections.collectable import Collectable, Instalment, Invoice
from subscriber_tv.core.collections.credit import collect
from subscriber_tv.core.collections.disputes import waiting
from subscriber_tv.core.money import ZERO, money, round_money
from subscriber_tv.flows.billing.facts import places_of
from subscriber_tv.flows.billing.use_credit import accounts_of
from subscriber_tv.flows.collections.invoice_facts import of_document, waiting_on

FIELDS = (
	"name",
	"currency",
	"party_account_currency",
	"conversion_rate",
	"outstanding_amount",
	"grand_total",
	"rounded_total",
	"due_date",
	"posting_date",
)


def claims_on(
	*, customer: str, company: str, account: str, today: date | None = None
) -> dict[str, Collectable]:
	"""The answer for each open invoice of one customer in one receivable account, by name.

	Amounts are in the currency of each invoice, VAT included. Credit is counted once, the oldest claims first; it is
	left out where the account is kept in another currency than an invoice.
	"""
	filters = {
		"docstatus": 1,
		"is_return": 0,
		"customer": customer,
		"company": company,
		"debit_to": account,
		"outstanding_amount": (">", 0),
	}
	rows = frappe.get_all("Sales Invoice", filters, FIELDS, order_by="due_date, name", limit=0)
	day = getdate(today)
	found: dict[str, Collectable] = {}
	for currency, invoices in _invoices(rows).items():
		in_account = rows[0].party_account_currency == currency
		credit = _credit(customer, company, account) if in_account else ZERO
		found |= collect(invoices, credit, day)
	return found


def claim_on(doc, today: date | None = None) -> Collectable:
	"""The answer for one submitted invoice; one that is settled has nothing outstanding."""
	claims = claims_on(customer=doc.customer, company=doc.company, account=doc.debit_to, today=today)
	settled = collect({doc.name: Invoice(ZERO, ())}, ZERO, getdate(today))
	return claims.get(doc.name) or settled[doc.name]


def _invoices(rows: Sequence[dict]) -> dict[str, dict[str, Invoice]]:
	"""The invoices as facts, by currency and name."""
	names = [row.name for row in rows]
	schedules = _schedules(names)
	waits = {name: _waits(name) for name in waiting_on(names)}
	found: dict[str, dict[str, Invoice]] = defaultdict(dict)
	for row in rows:
		places = places_of(row.currency)
		whole = Instalment(row.due_date or row.posting_date, money(row.rounded_total or row.grand_total))
		found[row.currency][row.name] = Invoice(
			outstanding=_in_its_currency(row, places),
			instalments=tuple(schedules.get(row.name) or [whole]),
			disputed=waits.get(row.name, ()),
			places=places,
		)
	return found


def _in_its_currency(row: dict, places: int) -> Decimal:
	"""ERPNext keeps what is outstanding in the currency of the receivable account."""
	outstanding = money(row.outstanding_amount)
	if row.party_account_currency in (None, row.currency):
		return outstanding
	return round_money(outstanding / money(row.conversion_rate), places)


def _schedules(invoices: Sequence[str]) -> dict[str, list[Instalment]]:
	found: dict[str, list[Instalment]] = defaultdict(list)
	filters = {"parenttype": "Sales Invoice", "parent": ("in", invoices or [""])}
	for row in frappe.get_all(
		"Payment Schedule", filters, ["parent", "due_date", "payment_amount"], order_by="parent, idx", limit=0
	):
		found[row.parent].append(Instalment(row.due_date, money(row.payment_amount)))
	return found


def _waits(invoice: str) -> tuple[Decimal, ...]:
	facts = of_document(frappe.get_doc("Sales Invoice", invoice))
	return tuple(waiting(facts.held, facts.rows, facts.places))


def _credit(customer: str, company: str, account: str) -> Decimal:
	"""Payments and credit notes on the account that settle no invoice yet, in the currency of the account."""
	accounts = accounts_of(frappe._dict(customer=customer, company=company, debit_to=account))
	entry = frappe.qb.DocType("Payment Ledger Entry")
	balance = Sum(entry.amount_in_account_currency)
	rows = (
		frappe.qb.from_(entry)
		.select(balance)
		.where((entry.party_type == "Customer") & (entry.party == customer) & (entry.company == company))
		.where(entry.account.isin(accounts) & (entry.delinked == 0))
		.groupby(entry.against_voucher_type, entry.against_voucher_no)
		.having(balance < 0)
		.run()
	)
	return -sum((money(row[0]) for row in rows), ZERO)
