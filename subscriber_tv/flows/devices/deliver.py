"""Brings TVs from the stock to the site of a subscription, and back."""

from collections.abc import Iterable
from datetime import date

import frappe
from frappe import _
from frappe.utils import getdate

from subscriber_tv.core.devices import movements
from subscriber_tv.flows.devices import follow_stock
from subscriber_tv.flows.settings import require_phase
from subscriber_tv.ledger import stock

OVER = ("Cancelled", "Uninstalled")


class DeliverRefused(frappe.ValidationError):
	"""The TVs cannot be delivered; the message names them and the next step."""


def deliver(
	*,
	subscription: str,
	serials: Iterable[str],
	from_warehouse: str | None = None,
	posting_date: date | str | None = None,
) -> str:
	"""Deliver TVs to a subscription; return the name of the stock voucher.

	Rented models are transferred to the in-service warehouse of the company and sector, sold ones leave on a Delivery Note.
	:param from_warehouse: refuse TVs that stand elsewhere; None takes each from where it stands
	:param posting_date: day of the movement, today when None; the customer's warranty starts on it
	Errors: DeliverRefused, ledger.stock.NoPrice.
	"""
	require_phase("equipment")
	contract = _contract(subscription)
	devices = _devices(serials, from_warehouse)
	policy = _policy(devices)
	common = {
		"company": contract.company,
		"lots": _lots(devices),
		"subscription": subscription,
		"posting_date": getdate(posting_date) if posting_date else None,
	}
	if policy == "Sold":
		voucher = stock.deliver_sold(customer=contract.customer, **common)
	else:
		voucher = stock.transfer(to_warehouse=service_warehouse(contract.company, contract.site), **common)
	follow_stock.flush()
	return voucher


def service_warehouse(company: str, site: str) -> str:
	"""The in-service warehouse of the site's sector, else the company's own. Errors: DeliverRefused."""
	territory = frappe.db.get_value("TV Site", site, "territory")
	rows = [row for row in frappe.get_cached_doc("TV Settings").service_warehouses if row.company == company]
	for wanted in (territory, None):
		for row in rows:
			if (row.territory or None) == wanted:
				return row.warehouse
	frappe.throw(
		_(
			"Company {0} has no in-service warehouse for sector {1}. Add one in TV Settings, tab Equipment."
		).format(frappe.bold(company), frappe.bold(territory or _("any"))),
		DeliverRefused,
		title=_("No In-service Warehouse"),
	)


def _contract(subscription: str):
	fields = ["company", "customer", "site", "state"]
	found = frappe.db.get_value("TV Subscription", subscription, fields, as_dict=True)
	if not found or found.state in OVER:
		frappe.throw(
			_("Subscription {0} does not exist or has ended. TVs are delivered to a running one.").format(
				frappe.bold(subscription)
			),
			DeliverRefused,
		)
	return found


def _devices(serials: Iterable[str], from_warehouse: str | None) -> list:
	serials = list(dict.fromkeys(serial.strip() for serial in serials if serial.strip()))
	found = frappe.get_all(
		"TV Device",
		filters={"name": ("in", serials or [""])},
		fields=["name", "item", "model", "state", "warehouse"],
		order_by="name asc",
		limit=0,
	)
	_refuse(
		sorted(set(serials) - {device.name for device in found}) or ([] if serials else [_("none given")]),
		_("No goods receipt lists these TVs: {0}."),
	)
	_refuse(
		[device.name for device in found if device.state != movements.IN_STOCK],
		_("These TVs are not in stock: {0}. Return them to a warehouse first."),
	)
	if from_warehouse:
		_refuse(
			[device.name for device in found if device.warehouse != from_warehouse],
			_("These TVs stand in another warehouse: {0}."),
		)
	return found


def _policy(devices: list) -> str:
	models = {device.model for device in devices}
	policies = frappe.get_all(
		"TV Device Model", filters={"name": ("in", list(models))}, pluck="stock_policy", distinct=True
	)
	if len(policies) > 1:
		_refuse(
			sorted(models),
			_("Rented and sold models go on separate documents. Deliver these models one by one: {0}."),
		)
	return policies[0]


def _lots(devices: list) -> list[stock.SerialLot]:
	lots: dict[tuple[str, str], list[str]] = {}
	for device in devices:
		lots.setdefault((device.item, device.warehouse), []).append(device.name)
	return [
		stock.SerialLot(item, warehouse, tuple(names)) for (item, warehouse), names in sorted(lots.items())
	]


def _refuse(names: list[str], message: str) -> None:
	if names:
		frappe.throw(
			message.format(frappe.bold(", ".join(names[:10]))), DeliverRefused, title=_("Not Delivered")
		)
