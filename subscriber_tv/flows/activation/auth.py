"""Answers what TVs ask daily, at the desk: the edge's answers on the desk's own rows and counts."""

from collections.abc import Callable

import frappe
from frappe.utils import now_datetime

from subscriber_tv.core.activation import prove, respond, rollup
from subscriber_tv.core.activation.decide import ALLOW
from subscriber_tv.core.activation.node import Answered
from subscriber_tv.core.devices import wire
from subscriber_tv.core.devices.requests import DESK
from subscriber_tv.flows.activation import record_answer
from subscriber_tv.flows.activation.desk_node import DeskNode
from subscriber_tv.flows.settings import phase_on
from subscriber_tv.flows.support import take_telemetry

Answer = Callable[[bytes, DeskNode, int], Answered]


def auth(body: bytes, network: str, now: int) -> wire.Answer:
	"""A TV asks whether it may play.

	:param network: address of the asking TV as `api.guards` found it
	:param now: epoch seconds UTC
	"""
	return _answer(respond.auth, body, network, now)


def assertion(body: bytes, network: str, now: int) -> wire.Answer:
	"""A TV proves itself with its own key."""
	return _answer(prove.assertion, body, network, now)


def challenge(body: bytes, network: str, now: int) -> wire.Answer:
	"""A TV asks what to prove itself with."""
	return _answer(prove.give_challenge, body, network, now)


def heartbeat(body: bytes, network: str, now: int) -> wire.Answer:
	"""A TV says how it is."""
	return _answer(respond.heartbeat, body, network, now)


def stream(body: bytes, network: str, now: int) -> wire.Answer:
	"""A TV starts, renews or stops a stream."""
	return _answer(respond.stream, body, network, now)


def _answer(answer: Answer, body: bytes, network: str, now: int) -> wire.Answer:
	"""Decide, count and answer."""
	if not phase_on("activation"):
		return wire.UNAVAILABLE
	answered = answer(body, DeskNode(now), now)
	take_telemetry.take_own(answered, network, now=now)
	if answered.is_counted:
		record_answer.count(rollup.bucket(answered.decision, audience=DESK, address=network, now=now))
		if answered.decision.kind == ALLOW:
			_note_first(answered.decision.row.serial)
	return answered.answer


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
