"""Takes what nodes heard from TVs, rolled up per TV and hour, and what the broker says of who is connected.

A node hands over rows (`core.devices.heartbeats.Hours.take()`), never single messages, in one transaction of its own.
The fleet's figures follow within a minute: here a changed TV is only marked.
"""

from collections.abc import Iterable, Mapping, Sequence

import frappe
from frappe.utils import now_datetime
from pypika.terms import CustomFunction, Values

from subscriber_tv.core.devices import clones
from subscriber_tv.core.devices.heartbeats import HOUR, Hour, arisen, is_restart
from subscriber_tv.flows.activation.record_answer import local_time
from subscriber_tv.flows.settings import phase_on
from subscriber_tv.flows.support.note_evidence import Sign, note_evidence

AT_ONCE = 500
OFFLINE_SECONDS = 45 * 60
"""A TV that was silent for three heartbeats is offline, unless the broker says so before."""

UNSAID = -1
STATUS_COLUMNS = (
	"online",
	"last_heard",
	"at_broker",
	"broker_since",
	"firmware",
	"channel",
	"temperature",
	"signal_strength",
	"network",
	"dirty",
)
_if = CustomFunction("IF", ["condition", "yes", "no"])
_greatest = CustomFunction("GREATEST", ["one", "other"])
_least = CustomFunction("LEAST", ["one", "other"])


def take_heartbeats(rows: Iterable[Hour], *, now: int, audience: str = "desk") -> int:
	"""Keep these rows; how many were of TVs of this site. :param now: epoch seconds UTC"""
	if not phase_on("activation"):
		return 0
	rows = sorted(rows, key=lambda row: (row.serial, row.hour))
	known = set(_known({row.serial for row in rows}))
	rows = [row for row in rows if row.serial in known and row.last <= now + HOUR]
	for start in range(0, len(rows), AT_ONCE):
		chunk = rows[start : start + AT_ONCE]
		_write_hours(chunk)
		moved = _write_status(chunk, now)
		note_evidence(_signs(chunk, moved, audience), now=now)
	return len(rows)


def take_presence(online: Mapping[str, bool], *, now: int) -> int:
	"""Note who is connected to the broker (serial -> connected); how many TVs changed."""
	before = _statuses(sorted(_known(set(online))))
	changed = []
	for serial, status in before.items():
		here = int(online[serial])
		if status.online == status.at_broker == here:
			continue
		heard = local_time(now) if here else status.last_heard
		dirty = int(status.dirty or status.online != here)
		said = {"online": here, "at_broker": here, "broker_since": local_time(now)}
		changed.append(status | said | {"name": serial, "last_heard": heard, "dirty": dirty})
	_save_status(changed)
	return len(changed)


def take_signs_of_life(serials: Sequence[str], *, now: int) -> None:
	"""Note TVs that spoke on the broker, which cannot be without being connected to it."""
	take_presence(dict.fromkeys(serials, True), now=now)
	table = frappe.qb.DocType("TV Device Status")
	if serials:
		heard = frappe.qb.update(table).set(table.last_heard, local_time(now))
		heard.where(table.name.isin(sorted(serials))).run()


def _known(serials: set[str]) -> list[str]:
	return (
		frappe.get_all("TV Device", {"name": ("in", sorted(serials))}, pluck="name", limit=0)
		if serials
		else []
	)


def _write_hours(rows: Sequence[Hour]) -> None:
	table = frappe.qb.DocType("TV Device Hour")
	carried = _carried(rows)
	values = [_hour(row, *more) for row, more in zip(rows, carried, strict=True)]
	query = frappe.qb.into(table).columns(*values[0])
	for row in values:
		query = query.insert(*row.values())
	# In this order: errors and restarts look at the counters that stood there before.
	(
		query.on_duplicate_key_update(table.errors, _errors(table))
		.on_duplicate_key_update(table.restarts, _restarts(table))
		.on_duplicate_key_update(table.error_counter, _said(table.error_counter))
		.on_duplicate_key_update(table.uptime, _said(table.uptime))
		.on_duplicate_key_update(table.beats, table.beats + Values(table.beats))
		.on_duplicate_key_update(table.temperature, _greatest(table.temperature, Values(table.temperature)))
		.on_duplicate_key_update(
			table.signal_strength, _least(table.signal_strength, Values(table.signal_strength))
		)
		.on_duplicate_key_update(table.first_heard, _least(table.first_heard, Values(table.first_heard)))
		.on_duplicate_key_update(table.last_heard, _greatest(table.last_heard, Values(table.last_heard)))
		.on_duplicate_key_update(table.firmware, _given(table.firmware))
		.on_duplicate_key_update(table.channel, _given(table.channel))
		.on_duplicate_key_update(table.network, _given(table.network))
		.on_duplicate_key_update(table.modified, Values(table.modified))
		.run()
	)


