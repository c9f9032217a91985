"""The company's sales of this month, a figure ERPNext counts anew from all invoices each time it posts one.

That count reads every invoice there is and locks the company until the commit: a run of invoices would slow down as
the ledger grows, and its writers would wait for each other. Here the company is noted, and counted once for a run.
"""

import frappe
from erpnext.setup.doctype.company.company import update_company_current_month_sales


def note_sale(company: str) -> None:
	"""Remember that the sales of this company have changed since they were counted."""
	if frappe.db.get_single_value("Selling Settings", "sales_update_frequency") == "Each Transaction":
		_noted().add(company)


def count_sales() -> None:
	"""Count the sales of the companies noted since the last count. The caller commits.

	Whoever posts invoices calls it before he ends. Should he be killed first, the next invoice of any kind counts all.
	"""
	noted = _noted()
	while noted:
		update_company_current_month_sales(noted.pop())


def _noted() -> set[str]:
	if not hasattr(frappe.local, "tv_sales_to_count"):
		frappe.local.tv_sales_to_count = set()
	return frappe.local.tv_sales_to_count
