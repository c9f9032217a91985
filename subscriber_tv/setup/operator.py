"""Set a French pay-TV operator up as an accountant would, on the chart "Plan Comptable General avec code".

ERPNext's own defaults for that chart book customers to 4188 and income to 4191 (customer advances). Here: receivable
4111, income 706, deferred revenue 487, VAT collected 445710 (10 %: linear television) and 445720 (20 %: hardware,
fees, on-demand). Every step is idempotent and never touches a posted document.
"""

import datetime
from dataclasses import dataclass

import frappe
from frappe import _
from frappe.utils import getdate

from subscriber_tv.setup import operator_stock, taxes
from subscriber_tv.setup.accounts import COMPANY_ACCOUNTS, DEPOSITS_RECEIVED, find_account

CHART = "France - Plan Comptable General avec code"
SEGMENTS = ("Hotel", "Clinic", "Hospital", "Prison", "Care Home", "Home")
PAYMENT_TERMS = "30 jours"
INVOICE_SERIES = "FTV-.YYYY.-.#####"
YEARS = range(2023, 2028)


@dataclass(frozen=True)
class Finding:
	"""One thing that is not as an accountant would have it: what, what stands there, what should."""

	what: str
	found: str
	expected: str


def set_up_operator(company: str, *, dimensions: bool = True) -> list[Finding]:
	"""Set accounts, taxes, terms, years, warehouses, dimensions and TV Settings of this company.

	Returns what is still wrong (empty when all is well). Raises ValidationError naming the account that the chart
	lacks. Nothing that an operator already chose in TV Settings is replaced.
	"""
	_set_company_accounts(company)
	_set_rounding()
	taxes.make_tax_templates(company)
	_make_payment_terms()
	_make_fiscal_years()
	_make_segments()
	operator_stock.make_groups_and_items(company)
	warehouse = operator_stock.make_service_warehouse(company)
	_fill_settings(company, warehouse)
	if dimensions:
		from subscriber_tv.setup.dimensions import make_dimensions

		make_dimensions()
	return check_operator(company)


def check_operator(company: str) -> list[Finding]:
	"""List what keeps this company from billing correctly; reads only."""
	findings = []
	doc = frappe.get_cached_doc("Company", company)
	for field, number in COMPANY_ACCOUNTS.items():
		found, expected = doc.get(field), find_account(company, number)
		if found != expected:
			findings.append(Finding(doc.meta.get_label(field), found or "", expected or number))
	if not find_account(company, DEPOSITS_RECEIVED):
		findings.append(Finding(_("Account for deposits"), "", DEPOSITS_RECEIVED))
	findings += [Finding(*row) for row in taxes.check(company)]
	return findings + [Finding(*row) for row in _check_settings(company)]


def complete_setup_wizard(company: str = "Antenne Bleue", abbr: str = "AB") -> str:
	"""Answer ERPNext's setup wizard for a French operator when the site has no company; return the company."""
	existing = frappe.db.get_value("Company", {}, "name", order_by="creation")
	if existing:
		return existing
	from frappe.desk.page.setup_wizard.setup_wizard import setup_complete

	year = getdate().year
	setup_complete(
		{
			"currency": "EUR",
			"full_name": "Operator",
			"email": "operator@antenne-bleue.example",
			"company_name": company,
			"company_abbr": abbr,
			"timezone": "Europe/Paris",
			"country": "France",
			"language": "English",
			"fy_start_date": f"{year}-01-01",
			"fy_end_date": f"{year}-12-31",
			"chart_of_accounts": CHART,
		}
	)
	if not frappe.db.exists("Company", company):
		frappe.throw(_("The setup wizard made no company. Complete it in the desk and start again."))
	return company