def _errors(table):
	"""core.devices.heartbeats.add in SQL: errors between the stored counter and the first new one."""
	began, before = Values(table.errors_began), table.error_counter
	between = _if(began >= before, began - before, began)
	fresh = Values(table.errors) - Values(table.errors_carried)
	return table.errors + fresh + _if((before < 0) | (began < 0), 0, between)


def _restarts(table):
	began, before = Values(table.uptime_began), table.uptime
	fresh = _if((before >= 0) & (began >= 0) & (began < before), 1, 0)
	return table.restarts + Values(table.restarts) - Values(table.restarts_carried) + fresh


def _said(column):
	return _if(Values(column) < 0, column, Values(column))


def _given(column):
	return _if(Values(column) == "", column, Values(column))


def _carried(rows: Sequence[Hour]) -> list[tuple[int, int]]:
	"""Errors and restarts between the last beat of the hour before and the first of each row, which no hour counts by itself.

	They stand in the row that begins an hour, and apart, so that what comes later in that hour adds none again. After a longer
	silence nobody knows when they arose, and none are counted.
	"""
	before = [f"{row.serial}|{row.hour - 1}" for row in rows]
	table = frappe.qb.DocType("TV Device Hour")
	query = frappe.qb.from_(table).select(table.name, table.error_counter, table.uptime)
	known = {name: _said_before(*told) for name, *told in query.where(table.name.isin(before)).run()}
	found = []
	for row, name in zip(rows, before, strict=True):
		errors, uptime = known.get(name, (None, None))
		found.append((arisen(errors, row.err_first), int(is_restart(uptime, row.up_first))))
		known[f"{row.serial}|{row.hour}"] = (row.err_last, row.up_last)
	return found


def _said_before(*values: int) -> tuple[int | None, ...]:
	return tuple(None if value == UNSAID else value for value in values)


def _hour(row: Hour, errors: int, restarts: int) -> dict:
	now, user = now_datetime(), frappe.session.user
	return {
		"name": f"{row.serial}|{row.hour}",
		"creation": now,
		"modified": now,
		"owner": user,
		"modified_by": user,
		"docstatus": 0,
		"device": row.serial,
		"hour": local_time(row.hour * HOUR),
		"beats": row.beats,
		"temperature": row.temp_max or 0,
		"signal_strength": row.rssi_min or 0,
		"errors": row.errors + errors,
		"restarts": row.restarts + restarts,
		"errors_carried": errors,
		"restarts_carried": restarts,
		"first_heard": local_time(row.first),
		"last_heard": local_time(row.last),
		"firmware": row.firmware,
		"channel": row.channel,
		"network": row.network,
		"errors_began": _or_unsaid(row.err_first),
		"error_counter": _or_unsaid(row.err_last),
		"uptime_began": _or_unsaid(row.up_first),
		"uptime": _or_unsaid(row.up_last),
	}


def _or_unsaid(value: int | None) -> int:
	return UNSAID if value is None else value


def _write_status(rows: Sequence[Hour], now: int) -> dict[str, str]:
	"""Write what each TV said last; networks of those that ask from another one than before, by serial."""
	before = _statuses(sorted({row.serial for row in rows}))
	after: dict[str, dict] = {}
	moved: dict[str, str] = {}
	for row in rows:
		old = after.get(row.serial) or before[row.serial]
		heard = local_time(row.last)
		if old["last_heard"] and heard < old["last_heard"]:
			continue
		if row.network and row.network != old["network"]:
			moved[row.serial] = row.network
		after[row.serial] = _status_after(row, old, now)
	_save_status(after.values())
	return moved


