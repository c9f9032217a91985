"""Endpoints of TVs (the TV protocol, offer documents, keys) and of the staff who pair and deliver them.

A TV gets the bytes that the wire format spells and nothing else: see tv_frame.py.
"""

import json
import time

import frappe
from frappe import _
from werkzeug.wrappers import Response

from subscriber_tv.api import guards, tv_frame
from subscriber_tv.core.activation import enrolment, rollup
from subscriber_tv.core.activation.decide import STRANGER, Decision
from subscriber_tv.core.devices import requests, wire
from subscriber_tv.flows.activation import auth as auth_flow
from subscriber_tv.flows.activation import bind as bind_flow
from subscriber_tv.flows.activation import enrol as enrol_flow
from subscriber_tv.flows.activation import keys, parental_lock, record_answer, store_rights
from subscriber_tv.flows.activation import revoke as revoke_flow
from subscriber_tv.flows.activation import token as token_flow
from subscriber_tv.flows.activation import unbind as unbind_flow
from subscriber_tv.flows.devices import deliver as deliver_flow

# Answers to a TV that has proven itself, and answers to whoever has not.
SUCCESSES = (200, 204, 403, 409)
FAILURES = (400, 401)
EVERYBODY = "everybody"


@frappe.whitelist(allow_guest=True, methods=["POST"])
def auth() -> Response:
	"""A TV asks whether it may play. docs/device-protocol.md has requests and answers."""
	return _answer(auth_flow.auth, _spend_device)


@frappe.whitelist(allow_guest=True, methods=["POST"])
def assertion() -> Response:
	"""A TV proves itself with its own key, and is answered as in `auth`."""
	return _answer(auth_flow.assertion, _spend_device)


# TVs ask under the protocol's name, which Python keeps for itself.
globals()["assert"] = assertion


@frappe.whitelist(allow_guest=True, methods=["POST"])
def challenge() -> Response:
	"""A TV asks what to prove itself with."""
	return _answer(auth_flow.challenge, _spend_challenge)


@frappe.whitelist(allow_guest=True, methods=["POST"])
def heartbeat() -> Response:
	"""A TV says how it is."""
	return _answer(auth_flow.heartbeat, _spend_device)


@frappe.whitelist(allow_guest=True, methods=["POST"])
def stream() -> Response:
	"""A TV starts, renews or stops a stream."""
	return _answer(auth_flow.stream, _spend_device)


@frappe.whitelist(allow_guest=True, methods=["POST"])
def enrol() -> Response:
	"""A TV asks for a pairing code."""
	return _answer(enrol_flow.enrol, _spend_enrolment)


@frappe.whitelist(allow_guest=True, methods=["POST"])
def token() -> Response:
	"""A TV asks whether its pairing code was entered."""
	return _answer(token_flow.token, _spend_challenge)


@frappe.whitelist(allow_guest=True, methods=["GET"])
def hello() -> Response:
	"""Who answers here, and what time it is."""
	return tv_frame.response_of(wire.hello(requests.DESK, int(time.time())))


@frappe.whitelist(allow_guest=True, methods=["GET"])
def offer(hash: str = "") -> Response:
	"""The signed offer document with this hash; it never changes, so it may be kept for ever."""
	document = store_rights.document(hash) if len(hash) == 43 else None
	return tv_frame.response_of(wire.offer_document(document) if document else wire.NOT_FOUND)


@frappe.whitelist(allow_guest=True, methods=["GET"])
def jwks() -> Response:
	"""The public keys that leases, denials and offer documents are signed with (RFC 7517)."""
	headers = (("Content-Type", "application/json"), ("Cache-Control", "public, max-age=3600"))
	return tv_frame.response_of(wire.Answer(200, json.dumps(keys.public_keys()).encode(), headers))


@frappe.whitelist(methods=["POST"])
def find_code(code: str) -> dict:
	"""The TV that shows a pairing code, for staff to compare with the TV before them."""
	guards.only_for(*guards.STAFF_PAIRING)
	device = _device_showing(code)
	return {
		"serial": device.name,
		"model": device.model,
		"told_model": device.told_model,
		"firmware": device.firmware,
		"asked_from": device.pairing_network,
		"code_until": device.pairing_until,
		"customer": device.customer,
		"site": device.site,
		"place": frappe.db.get_value("TV Site", device.site, "site_name") if device.site else None,
		"subscription": device.subscription,
		"warehouse": device.warehouse,
	}


@frappe.whitelist(methods=["POST"])
def bind(subscription: str, line_id: str, code: str) -> str:
	"""Bind the TV that shows this code to a line of a subscription; returns its serial."""
	guards.only_for(*guards.STAFF_PAIRING)
	_may_read("TV Subscription", subscription)
	_device_showing(code)
	return _guess(lambda: bind_flow.bind_by_code(subscription=subscription, line_id=line_id, code=code))


