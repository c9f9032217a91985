"""Remembers the edges: how far each has come, how old its data is, and which of its batches is counted."""

import datetime

import frappe
from frappe.utils import now_datetime
from pypika.terms import Values

from subscriber_tv.core.activation import report
from subscriber_tv.flows.activation.record_answer import local_time

DOCTYPE = "TV Edge"
EVERY = 60
"""Seconds between two notes of one edge: its age is watched by people."""


def note_edge(edge: str, *, seq: int, as_of: int, now: int) -> bool:
	"""Note the number and the moment (epoch seconds, 0: none yet) that an edge says it has reached.

	:param edge: its identity; BadReport when it is none
	:return: whether anything was written: at most once a minute
	"""
	name = report.name_in(edge)
	last_heard = frappe.db.get_value(DOCTYPE, edge, "last_heard")
	if last_heard and last_heard > local_time(now) - datetime.timedelta(seconds=EVERY):
		return False
	_write(edge, edge_name=name, last_heard=local_time(now), seq=seq, as_of=_moment(as_of, now))
	return True


def take_turn(edge: str, *, now: int) -> int:
	"""The number of the edge's last counted batch. Until the transaction ends nobody else counts one of this edge."""
	_write(edge, edge_name=report.name_in(edge), last_answers=local_time(now))
	table = frappe.qb.DocType(DOCTYPE)
	query = frappe.qb.from_(table).select(table.last_batch).where(table.name == edge)
	return query.for_update().run()[0][0]


def note_batch(edge: str, number: int) -> None:
	"""The batch of this number is counted."""
	frappe.db.set_value(DOCTYPE, edge, "last_batch", number, update_modified=False)


def _moment(as_of: int, now: int) -> datetime.datetime | None:
	return local_time(min(as_of, now)) if as_of else None


def _write(edge: str, **values) -> None:
	now, user = now_datetime(), frappe.session.user
	fixed = {"name": edge, "creation": now, "owner": user, "docstatus": 0, "last_batch": 0}
	moving = values | {"modified": now, "modified_by": user}
	row = fixed | moving
	table = frappe.qb.DocType(DOCTYPE)
	query = frappe.qb.into(table).columns(*row).insert(*row.values())
	for column in moving:
		query = query.on_duplicate_key_update(table[column], Values(table[column]))
	query.run()
