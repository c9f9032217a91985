"""Has each TV Device follow the stock ledger, one batch a voucher.

`register` is cheap and runs once a ledger row; `flush` reads the voucher and writes, in the transaction of
the movement itself, right before it commits. Serial numbers are read from the Serial and Batch Bundles
of the voucher: Serial No itself is written by bulk inserts and updates that fire no event.
"""

from collections.abc import Container

import frappe
from frappe import _

from subscriber_tv.core.devices import movements
from subscriber_tv.flows.devices import write_devices

#: What each kind of voucher says about the other side; the others say nothing.
VOUCHER_FIELDS = {
	"Purchase Receipt": ("supplier",),
	"Purchase Invoice": ("supplier",),
	"Stock Entry": ("tv_subscription",),
	"Delivery Note": ("customer", "tv_subscription"),
	"Sales Invoice": ("customer",),
}


def register(voucher_type: str, voucher_no: str) -> None:
	"""Remember that a voucher moved serial numbers in this transaction."""
	waiting = _waiting()
	if not waiting:
		frappe.db.before_commit.add(flush)
		frappe.db.after_rollback.add(waiting.clear)
	waiting[(voucher_type, voucher_no)] = None


def flush() -> None:
	"""Write what the vouchers of this transaction did to their TVs.

	Called by the commit; a flow that needs the TVs at once calls it itself. A voucher that a
	savepoint took back has no ledger rows any more and is passed over.
	"""
	waiting = _waiting()
	while waiting:
		voucher = next(iter(waiting))
		del waiting[voucher]
		follow(*voucher)


def follow(voucher_type: str, voucher_no: str, only: Container[str] | None = None) -> None:
	"""Write what one voucher did to its TVs; again does nothing. `only` names the serials to look at, None means all."""
	found = [row for row in _serial_rows(voucher_type, voucher_no) if only is None or row.serial_no in only]
	voucher = _voucher(voucher_type, voucher_no) if found else None
	if voucher is None:
		return
	service = _service_warehouses()
	rows = [
		movements.LedgerRow(
			serial=row.serial_no,
			quantity=1 if row.qty > 0 else -1,
			warehouse=row.warehouse,
			kind=movements.SERVICE_KIND if row.warehouse in service else movements.STOCK_KIND,
		)
		for row in found
	]
	known = write_devices.load({row.serial for row in rows})
	changes = movements.decide(
		voucher,
		rows,
		{serial: entry.device for serial, entry in known.items()},
		{row.serial_no: row.warranty_months for row in found},
	)
	models = {row.serial_no: (row.item_code, row.model) for row in found}
	write_devices.apply_changes(voucher, changes, known, models)


def require_subscription(stock_entry) -> None:
	"""Refuse a Stock Entry that puts TVs into service without naming whose they are."""
	if stock_entry.get("tv_subscription"):
		return
	service = _service_warehouses()
	items = {row.item_code for row in stock_entry.items if row.t_warehouse in service}
	if not items or not frappe.db.exists("TV Device Model", {"item": ("in", list(items))}):
		return
	frappe.throw(
		_(
			"Row puts TVs into the in-service warehouse. Choose the TV Subscription that receives them, or use"
			" the button Deliver of the subscription."
		),
		title=_("Whose TVs?"),
	)


def _waiting() -> dict:
	if not hasattr(frappe.local, "tv_moved_vouchers"):
		frappe.local.tv_moved_vouchers = {}
	return frappe.local.tv_moved_vouchers


def _serial_rows(voucher_type: str, voucher_no: str) -> list:
	"""Serial rows of the voucher whose item has a TV Device Model; those of a cancelled voucher too."""
	bundle = frappe.qb.DocType("Serial and Batch Bundle")
	entry = frappe.qb.DocType("Serial and Batch Entry")
	model = frappe.qb.DocType("TV Device Model")
	return (
		frappe.qb.from_(entry)
		.join(bundle)
		.on(entry.parent == bundle.name)
		.join(model)
		.on(model.item == bundle.item_code)
		.select(
			entry.serial_no,
			entry.qty,
			entry.warehouse,
			bundle.item_code,
			model.name.as_("model"),
			model.warranty_months,
		)
		.where((bundle.voucher_type == voucher_type) & (bundle.voucher_no == voucher_no))
		.where((bundle.docstatus > 0) & entry.serial_no.isnotnull())
		.orderby(bundle.creation, bundle.name, entry.idx)
	).run(as_dict=True)


def _voucher(voucher_type: str, voucher_no: str) -> movements.Voucher | None:
	"""The voucher as the ledger knows it now; cancelled when no row of it stands. None: it left no row."""
	rows = frappe.get_all(
		"Stock Ledger Entry",
		filters={"voucher_type": voucher_type, "voucher_no": voucher_no},
		fields=["is_cancelled", "posting_date", "company"],
		order_by="is_cancelled asc",
		limit=1,
	)
	if not rows:
		return None
	said = _said(voucher_type, voucher_no)
	subscription = said.get("tv_subscription")
	owner = _owner_of(subscription) if subscription else frappe._dict()
	return movements.Voucher(
		doctype=voucher_type,
		name=voucher_no,
		date=rows[0].posting_date,
		cancelled=bool(rows[0].is_cancelled),
		customer=owner.customer or said.get("customer"),
		site=owner.site,
		subscription=subscription,
		supplier=said.get("supplier"),
		company=rows[0].company,
	)


def _said(voucher_type: str, voucher_no: str) -> dict:
	fields = VOUCHER_FIELDS.get(voucher_type)
	return frappe.db.get_value(voucher_type, voucher_no, fields, as_dict=True) if fields else {}


def _owner_of(subscription: str) -> dict:
	return frappe.db.get_value("TV Subscription", subscription, ["customer", "site"], as_dict=True)


def _service_warehouses() -> set[str]:
	return {row.warehouse for row in frappe.get_cached_doc("TV Settings").service_warehouses}
