"""The only maker of Sales Invoices and of our credit notes.

An invoice is inserted and submitted in one transaction (a draft would take a number and keep it), as an ordinary
ERPNext document: an accountant meets nothing new. Each row is posted qty 1 and rate = the amount the core rounded;
units, price and days stand in `tv_facts`. A correction is a standard return whose row has qty 0 and rate = the amount:
it posts minus the rate and takes any number of partial credits of one row.

The caller holds the payer's lock, commits, and has checked who may bill.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import frappe
from erpnext.controllers.accounts_controller import get_taxes_and_charges
from frappe import _
from frappe.utils import formatdate

from subscriber_tv.core.billing.bill import Charge, Credit
from subscriber_tv.core.billing.periods import Span
from subscriber_tv.core.billing.price import (
	CONCESSION,
	CORRECTION,
	DEPOSIT,
	MINIMUM,
	ONE_DAY,
	ONE_OFF,
	PER_UNIT,
	RECURRING,
	USAGE,
)
from subscriber_tv.core.money import money, plain
from subscriber_tv.ledger.deferral import stop_deferral
from subscriber_tv.ledger.invoice_guard import check_posted
from subscriber_tv.ledger.party import language_of, tax_template
from subscriber_tv.ledger.posting.memory import remembering
from subscriber_tv.ledger.posting.post import post

DIMENSIONS = ("tv_offer", "customer_group", "territory")
"""Row fields of the accounting dimensions, set where the site has them."""

TAX_MASTER = "Sales Taxes and Charges Template"

DEFERRED = (RECURRING, MINIMUM)
"""Kinds of rows that may be income of days to come: what was used is over, and a deposit is never income."""


@dataclass(frozen=True)
class Order:
	"""Who is invoiced by whom, when, and by which run; `series` is the writer's own naming series.

	`mode_of_payment` and `po_no` are those of the contracts on the invoice.
	"""

	customer: str
	company: str
	currency: str
	posting_date: date
	bill_run: str | None = None
	series: str | None = None
	mode_of_payment: str = ""
	po_no: str = ""

	@property
	def language(self) -> str:
		"""What the payer reads."""
		return language_of(self.customer)


@dataclass(frozen=True)
class Posted:
	"""A submitted document; `net` is signed, in the currency of the company."""

	name: str
	net: Decimal


def post_invoice(order: Order, charges: Sequence[Charge]) -> Posted:
	"""Submit one Sales Invoice with a row a charge, in the given order.

	Raises ValidationError naming the record and the next step: payment terms, tax template or price missing, a row
	taxed twice or not at all, and whatever ERPNext itself refuses.
	"""
	template = tax_template(order.company, order.customer, order.posting_date)
	doc = _new_document(order)
	doc.payment_terms_template = _payment_terms(order)
	doc.taxes_and_charges = template
	doc.set("taxes", _taxes_of(template))
	contracts = _contracts({charge.subscription for charge in charges})
	for charge in charges:
		doc.append("items", _charge_row(order, charge, contracts[charge.subscription]))
	return _submit(doc, sum(charge.amount for charge in charges))


def post_credit_note(order: Order, invoice: str, credits: Sequence[Credit]) -> Posted:
	"""Submit one standard return of `invoice` that corrects its rows by the given credits.

	While the invoice is unpaid the credit lowers its outstanding amount; a paid one leaves the credit on the
	account, for standard Payment Reconciliation.
	"""
	original = frappe.get_doc("Sales Invoice", invoice)
	rows = {row.name: row for row in original.items}
	doc = _return_of(order, original)
	returned = _returned_rows(invoice)
	for credit in credits:
		row = _credit_row(credit, rows[credit.row.name], credit.row.name not in returned)
		row["description"] = _credit_description(credit, rows[credit.row.name], order.language)
		doc.append("items", row)
	posted = _submit(doc, -sum(credit.amount for credit in credits))
	for credit in credits:
		stop_deferral(rows[credit.row.name], credit.row.standing, credit.span)
	return posted


def post_concession(
	order: Order, invoice: str, amounts: Mapping[str, Decimal], *, reason: str, dispute: str
) -> Posted:
	"""Submit one standard return of `invoice` that gives back `amounts` by row name, each above zero and net.

	It takes no days back: a bill never charges it again and a deferred row goes on to its end, as with the credit note
	anybody may make by hand. The caller has seen to it that as much is left on each row.
	"""
	original = frappe.get_doc("Sales Invoice", invoice)
	rows = {row.name: row for row in original.items}
	doc = _return_of(order, original)
	doc.tv_dispute = dispute
	returned = _returned_rows(invoice)
	for name, amount in amounts.items():
		row = {
			**_returned_row(rows[name], amount, name not in returned),
			"description": f"{reason}: {rows[name].description}",
			"tv_subscription": rows[name].tv_subscription,
			"tv_kind": CONCESSION,
		}
		doc.append("items", row)
	return _submit(doc, -sum(amounts.values()))


def _return_of(order: Order, original):
	"""A return of an invoice with its taxes and still without rows."""
	doc = _new_document(order)
	doc.update(
		{
			"is_return": 1,
			"return_against": original.name,
			"customer": original.customer,
			"debit_to": original.debit_to,
			"conversion_rate": original.conversion_rate,
			"taxes_and_charges": original.taxes_and_charges,
			"tax_category": original.tax_category,
			"po_no": original.po_no,
			"tv_mode_of_payment": original.get("tv_mode_of_payment"),
			"update_outstanding_for_self": 0,
		}
	)
	for tax in original.taxes:
		doc.append("taxes", _tax_row(tax))
	return doc


def _new_document(order: Order):
	doc = frappe.new_doc("Sales Invoice")
	doc.update(
		{
			"customer": order.customer,
			"company": order.company,
			"currency": order.currency,
			"posting_date": order.posting_date,
			"set_posting_time": 1,
			"naming_series": order.series or doc.naming_series,
			"ignore_pricing_rule": 1,
			"update_stock": 0,
			"cost_center": frappe.get_cached_value("Company", order.company, "cost_center"),
			"tv_bill_run": order.bill_run,
			"tv_mode_of_payment": order.mode_of_payment or None,
			"po_no": order.po_no or None,
			"language": order.language,
		}
	)
	return doc


def _submit(doc, net: Decimal) -> Posted:
	"""Post the document; `net` is what was decided, and nothing else may be posted."""
	# A bill is written for whoever may start a bill run; the endpoint or the run document has checked that.
	doc.flags.ignore_permissions = True
	# What was invoiced before was looked at under the payer's lock.
	doc.flags.decided = True
	post(doc)
	check_posted(doc, net)
	return Posted(doc.name, money(doc.base_net_total))


def _payment_terms(order: Order) -> str:
	"""Terms of the customer, else of TV Settings, else of the company: without any ERPNext calls it late at once."""
	terms = (
		frappe.get_cached_value("Customer", order.customer, "payment_terms")
		or frappe.get_cached_doc("TV Settings").default_payment_terms
		or frappe.get_cached_value("Company", order.company, "payment_terms")
	)
	if not terms:
		frappe.throw(
			_("Customer {0} has no payment terms. Set payment terms of invoices in TV Settings.").format(
				frappe.bold(order.customer)
			),
			title=_("Payment Terms Missing"),
		)
	return terms


def _taxes_of(template: str) -> list[dict]:
	"""The rows of a Sales Taxes and Charges Template, as ERPNext copies them to an invoice."""
	tables = frozenset((TAX_MASTER,))
	with remembering() as memory:
		rows = memory.recall(("taxes", template), tables, lambda: get_taxes_and_charges(TAX_MASTER, template))
	return [row.copy() for row in rows]


def _contracts(names: set[str]) -> dict[str, dict]:
	"""Site, segment and sector of each subscription, for the text and the accounting dimensions of its rows."""
	subscription, site = frappe.qb.DocType("TV Subscription"), frappe.qb.DocType("TV Site")
	rows = (
		frappe.qb.from_(subscription)
		.left_join(site)
		.on(subscription.site == site.name)
		.select(subscription.name, site.site_name, site.segment, site.territory)
		.where(subscription.name.isin(list(names)))
		.run(as_dict=True)
	)
	return {row.name: row for row in rows}


def _charge_row(order: Order, charge: Charge, contract: dict) -> dict:
	item = frappe.get_cached_doc("Item", charge.price.item)
	price = charge.price
	row = {
		"item_code": price.item,
		"qty": 1,
		**_rate(charge.amount),
		"description": _description(charge, contract, price.description or item.item_name, order.language),
		**_period_fields(charge.subscription, charge.claim),
		"tv_facts": json.dumps(price.snapshot(charge.span), sort_keys=True),
		**_deferral(item, charge, order.posting_date),
	}
	values = {
		"tv_offer": frappe.get_cached_value("TV Offer Version", price.offer_version, "offer"),
		"customer_group": contract.segment,
		"territory": contract.territory,
	}
	return row | {field: values[field] for field in DIMENSIONS if _has_dimension(field)}


def _period_fields(subscription: str, claim) -> dict:
	return {
		"tv_subscription": subscription,
		"tv_line": claim.line,
		"tv_from": claim.start,
		"tv_to": claim.end,
		"tv_kind": claim.kind,
		"tv_revision": claim.revision,
	}


def _deferral(item, charge: Charge, posting_date: date) -> dict:
	"""Service dates of a deferred row, the last day included.

	ERPNext refuses a row whose service is over at the posting date; such a row is income at once.
	"""
	last_day = charge.span.end - ONE_DAY
	if not item.enable_deferred_revenue or charge.claim.kind not in DEFERRED or last_day < posting_date:
		return {"enable_deferred_revenue": 0}
	return {
		"enable_deferred_revenue": 1,
		"service_start_date": charge.span.start,
		"service_end_date": last_day,
	}


def _description(charge: Charge, contract: dict, text: str, language: str) -> str:
	"""What the payer reads on the row, in his language and not in that of whoever runs the bill."""
	days = formatdate(charge.span.start)
	if charge.claim.kind not in (ONE_OFF, DEPOSIT):
		days = _("{0} to {1}", language).format(days, formatdate(charge.span.end - ONE_DAY))
	price = charge.price
	counted = charge.claim.kind == USAGE or price.model == PER_UNIT
	units = f"{plain(money(price.quantity))} × " if counted and price.quantity != 1 else ""
	# An operator may keep French and English names of his offers as Translations.
	text = _(text, language)
	if price.already:
		days = _("{0}, less what was billed before", language).format(days)
	return f"{units}{text}, {contract.site_name or charge.subscription}, {days}"


def _credit_description(credit: Credit, original, language: str) -> str:
	if credit.row.kind == DEPOSIT:
		return _("Deposit given back: {0}", language).format(original.description)
	return _("Credit for {0} to {1}: {2}", language).format(
		formatdate(credit.span.start), formatdate(credit.span.end - ONE_DAY), original.description
	)


def _tax_row(tax) -> dict:
	return {
		"charge_type": tax.charge_type,
		"account_head": tax.account_head,
		"description": tax.description,
		"rate": tax.rate,
		"cost_center": tax.cost_center,
		"row_id": tax.row_id,
		"included_in_print_rate": tax.included_in_print_rate,
	}


def _returned_rows(invoice: str) -> set[str]:
	"""Rows of the invoice that a standard credit note has returned by quantity.

	ERPNext takes no further return that names such a row, even when only a part of its amount was given back: the
	correction then names it in `tv_corrects` alone.
	"""
	item, parent = frappe.qb.DocType("Sales Invoice Item"), frappe.qb.DocType("Sales Invoice")
	rows = (
		frappe.qb.from_(item)
		.join(parent)
		.on(item.parent == parent.name)
		.select(item.sales_invoice_item)
		.where((parent.return_against == invoice) & (parent.docstatus == 1) & (item.qty != 0))
		.run()
	)
	return {row[0] for row in rows}


def _credit_row(credit: Credit, original, link: bool) -> dict:
	span: Span = credit.span
	return {
		**_returned_row(original, credit.amount, link),
		**_period_fields(credit.row.subscription, credit.claim),
		"tv_kind": CORRECTION,
		"tv_facts": json.dumps(credit.row.price.snapshot(span), sort_keys=True),
	}


def _returned_row(original, amount: Decimal, link: bool) -> dict:
	"""A row that gives back `amount` of the original, booked and taxed as that was."""
	row = {
		"item_code": original.item_code,
		"item_name": original.item_name,
		"qty": 0,
		"uom": original.uom,
		"conversion_factor": original.conversion_factor,
		**_rate(amount),
		"income_account": original.income_account,
		"cost_center": original.cost_center,
		"item_tax_template": original.item_tax_template,
		"enable_deferred_revenue": 0,
		"sales_invoice_item": original.name if link else None,
		"tv_corrects": original.name,
	}
	return row | {field: original.get(field) for field in DIMENSIONS if _has_dimension(field)}


def _rate(amount: Decimal) -> dict:
	"""The amount of a row as its rate and as its list price.

	An Item Price that happens to exist would make a margin or a discount of the difference, and a credit note made of
	the invoice by hand would then be refused or posted with another rate than was typed.
	"""
	return {"rate": float(amount), "price_list_rate": float(amount)}


def _has_dimension(field: str) -> bool:
	return frappe.get_meta("Sales Invoice Item").has_field(field)
