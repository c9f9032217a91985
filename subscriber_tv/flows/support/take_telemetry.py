"""Takes what nodes hear beside rights, the desk's own included: heartbeats, and TVs that lost count and proved themselves."""

import frappe

from subscriber_tv.core.activation import report, telemetry
from subscriber_tv.core.activation.decide import CONFLICT
from subscriber_tv.core.activation.node import Answered
from subscriber_tv.core.activation.rollup import network_of
from subscriber_tv.core.devices import clones, heartbeats
from subscriber_tv.flows.support.note_evidence import Sign, note_evidence
from subscriber_tv.flows.support.take_heartbeats import take_heartbeats


def take_telemetry(batch: telemetry.Batch, *, now: int) -> None:
	"""Keep what an edge heard, in this transaction. :param now: epoch seconds UTC"""
	audience = report.name_in(batch.edge)
	take_heartbeats(batch.hours, now=now, audience=audience)
	_note_resyncs(batch.resyncs, audience, now)


def take_own(answered: Answered, address: str, *, now: int) -> None:
	"""Keep what one answer of the desk tells. :param now: epoch seconds UTC"""
	row = answered.decision.row
	if row is None:
		return
	if answered.told is not None:
		beat = heartbeats.read(answered.told)
		take_heartbeats([heartbeats.one(row.serial, beat, at=now, network=network_of(address))], now=now)
	elif answered.decision.kind == CONFLICT and answered.number:
		frappe.cache.set_value(_name(row.serial), answered.number, expires_in_sec=telemetry.FOLLOWS)
	elif answered.proven and (number := frappe.cache.get_value(_name(row.serial), expires=True)):
		frappe.cache.delete_value(_name(row.serial))
		resync = telemetry.Resync(row.serial, now, number, network_of(address))
		_note_resyncs((resync,), "desk", now)


def _note_resyncs(resyncs: tuple[telemetry.Resync, ...], audience: str, now: int) -> None:
	"""Two sets that share one identity cannot keep one count: a refused number, then a proof, is a sign of a copy."""
	signs = [
		Sign(
			resync.serial,
			clones.Evidence(
				clones.RESYNC, min(resync.at, now), network=resync.network, counter=resync.counter
			),
			audience,
		)
		for resync in resyncs
	]
	note_evidence(signs, now=now)


def _name(serial: str) -> str:
	return f"tv-refused|{serial}"
