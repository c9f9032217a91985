"""What an invoice takes from its customer, as ERPNext's own form does: his language, his taxes."""

from datetime import date

import frappe
from erpnext.accounts.party import _get_party_details
from frappe import _


def language_of(customer: str) -> str:
	"""The language the customer reads: his own, else that of the site."""
	own = frappe.get_cached_value("Customer", customer, "language")
	return own or frappe.get_system_settings("language") or "en"


def tax_template(company: str, customer: str | None = None, posting_date: date | None = None) -> str:
	"""The Sales Taxes and Charges Template of an invoice: by ERPNext's Tax Rule, else the company's default.

	A rule may look at the customer, his group, tax category and addresses. ValidationError when no rule fits and the
	company has no default.
	"""
	name = _by_rule(company, customer, posting_date) or frappe.db.get_value(
		"Sales Taxes and Charges Template", {"company": company, "is_default": 1, "disabled": 0}, "name"
	)
	if not name:
		frappe.throw(
			_(
				"Company {0} has no default Sales Taxes and Charges Template. Mark one as default, with a row per VAT account."
			).format(frappe.bold(company)),
			title=_("Tax Template Missing"),
		)
	return name


def _by_rule(company: str, customer: str | None, posting_date: date | None) -> str | None:
	# Most sites have no rule; then the customer's details need not be read a second time.
	if not customer or not frappe.db.exists("Tax Rule", {"tax_type": "Sales"}):
		return None
	details = _get_party_details(
		customer,
		party_type="Customer",
		company=company,
		posting_date=posting_date,
		doctype="Sales Invoice",
		# The bill is written for whoever may start a bill run.
		ignore_permissions=True,
	)
	return details.get("taxes_and_charges")
