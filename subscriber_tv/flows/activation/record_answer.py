"""Counts answers and state changes in TV Activation. The rows are bounded: see core.activation.rollup."""

import datetime
import time
from collections.abc import Iterable

import frappe
from frappe.utils import convert_utc_to_system_timezone, now_datetime
from pypika.terms import CustomFunction, Values
from redis.exceptions import RedisError

from subscriber_tv.core.activation import report, rollup

COLUMNS = (
	"name",
	"creation",
	"modified",
	"owner",
	"modified_by",
	"docstatus",
	"asked_by",
	"kind",
	"code",
	"device",
	"subscription",
	"audience",
	"network",
	"count",
	"first_at",
	"last_at",
	"version",
)
AT_ONCE = 500
"""Rows written by one statement."""

STRANGERS_AN_HOUR = 2000
"""Rows that strangers may make in an hour; whoever comes after them from yet another network shares one."""

_least = CustomFunction("LEAST", ["one", "other"])
_greatest = CustomFunction("GREATEST", ["one", "other"])


def count(bucket: rollup.Bucket) -> None:
	"""Count one answer in its row, which is made by the first."""
	now = now_datetime()
	found = _crowded(bucket) if bucket.kind == rollup.STRANGERS else bucket
	_write([_facts(found) | {"count": 1, "first_at": now, "last_at": now}])


def add(tallies: Iterable[rollup.Tally]) -> None:
	"""Add what was counted elsewhere to the same rows, always in one order: two who add never wait for each other."""
	rows = [
		_facts(tally.bucket)
		| {
			"count": tally.count,
			"first_at": local_time(tally.first),
			"last_at": local_time(tally.last),
		}
		for tally in sorted(tallies, key=lambda tally: tally.bucket.key)
	]
	for start in range(0, len(rows), AT_ONCE):
		_write(rows[start : start + AT_ONCE])


def _crowded(bucket: rollup.Bucket) -> rollup.Bucket:
	"""The stranger's own bucket while there is room in this hour, else the one of all who come too late."""
	rows = f"tv-strangers|{bucket.key.rpartition('|')[2]}"
	try:
		if frappe.cache.sismember(rows, bucket.key):
			return bucket
		made = frappe.cache.make_key(rows)
		# make_key has put the site in front; these two have no method of Frappe's that does.
		if frappe.cache.scard(made) >= STRANGERS_AN_HOUR:  # nosemgrep
			return rollup.overflow(bucket, int(time.time()))
		frappe.cache.sadd(rows, bucket.key)
		frappe.cache.expire(made, 2 * 3600)  # nosemgrep
	except RedisError:
		frappe.logger("subscriber_tv").warning("Strangers are not limited without Redis", exc_info=True)
	return bucket


def state_change(code: str, serial: str, subscription: str | None) -> None:
	"""One row for what staff or stock did to a TV's pairing: `bound` or `unbound`."""
	now = now_datetime()
	row = {
		"name": f"C|{serial}|{frappe.generate_hash(length=12)}",
		"kind": rollup.CHANGED,
		"code": code,
		"asked_by": serial,
		"device": serial,
		"subscription": subscription,
		"audience": "desk",
		"count": 1,
		"first_at": now,
		"last_at": now,
	}
	_write([row])


def local_time(moment: int) -> datetime.datetime:
	"""Epoch seconds as the site's tables hold times: in its time zone, without saying so."""
	utc = datetime.datetime.fromtimestamp(moment, datetime.timezone.utc)
	return convert_utc_to_system_timezone(utc).replace(tzinfo=None)


def _facts(bucket: rollup.Bucket) -> dict:
	return {
		"name": bucket.key,
		"kind": bucket.kind,
		"code": bucket.code,
		"asked_by": bucket.serial or bucket.network or bucket.code,
		"device": bucket.serial or None,
		"audience": bucket.audience,
		"network": bucket.network,
		"version": bucket.version,
	}


def _write(rows: list[dict]) -> None:
	now, user = now_datetime(), frappe.session.user
	common = {
		"creation": now,
		"modified": now,
		"owner": user,
		"modified_by": user,
		"docstatus": 0,
		"version": 0,
	}
	found = [common | row for row in rows]
	table = frappe.qb.DocType("TV Activation")
	total = _least(table["count"] + Values(table["count"]), report.LARGEST)
	(
		frappe.qb.into(table)
		.columns(*COLUMNS)
		.insert(*(tuple(row.get(column) for column in COLUMNS) for row in found))
		.on_duplicate_key_update(table["count"], total)
		.on_duplicate_key_update(table.first_at, _least(table.first_at, Values(table.first_at)))
		.on_duplicate_key_update(table.last_at, _greatest(table.last_at, Values(table.last_at)))
		.on_duplicate_key_update(table.modified, Values(table.modified))
		.run()
	)
