"""The company of records that name one through their contract, campaign or run: user permissions read it on the record."""

import frappe

#: DocType -> the Link field that leads to the company, and the DocType it leads to; in the order they are asked.
SOURCES = {
	"TV Device": (
		("warehouse", "Warehouse"),
		("subscription", "TV Subscription"),
		("serial_no", "Serial No"),
	),
	"TV Renewal Notice": (("subscription", "TV Subscription"),),
	"TV Subscription Change": (("subscription", "TV Subscription"),),
	"TV Campaign Target": (("subscription", "TV Subscription"),),
	"TV First Bill": (("subscription", "TV Subscription"),),
	"TV Bill Preview Line": (("bill_run", "TV Bill Run"),),
	"TV Billed Period": (("invoice", "Sales Invoice"), ("subscription", "TV Subscription")),
	"TV Usage Record": (
		("subscription", "TV Subscription"),
		("reference", "TV Subscription"),
		("serial", "TV Device"),
	),
}


def fill_company() -> None:
	"""Write the company on rows made before they had one; those that have it stay. Safe to call again."""
	for doctype, steps in SOURCES.items():
		for field, leads_to in steps:
			_fill(doctype, field, leads_to)


def _fill(doctype: str, field: str, leads_to: str) -> None:
	row, source = frappe.qb.DocType(doctype), frappe.qb.DocType(leads_to)
	for company in frappe.get_all("Company", pluck="name"):
		of_company = frappe.qb.from_(source).select(source.name).where(source.company == company)
		(
			frappe.qb.update(row)
			.set(row.company, company)
			.where((row.company.isnull() | (row.company == "")) & row[field].isin(of_company))
			.run()
		)
