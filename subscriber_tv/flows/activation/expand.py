"""Which TVs a subject on the outbox stands for: those bound to it, and those that still have its rights."""

from collections.abc import Sequence

import frappe
from frappe.query_builder.functions import Count

from subscriber_tv.flows.activation.store_rights import name_of


def next_serials(row, limit: int) -> list[str]:
	"""The next TVs of one outbox row's subject, after its cursor."""
	if row.subject_type == "Device":
		return [row.subject]
	device = frappe.qb.DocType("TV Device")
	bound = (
		frappe.qb.from_(device)
		.select(device.name)
		.where(device[row.subject_type.lower()] == row.subject)
		.where((device.line_id != "") & (device.name > (row.cursor or "")))
		.orderby(device.name)
		.limit(limit)
		.run(pluck=True)
	)
	if row.subject_type == "Site":
		return bound
	rights = frappe.qb.DocType("TV Entitlement")
	entitled = (
		frappe.qb.from_(rights)
		.select(rights.subject)
		.where((rights.subscription == row.subject) & (rights.removed == 0))
		.where((rights.kind == "Device") & (rights.name > name_of("Device", row.cursor or "")))
		.orderby(rights.name)
		.limit(limit)
		.run(pluck=True)
	)
	return sorted({*bound, *entitled})[:limit]


def whole_contracts(subscriptions: Sequence[str], limit: int) -> dict[str, list[str]]:
	"""The TVs of as many of these subscriptions, each in whole, as have `limit` TVs together; none of one that is larger."""
	sizes = _sizes(subscriptions)
	taken: dict[str, list[str]] = {}
	for name in subscriptions:
		if sizes.get(name, 0) <= limit:
			taken[name] = []
			limit -= sizes.get(name, 0)
	if not taken:
		return {}
	device = frappe.qb.DocType("TV Device")
	query = frappe.qb.from_(device).select(device.subscription, device.name)
	for name, serial in query.where(device.subscription.isin(list(taken)) & (device.line_id != "")).run():
		taken[name].append(serial)
	for name, serial in _left_behind(taken):
		taken[name].append(serial)
	return taken


def _sizes(subscriptions: Sequence[str]) -> dict[str, int]:
	"""TVs bound to each of these subscriptions."""
	if not subscriptions:
		return {}
	device = frappe.qb.DocType("TV Device")
	query = frappe.qb.from_(device).select(device.subscription, Count("*"))
	query = query.where(device.subscription.isin(list(subscriptions)) & (device.line_id != ""))
	return dict(query.groupby(device.subscription).run())


def _left_behind(subscriptions: dict) -> list[tuple[str, str]]:
	"""TVs that have rights of a subscription to which they are no longer bound."""
	rights, device = frappe.qb.DocType("TV Entitlement"), frappe.qb.DocType("TV Device")
	query = frappe.qb.from_(rights).left_join(device)
	query = query.on(
		(device.name == rights.subject)
		& (device.subscription == rights.subscription)
		& (device.line_id != "")
	)
	query = query.select(rights.subscription, rights.subject).where(device.name.isnull())
	query = query.where(rights.subscription.isin(list(subscriptions)))
	return list(query.where((rights.removed == 0) & (rights.kind == "Device")).run())
