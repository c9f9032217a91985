"""Who may bind the operator to the terms of a quotation: sales within their limits, Back Office and Billing beyond."""

import frappe
from frappe import _
from frappe.utils import cint, flt

from subscriber_tv.core.contracts.sales_limits import Excess, NegotiatedPrice, beyond
from subscriber_tv.core.money import money
from subscriber_tv.flows.contracts.sales_limits import keeps_terms, limits, refuse
from subscriber_tv.flows.quotes.offered import negotiated_charge


def approve_terms(doc) -> None:
	"""Before a Quotation is submitted: refuse terms beyond the user's limits, or note who agreed to them.

	Errors: BeyondLimits naming the quotation, what goes too far, and who may submit it.
	"""
	doc.tv_approved_by = None
	excesses = excesses_of(doc)
	if not excesses:
		return
	if not keeps_terms():
		refuse(_named(doc), excesses, _("Only these roles may submit it: {0}."))
	doc.tv_approved_by = frappe.session.user


def require_approved(doc) -> None:
	"""Before a submitted Quotation becomes a contract: terms beyond the limits need somebody who agreed to them.

	One that was submitted while no limit was set, or a wider one, was agreed to by nobody. Errors: BeyondLimits.
	"""
	if not doc.get("tv_approved_by") and not keeps_terms():
		refuse(_named(doc), excesses_of(doc), _("Only these roles may make a contract of it: {0}."))


def excesses_of(doc) -> tuple[Excess, ...]:
	"""What of a Quotation goes beyond the limits of sales; empty while TV Settings sets none."""
	found = limits()
	if found is None:
		return ()
	return beyond(
		found,
		percent=money(flt(doc.tv_discount_percent)),
		trial_days=cint(doc.tv_trial_days),
		prices=_prices(doc),
	)


def _prices(doc) -> list[NegotiatedPrice]:
	charges = [(row, negotiated_charge(row)) for row in doc.tv_lines]
	return [
		NegotiatedPrice(row.idx, money(charge.unit_price), money(row.negotiated_price))
		for row, charge in charges
		if charge
	]


def _named(doc) -> str:
	return _("Quotation {0}").format(frappe.bold(doc.name))
