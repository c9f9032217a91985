"""Takes what nodes hear beside rights, the desk's own included: heartbeats, and signs that a TV may have a copy."""

import frappe

from subscriber_tv.core.activation import report, streams, telemetry
from subscriber_tv.core.activation.decide import CONFLICT
from subscriber_tv.core.activation.node import Answered
from subscriber_tv.core.activation.rollup import network_of
from subscriber_tv.core.devices import clones, heartbeats
from subscriber_tv.flows.support.note_evidence import Sign, note_evidence
from subscriber_tv.flows.support.take_heartbeats import take_heartbeats

DESK = "desk"


def take_telemetry(batch: telemetry.Batch, *, now: int) -> None:
	"""Keep what an edge heard, in this transaction. :param now: epoch seconds UTC"""
	audience = report.name_in(batch.edge)
	take_heartbeats(batch.hours, now=now, audience=audience)
	_note_signs(batch.signs, audience, now)


def take_own(answered: Answered, address: str, *, now: int) -> None:
	"""Keep what one answer of the desk tells. :param now: epoch seconds UTC"""
	row = answered.decision.row
	if row is None:
		return
	if answered.told is not None:
		beat = heartbeats.read(answered.told)
		take_heartbeats([heartbeats.one(row.serial, beat, at=now, network=network_of(address))], now=now)
	elif answered.decision.kind == CONFLICT and answered.number:
		frappe.cache.set_value(_refused(row.serial), answered.number, expires_in_sec=telemetry.FOLLOWS)
	else:
		number = _refused_before(row.serial) if answered.proven else 0
		second = bool(answered.stream) and _is_second(row.serial, answered.stream)
		kinds = telemetry.kinds(answered, number, second)
		signs = [telemetry.Sign(row.serial, now, number, network_of(address), kind) for kind in kinds]
		_note_signs(tuple(signs), DESK, now)


def _refused_before(serial: str) -> int:
	number = frappe.cache.get_value(_refused(serial), expires=True) or 0
	if number:
		frappe.cache.delete_value(_refused(serial))
	return number


def _is_second(serial: str, stream: str) -> bool:
	"""Whether a stream goes on after another of the same TV began, as telemetry.Watch has it."""
	name = f"tv-streams-of|{serial}"
	here, before = frappe.cache.get_value(name, expires=True) or ("", "")
	if here != stream:
		frappe.cache.set_value(name, (stream, here), expires_in_sec=streams.SLOT)
	return stream == before


def _note_signs(signs: tuple[telemetry.Sign, ...], audience: str, now: int) -> None:
	noted = [
		Sign(
			sign.serial,
			clones.Evidence(sign.kind, min(sign.at, now), network=sign.network, counter=sign.counter),
			audience,
		)
		for sign in signs
	]
	note_evidence(noted, now=now)


def _refused(serial: str) -> str:
	return f"tv-refused|{serial}"
