"""Which TVs stand where: those that a command reaches, and those that may connect to the broker."""

from collections.abc import Iterable, Iterator

import frappe
from frappe.query_builder.functions import Count

from subscriber_tv.core.mqtt import topics
from subscriber_tv.core.mqtt.broker_files import Member

KINDS = {"TV Device": topics.DEVICE, "TV Site": topics.SITE, "TV Device Model": topics.GROUP}
"""What a command may be for -> the kind of its topic. A group is a model."""

BATCH = 5000


def bound_at(sites: Iterable[str]) -> dict[str, int]:
	"""How many bound TVs each of these sites has."""
	names = list(sites)
	if not names:
		return {}
	device = frappe.qb.DocType("TV Device")
	rows = (
		frappe.qb.from_(device)
		.select(device.site, Count("*"))
		.where(device.site.isin(names) & (device.line_id != ""))
		.groupby(device.site)
		.run()
	)
	return dict(rows)


def reached(target_type: str, target: str) -> dict[str, int]:
	"""How many bound TVs a command to this TV, site or model reaches, by the company they are in service for."""
	device = frappe.qb.DocType("TV Device")
	column = {"TV Device": device.name, "TV Site": device.site, "TV Device Model": device.model}[target_type]
	rows = (
		frappe.qb.from_(device)
		.select(device.company, Count("*"))
		.where((column == target) & (device.line_id != ""))
		.groupby(device.company)
		.run()
	)
	return {company or "": number for company, number in rows}


def members() -> Iterator[Member]:
	"""Every bound TV that is not shut out, in order of serial; a serial that can stand in no topic is left out."""
	device = frappe.qb.DocType("TV Device")
	last = ""
	while True:
		rows = (
			frappe.qb.from_(device)
			.select(device.name, device.site, device.model)
			.where((device.line_id != "") & (device.credential_state != "Revoked") & (device.name > last))
			.orderby(device.name)
			.limit(BATCH)
			.run()
		)
		for serial, site, model in rows:
			if topics.is_serial(serial):
				yield Member(serial, site or "", model or "")
		if len(rows) < BATCH:
			return
		last = rows[-1][0]
