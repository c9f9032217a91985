"""Records for the integration tests: every argument has a default, every function can be called again.

Names are kept stable where a record is shared (operator, items, channels, offer) and fresh where a test
wants its own (customers, sites, subscriptions).
"""

import importlib.util

import frappe
from frappe.utils import add_days, getdate

COMPANY = "Antenne Bleue"
SEGMENTS = ("Hotel", "Clinic", "Prison", "Care Home", "Home")

#: The events that lead from a fresh draft to each state.
PATHS = {
	"Draft": (),
	"Awaiting Documents": ("request_documents",),
	"Awaiting Installation": ("request_documents", "complete_documents"),
	"Awaiting Activation": ("request_documents", "complete_documents", "finish_installation"),
}
PATHS["Active"] = (*PATHS["Awaiting Activation"], "activate")
PATHS["Suspended"] = (*PATHS["Active"], "suspend")
PATHS["Cancelling"] = (*PATHS["Active"], "cancel_at_date")
PATHS["Cancelled"] = (*PATHS["Active"], "end")
PATHS["Uninstalled"] = (*PATHS["Cancelled"], "uninstall")


def make_operator(company: str = COMPANY) -> str:
	"""Return the operating company, with its accounts, segments and TV Settings in order."""
	if importlib.util.find_spec("subscriber_tv.setup.operator"):
		from subscriber_tv.setup.operator import set_up_operator

		set_up_operator(company)
	for segment in SEGMENTS:
		make_segment(segment)
	settings = frappe.get_doc("TV Settings")
	# No customer of the tests has an address, so every run would wait; tests of the approval ask for it.
	if (settings.company, settings.get("run_approval")) != (company, "Never"):
		settings.update({"company": company, "run_approval": "Never"})
		settings.save()
	return company


def make_segment(name: str = "Hotel") -> str:
	"""Return a leaf Customer Group."""
	if not frappe.db.exists("Customer Group", name):
		frappe.get_doc(
			doctype="Customer Group",
			customer_group_name=name,
			parent_customer_group=_root_of("Customer Group"),
			is_group=0,
		).insert()
	return name


def make_territory(name: str = "Nord") -> str:
	"""Return a leaf Territory (a sector)."""
	if not frappe.db.exists("Territory", name):
		frappe.get_doc(
			doctype="Territory", territory_name=name, parent_territory=_root_of("Territory"), is_group=0
		).insert()
	return name


def make_item(item_code: str = "TV-SERVICE", **overrides) -> str:
	"""Return a service item (not kept in stock), sold in `Nos`."""
	if not frappe.db.exists("Item", item_code):
		values = {
			"doctype": "Item",
			"item_code": item_code,
			"item_name": item_code,
			"item_group": frappe.db.get_value("Item Group", {"is_group": 0}),
			"stock_uom": "Nos",
			"is_stock_item": 0,
			**overrides,
		}
		frappe.get_doc(values).insert()
	return item_code


def make_channel(channel_code: str = "CH1", **overrides) -> str:
	"""Return a TV Channel."""
	if not frappe.db.exists("TV Channel", channel_code):
		frappe.get_doc(
			{"doctype": "TV Channel", "channel_code": channel_code, "channel_name": channel_code, **overrides}
		).insert()
	return channel_code


def make_bouquet(bouquet_code: str = "BASIC", channels: tuple[str, ...] = ("CH1", "CH2"), **overrides) -> str:
	"""Return a TV Bouquet with its channels."""
	if not frappe.db.exists("TV Bouquet", bouquet_code):
		frappe.get_doc(
			{
				"doctype": "TV Bouquet",
				"bouquet_code": bouquet_code,
				"bouquet_name": bouquet_code,
				"channels": [{"channel": make_channel(code)} for code in channels],
				**overrides,
			}
		).insert()
	return bouquet_code


def make_offer(offer_code: str = "HOTEL-TV", **overrides) -> str:
	"""Return a TV Offer (the header; its versions hold prices and bouquets)."""
	if not frappe.db.exists("TV Offer", offer_code):
		frappe.get_doc(
			{"doctype": "TV Offer", "offer_code": offer_code, "offer_name": offer_code, **overrides}
		).insert()
	return offer_code


def charge(charge_code: str = "BASE", **overrides) -> dict:
	"""Return one row for the charges of an offer version: recurring, per unit, 10.00 a month."""
	return {
		"charge_code": charge_code,
		"charge_kind": "Recurring",
		"item": make_item("TV-" + charge_code),
		"price_model": "Per Unit",
		"unit_price": 10,
		"interval_months": 1,
		**overrides,
	}


def activation_fee(**overrides) -> dict:
	"""Return the row of a one-off, flat activation fee of 50.00."""
	return charge(
		"ACTIVATION", **{"charge_kind": "One-off", "price_model": "Flat", "unit_price": 50, **overrides}
	)


def make_offer_version(
	offer: str = "HOTEL-TV", *, submit: bool = True, fresh: bool = False, **overrides
) -> str:
	"""Return a submitted version of the offer: activation fee 50.00, base 10.00 a TV and month, in EUR.

	The current version is reused unless `fresh` is set or anything is overridden.
	"""
	make_offer(offer)
	current = frappe.db.get_value("TV Offer", offer, "current_version")
	if current and submit and not fresh and not overrides:
		return current
	version = frappe.get_doc(
		{
			"doctype": "TV Offer Version",
			"offer": offer,
			"company": COMPANY,
			"currency": "EUR",
			"valid_from": "2020-01-01",
			"bouquets": [{"bouquet": make_bouquet()}],
			"charges": [activation_fee(), charge()],
			**overrides,
		}
	).insert()
	if submit:
		version.submit()
	return version.name


