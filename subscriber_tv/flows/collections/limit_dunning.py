"""Keeps what is disputed out of ERPNext's dunning letters."""

from collections import defaultdict

import frappe
from frappe import _
from frappe.utils import flt, fmt_money, getdate

from subscriber_tv.core.collections.collectable import Collectable, Part
from subscriber_tv.core.money import ZERO, money
from subscriber_tv.flows.collections.invoice_facts import waiting_on
from subscriber_tv.flows.collections.payer_claims import claim_on


def limit_dunning(doc) -> None:
	"""Lower each row of a Dunning to what is not disputed of its instalment and drop the rows of which nothing is left.

	Invoices without an open dispute stay as ERPNext has them, so does credit on the account. ValidationError when
	nothing at all is left to remind of.
	"""
	named = {row.sales_invoice for row in doc.overdue_payments if row.sales_invoice}
	disputed = list(waiting_on(named))
	if not disputed:
		return
	left_out = {name: _limit(doc, name) for name in disputed}
	kept = [row for row in doc.overdue_payments if flt(row.outstanding) > 0]
	told = [_left_out(name, amount, doc.currency) for name, amount in left_out.items() if amount]
	if not told:
		return
	if not kept:
		frappe.throw(
			_("{0} Nothing is left to remind of: decide the dispute first.").format(" ".join(told)),
			title=_("In Dispute"),
		)
	doc.set("overdue_payments", kept)
	# Interest and totals of the rows that remain, by ERPNext's own rules.
	doc.validate_overdue_payments()
	doc.validate_totals()
	frappe.msgprint("<br>".join(told), title=_("In Dispute"), indicator="orange")


def _limit(doc, invoice: str):
	"""Lower the rows of one invoice; return by how much."""
	claim = claim_on(frappe.get_doc("Sales Invoice", invoice))
	rows = [row for row in doc.overdue_payments if row.sales_invoice == invoice]
	taken = ZERO
	# Instalments of one day share what may be asked for on it.
	left = _claimable(claim)
	for row in rows:
		day = getdate(row.due_date)
		asked = min(money(row.outstanding), left[day])
		left[day] -= asked
		taken += money(row.outstanding) - asked
		row.outstanding = float(asked)
	return taken


def _claimable(claim: Collectable) -> defaultdict:
	by_day = defaultdict(lambda: ZERO)
	for part in claim.parts:
		by_day[part.due] += _undisputed(part)
	return by_day


def _undisputed(part: Part):
	return part.outstanding - part.disputed


def _left_out(invoice: str, amount, currency: str) -> str:
	return _("{0} of invoice {1} is left out: it is in dispute or settled.").format(
		fmt_money(float(amount), currency=currency), frappe.bold(invoice)
	)
