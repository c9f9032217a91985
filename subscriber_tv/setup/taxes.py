"""VAT of a French operator: one sales tax master with a row per VAT account, one Item Tax Template per rate.

Every Item Tax Template names all VAT accounts, the others at 0, so that a mixed invoice (television at 10 %, a fee
at 20 %) taxes each row once.
"""

from collections.abc import Iterator
from decimal import Decimal

import frappe
from frappe import _

from subscriber_tv.setup.accounts import find_account

VAT_ACCOUNTS: dict[str, str] = {"10": "445710", "20": "445720"}
"""Rate in percent -> VAT collected account. 10 %: CGI art. 279 b octies (linear television); 20 %: the rest."""

NO_VAT = "0"
"""The rate of what bears no VAT, such as a deposit: a template that says so, every VAT account at 0."""

PURCHASE_VAT_ACCOUNT = "445620"
NORMAL_RATE = "20"
MASTER_TITLE = "TVA télévision 10 % et 20 %"


def item_tax_template(company: str, rate: str) -> str:
	"""Name of the Item Tax Template of this rate ("10", "20" or "0")."""
	abbr = frappe.get_cached_value("Company", company, "abbr")
	return f"{_item_title(rate)} - {abbr}"


def tax_master(company: str) -> str:
	"""Name of the sales tax master with a row per VAT account."""
	abbr = frappe.get_cached_value("Company", company, "abbr")
	return f"{MASTER_TITLE} - {abbr}"


def make_tax_templates(company: str) -> None:
	"""Create VAT accounts, Item Tax Templates and the sales tax master, and make the master the default."""
	accounts = {rate: _vat_account(company, rate) for rate in VAT_ACCOUNTS}
	for rate in (*accounts, NO_VAT):
		if not frappe.db.exists("Item Tax Template", item_tax_template(company, rate)):
			frappe.get_doc(
				{
					"doctype": "Item Tax Template",
					"title": _item_title(rate),
					"company": company,
					"taxes": [
						{
							"tax_type": account,
							"tax_rate": float(other) if other == rate else 0,
						}
						for other, account in accounts.items()
					],
				}
			).insert(ignore_permissions=True)  # nosemgrep: set-up, guarded by its callers
	_make_master(company, accounts)


def check(company: str) -> Iterator[tuple[str, str, str]]:
	"""What is wrong with the VAT set-up: (what, found, expected)."""
	accounts = {rate: find_account(company, number) for rate, number in VAT_ACCOUNTS.items()}
	for rate, account in accounts.items():
		if not account:
			yield _("VAT account for {0} %").format(rate), "", VAT_ACCOUNTS[rate]
			continue
		name = item_tax_template(company, rate)
		rows = frappe.get_all("Item Tax Template Detail", {"parent": name}, ["tax_type", "tax_rate"])
		found = {row.tax_type: Decimal(str(row.tax_rate)) for row in rows}
		expected = {a: Decimal(r) if r == rate else Decimal(0) for r, a in accounts.items() if a}
		if found != expected:
			yield (
				_("Item Tax Template {0}").format(name),
				str(rows or ""),
				_("a row per VAT account"),
			)
	master = tax_master(company)
	heads = frappe.get_all("Sales Taxes and Charges", {"parent": master}, pluck="account_head")
	if set(heads) != {account for account in accounts.values() if account}:
		yield (
			_("Sales taxes {0}").format(master),
			", ".join(heads),
			_("a row per VAT account"),
		)


def _item_title(rate: str) -> str:
	return f"TVA {rate} %"


def _make_master(company: str, accounts: dict[str, str]) -> None:
	name = tax_master(company)
	if not frappe.db.exists("Sales Taxes and Charges Template", name):
		frappe.get_doc(
			{
				"doctype": "Sales Taxes and Charges Template",
				"title": MASTER_TITLE,
				"company": company,
				"is_default": 1,
				"taxes": [
					{
						"charge_type": "On Net Total",
						"account_head": account,
						"description": _item_title(rate),
						# An item without an Item Tax Template is taxed once, at the normal rate.
						"rate": float(rate) if rate == NORMAL_RATE else 0,
						"cost_center": frappe.get_cached_value("Company", company, "cost_center"),
					}
					for rate, account in accounts.items()
				],
			}
		).insert(ignore_permissions=True)
	others = {"company": company, "is_default": 1, "name": ("!=", name)}
	if frappe.db.exists("Sales Taxes and Charges Template", others):
		frappe.db.set_value("Sales Taxes and Charges Template", others, "is_default", 0)
	if not frappe.db.get_value("Sales Taxes and Charges Template", name, "is_default"):
		frappe.db.set_value("Sales Taxes and Charges Template", name, "is_default", 1)


def _vat_account(company: str, rate: str) -> str:
	"""The VAT collected account of this rate, created under 44571 when the chart has only the group."""
	number = VAT_ACCOUNTS[rate]
	account = find_account(company, number)
	if account:
		return account
	parent = frappe.db.get_value(
		"Account",
		{"company": company, "account_number": "44571", "is_group": 1},
		"name",
	)
	if not parent:
		frappe.throw(
			_(
				"The chart of accounts of {0} lacks group 44571 (VAT collected). Create it, then set the operator up again."
			).format(company)
		)
	doc = frappe.get_doc(
		{
			"doctype": "Account",
			"company": company,
			"parent_account": parent,
			"account_number": number,
			"account_name": f"TVA {rate}% Collectée",
			"account_type": "Tax",
			"tax_rate": float(rate),
		}
	)
	return doc.insert(ignore_permissions=True).name
