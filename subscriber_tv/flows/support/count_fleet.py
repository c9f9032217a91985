"""Keeps the fleet's figures: how many TVs per site and firmware, online, with alarms, suspected.

The only writer of TV Fleet Count. TVs whose figures may have changed are marked; each minute the marked ones are
compared with how they were counted, and only the difference is added. So a board over 563,000 TVs reads some thousand rows.
"""

import hashlib
from collections.abc import Iterable, Sequence

import frappe
from frappe.query_builder import Case
from frappe.query_builder.functions import Count, IfNull, Sum
from frappe.utils import now_datetime
from pypika.terms import Values

from subscriber_tv.core.devices import movements
from subscriber_tv.flows.activation.record_answer import local_time
from subscriber_tv.flows.settings import phase_on
from subscriber_tv.flows.support.moments import epoch
from subscriber_tv.flows.support.take_heartbeats import OFFLINE_SECONDS, make_status

CHUNK = 1000
OVERLAP = 600
"""Seconds that are looked at again: a change is dated when it is written and seen when its transaction commits."""

TURN = "TV-FLEET-COUNT"
"""Row of Series: whose turn it is to count, and up to which moment (epoch) changes of TVs are marked."""

IN_SERVICE = (movements.IN_SERVICE, movements.SOLD)
FIGURES = ("tvs", "online", "alarms", "suspected")
PLACE = ("company", "segment", "territory", "site", "customer", "firmware")


def count_fleet() -> int:
	"""Bring the figures up to date; how many TVs were counted anew. Each minute; safe at any time and twice at once."""
	if not phase_on("activation"):
		return 0
	_mark_changed()
	_mark_silent()
	# Marks are a unit of work, and so is each chunk: whoever dies is continued by the next minute.
	frappe.db.commit()  # nosemgrep
	counted = 0
	while done := count_chunk():
		counted += done
		frappe.db.commit()  # nosemgrep
	return counted


def count_chunk(limit: int = CHUNK) -> int:
	"""Count up to `limit` marked TVs, in this transaction; 0: none is marked."""
	take_turn()
	table = frappe.qb.DocType("TV Device Status")
	marked = (
		frappe.qb.from_(table)
		.select("*")
		.where(table.dirty == 1)
		.orderby(table.name)
		.limit(limit)
		.for_update()
	).run(as_dict=True)
	if not marked:
		return 0
	facts = _facts([row.name for row in marked])
	changes: dict[str, dict[str, int]] = {}
	places: dict[str, tuple] = {}
	rows = [_counted(row, facts.get(row.name), changes, places) for row in marked]
	_save_status(rows)
	_add(changes, places)
	return len(marked)


def recount() -> None:
	"""Work the figures out anew from how each TV is counted, and drop empty rows. Daily: sums that drifted heal."""
	if not phase_on("activation"):
		return
	take_turn()
	status = frappe.qb.DocType("TV Device Status")
	rows = (
		frappe.qb.from_(status)
		.select(
			status.counted_key,
			*(status[column] for column in PLACE),
			Count(status.name),
			Sum(status.counted_online),
			Sum(status.counted_alarms),
			Sum(status.counted_suspicion),
		)
		.where(status.counted_key != "")
		.groupby(status.counted_key)
	).run()
	frappe.db.delete("TV Fleet Count")
	now, user = now_datetime(), frappe.session.user
	columns = ["name", "creation", "modified", "owner", "modified_by", *PLACE, *FIGURES]
	frappe.db.bulk_insert(
		"TV Fleet Count", columns, [(row[0], now, now, user, user, *row[1:]) for row in rows]
	)


def take_turn() -> int:
	"""Wait for the turn to count; the moment up to which changes are marked."""
	series = frappe.qb.DocType("Series")
	query = frappe.qb.from_(series).select(series.current).where(series.name == TURN).for_update()
	found = query.run()
	if not found:
		frappe.qb.into(series).columns("name", "current").insert(TURN, 0).ignore().run()
		found = query.run()
	return int(found[0][0])


def key_of(company: str, site: str, firmware: str) -> str:
	"""The name of the row that counts these TVs."""
	return hashlib.sha256(f"{company}\n{site}\n{firmware}".encode()).hexdigest()[:24]


def _mark_changed() -> None:
	since = local_time(max(0, take_turn() - OVERLAP))
	now = epoch(now_datetime())
	names = {*_changed_devices(since), *_changed_sites(since)}
	for start in range(0, len(names), CHUNK):
		make_status(sorted(names)[start : start + CHUNK])
	series = frappe.qb.DocType("Series")
	frappe.qb.update(series).set(series.current, now).where(series.name == TURN).run()


def _changed_devices(since) -> list[str]:
	"""TVs written since then whose row says otherwise than they do."""
	device, status = frappe.qb.DocType("TV Device"), frappe.qb.DocType("TV Device Status")
	served = Case().when(device.state.isin(IN_SERVICE), 1).else_(0)
	differs = (
		(IfNull(device.site, "") != IfNull(status.site, ""))
		| (IfNull(device.company, "") != IfNull(status.company, ""))
		| (IfNull(device.suspicion, "") != IfNull(status.suspicion, ""))
		| (served != status.in_service)
	)
	query = (
		frappe.qb.from_(device)
		.left_join(status)
		.on(status.name == device.name)
		.select(device.name)
		.where((device.modified >= since) & (status.name.isnull() | differs))
	)
	return [name for (name,) in query.run()]


