"""Load TV models, goods receipts of serialised TVs and their deliveries to sites."""

from datetime import date

import frappe
from frappe import _

from subscriber_tv.core.imports.rows import DeliveryRow, ModelRow, ReceiptRow
from subscriber_tv.flows.imports import find
from subscriber_tv.flows.imports.make_item import make_device_item
from subscriber_tv.ledger.receipts import receive_serials

PRICES_FROM = date(2000, 1, 1)


def load_model(rows: list[ModelRow]) -> bool:
	"""Create the model, its manufacturer and its stock item, or bring the model up to the row."""
	row = rows[0]
	if row.manufacturer and not frappe.db.exists("Manufacturer", row.manufacturer):
		maker = frappe.get_doc({"doctype": "Manufacturer", "short_name": row.manufacturer})
		# Whoever may import models may name their maker; the standard role for that is Item Manager's.
		maker.insert(ignore_permissions=True)
	make_device_item(find.company(), row.item_code, row.model_name)
	doc = (
		frappe.get_doc("TV Device Model", row.model_code)
		if frappe.db.exists("TV Device Model", row.model_code)
		else frappe.get_doc({"doctype": "TV Device Model", "model_code": row.model_code})
	)
	saved = find.save_if_changed(
		doc,
		{
			"model_name": row.model_name,
			"manufacturer": row.manufacturer,
			"item": row.item_code,
			"device_type": row.device_type,
			"stock_policy": row.stock_policy,
			"warranty_months": row.warranty_months,
		},
	)
	return _load_price(row) or saved


def _load_price(row: ModelRow) -> bool:
	"""Set what a sold TV costs: Item Price, as ERPNext reads it for a delivery."""
	if row.selling_price is None:
		return False
	price_list = frappe.db.get_single_value("Selling Settings", "selling_price_list")
	key = {"item_code": row.item_code, "price_list": find.by_name("Price List", price_list)}
	name = frappe.db.exists("Item Price", key)
	doc = frappe.get_doc("Item Price", name) if name else frappe.get_doc({"doctype": "Item Price", **key})
	# An Item Price is valid from today unless told; a delivery may be loaded with its day of the past.
	doc.valid_from = doc.valid_from if name else PRICES_FROM
	return find.save_if_changed(doc, {"price_list_rate": float(row.selling_price)})


def load_receipt(rows: list[ReceiptRow]) -> bool:
	"""Receive the serials that stock does not know yet in one Purchase Receipt."""
	first = rows[0]
	item = frappe.db.get_value("TV Device Model", find.by_name("TV Device Model", first.model), "item")
	known = dict(
		frappe.get_all(
			"Serial No", {"name": ("in", [row.serial for row in rows])}, ["name", "item_code"], as_list=True
		)
	)
	foreign = [serial for serial, item_code in known.items() if item_code != item]
	if foreign:
		frappe.throw(_("Serial {0} belongs to another item.").format(", ".join(foreign[:5])))
	new = [row for row in rows if row.serial not in known]
	if not new:
		return False
	receive_serials(
		company=find.company(),
		supplier=find.by_name("Supplier", first.supplier),
		warehouse=find.warehouse(first.warehouse),
		posting_date=first.received_on,
		item=item,
		costs={row.serial: row.unit_cost for row in new},
	)
	return True


def load_delivery(rows: list[DeliveryRow]) -> bool:
	"""Bring the TVs that are not there yet to the subscription's site, rented and sold ones on a voucher each."""
	from subscriber_tv.flows.devices.deliver import deliver

	subscription = find.subscription(rows[0].subscription)
	places = _places([row.serial for row in rows])
	missing = [row.serial for row in rows if row.serial not in places]
	if missing:
		frappe.throw(_("TV {0} is in no goods receipt.").format(", ".join(missing[:5])))
	groups: dict[str, list[str]] = {}
	for serial, (there, policy) in places.items():
		if there != subscription:
			groups.setdefault(policy, []).append(serial)
	for serials in groups.values():
		deliver(subscription=subscription, serials=serials, posting_date=rows[0].delivered_on)
	return bool(groups)


def _places(serials: list[str]) -> dict[str, tuple]:
	"""Serial -> (subscription, stock policy of its model), in the order given."""
	device, model = frappe.qb.DocType("TV Device"), frappe.qb.DocType("TV Device Model")
	rows = (
		frappe.qb.from_(device)
		.join(model)
		.on(device.model == model.name)
		.select(device.name, device.subscription, model.stock_policy)
		.where(device.name.isin(serials))
	).run()
	places = {serial: place for serial, *place in rows}
	return {serial: tuple(places[serial]) for serial in serials if serial in places}