def _set_company_accounts(company: str) -> None:
	values = {field: find_account(company, number) for field, number in COMPANY_ACCOUNTS.items()}
	missing = [COMPANY_ACCOUNTS[field] for field, account in values.items() if not account]
	if missing:
		frappe.throw(
			_(
				"The chart of accounts of {0} lacks account {1}. Create it, or set the company's accounts by hand."
			).format(company, ", ".join(missing))
		)
	inventory = values["default_inventory_account"]
	if frappe.db.get_value("Account", inventory, "account_type") != "Stock":
		frappe.db.set_value("Account", inventory, "account_type", "Stock")
	cost_center = frappe.db.get_value("Cost Center", {"company": company, "is_group": 0}, "name")
	values["round_off_cost_center"] = cost_center
	current = frappe.db.get_value("Company", company, list(values), as_dict=True)
	if current != values:
		# set_value, not save(): Company.on_update would put ERPNext's wrong chart defaults into what is empty
		frappe.db.set_value("Company", company, values)
		frappe.clear_document_cache("Company", company)


def _set_rounding() -> None:
	"""Invoices in France are rounded half-up; ERPNext installs with the banker's rounding."""
	if frappe.db.get_single_value("System Settings", "rounding_method") != "Commercial Rounding":
		frappe.db.set_single_value("System Settings", "rounding_method", "Commercial Rounding")
		frappe.clear_cache()


def _make_payment_terms() -> None:
	if not frappe.db.exists("Payment Term", PAYMENT_TERMS):
		frappe.get_doc(
			{
				"doctype": "Payment Term",
				"payment_term_name": PAYMENT_TERMS,
				"invoice_portion": 100,
				"due_date_based_on": "Day(s) after invoice date",
				"credit_days": 30,
			}
		).insert(ignore_permissions=True)  # nosemgrep: set-up, guarded by its callers
	if not frappe.db.exists("Payment Terms Template", PAYMENT_TERMS):
		frappe.get_doc(
			{
				"doctype": "Payment Terms Template",
				"template_name": PAYMENT_TERMS,
				"terms": [
					{
						"payment_term": PAYMENT_TERMS,
						"invoice_portion": 100,
						"due_date_based_on": "Day(s) after invoice date",
						"credit_days": 30,
					}
				],
			}
		).insert(ignore_permissions=True)


def _make_fiscal_years() -> None:
	"""Calendar years; a year that overlaps one the accountant made is left to the accountant."""
	for year in YEARS:
		start, end = datetime.date(year, 1, 1), datetime.date(year, 12, 31)
		overlaps = frappe.db.exists(
			"Fiscal Year",
			{
				"year_start_date": ("<=", end),
				"year_end_date": (">=", start),
				"disabled": 0,
			},
		)
		if not overlaps:
			frappe.get_doc(
				{
					"doctype": "Fiscal Year",
					"year": str(year),
					"year_start_date": start,
					"year_end_date": end,
				}
			).insert(ignore_permissions=True)


def _make_segments() -> None:
	root = frappe.db.get_value("Customer Group", {"parent_customer_group": ("is", "not set")}, "name")
	for segment in SEGMENTS:
		if not frappe.db.exists("Customer Group", segment):
			frappe.get_doc(
				{
					"doctype": "Customer Group",
					"customer_group_name": segment,
					"parent_customer_group": root,
				}
			).insert(ignore_permissions=True)


def _fill_settings(company: str, warehouse: str) -> None:
	settings = frappe.get_doc("TV Settings")
	before = settings.as_json()
	settings.company = settings.company or company
	settings.default_payment_terms = settings.default_payment_terms or PAYMENT_TERMS
	if not settings.invoice_series:
		settings.append("invoice_series", {"series": INVOICE_SERIES})
	if not any(row.company == company for row in settings.service_warehouses):
		settings.append("service_warehouses", {"company": company, "warehouse": warehouse})
	if settings.as_json() != before:
		settings.save(ignore_permissions=True)


def _check_settings(company: str) -> list[tuple[str, str, str]]:
	settings = frappe.get_cached_doc("TV Settings")
	rows = []
	if not settings.default_payment_terms:
		rows.append((_("Payment terms in TV Settings"), "", PAYMENT_TERMS))
	if not settings.invoice_series:
		rows.append((_("Invoice series in TV Settings"), "", INVOICE_SERIES))
	if not any(row.company == company for row in settings.service_warehouses):
		rows.append((_("In-service warehouse in TV Settings"), "", company))
	rounding = frappe.db.get_single_value("System Settings", "rounding_method")
	if rounding != "Commercial Rounding":
		rows.append((_("Rounding method in System Settings"), rounding, "Commercial Rounding"))
	return rows
