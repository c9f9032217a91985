"""Reads an invoice as the core sees it: its rows, what was given back on them, what is disputed of them."""

import json
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

import frappe
from frappe import _

from subscriber_tv.core.collections.disputes import WAITING, Claimed, Row, with_taxes
from subscriber_tv.core.money import ZERO, money
from subscriber_tv.flows.billing.facts import places_of
from subscriber_tv.flows.billing.returns import returns_of


@dataclass(frozen=True)
class InvoiceFacts:
	"""A submitted Sales Invoice, its rows as the core sees them, and what open disputes hold of them."""

	doc: object
	rows: tuple[Row, ...]
	held: tuple[Claimed, ...]
	places: int


def lock(invoice: str) -> None:
	"""Wait for whoever credits or cancels this invoice just now, and keep others from it until the transaction ends.

	First statement after the payer's lock: what is read afterwards includes what they wrote.
	"""
	frappe.db.get_value("Sales Invoice", invoice, "name", for_update=True)


def load(invoice: str) -> InvoiceFacts:
	"""Read a submitted invoice; call `lock` before anything is decided from it.

	ValidationError for a draft, a cancelled invoice or a credit note: only what was asked of a payer can be disputed.
	"""
	if not frappe.db.exists("Sales Invoice", invoice):
		frappe.throw(_("There is no invoice {0}.").format(invoice), frappe.DoesNotExistError)
	doc = frappe.get_doc("Sales Invoice", invoice)
	if doc.docstatus != 1 or doc.is_return:
		frappe.throw(
			_(
				"{0} is not a submitted invoice: only its rows can be disputed. Open the invoice the payer was sent."
			).format(frappe.bold(invoice)),
			title=_("Not an Invoice"),
		)
	return of_document(doc)


def of_document(doc) -> InvoiceFacts:
	"""The same for an invoice at hand."""
	places = places_of(doc.currency)
	held = waiting_on([doc.name])[doc.name]
	return InvoiceFacts(doc, _rows(doc, held, places), held, places)


def waiting_on(invoices: Collection[str]) -> dict[str, tuple[Claimed, ...]]:
	"""What open disputes hold of the rows of these invoices; an empty tuple for the others."""
	line, dispute = frappe.qb.DocType("TV Dispute Line"), frappe.qb.DocType("TV Dispute")
	held: dict[str, tuple[Claimed, ...]] = defaultdict(tuple)
	if not invoices:
		return held
	rows = (
		frappe.qb.from_(line)
		.join(dispute)
		.on(line.parent == dispute.name)
		.select(dispute.invoice, line.invoice_row, line.amount, line.amount_with_tax)
		.where(dispute.invoice.isin(list(invoices)) & dispute.state.isin(WAITING))
		.orderby(dispute.name, line.idx)
		.run()
	)
	for invoice, row, amount, with_tax in rows:
		held[invoice] += (Claimed(row, money(amount), money(with_tax)),)
	return held


def total_of(doc) -> Decimal:
	"""What the invoice asked for, taxes included, in its currency."""
	return money(doc.rounded_total or doc.grand_total)


def _rows(doc, held: tuple[Claimed, ...], places: int) -> tuple[Row, ...]:
	nets = [money(row.net_amount) for row in doc.items]
	gross = with_taxes(
		[(net, _tax_rate(doc, row)) for net, row in zip(nets, doc.items, strict=True)], total_of(doc), places
	)
	returned = returns_of([doc.name])
	returned.share_loose(
		[(row.name, doc.name, row.item_code, net) for row, net in zip(doc.items, nets, strict=True)]
	)
	return tuple(
		Row(
			name=row.name,
			billed=net,
			corrected=returned.corrected(row.name),
			conceded=returned.concessions[row.name],
			disputed=sum((part.amount for part in held if part.row == row.name), ZERO),
			with_tax=with_tax,
		)
		for row, net, with_tax in zip(doc.items, nets, gross, strict=True)
	)


def _tax_rate(doc, row) -> Decimal:
	"""Percent by which the rated taxes of the invoice raise a row."""
	own = json.loads(row.item_tax_rate or "{}")
	rated = [tax for tax in doc.taxes if tax.charge_type == "On Net Total"]
	return sum((money(own.get(tax.account_head, tax.rate)) for tax in rated), ZERO)