def _changed_sites(since) -> list[str]:
	site, status = frappe.qb.DocType("TV Site"), frappe.qb.DocType("TV Device Status")
	differs = (
		(IfNull(site.segment, "") != IfNull(status.segment, ""))
		| (IfNull(site.territory, "") != IfNull(status.territory, ""))
		| (IfNull(site.customer, "") != IfNull(status.customer, ""))
	)
	query = (
		frappe.qb.from_(site)
		.join(status)
		.on(status.site == site.name)
		.select(status.name)
		.where((site.modified >= since) & differs)
	)
	return [name for (name,) in query.run()]


def _mark_silent() -> None:
	table = frappe.qb.DocType("TV Device Status")
	until = local_time(epoch(now_datetime()) - OFFLINE_SECONDS)
	(
		frappe.qb.update(table)
		.set(table.online, 0)
		.set(table.dirty, 1)
		.where((table.online == 1) & (table.last_heard < until))
		.run()
	)


def _facts(serials: Sequence[str]) -> dict[str, frappe._dict]:
	device, site = frappe.qb.DocType("TV Device"), frappe.qb.DocType("TV Site")
	rows = (
		frappe.qb.from_(device)
		.left_join(site)
		.on(site.name == device.site)
		.select(
			device.name,
			device.company,
			device.site,
			device.state,
			device.suspicion,
			device.firmware,
			site.segment,
			site.territory,
			site.customer,
		)
		.where(device.name.isin(serials))
		.run(as_dict=True)
	)
	alarms = _open_alarms(serials)
	return {row.name: row | {"alarms": alarms.get(row.name, 0)} for row in rows}


def _open_alarms(serials: Sequence[str]) -> dict[str, int]:
	table = frappe.qb.DocType("TV Alarm")
	query = (
		frappe.qb.from_(table)
		.select(table.device, Count(table.name))
		.where(table.device.isin(serials) & (table.state == "Open"))
		.groupby(table.device)
	)
	return dict(query.run())


def _counted(row: frappe._dict, fact: dict | None, changes: dict, places: dict) -> dict:
	"""The row as it is counted from now on; what that adds and takes goes into `changes`."""
	fact = fact or {}
	served = int(fact.get("state") in IN_SERVICE)
	firmware = row.firmware or fact.get("firmware") or ""
	place = (
		fact.get("company") or "",
		fact.get("segment") or "",
		fact.get("territory") or "",
		fact.get("site") or "",
		fact.get("customer") or "",
		firmware,
	)
	key = key_of(place[0], place[3], firmware) if served else ""
	after = {
		"counted_online": row.online,
		"counted_alarms": int(bool(fact.get("alarms"))),
		"counted_suspicion": int(bool(fact.get("suspicion"))),
	}
	_count(changes, row.counted_key, -1, row)
	_count(changes, key, 1, after)
	places[key] = place
	return {
		"name": row.name,
		"in_service": served,
		"company": place[0] or None,
		"segment": place[1] or None,
		"territory": place[2] or None,
		"site": place[3] or None,
		"customer": place[4] or None,
		"firmware": firmware,
		"alarms": fact.get("alarms") or 0,
		"suspicion": fact.get("suspicion") or "",
		"dirty": 0,
		"counted_key": key,
		**after,
	}


def _count(changes: dict, key: str | None, sign: int, row: dict) -> None:
	if not key:
		return
	found = changes.setdefault(key, dict.fromkeys(FIGURES, 0))
	found["tvs"] += sign
	for figure, column in zip(
		FIGURES[1:], ("counted_online", "counted_alarms", "counted_suspicion"), strict=True
	):
		found[figure] += sign * int(row[column] or 0)


def _save_status(rows: Iterable[dict]) -> None:
	rows = list(rows)
	table = frappe.qb.DocType("TV Device Status")
	query = frappe.qb.into(table).columns(*rows[0])
	for row in rows:
		query = query.insert(*row.values())
	for column in list(rows[0])[1:]:
		query = query.on_duplicate_key_update(table[column], Values(table[column]))
	query.run()


def _add(changes: dict[str, dict[str, int]], places: dict[str, tuple]) -> None:
	now, user = now_datetime(), frappe.session.user
	table = frappe.qb.DocType("TV Fleet Count")
	columns = ("name", "creation", "modified", "owner", "modified_by", *PLACE, *FIGURES)
	query = frappe.qb.into(table).columns(*columns)
	moved = [key for key in sorted(changes) if any(changes[key].values()) or key in places]
	if not moved:
		return
	for key in moved:
		place = places.get(key, (None,) * len(PLACE))
		query = query.insert(key, now, now, user, user, *place, *(changes[key][figure] for figure in FIGURES))
	for column in PLACE:
		# A row that a TV leaves is known by its name alone, and keeps its place.
		query = query.on_duplicate_key_update(table[column], IfNull(Values(table[column]), table[column]))
	for figure in FIGURES:
		query = query.on_duplicate_key_update(table[figure], table[figure] + Values(table[figure]))
	query.on_duplicate_key_update(table.modified, Values(table.modified)).run()
