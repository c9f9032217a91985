"""Checks of an invoice of ours, in the transaction that posts it: a refusal takes everything back.

ERPNext posts a row without tax, a row taxed twice and a row of zero without a word.
"""

import json
from collections.abc import Collection
from decimal import Decimal

import frappe
from frappe import _
from frappe.utils import flt
from frappe.utils.nestedset import get_ancestors_of

from subscriber_tv.core.money import money


def check_posted(doc, net: Decimal) -> None:
	"""Refuse a Sales Invoice of ours with another net total than was decided, a row of zero, or one that is taxed
	twice or by nothing."""
	if money(doc.net_total) != net:
		frappe.throw(
			_(
				"The invoice for {0} comes to {1} instead of {2}. Look for a discount or a rounding rule that touches it."
			).format(frappe.bold(doc.customer), doc.net_total, net),
			title=_("Other Amount Posted"),
		)
	for row in doc.items:
		if not flt(row.rate):
			frappe.throw(
				_("{0}: the amount of {1} is zero. Set a price in a new version of its offer.").format(
					row.tv_line, frappe.bold(row.item_code)
				),
				title=_("Zero Price"),
			)
		# A credit note mirrors the rows it gives back, whatever they were taxed by.
		if not doc.is_return:
			_check_tax(doc, row)


def without_address(customers: Collection[str]) -> dict[str, str]:
	"""Those of these customers whose invoice would show no address, each with the sentence that says so."""
	linked = {"link_doctype": "Customer", "link_name": ("in", list(customers)), "parenttype": "Address"}
	have = set(frappe.get_all("Dynamic Link", linked, pluck="link_name", distinct=True, limit=0))
	return {
		customer: _("Customer {0} has no address. Add one: it must stand on the invoice.").format(customer)
		for customer in customers
		if customer not in have
	}


def _check_tax(doc, row) -> None:
	_check_tax_category(doc, row)
	rates = json.loads(row.item_tax_rate or "{}")
	applied = [tax for tax in doc.taxes if tax.charge_type == "On Net Total"]
	taxed = [tax.account_head for tax in applied if flt(rates.get(tax.account_head, tax.rate))]
	if len(taxed) > 1:
		frappe.throw(
			_(
				"{0}: item {1} is taxed twice, by {2}. Its Item Tax Template must name every VAT account, the others with rate 0."
			).format(row.tv_line, frappe.bold(row.item_code), ", ".join(taxed)),
			title=_("Taxed Twice"),
		)
	# A template that names its accounts at rate 0 is an exemption somebody decided; no template is an omission.
	if not taxed and not row.item_tax_template:
		frappe.throw(
			_(
				"{0}: item {1} is not taxed. Give it an Item Tax Template, with rate 0 if it is exempt."
			).format(row.tv_line, frappe.bold(row.item_code)),
			title=_("Not Taxed"),
		)


def _check_tax_category(doc, row) -> None:
	"""ERPNext takes the rates of the sales tax master when none of the item's templates fits the customer's category."""
	if row.item_tax_template or not doc.tax_category:
		return
	groups = (row.item_group, *get_ancestors_of("Item Group", row.item_group)) if row.item_group else ()
	if frappe.db.exists("Item Tax", {"parent": ("in", (row.item_code, *groups))}):
		frappe.throw(
			_(
				"{0}: item {1} has no Item Tax Template for the tax category {2} of {3}. Add one to the item."
			).format(
				row.tv_line,
				frappe.bold(row.item_code),
				frappe.bold(doc.tax_category),
				frappe.bold(doc.customer),
			),
			title=_("Tax Category"),
		)
