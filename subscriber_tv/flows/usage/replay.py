"""Try records again that were rejected or are held: after the limit, the profile, the offer, the TV or the record itself was put right."""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

import frappe

from subscriber_tv.core.money import money
from subscriber_tv.core.usage import inbox
from subscriber_tv.core.usage.problem import OF_READING, Problem, problem
from subscriber_tv.core.usage.profile import JSON_LINES
from subscriber_tv.core.usage.read import Read, Row, cells_of_raw, read_row
from subscriber_tv.core.usage.record import Record, name_of
from subscriber_tv.flows.usage import profiles, rows
from subscriber_tv.flows.usage.attempts import repeated
from subscriber_tv.flows.usage.take import AT_ONCE, Origin, take

WAITING = (inbox.REJECTED, inbox.RECEIVED, inbox.HELD)


def replay(names: Iterable[str]) -> Counter:
	"""Judge these records anew, those that still wait, in this transaction; what became of them by status.

	At most 1,000. The input is read again by the profile as it is now, unless somebody corrected the record by hand.
	"""
	wanted = list(names)
	return repeated(lambda: replay_once(wanted))


def replay_all(*, tv_import: str | None = None, source: str | None = None) -> Counter:
	"""Try all that wait, of one import or source; commits by the thousand. What became of them by status."""
	filters = {"state": ("in", WAITING)}
	if tv_import:
		filters["tv_import"] = tv_import
	if source:
		filters["source"] = source
	total: Counter = Counter()
	for names in _names(filters):
		total += replay(names)
		# The unit of work of a job that may take hours.
		frappe.db.commit()  # nosemgrep
	return total


def judge_received() -> Counter:
	"""Judge what came while billing was switched off; hourly."""
	found = Counter()
	for names in _names({"state": inbox.RECEIVED}):
		found += replay(names)
		# The unit of work of a scheduled job.
		frappe.db.commit()  # nosemgrep
	return found


def _names(filters: dict) -> Iterator[list[str]]:
	"""Batches of names in their order: what is rejected again does not come again."""
	last = ""
	while True:
		# Those that whoever asked may read; the hourly look asks for all.
		names = frappe.get_list(
			rows.DOCTYPE,
			{**filters, "name": (">", last)},
			pluck="name",
			order_by="name",
			limit=AT_ONCE,
		)
		if not names:
			return
		yield names
		last = names[-1]


def replay_once(names: Iterable[str]) -> Counter:
	"""The same for a caller who has written already: a lost conflict is raised, not tried again."""
	waiting = [row for row in rows.lock(sorted(names)).values() if row.state in WAITING]
	counts: Counter = Counter()
	for (source, profile, tv_import), group in itertools.groupby(sorted(waiting, key=_origin), key=_origin):
		group = list(group)
		reads = [read_kept(row) for row in group]
		outcomes = take(reads, Origin(source, profile or None, tv_import or None))
		counts.update(outcome.status for outcome in outcomes)
		for row, read in zip(group, reads, strict=True):
			_follow(row, read)
	return counts


def _origin(row) -> tuple[str, str, str]:
	return row.source, row.profile or "", row.tv_import or ""


def _follow(row, read: Read) -> None:
	"""An input in which a key could be read at last is another record now."""
	name = name_of(row.source, read.record.key)
	if name != row.name and row.current_record is None:
		rows.update(row.name, {"state": inbox.REPLACED, "current_record": name})


def read_kept(row) -> Read:
	"""A kept record as it would be read today."""
	try:
		cells = cells_of_raw(row.raw or "{}")
	except (ValueError, KeyError, TypeError):
		cells = {}
	if not row.corrected_by and cells and row.profile and frappe.db.exists("TV Import Profile", row.profile):
		return _read_again(row, cells)
	lost = row.problem in OF_READING and not row.corrected_by
	return Read(row.row_no, cells, _record(row), _no_profile(row) if lost else None)


def _read_again(row, cells: dict) -> Read:
	profile = profiles.load(row.profile)
	objects = row.tv_import is None
	if objects:
		profile = replace(profile, format=JSON_LINES, header_rows=0)
	return read_row(Row(row.row_no, cells), profile)


def _no_profile(row) -> Problem:
	return problem("no_profile", profile=row.profile or "-")


def _record(row) -> Record:
	"""The record as its columns say, for one that was corrected by hand."""
	return Record(
		key=row.source_key,
		version=row.version,
		serial=(row.serial or "").strip(),
		subscription=(row.reference or "").strip(),
		line=(row.line_id or "").strip(),
		charge=(row.charge_code or "").strip().upper(),
		quantity=money(row.quantity),
		at=rows.utc(row.used_at) if row.used_at and not row.day else None,
		day=row.day,
	)
