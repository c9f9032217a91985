"""How long TVs wait for their first picture: facts for the number card and the report."""

import datetime

import frappe

from subscriber_tv.core.activation.waiting import First
from subscriber_tv.flows.permitted import permitted

DELIVERED = ("Delivered", "Sold")


def first_answers(
	since: datetime.datetime, until: datetime.datetime, company: str | None = None
) -> list[First]:
	"""First allowed answers in [since, until) of the TVs that user permissions leave to the user (site time)."""
	device, site = frappe.qb.DocType("TV Device"), frappe.qb.DocType("TV Site")
	contract, customer = frappe.qb.DocType("TV Subscription"), frappe.qb.DocType("Customer")
	query = (
		frappe.qb.from_(device)
		.left_join(site)
		.on(site.name == device.site)
		.left_join(contract)
		.on(contract.name == device.subscription)
		.left_join(customer)
		.on(customer.name == device.customer)
		.select(
			device.name,
			device.first_power_on,
			device.subscription,
			site.territory,
			site.segment,
			customer.default_sales_partner,
			contract.sales_channel,
		)
		.where((device.first_power_on >= since) & (device.first_power_on < until))
	)
	if company:
		query = query.where(device.company == company)
	rows = query.run(as_dict=True)
	allowed = permitted("TV Device", [row.name for row in rows])
	rows = [row for row in rows if row.name in allowed]
	delivered = _delivered([row.name for row in rows])
	installed = _installed({row.subscription for row in rows if row.subscription})
	return [
		First(
			allowed=row.first_power_on,
			delivered=_latest(delivered.get(row.name, ()), row.first_power_on),
			installed=_latest(installed.get(row.subscription, ()), row.first_power_on),
			sector=row.territory or "",
			segment=row.segment or "",
			partner=row.default_sales_partner or "",
			channel=row.sales_channel or "",
		)
		for row in rows
	]


def _latest(moments, until: datetime.datetime) -> datetime.datetime | None:
	return max((moment for moment in moments if moment <= until), default=None)


def _delivered(serials: list[str]) -> dict[str, list[datetime.datetime]]:
	if not serials:
		return {}
	rows = frappe.get_all(
		"TV Device Event Line",
		{"parenttype": "TV Device", "parent": ("in", serials), "event": ("in", DELIVERED)},
		["parent", "at"],
		limit=0,
	)
	found: dict[str, list[datetime.datetime]] = {}
	for row in rows:
		found.setdefault(row.parent, []).append(row.at)
	return found


def _installed(subscriptions: set[str]) -> dict[str, list[datetime.datetime]]:
	if not subscriptions:
		return {}
	rows = frappe.get_all(
		"TV Subscription Change",
		{"subscription": ("in", sorted(subscriptions)), "event": "finish_installation", "docstatus": 1},
		["subscription", "known_on"],
		limit=0,
	)
	found: dict[str, list[datetime.datetime]] = {}
	for row in rows:
		if row.known_on:
			found.setdefault(row.subscription, []).append(row.known_on)
	return found
