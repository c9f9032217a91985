"""TV Devices follow real stock vouchers on a real site."""

import frappe
from frappe.tests.utils import FrappeTestCase
from frappe.utils import add_days, getdate, today

from subscriber_tv.core.devices.warranty import last_day_covered
from subscriber_tv.flows.devices import deliver as flow
from subscriber_tv.flows.devices import follow_stock
from subscriber_tv.flows.devices.adopt_stock import adopt_stock
from subscriber_tv.tests import factories


def device(serial: str) -> frappe._dict:
	fields = [
		"state",
		"warehouse",
		"customer",
		"site",
		"subscription",
		"credential_state",
		"model",
		"item",
		"receipt_type",
		"receipt_no",
		"supplier",
		"received_on",
		"warranty_from",
		"warranty_until",
		"line_id",
		"key_hash",
	]
	return frappe.db.get_value("TV Device", serial, fields, as_dict=True)


def events(serial: str) -> list[str]:
	return [row.event for row in frappe.get_doc("TV Device", serial).history]


class TestReceipt(FrappeTestCase):
	def test_each_serial_of_a_receipt_is_a_device_traced_both_ways(self):
		serials = factories.receive_devices(3)
		for serial in serials:
			found = device(serial)
			self.assertEqual((found.state, found.credential_state), ("In Stock", "Stocked"))
			self.assertEqual((found.model, found.item, found.supplier), ("TV-32", "TV-32", "TV Maker"))
			self.assertEqual((found.receipt_type, found.received_on), ("Purchase Receipt", getdate(today())))
			self.assertEqual(events(serial), ["Received"])
		receipt = device(serials[0]).receipt_no
		self.assertCountEqual(frappe.get_all("TV Device", {"receipt_no": receipt}, pluck="name"), serials)

	def test_a_receipt_of_300_costs_as_many_queries_as_one_of_3(self):
		def queries(n: int) -> int:
			serials = [f"Q{n}-{frappe.generate_hash(length=8).upper()}-{i:03}" for i in range(n)]
			factories.receive_devices(serials=serials[:1])  # everything shared is made and cached
			counted = []
			flush, self_sql = follow_stock.flush, frappe.db.sql

			def counting():
				frappe.db.sql = lambda *args, **kwargs: counted.append(args) or self_sql(*args, **kwargs)
				try:
					flush()
				finally:
					frappe.db.sql = self_sql

			follow_stock.flush = counting
			try:
				factories.receive_devices(serials=serials[1:])
			finally:
				follow_stock.flush = flush
			self.assertEqual(frappe.db.count("TV Device", {"name": ("in", serials)}), n)
			return len(counted)

		few, many = queries(4), queries(301)
		self.assertEqual(few, many)
		self.assertLess(many, 12)

	def test_a_cancelled_receipt_retires_its_devices(self):
		(serial,) = factories.receive_devices()
		frappe.get_doc("Purchase Receipt", device(serial).receipt_no).cancel()
		follow_stock.flush()
		found = device(serial)
		self.assertEqual((found.state, found.credential_state), ("Out of Stock", "Retired"))
		self.assertEqual(events(serial), ["Received", "Undone"])

	def test_a_serial_without_model_makes_no_device(self):
		item = factories.make_item("NO-TV", is_stock_item=1, has_serial_no=1)
		serial = f"NOTV-{frappe.generate_hash(length=8).upper()}"
		receive(item, serial)
		self.assertFalse(frappe.db.exists("TV Device", serial))

	def test_a_model_adopts_the_serials_that_were_in_stock_before_it(self):
		item = factories.make_item(f"OLD-{frappe.generate_hash(length=6)}", is_stock_item=1, has_serial_no=1)
		serials = [f"OLD-{frappe.generate_hash(length=8).upper()}" for _n in range(2)]
		for serial in serials:
			receive(item, serial)
		transfer(serials[0], "Depot - AB", factories.make_warehouse("Van")).submit()
		follow_stock.flush()
		model = factories.make_device_model(item)
		self.assertEqual(adopt_stock(model), 2)
		self.assertEqual(events(serials[0]), ["Received", "Moved"])
		self.assertEqual([device(serial).warehouse for serial in serials], ["Van - AB", "Depot - AB"])
		self.assertEqual(adopt_stock(model), 0)

	def test_a_receipt_taken_back_to_a_savepoint_leaves_nothing(self):
		factories.receive_devices()
		frappe.db.savepoint("before_receipt")
		serial = f"GONE-{frappe.generate_hash(length=8).upper()}"
		receive("TV-32", serial)
		frappe.db.rollback(save_point="before_receipt")
		follow_stock.flush()
		self.assertFalse(frappe.db.exists("TV Device", serial))

	def test_nothing_is_followed_while_the_equipment_phase_is_off(self):
		factories.receive_devices()
		self.addCleanup(switch, "equipment_enabled", 1)
		switch("equipment_enabled", 0)
		serial = f"OFF-{frappe.generate_hash(length=8).upper()}"
		receive("TV-32", serial)
		follow_stock.flush()
		self.assertFalse(frappe.db.exists("TV Device", serial))


