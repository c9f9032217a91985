"""The stock item behind a TV model, set up for the company's accounts and VAT."""

import frappe
from frappe import _

HARDWARE_GROUP = "TV Hardware"
HARDWARE_VAT = 20
"""Percent; television itself is taxed lower, the set is not."""

HARDWARE_INCOME = "7071"
"""Sales of goods in the French chart; another chart uses the company's default."""


def make_device_item(company: str, code: str, name: str) -> str:
	"""Create the serialised stock item of a TV model; an existing item is left alone.

	ValidationError when an existing item has no serial numbers, or the company no Item Tax Template at 20 %.
	"""
	existing = frappe.db.get_value("Item", code, ["has_serial_no", "is_stock_item"], as_dict=True)
	if existing:
		if not (existing.has_serial_no and existing.is_stock_item):
			frappe.throw(_("Item {0} must be a stock item with serial numbers.").format(frappe.bold(code)))
		return code
	doc = frappe.get_doc(
		{
			"doctype": "Item",
			"item_code": code,
			"item_name": name,
			"item_group": HARDWARE_GROUP,
			"stock_uom": "Nos",
			"is_stock_item": 1,
			"has_serial_no": 1,
			"include_item_in_manufacturing": 0,
			"taxes": [{"item_tax_template": _tax_template(company)}],
			"item_defaults": [{"company": company, "income_account": _income_account(company)}],
		}
	)
	doc.flags.ignore_permissions = True  # who may import was checked at the endpoint
	return doc.insert().name


def _tax_template(company: str) -> str:
	template, row = frappe.qb.DocType("Item Tax Template"), frappe.qb.DocType("Item Tax Template Detail")
	account = frappe.qb.DocType("Account")
	found = (
		frappe.qb.from_(template)
		.join(row)
		.on(row.parent == template.name)
		.join(account)
		.on(account.name == row.tax_type)
		.select(template.name)
		.where((template.company == company) & (template.disabled == 0))
		.where((row.tax_rate == HARDWARE_VAT) & (account.root_type == "Liability"))
		# set_up_operator names all VAT accounts in its templates; those of the setup wizard name one
		.orderby(template.creation, order=frappe.qb.desc)
		.limit(1)
	).run()
	if not found:
		frappe.throw(
			_("{0} has no Item Tax Template at {1} % VAT collected. Set the operator up first.").format(
				company, HARDWARE_VAT
			)
		)
	return found[0][0]


def _income_account(company: str) -> str | None:
	filters = {"company": company, "account_number": HARDWARE_INCOME, "is_group": 0}
	return frappe.db.get_value("Account", filters) or frappe.get_cached_value(
		"Company", company, "default_income_account"
	)