def make_customer(customer_name: str | None = None, **overrides) -> str:
	"""Return a customer; a new one each time unless named."""
	if customer_name and frappe.db.exists("Customer", {"customer_name": customer_name}):
		return frappe.db.get_value("Customer", {"customer_name": customer_name})
	return (
		frappe.get_doc(
			{
				"doctype": "Customer",
				"customer_name": customer_name or f"Hotel {frappe.generate_hash(length=8)}",
				"customer_type": "Company",
				"customer_group": make_segment("Hotel"),
				"territory": make_territory(),
				**overrides,
			}
		)
		.insert()
		.name
	)


def make_site(customer: str | None = None, **overrides) -> str:
	"""Return a new TV Site of the customer (of a new one when none is given), time zone Europe/Paris."""
	return (
		frappe.get_doc(
			{
				"doctype": "TV Site",
				"site_name": f"Site {frappe.generate_hash(length=6)}",
				"customer": customer or make_customer(),
				"segment": make_segment("Hotel"),
				"territory": make_territory(),
				"outlet_type": "Room",
				"outlets_installed": 10,
				"outlets_potential": 12,
				**overrides,
			}
		)
		.insert()
		.name
	)


def make_subscription(
	state: str = "Active",
	*,
	customer: str | None = None,
	site: str | None = None,
	lines: list[dict] | None = None,
	quantity: int = 1,
	start_on=None,
	activated_on=None,
	changed_on=None,
	end_date=None,
	**overrides,
) -> str:
	"""Return a new subscription brought to `state` by its own events, as staff would.

	`start_on` dates the paperwork and `activated_on` the activation (default today; 30 days ago when the state
	lies beyond Active), `changed_on` what comes after it (default today). `end_date` is the first day no longer
	served of a Cancelling one (default 30 days after). Other keywords go to `open_subscription`.
	"""
	from subscriber_tv.flows.contracts.change_state import change_state
	from subscriber_tv.flows.contracts.open_subscription import open_subscription

	overrides.setdefault("company", make_operator())
	customer = customer or (frappe.db.get_value("TV Site", site, "customer") if site else make_customer())
	if len(PATHS[state]) > len(PATHS["Active"]) and not activated_on:
		activated_on = add_days(getdate(), -30)
	name = open_subscription(
		customer=customer,
		site=site or make_site(customer),
		lines=lines or [{"offer_version": make_offer_version(), "quantity": quantity}],
		start_on=start_on or activated_on,
		**overrides,
	)
	for number, event in enumerate(PATHS[state]):
		effective = start_on or activated_on
		if number >= len(PATHS["Awaiting Activation"]):
			effective = activated_on if event == "activate" else changed_on
		ends = end_date or add_days(getdate(changed_on), 30)
		change_state(
			subscription=name,
			event=event,
			effective_date=effective,
			end_date=ends if event == "cancel_at_date" else None,
		)
	return name


def _root_of(doctype: str) -> str:
	"""Name of the root of a tree doctype, whatever the site's language called it."""
	return frappe.get_all(doctype, {"is_group": 1}, pluck="name", order_by="lft asc", limit=1)[0]


def make_device_model(model_code: str = "TV-32", **overrides) -> str:
	"""Return a TV Device Model (rented, 24 months of warranty) and its serialised stock item of the same code."""
	item = make_item(model_code, is_stock_item=1, has_serial_no=1, standard_rate=300)
	if not frappe.db.exists("TV Device Model", model_code):
		frappe.get_doc(
			{
				"doctype": "TV Device Model",
				"model_code": model_code,
				"model_name": model_code,
				"item": item,
				"stock_policy": "Rented",
				"warranty_months": 24,
				**overrides,
			}
		).insert()
	return model_code


def make_warehouse(name: str = "Depot", company: str = COMPANY, *, in_service: bool = False) -> str:
	"""Return a warehouse; with `in_service`, listed in TV Settings for the whole company."""
	full_name = f"{name} - {frappe.get_cached_value('Company', company, 'abbr')}"
	if not frappe.db.exists("Warehouse", full_name):
		frappe.get_doc({"doctype": "Warehouse", "warehouse_name": name, "company": company}).insert()
	settings = frappe.get_doc("TV Settings")
	if in_service and not any(row.company == company for row in settings.service_warehouses):
		settings.append("service_warehouses", {"company": company, "warehouse": full_name})
		settings.save()
	return full_name


def make_supplier(name: str = "TV Maker") -> str:
	"""Return a supplier."""
	if not frappe.db.exists("Supplier", name):
		group = frappe.get_all("Supplier Group", {"is_group": 0}, pluck="name", limit=1)[0]
		frappe.get_doc({"doctype": "Supplier", "supplier_name": name, "supplier_group": group}).insert()
	return name


def receive_devices(
	n: int = 1, *, model: str = "TV-32", warehouse: str | None = None, serials: list[str] | None = None
) -> list[str]:
	"""Receive `n` TVs by a submitted Purchase Receipt; return their serials, each now a TV Device."""
	from subscriber_tv.flows.devices import follow_stock

	make_operator()
	make_warehouse("In service", in_service=True)
	serials = serials or [f"TV-{frappe.generate_hash(length=10).upper()}" for _n in range(n)]
	frappe.get_doc(
		{
			"doctype": "Purchase Receipt",
			"supplier": make_supplier(),
			"company": COMPANY,
			"items": [
				{
					"item_code": make_device_model(model),
					"warehouse": warehouse or make_warehouse(),
					"qty": len(serials),
					"rate": 100,
					"use_serial_batch_fields": 1,
					"serial_no": "\n".join(serials),
				}
			],
		}
	).insert().submit()
	follow_stock.flush()
	return serials
