"""Item groups, the service items behind charges, and the in-service warehouse of an operator."""

import frappe
from frappe import _

from subscriber_tv.flows.imports.make_item import HARDWARE_GROUP
from subscriber_tv.setup.accounts import (
	DEFERRED_REVENUE,
	DEPOSITS_RECEIVED,
	SERVICE_INCOME,
	find_account,
)
from subscriber_tv.setup.taxes import NO_VAT, item_tax_template

SERVICE_GROUP = "TV Services"

SERVICE_ITEMS: tuple[tuple[str, str, str, bool], ...] = (
	("TV-SUBSCRIPTION", "Abonnement télévision", "10", True),
	("TV-OPTION", "Option vidéo à la demande", "20", True),
	("TV-RENTAL", "Location de téléviseur", "20", True),
	("TV-ACTIVATION", "Frais d'activation", "20", False),
)
"""Code, French name on the bill, VAT rate in percent, revenue deferred over the billed period."""

DEPOSIT_ITEM = ("TV-DEPOSIT", "Dépôt de garantie du téléviseur")


def make_groups_and_items(company: str) -> None:
	"""Create the item groups and the service items that charges lean on."""
	root = frappe.db.get_value("Item Group", {"parent_item_group": ("is", "not set")}, "name")
	for group in (SERVICE_GROUP, HARDWARE_GROUP):
		if not frappe.db.exists("Item Group", group):
			frappe.get_doc(
				{
					"doctype": "Item Group",
					"item_group_name": group,
					"parent_item_group": root,
				}
			).insert(ignore_permissions=True)  # nosemgrep: set-up, guarded by its callers
	for code, name, rate, deferred in SERVICE_ITEMS:
		make_service_item(company, code, name, rate, deferred=deferred)
	if account := find_account(company, DEPOSITS_RECEIVED):
		code, name = DEPOSIT_ITEM
		make_service_item(company, code, name, NO_VAT, deferred=False, account=account)


def make_service_item(
	company: str, code: str, name: str, vat_rate: str, *, deferred: bool, account: str | None = None
) -> str:
	"""Create a service item with its VAT template and accounts; an existing item is left alone.

	`account` is what its rows are booked to, that of service income unless given.
	"""
	if frappe.db.exists("Item", code):
		return code
	return _insert_item(
		{
			"item_code": code,
			"item_name": name,
			"item_group": SERVICE_GROUP,
			"is_stock_item": 0,
			"is_purchase_item": 0,
			"enable_deferred_revenue": int(deferred),
			"taxes": [{"item_tax_template": item_tax_template(company, vat_rate)}],
			"item_defaults": [
				{
					"company": company,
					"income_account": account or find_account(company, SERVICE_INCOME),
					"deferred_revenue_account": find_account(company, DEFERRED_REVENUE) if deferred else None,
				}
			],
		}
	)


def make_warehouse(company: str, name: str, parent: str | None = None) -> str:
	"""Create a warehouse of this company unless it exists; returns its full name."""
	abbr = frappe.get_cached_value("Company", company, "abbr")
	full_name = f"{name} - {abbr}"
	if not frappe.db.exists("Warehouse", full_name):
		root = parent or frappe.db.get_value(
			"Warehouse",
			{"company": company, "is_group": 1, "parent_warehouse": ("is", "not set")},
			"name",
		)
		frappe.get_doc(
			{
				"doctype": "Warehouse",
				"warehouse_name": name,
				"company": company,
				"parent_warehouse": root,
			}
		).insert(ignore_permissions=True)
	return full_name


def make_service_warehouse(company: str) -> str:
	"""The warehouse where rented TVs stand while subscribers watch them; the one in TV Settings, else a new one."""
	configured = frappe.db.get_value(
		"TV Service Warehouse Line",
		{"parent": "TV Settings", "company": company},
		"warehouse",
	)
	return configured or make_warehouse(company, _("In service"))


def _insert_item(values: dict) -> str:
	doc = frappe.get_doc(
		{
			"doctype": "Item",
			"stock_uom": "Nos",
			"include_item_in_manufacturing": 0,
			**values,
		}
	)
	return doc.insert(ignore_permissions=True).name