def _status_after(row: Hour, old: Mapping, now: int) -> dict:
	heard = local_time(row.last)
	# What it told before the broker saw it go may arrive after.
	gone = not old["at_broker"] and old["broker_since"] and heard <= old["broker_since"]
	online = int(row.last > now - OFFLINE_SECONDS and not gone)
	firmware = row.firmware or old["firmware"] or ""
	changed = online != old["online"] or firmware != (old["firmware"] or "")
	return {
		"name": row.serial,
		"online": online,
		"last_heard": heard,
		"at_broker": old["at_broker"],
		"broker_since": old["broker_since"],
		"firmware": firmware,
		"channel": row.channel,
		"temperature": row.temp_max or 0,
		"signal_strength": row.rssi_min or 0,
		"network": row.network or old["network"],
		"dirty": int(changed or old["dirty"]),
	}


def _statuses(serials: list[str]) -> dict[str, frappe._dict]:
	"""The rows of these TVs, locked; a TV without one gets it here, to be counted."""
	if not serials:
		return {}
	table = frappe.qb.DocType("TV Device Status")
	query = (
		frappe.qb.from_(table)
		.select("name", *STATUS_COLUMNS)
		.where(table.name.isin(serials))
		.orderby(table.name)
		.for_update()
	)
	found = {row.name: row for row in query.run(as_dict=True)}
	missing = [serial for serial in serials if serial not in found]
	if missing:
		make_status(missing)
		found = {row.name: row for row in query.run(as_dict=True)}
	return found


def make_status(serials: Sequence[str]) -> None:
	"""Give these TVs a row, to be counted; those that have one keep it and are counted again."""
	now, user = now_datetime(), frappe.session.user
	table = frappe.qb.DocType("TV Device Status")
	query = frappe.qb.into(table).columns(
		"name", "creation", "modified", "owner", "modified_by", "docstatus", "device", "dirty"
	)
	for serial in serials:
		query = query.insert(serial, now, now, user, user, 0, serial, 1)
	query.on_duplicate_key_update(table.dirty, 1).run()


def _save_status(rows: Iterable[Mapping]) -> None:
	rows = list(rows)
	if not rows:
		return
	now = now_datetime()
	table = frappe.qb.DocType("TV Device Status")
	query = frappe.qb.into(table).columns("name", "device", "modified", *STATUS_COLUMNS)
	for row in rows:
		query = query.insert(row["name"], row["name"], now, *(row[column] for column in STATUS_COLUMNS))
	for column in ("modified", *STATUS_COLUMNS):
		query = query.on_duplicate_key_update(table[column], Values(table[column]))
	query.run()


def _signs(rows: Sequence[Hour], moved: Mapping[str, str], audience: str) -> list[Sign]:
	"""What the rows show of copies: there and back within minutes, and asking from another site's network."""
	signs = [
		Sign(row.serial, clones.Evidence(clones.NETWORKS, row.last, row.network), audience)
		for row in rows
		if row.returns
	]
	strangers = _at_others_networks(moved)
	latest = {row.serial: row for row in rows}
	return signs + [
		Sign(serial, clones.Evidence(clones.MOVED, latest[serial].last, moved[serial]), audience)
		for serial in strangers
	]


def _at_others_networks(moved: Mapping[str, str]) -> list[str]:
	if not moved:
		return []
	table, device = frappe.qb.DocType("TV Device Status"), frappe.qb.DocType("TV Device")
	sites = dict(
		frappe.qb.from_(device).select(device.name, device.site).where(device.name.isin(sorted(moved))).run()
	)
	rows = (
		frappe.qb.from_(table)
		.select(table.network, table.site, table.name)
		.where(table.network.isin(sorted(set(moved.values()))) & (table.site != ""))
		.run()
	)
	found = []
	for serial, network in moved.items():
		neighbours: dict[str, int] = {}
		for where, site, name in rows:
			if where == network and name != serial:
				neighbours[site] = neighbours.get(site, 0) + 1
		if sites.get(serial) and clones.has_moved(sites[serial], neighbours):
			found.append(serial)
	return found
