"""A TV that showed a pairing code asks whether it was entered; once it was, it is given its key."""

import frappe
from frappe.utils import get_datetime, get_url, now_datetime

from subscriber_tv.core.activation import enrolment, rollup
from subscriber_tv.core.activation.decide import STRANGER, Decision
from subscriber_tv.core.devices import mac, movements, wire
from subscriber_tv.core.devices.requests import DESK
from subscriber_tv.flows.activation import keys, record_answer
from subscriber_tv.flows.mqtt import broker
from subscriber_tv.flows.settings import phase_on

AUDIENCES = "subscriber_tv_audiences"
"""Entry of site_config: edge name -> address at which TVs reach it."""

PAIRED = (movements.ACTIVE, movements.QUARANTINED)
PACE_SECONDS = 900


def token(body: bytes, network: str, now: int) -> wire.Answer:
	"""Answer a question for a token (epoch seconds UTC). A code that is none, or another TV's, is an expired one."""
	if not phase_on("activation"):
		return wire.UNAVAILABLE
	try:
		poll = enrolment.read_poll(body)
	except wire.InvalidRequest:
		_count("invalid_request", network, now)
		return wire.INVALID_REQUEST
	device = _device(poll.code_hash)
	if not _is_by(poll, device):
		_count("wrong_device_code", network, now)
		return enrolment.ERRORS[enrolment.EXPIRED]
	error = _error(device, poll.code_hash, now)
	if error:
		return enrolment.ERRORS[error]
	place = broker.place_of(device.name, device.site, device.model)
	return enrolment.granted(keys.masters(), device.name, device.key_hash, _audiences(), place)


def _device(code_hash: str):
	fields = [
		"name",
		"credential_state",
		"key_hash",
		"public_key",
		"pending_key_hash",
		"pending_public_key",
		"pairing_until",
		"site",
		"model",
	]
	return frappe.db.get_value("TV Device", {"device_code_hash": code_hash}, fields, as_dict=True)


def _is_by(poll: enrolment.Poll, device) -> bool:
	"""Whether the TV that was given the code asks. A code that is nobody's costs the same."""
	if device is None:
		return poll.is_by(mac.NOBODY, "")
	if device.pending_key_hash:
		return poll.is_by(device.pending_key_hash, device.pending_public_key or "")
	return poll.is_by(device.key_hash or "", device.public_key or "")


def _error(device, code_hash: str, now: int) -> str:
	"""Why there is no token (yet); "" when there is one."""
	if not device.pairing_until or get_datetime(device.pairing_until) <= now_datetime():
		return enrolment.EXPIRED
	if device.credential_state in PAIRED:
		return ""
	if device.credential_state != movements.PENDING:
		return enrolment.DENIED
	return enrolment.TOO_FAST if _is_too_fast(code_hash, now) else enrolment.PENDING


def _is_too_fast(code_hash: str, now: int) -> bool:
	"""Whether the TV asks more often than it may; Redis being away hurries nobody."""
	name = f"tv-pace|{code_hash}"
	try:
		before = enrolment.Pace(*(frappe.cache.get_value(name, expires=True) or ()))
		pace, too_fast = enrolment.pace(before, now)
		frappe.cache.set_value(name, [pace.asked, pace.interval], expires_in_sec=PACE_SECONDS)
		return too_fast
	except Exception:
		frappe.logger("subscriber_tv").warning("No pace of polling without Redis", exc_info=True)
		return False


def _audiences() -> tuple[dict[str, str], ...]:
	"""The nodes that a TV may ask, the desk last: it is the slowest."""
	edges = frappe.conf.get(AUDIENCES) or {}
	return (
		*({"aud": name, "url": url} for name, url in sorted(edges.items())),
		{"aud": DESK, "url": get_url()},
	)


def _count(reason: str, network: str, now: int) -> None:
	decision = Decision(STRANGER, reason)
	record_answer.count(rollup.bucket(decision, audience=DESK, address=network, now=now))
