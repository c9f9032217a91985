"""All that happened to a TV, newest first: movements, pairing, answers, signs of copies, alarms."""

import datetime

import frappe
from frappe import _
from frappe.utils import get_datetime

from subscriber_tv.flows.support.judge_copies import sign_label

PAGE = 50


def device_story(device: str, before: str | None = None, limit: int = PAGE) -> dict:
	"""Up to `limit` happenings older than `before`, with what to show first: state, signs that weigh, alarms.

	The caller has made sure that the user may read the TV.
	"""
	upto = get_datetime(before) if before else datetime.datetime.max.replace(microsecond=0)
	limit = max(1, min(int(limit), 200))
	items = [
		*_movements(device, upto, limit),
		*_answers(device, upto, limit),
		*_signs(device, upto, limit),
		*_alarms(device, upto, limit),
	]
	items.sort(key=lambda item: item["at"], reverse=True)
	return {"items": items[:limit], "more": len(items) > limit}


def device_now(device: str) -> dict:
	"""What is known of the TV right now, and the signs against it that nobody has cleared."""
	status = frappe.db.get_value(
		"TV Device Status",
		device,
		["online", "last_heard", "firmware", "channel", "temperature", "signal_strength", "network"],
		as_dict=True,
	)
	signs = frappe.get_all(
		"TV Device Evidence",
		{"device": device, "cleared": 0},
		["kind", "count", "first_noted", "last_noted", "network", "audience"],
		order_by="last_noted desc",
		limit=20,
	)
	alarms = frappe.get_all(
		"TV Alarm", {"device": device, "state": "Open"}, ["kind", "rule", "issue", "opened_on"], limit=20
	)
	return {
		"status": status or {},
		"signs": [sign | {"label": sign_label(sign.kind)} for sign in signs],
		"alarms": alarms,
	}


def _movements(device: str, upto: datetime.datetime, limit: int) -> list[dict]:
	rows = frappe.get_all(
		"TV Device Event Line",
		{"parenttype": "TV Device", "parent": device, "at": ("<", upto)},
		["at", "event", "voucher_type", "voucher_no", "subscription", "note"],
		order_by="at desc",
		limit=limit,
	)
	return [
		_item(
			row.at,
			"movement",
			_(row.event),
			row.note,
			row.voucher_type or (row.subscription and "TV Subscription"),
			row.voucher_no or row.subscription,
		)
		for row in rows
	]


def _answers(device: str, upto: datetime.datetime, limit: int) -> list[dict]:
	table = frappe.qb.DocType("TV Activation")
	rows = (
		frappe.qb.from_(table)
		.select(table.name, table.last_at, table.kind, table.code, table.audience, table["count"])
		.where((table.device == device) & (table.last_at < upto) & (table.kind != "State Change"))
		.orderby(table.last_at, order=frappe.qb.desc)
		.limit(limit)
		.run(as_dict=True)
	)
	return [
		_item(
			row.last_at,
			"allowed" if row.kind == "Allowed" else "refused",
			_(row.kind) + (f" ({row.code})" if row.code else ""),
			_("{0} times, by {1}").format(row["count"], row.audience),
			"TV Activation",
			row.name,
		)
		for row in rows
	]


def _signs(device: str, upto: datetime.datetime, limit: int) -> list[dict]:
	rows = frappe.get_all(
		"TV Device Evidence",
		{"device": device, "last_noted": ("<", upto)},
		["name", "last_noted", "kind", "network", "cleared", "cleared_by", "cleared_reason"],
		order_by="last_noted desc",
		limit=limit,
	)
	return [
		_item(
			row.last_noted,
			"cleared" if row.cleared else "sign",
			sign_label(row.kind),
			_("Cleared by {0}: {1}").format(row.cleared_by, row.cleared_reason)
			if row.cleared
			else row.network,
			"TV Device Evidence",
			row.name,
		)
		for row in rows
	]


def _alarms(device: str, upto: datetime.datetime, limit: int) -> list[dict]:
	rows = frappe.get_all(
		"TV Alarm",
		{"device": device, "opened_on": ("<", upto)},
		["opened_on", "kind", "rule", "issue", "state"],
		order_by="opened_on desc",
		limit=limit,
	)
	return [
		_item(row.opened_on, "alarm", row.rule or _(row.kind), _(row.state), "Issue", row.issue)
		for row in rows
	]


def _item(at, kind: str, title: str, text: str | None, doctype: str | None, name: str | None) -> dict:
	return {
		"at": at,
		"kind": kind,
		"title": title,
		"text": text or "",
		"doctype": doctype if name else None,
		"name": name,
	}
