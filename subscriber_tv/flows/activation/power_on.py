"""Answers a TV that asks whether it may play, at the desk: the edge's decision on the desk's own rows."""

import hmac

import frappe
from frappe.utils import now_datetime

from subscriber_tv.core.activation import answer, rollup
from subscriber_tv.core.activation.decide import ALLOW, Row
from subscriber_tv.core.activation.feed import DEVICE
from subscriber_tv.core.devices import wire
from subscriber_tv.flows.activation import publish, record_answer, store_rights
from subscriber_tv.flows.settings import phase_on

AUDIENCE = "desk"


def power_on(body: bytes, network: str, now: int) -> wire.Answer:
	"""Decide, count and answer.

	:param network: address of the asking TV as `api.guards` found it
	:param now: epoch seconds UTC
	"""
	if not phase_on("activation"):
		return wire.UNAVAILABLE
	answered = answer.power_on(body, lambda serial: _row(serial, now), store_rights.document_hashes, now)
	record_answer.count(rollup.bucket(answered.decision, audience=AUDIENCE, address=network, now=now))
	if answered.decision.kind == ALLOW:
		_note_first(answered.decision.row.serial)
	return answered.answer


def waits_for_pairing(body: bytes) -> bool:
	"""Whether this refused request comes from a TV that shows a pairing code and asks until somebody enters it."""
	try:
		request = wire.parse_power_on(body)
	except wire.InvalidRequest:
		return False
	pending = frappe.db.get_value("TV Device", request.serial, "pending_key_hash") or ""
	return hmac.compare_digest(pending, wire.key_fingerprint(request.credential))


def _row(serial: str, now: int) -> Row | None:
	"""The TV's row of the projection, made up to date first when a change of its subjects still waits.

	So the very next power-on is right even while no publisher runs; only this TV is published here, its
	subject's other TVs stay the publisher's work.
	"""
	if _change_waits(serial):
		publish.publish_devices([serial], now=now)
	found = store_rights.entry(DEVICE, serial)
	return found.row() if found else None


def _change_waits(serial: str) -> bool:
	outbox = frappe.qb.DocType("TV Rights Outbox")
	if not frappe.qb.from_(outbox).select(outbox.name).limit(1).run():
		return False
	device = frappe.db.get_value("TV Device", serial, ["subscription", "site"], as_dict=True)
	if not device:
		return False
	offers = _offers(device.subscription)
	subjects = (
		((outbox.subject_type == "Device") & (outbox.subject == serial))
		| ((outbox.subject_type == "Subscription") & (outbox.subject == device.subscription))
		| ((outbox.subject_type == "Site") & (outbox.subject == device.site))
		| ((outbox.subject_type == "Offer") & outbox.subject.isin(offers or [""]))
	)
	return bool(frappe.qb.from_(outbox).select(outbox.name).where(subjects).limit(1).run())


def _offers(subscription: str | None) -> list[str]:
	"""The subscription's offer versions and their offers: a change of either is a change of its TVs' documents."""
	if not subscription:
		return []
	line, version = frappe.qb.DocType("TV Subscription Line"), frappe.qb.DocType("TV Offer Version")
	rows = (
		frappe.qb.from_(line)
		.join(version)
		.on(line.offer_version == version.name)
		.select(version.name, version.offer)
		.where((line.parenttype == "TV Subscription") & (line.parent == subscription))
		.run()
	)
	return sorted({name for row in rows for name in row})


def _note_first(serial: str) -> None:
	# Looked at before it is written: an update would make each power-on wait for a voucher that holds the TV.
	if frappe.db.get_value("TV Device", serial, "first_power_on"):
		return
	device = frappe.qb.DocType("TV Device")
	(
		frappe.qb.update(device)
		.set(device.first_power_on, now_datetime())
		.where((device.name == serial) & device.first_power_on.isnull())
		.run()
	)
