"""Gives a pairing code to a TV that the stock knows and nobody has bound; everybody else is a stranger."""

import datetime
import os

import frappe
from frappe.utils import get_url, now_datetime

from subscriber_tv.core.activation import enrolment, pairing, rollup
from subscriber_tv.core.activation.decide import STRANGER, Decision
from subscriber_tv.core.devices import jws, movements, wire
from subscriber_tv.flows.activation import keys, record_answer
from subscriber_tv.flows.settings import phase_on

AUDIENCE = "desk"
ENROLABLE = (movements.STOCKED, movements.PENDING)
TRIES = 5


def enrol(body: bytes, network: str, now: int) -> wire.Answer:
	"""Answer an enrolment. A new code makes the TV's older one void.

	The answer to a serial that may not pair is the one a stranger gets, whatever the reason; our own records
	keep the reason.
	"""
	if not phase_on("activation"):
		return wire.UNAVAILABLE
	try:
		request = enrolment.read_enrolment(body, keys.masters(), now)
	except wire.InvalidRequest:
		_count("invalid_request", network, now)
		return wire.INVALID_REQUEST
	except enrolment.Unproven:
		_count("wrong_credential", network, now)
		return wire.STRANGER
	return begin_pairing(request, network, now)


def begin_pairing(request: enrolment.Enrolment, network: str, now: int) -> wire.Answer:
	"""The answer to a TV that has proven its key, or that an import vouches for."""
	# Locked only once it looks enrolable: a lock on a serial that does not exist would hold up goods receipts.
	key = request.thumbprint
	if reason := _why_not(_device(request.serial), key) or _why_not(_device(request.serial, lock=True), key):
		_count(reason, network, now)
		return wire.STRANGER
	minutes = frappe.get_cached_doc("TV Settings").pairing_minutes or 15
	device_code = jws.b64url(os.urandom(32))
	code = _give_code(request, device_code, network, minutes)
	record_answer.count(
		rollup.named(
			rollup.CHANGED,
			when=now,
			code=rollup.ENROLLED,
			serial=request.serial,
			audience=AUDIENCE,
			network=rollup.network_of(network),
		)
	)
	return enrolment.enrolled(
		device_code=device_code, user_code=code, uri=_verification_uri(), expires_in=minutes * 60
	)


def _device(serial: str, lock: bool = False):
	fields = ["name", "credential_state", "state", "revoked_keys"]
	found = frappe.db.get_value("TV Device", serial, fields, as_dict=True, for_update=lock)
	# The database takes ab12 for AB12; signatures and edges do not.
	return found if found and found.name == serial else None


def _why_not(device, key: str) -> str | None:
	if device is None:
		return "unknown_serial"
	if key in (device.revoked_keys or "").split():
		return "revoked_key"
	if device.credential_state not in ENROLABLE:
		return "bound" if device.credential_state == movements.ACTIVE else "retired"
	return "retired" if device.state == movements.OUT_OF_STOCK else None


def _give_code(request: enrolment.Enrolment, device_code: str, network: str, minutes: int) -> str:
	code = _free_code()
	frappe.db.set_value(
		"TV Device",
		request.serial,
		{
			"credential_state": movements.PENDING,
			"pending_key_hash": request.thumbprint,
			"pending_public_key": request.key or None,
			"pending_parts": request.parts,
			"device_code_hash": enrolment.hash_of(device_code),
			"pairing_code": code,
			"pairing_until": now_datetime() + datetime.timedelta(minutes=minutes),
			"pairing_network": network,
			"firmware": request.firmware,
			"told_model": request.model,
		},
	)
	return code


def _free_code() -> str:
	"""A code that no TV has, used or not. Of 25.6 billion, so the second try is already a rarity."""
	for _attempt in range(TRIES):
		code = pairing.user_code(os.urandom(pairing.RANDOM_BYTES))
		if not frappe.db.exists("TV Device", {"pairing_code": code}):
			return code
	raise RuntimeError("no free pairing code found")


def _verification_uri() -> str:
	return frappe.get_cached_doc("TV Settings").verification_url or get_url("/pair-tv")


def _count(reason: str, network: str, now: int) -> None:
	decision = Decision(STRANGER, reason)
	record_answer.count(rollup.bucket(decision, audience=AUDIENCE, address=network, now=now))