@frappe.whitelist(methods=["POST"])
def refuse_code(code: str, reason: str | None = None) -> str:
	"""Send away the TV that shows this code: it is not the one before the user. Returns its serial."""
	guards.only_for(*guards.STAFF_PAIRING)
	_device_showing(code)
	return _guess(lambda: bind_flow.refuse_code(code=code, reason=reason))


@frappe.whitelist(methods=["POST"])
def unbind(device: str, reason: str | None = None) -> None:
	"""Take a TV off its subscription; it may pair again."""
	guards.only_for(*guards.STAFF_PAIRING)
	_may_read("TV Device", device)
	unbind_flow.unbind(device=device, reason=reason)


@frappe.whitelist(methods=["POST"])
def revoke(device: str, reason: str) -> None:
	"""Shut out a stolen or misused TV."""
	guards.only_for(*guards.STAFF_REVOKING)
	_may_read("TV Device", device)
	revoke_flow.revoke(device=device, reason=reason)


@frappe.whitelist(methods=["POST"])
def readmit(device: str, reason: str) -> None:
	"""Let a revoked TV pair again."""
	guards.only_for(*guards.STAFF_REVOKING)
	_may_read("TV Device", device)
	revoke_flow.readmit(device=device, reason=reason)


@frappe.whitelist(methods=["POST"])
def set_parental_lock(device: str, age: str, pin: str = "", pin_rule: str = parental_lock.KEEP) -> None:
	"""Lock a TV's channels from an age on; see flows/activation/parental_lock.py."""
	guards.only_for(*guards.STAFF_REVOKING)
	_may_read("TV Device", device)
	parental_lock.set_parental_lock(device=device, age=age, pin=pin, pin_rule=pin_rule)


@frappe.whitelist(methods=["POST"])
def deliver(
	subscription: str,
	serials: list | str,
	from_warehouse: str | None = None,
	posting_date: str | None = None,
) -> str:
	"""Deliver TVs to the site of a subscription; `serials` is a list, or text with one serial a line."""
	guards.only_for(*guards.STAFF_LOGISTICS)
	_may_read("TV Subscription", subscription)
	if from_warehouse:
		_may_read("Warehouse", from_warehouse)
	names = serials if isinstance(serials, list) else serials.replace(",", "\n").split("\n")
	return deliver_flow.deliver(
		subscription=subscription, serials=names, from_warehouse=from_warehouse, posting_date=posting_date
	)


def _answer(flow, spend_success) -> Response:
	"""Check the request's frame, ask the flow, count successes and failures and limit both."""
	request = frappe.local.request
	body = request.get_data()
	if refused := tv_frame.frame_refusal(request):
		return tv_frame.response_of(refused)
	address, now = guards.request_network(), int(time.time())
	answer = flow(body, address, now)
	if _within_limits(answer, body, address, spend_success):
		return tv_frame.response_of(answer)
	# What was written for this answer goes: a flood is counted in one row, and costs no pairing code.
	frappe.db.rollback()
	decision = Decision(STRANGER, "rate_limited")
	record_answer.count(rollup.bucket(decision, audience="desk", address=address, now=now))
	return tv_frame.response_of(wire.RATE_LIMITED)


def _spend_device(serial: str, _network: str) -> bool:
	return guards.spend("device", serial)


def _spend_challenge(_serial: str, network: str) -> bool:
	return guards.spend("challenges", network)


def _spend_enrolment(serial: str, network: str) -> bool:
	"""Whoever names a serial in stock gets a code, so neither that TV nor the stock may be worn out from elsewhere."""
	return guards.spend("device", f"{serial}|{network}") and guards.spend("enrolments", network)


def _within_limits(answer: wire.Answer, body: bytes, address: str, spend_success) -> bool:
	if answer.status in SUCCESSES:
		return spend_success(requests.serial_in(body), guards.bucket_of(address))
	if answer.status not in FAILURES or answer.body in enrolment.WAITING:
		return True
	return guards.spend("failures", guards.bucket_of(address))


def _guess(attempt):
	"""Run an attempt with a pairing code; too many wrong ones make the user wait."""
	if guards.spent("codes", frappe.session.user) or guards.spent("all_codes", EVERYBODY):
		frappe.throw(
			_("Too many wrong pairing codes. Wait a quarter of an hour."), frappe.RateLimitExceededError
		)
	try:
		return attempt()
	except bind_flow.CodeUnknown:
		guards.spend("codes", frappe.session.user)
		guards.spend("all_codes", EVERYBODY)
		raise


def _device_showing(code: str) -> dict:
	"""The TV that shows a code, if it is one the user may read."""
	device = _guess(lambda: bind_flow.find_by_code(code))
	_may_read("TV Device", device.name)
	return device


def _may_read(doctype: str, name: str) -> None:
	frappe.has_permission(doctype, "read", name, throw=True)