class TestDelivery(FrappeTestCase):
	def test_a_rented_tv_goes_into_service_and_comes_back(self):
		serials = factories.receive_devices(2)
		subscription = factories.make_subscription("Awaiting Activation", quantity=2)
		voucher = flow.deliver(subscription=subscription, serials=serials)
		self.assertTrue(frappe.db.exists("Stock Entry", {"name": voucher, "docstatus": 1}))
		owner = frappe.db.get_value("TV Subscription", subscription, ["customer", "site"], as_dict=True)
		found = device(serials[0])
		self.assertEqual((found.state, found.warehouse), ("In Service", "In service - AB"))
		self.assertEqual(
			(found.customer, found.site, found.subscription), (owner.customer, owner.site, subscription)
		)
		self.assertEqual(found.warranty_from, getdate(today()))
		self.assertEqual(found.warranty_until, last_day_covered(getdate(today()), 24))

		bring_back(serials[0])
		found = device(serials[0])
		self.assertEqual((found.state, found.customer, found.warranty_until), ("In Stock", None, None))
		self.assertEqual(events(serials[0]), ["Received", "Delivered", "Returned"])
		self.assertEqual(device(serials[1]).state, "In Service")

	def test_a_cancelled_delivery_puts_the_tv_back(self):
		(serial,) = factories.receive_devices()
		subscription = factories.make_subscription("Awaiting Activation")
		voucher = flow.deliver(subscription=subscription, serials=[serial])
		frappe.get_doc("Stock Entry", voucher).cancel()
		follow_stock.flush()
		found = device(serial)
		self.assertEqual((found.state, found.warehouse, found.customer), ("In Stock", "Depot - AB", None))

	def test_a_sold_tv_leaves_on_a_delivery_note_and_returns(self):
		factories.make_device_model("TV-SOLD", stock_policy="Sold", warranty_months=12)
		(serial,) = factories.receive_devices(model="TV-SOLD")
		subscription = factories.make_subscription("Awaiting Activation")
		set_price("TV-SOLD", 300)
		voucher = flow.deliver(subscription=subscription, serials=[serial])
		self.assertTrue(frappe.db.exists("Delivery Note", {"name": voucher, "docstatus": 1}))
		found = device(serial)
		self.assertEqual((found.state, found.warehouse, found.subscription), ("Sold", None, subscription))
		self.assertEqual(found.warranty_until, last_day_covered(getdate(today()), 12))

	def test_a_sold_tv_without_price_is_refused(self):
		factories.make_device_model("TV-NOPRICE", stock_policy="Sold")
		(serial,) = factories.receive_devices(model="TV-NOPRICE")
		frappe.db.delete("Item Price", {"item_code": "TV-NOPRICE"})
		subscription = factories.make_subscription("Awaiting Activation")
		with self.assertRaisesRegex(frappe.ValidationError, "TV-NOPRICE"):
			flow.deliver(subscription=subscription, serials=[serial])

	def test_what_cannot_be_delivered_is_named(self):
		(serial,) = factories.receive_devices()
		subscription = factories.make_subscription("Awaiting Activation")
		for serials in (["NOT-THERE-1"], [serial, "x' or 1=1 --"], []):
			with self.assertRaises(flow.DeliverRefused):
				flow.deliver(subscription=subscription, serials=serials)
		flow.deliver(subscription=subscription, serials=[serial])
		with self.assertRaisesRegex(flow.DeliverRefused, serial):
			flow.deliver(subscription=subscription, serials=[serial])

	def test_a_transfer_into_service_names_its_subscription(self):
		(serial,) = factories.receive_devices()
		entry = transfer(serial, "Depot - AB", "In service - AB")
		with self.assertRaisesRegex(frappe.ValidationError, "TV Subscription"):
			entry.submit()

	def test_a_delivery_before_the_receipt_is_refused(self):
		(serial,) = factories.receive_devices()
		subscription = factories.make_subscription("Awaiting Activation")
		with self.assertRaises(frappe.ValidationError):
			flow.deliver(subscription=subscription, serials=[serial], posting_date=add_days(today(), -9))


def receive(item: str, serial: str) -> None:
	frappe.get_doc(
		{
			"doctype": "Purchase Receipt",
			"supplier": factories.make_supplier(),
			"company": factories.make_operator(),
			"items": [
				{
					"item_code": item,
					"warehouse": factories.make_warehouse(),
					"qty": 1,
					"rate": 100,
					"use_serial_batch_fields": 1,
					"serial_no": serial,
				}
			],
		}
	).insert().submit()


def transfer(serial: str, source: str, target: str):
	return frappe.get_doc(
		{
			"doctype": "Stock Entry",
			"stock_entry_type": "Material Transfer",
			"purpose": "Material Transfer",
			"company": factories.COMPANY,
			"items": [
				{
					"item_code": frappe.db.get_value("Serial No", serial, "item_code"),
					"qty": 1,
					"s_warehouse": source,
					"t_warehouse": target,
					"use_serial_batch_fields": 1,
					"serial_no": serial,
				}
			],
		}
	).insert()


def bring_back(serial: str) -> str:
	entry = transfer(serial, "In service - AB", "Depot - AB")
	entry.submit()
	follow_stock.flush()
	return entry.name


def set_price(item: str, rate: float) -> None:
	price_list = frappe.db.get_single_value("Selling Settings", "selling_price_list")
	if not frappe.db.exists("Item Price", {"item_code": item, "price_list": price_list}):
		frappe.get_doc(
			{"doctype": "Item Price", "item_code": item, "price_list": price_list, "price_list_rate": rate}
		).insert()


def switch(field: str, value: int) -> None:
	settings = frappe.get_doc("TV Settings")
	settings.set(field, value)
	settings.save()


class TestForms(FrappeTestCase):
	def test_a_model_needs_a_serialised_item(self):
		item = factories.make_item("TV-SERVICE")
		with self.assertRaisesRegex(frappe.ValidationError, "serial numbers"):
			frappe.get_doc(
				{"doctype": "TV Device Model", "model_code": "BAD", "model_name": "BAD", "item": item}
			).insert()

	def test_a_device_is_not_edited_by_hand(self):
		(serial,) = factories.receive_devices()
		found = frappe.get_doc("TV Device", serial)
		found.state = "Sold"
		with self.assertRaisesRegex(frappe.ValidationError, "stock ledger"):
			found.save()
