"""Take the demo away again: the company's transactions by ERPNext's own deletion record, the app's rows, the masters."""

from collections.abc import Callable

import frappe
from frappe import _

from subscriber_tv.core.imports.parse import parse
from subscriber_tv.setup.backup import own_prefixes, tv_doctypes
from subscriber_tv.setup.demo import DEMO_COMPANY, DEPOTS, SECTORS, SUPPLIERS, fixtures_folder
from subscriber_tv.setup.demo_users import remove_users

KEPT = ("TV Service Warehouse Line", "TV Invoice Series Line", "TV Bill Schedule Line", "TV Edge")
"""Child rows of TV Settings and known edges: the set-up stays."""


def erase_demo(*, say: Callable[[str], None] = print) -> None:
	"""Erase what `load_demo` loaded, and every other transaction of the demo company; the set-up stays.

	Raises ValidationError when the site has no demo, or subscriptions of another company.
	"""
	company = frappe.db.get_default(DEMO_COMPANY)
	if not company:
		frappe.throw(_("This site has no demo to erase."))
	if frappe.db.exists("TV Subscription", {"company": ("!=", company)}):
		frappe.throw(_("Other companies have subscriptions on this site. Erase the demo by hand."))
	_delete_transactions(company)
	_delete_tv_rows()
	_delete_masters(company)
	remove_users()
	frappe.db.delete("DefaultValue", {"defkey": DEMO_COMPANY})
	# All or nothing: nothing was committed before.
	frappe.db.commit()  # nosemgrep
	frappe.clear_cache()
	say(_("The demo of {0} is erased").format(company))


def _delete_transactions(company: str) -> None:
	record = frappe.get_doc(
		{"doctype": "Transaction Deletion Record", "company": company, "process_in_single_transaction": 1}
	)
	record.insert()
	record.submit()
	record.start_deletion_tasks()
	record.reload()
	if record.status != "Completed":
		frappe.throw(_("ERPNext could not delete the transactions: see {0}.").format(record.name))


def _delete_tv_rows() -> None:
	for name in frappe.get_all("File", {"attached_to_doctype": "TV Import"}, pluck="name"):
		_delete("File", name)
	for doctype in tv_doctypes():
		if doctype not in KEPT:
			frappe.db.delete(doctype)
	series = frappe.qb.Table("tabSeries")
	for prefix in own_prefixes():
		frappe.qb.from_(series).delete().where(series.name.like(f"{prefix}%")).run()
	# The counter of rights stays: an edge that saw a number must never see a smaller one.


def _delete_masters(company: str) -> None:
	customers = [row.customer_name for row in _rows("customers")]
	items = [row.item_code for row in _rows("models")]
	abbr = frappe.get_cached_value("Company", company, "abbr")
	for address in frappe.get_all(
		"Dynamic Link",
		{"link_doctype": "Customer", "link_name": ("in", customers), "parenttype": "Address"},
		pluck="parent",
	):
		_delete("Address", address)
	for name in customers:
		_delete("Customer", name)
	frappe.db.delete("Item Price", {"item_code": ("in", items)})
	for doctype, names in (
		("Serial No", frappe.get_all("Serial No", {"item_code": ("in", items)}, pluck="name", limit=0)),
		("Item", items),
		("Supplier", SUPPLIERS),
		("Manufacturer", {row.manufacturer for row in _rows("models")}),
		("Warehouse", [f"{depot} - {abbr}" for depot in DEPOTS]),
		("Territory", SECTORS),
	):
		for name in names:
			_delete(doctype, name)


def _delete(doctype: str, name: str) -> None:
	frappe.delete_doc(doctype, name, ignore_missing=True, force=True, ignore_permissions=True)


def _rows(kind: str):
	path = fixtures_folder() / f"{kind}.csv"
	return parse(kind, path.read_bytes(), path.name).rows
