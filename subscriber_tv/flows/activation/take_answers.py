"""Counts what an edge answered, once, in the rows in which the desk counts its own answers."""

import datetime
from dataclasses import replace

import frappe

from subscriber_tv.core.activation import report, rollup
from subscriber_tv.core.activation.feed import CLOCK_SKEW
from subscriber_tv.flows.activation import note_edge, record_answer


def take_answers(batch: report.Batch, *, now: int) -> bool:
	"""Count a batch, in this transaction.

	:param now: epoch seconds UTC
	:return: False when this batch, or a later one of the same edge, was counted before
	"""
	if batch.number <= note_edge.take_turn(batch.edge, now=now):
		return False
	audience = report.name_in(batch.edge)
	tallies = [row.tally(audience, now) for row in batch.rows]
	known = _known(tallies)
	# A serial that is no TV of this site must not become a link to one.
	tallies = [tally if _is_ours(tally, known) else _nobody(tally) for tally in tallies]
	record_answer.add(tallies)
	_note_first(tallies, known)
	note_edge.note_batch(batch.edge, batch.number)
	return True


def _known(tallies: list[rollup.Tally]) -> dict[str, frappe._dict]:
	serials = {tally.bucket.serial for tally in tallies if tally.bucket.serial}
	if not serials:
		return {}
	rows = frappe.get_all(
		"TV Device",
		filters={"name": ("in", sorted(serials))},
		fields=["name", "bound_on", "first_power_on"],
		limit=0,
	)
	return {row.name: row for row in rows}


def _is_ours(tally: rollup.Tally, known: dict) -> bool:
	return not tally.bucket.serial or tally.bucket.serial in known


def _nobody(tally: rollup.Tally) -> rollup.Tally:
	return replace(tally, bucket=rollup.overflow(tally.bucket, tally.first))


def _note_first(tallies: list[rollup.Tally], known: dict) -> None:
	for tally in sorted(tallies, key=lambda tally: (tally.bucket.serial, tally.first)):
		device = known.get(tally.bucket.serial)
		if tally.bucket.kind == rollup.ALLOWED and device:
			_note_first_of(device, tally)


def _note_first_of(device: frappe._dict, tally: rollup.Tally) -> None:
	"""A first power-on belongs to a binding: what is told late about an earlier one is none of this one's."""
	bound = device.bound_on
	skew = datetime.timedelta(seconds=CLOCK_SKEW)
	if device.first_power_on or not bound or record_answer.local_time(tally.last) + skew < bound:
		return
	table = frappe.qb.DocType("TV Device")
	(
		frappe.qb.update(table)
		.set(table.first_power_on, max(record_answer.local_time(tally.first), bound))
		.where((table.name == device.name) & table.first_power_on.isnull())
		.run()
	)
