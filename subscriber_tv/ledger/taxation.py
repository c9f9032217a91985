"""How ERPNext will tax a row before it is posted: the rates it will choose and the way the site rounds them.

Only taxes on the net total are known here: those of a pay-TV invoice. A charge of another kind in the master
(an actual amount, a tax on a tax) is none of ours.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

import frappe
from erpnext.accounts.party import get_address_tax_category, get_party_shipping_address
from erpnext.stock.get_item_details import get_item_tax_map, get_item_tax_template
from frappe.contacts.doctype.address.address import get_default_address
from frappe.model.meta import get_field_precision

from subscriber_tv.core.billing.tax import TaxRounding
from subscriber_tv.core.money import money
from subscriber_tv.ledger.party import tax_template

Rates = tuple[tuple[str, Decimal], ...]

ON_NET_TOTAL = "On Net Total"


def rounding_of_site() -> TaxRounding:
	"""By row or on the total, the decimals and the method, as Accounts Settings and System Settings say.

	The decimals are one for all currencies of the site, those of a tax amount in ERPNext.
	"""
	field = frappe.get_meta("Sales Taxes and Charges").get_field("tax_amount")
	return TaxRounding(
		by_row=bool(frappe.db.get_single_value("Accounts Settings", "round_row_wise_tax")),
		places=int(get_field_precision(field)),
		method=frappe.get_system_settings("rounding_method"),
	)


def category_of(customer: str) -> str:
	"""The tax category an invoice of this customer gets: that of an address, else of the customer; may be empty."""
	return get_address_tax_category(
		frappe.get_cached_value("Customer", customer, "tax_category"),
		get_default_address("Customer", customer),
		get_party_shipping_address("Customer", customer),
	)


def rates_of_items(
	items: Iterable[str], *, customer: str, company: str, posting_date: date
) -> dict[str, Rates]:
	"""The percents by account that new rows of these items are taxed with on an invoice of `customer`, by item; "" is nobody yet.

	ValidationError when there is no Sales Taxes and Charges Template for him.
	"""
	master = tax_template(company, customer, posting_date)
	category = category_of(customer) if customer else ""
	return {item: rates_of_item(item, company, category, posting_date, master) for item in items}


def rates_of_item(item: str, company: str, category: str, posting_date: date, master: str) -> Rates:
	"""The percents by account of one item under a tax category and a Sales Taxes and Charges Template."""
	taxes = frappe.get_cached_doc("Sales Taxes and Charges Template", master).taxes
	return _rates(taxes, _by_item(item, company, category, posting_date))


def _by_item(item: str, company: str, category: str, posting_date: date) -> Mapping[str, float]:
	args = frappe._dict(
		item_code=item,
		company=company,
		tax_category=category,
		posting_date=str(posting_date),
		base_net_rate=0,
	)
	template = get_item_tax_template(args, frappe.get_cached_doc("Item", item))
	return get_item_tax_map(company, template, as_json=False)


def rates_of_rows(invoice: str) -> dict[str, Rates]:
	"""The percents by account of each row of a posted invoice, by row: a credit is taxed like what it corrects."""
	doc = frappe.get_doc("Sales Invoice", invoice)
	return {
		row.name: _rates(doc.taxes, get_item_tax_map(doc.company, row.item_tax_template, as_json=False))
		for row in doc.items
	}


def _rates(taxes, by_item: Mapping[str, float]) -> Rates:
	return tuple(
		(tax.account_head, money(by_item.get(tax.account_head, tax.rate)))
		for tax in taxes
		if tax.charge_type == ON_NET_TOTAL
	)
