"""What a TV's story is made of: movements and pairing, enrolments, answers of desk and edges, signs of copies, alarms, commands, and
what platforms were told. Each source gives its newest, older than a moment.
"""

import datetime

import frappe
from frappe import _
from frappe.utils import get_fullname

from subscriber_tv.core.activation.rollup import CHANGED, ENROLLED
from subscriber_tv.flows.support.judge_copies import sign_label


def movements(device: str, upto: datetime.datetime, limit: int) -> list[dict]:
	rows = frappe.get_all(
		"TV Device Event Line",
		{"parenttype": "TV Device", "parent": device, "at": ("<", upto)},
		["at", "event", "voucher_type", "voucher_no", "subscription", "note", "owner"],
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
			row.owner,
		)
		for row in rows
	]


def answers(device: str, upto: datetime.datetime, limit: int) -> list[dict]:
	table = frappe.qb.DocType("TV Activation")
	rows = (
		frappe.qb.from_(table)
		.select(
			table.name, table.last_at, table.kind, table.code, table.audience, table.network, table["count"]
		)
		.where((table.device == device) & (table.last_at < upto))
		# What staff did to its pairing stands among the movements, with who did it.
		.where((table.kind != CHANGED) | (table.code == ENROLLED))
		.orderby(table.last_at, order=frappe.qb.desc)
		.limit(limit)
		.run(as_dict=True)
	)
	return [_answer(row) for row in rows]


def _answer(row: frappe._dict) -> dict:
	if row.code == ENROLLED:
		text = _("{0} times, from network {1}").format(row["count"], row.network)
		return _item(row.last_at, "enrolled", _("Asked for a pairing code"), text, "TV Activation", row.name)
	return _item(
		row.last_at,
		"allowed" if row.kind == "Allowed" else "refused",
		_(row.kind) + (f" ({row.code})" if row.code else ""),
		_("{0} times, by {1}").format(row["count"], row.audience),
		"TV Activation",
		row.name,
	)


def signs(device: str, upto: datetime.datetime, limit: int) -> list[dict]:
	rows = frappe.get_all(
		"TV Device Evidence",
		{"device": device, "last_noted": ("<", upto)},
		["name", "last_noted", "kind", "network", "audience", "cleared", "cleared_by", "cleared_reason"],
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
			else _("Seen by {0}, in network {1}").format(row.audience, row.network),
			"TV Device Evidence",
			row.name,
			row.cleared_by if row.cleared else None,
		)
		for row in rows
	]


def alarms(device: str, upto: datetime.datetime, limit: int) -> list[dict]:
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


def commands(device: str, upto: datetime.datetime, limit: int) -> list[dict]:
	"""Those to the TV, and to the site and model that it is of now."""
	place = frappe.db.get_value("TV Device", device, ["site", "model"], as_dict=True) or frappe._dict()
	command = frappe.qb.DocType("TV Command")
	to_it = (command.target_type == "TV Device") & (command.target == device)
	for doctype, name in (("TV Site", place.site), ("TV Device Model", place.model)):
		if name:
			to_it |= (command.target_type == doctype) & (command.target == name)
	rows = (
		frappe.qb.from_(command)
		.select(
			command.name, command.creation, command.command, command.state, command.target, command.sent_by
		)
		.where(to_it & (command.creation < upto))
		.orderby(command.creation, order=frappe.qb.desc)
		.limit(limit)
		.run(as_dict=True)
	)
	return [
		_item(
			row.creation,
			"command",
			_("Command: {0}").format(_(row.command)),
			_("To {0}: {1}").format(row.target, _(row.state)),
			"TV Command",
			row.name,
			row.sent_by,
		)
		for row in rows
	]


def orders(device: str, upto: datetime.datetime, limit: int) -> list[dict]:
	"""What CAS, DRM and streaming platforms were told of the TV, and of the account that it shares."""
	order = frappe.qb.DocType("TV Provisioning Order")
	subscription = frappe.db.get_value("TV Device", device, "subscription") or ""
	account = (order.kind == "Account") & (order.subscription == subscription) & (order.subscription != "")
	rows = (
		frappe.qb.from_(order)
		.select(order.name, order.creation, order.platform, order.action, order.state, order.last_error)
		.where(((order.device == device) | account) & (order.creation < upto))
		.orderby(order.creation, order=frappe.qb.desc)
		.limit(limit)
		.run(as_dict=True)
	)
	return [
		_item(
			row.creation,
			"order",
			_("{0}: {1}").format(row.platform, _(row.action)),
			": ".join(filter(None, (_(row.state), row.last_error))),
			"TV Provisioning Order",
			row.name,
		)
		for row in rows
	]


ALL = (movements, answers, signs, alarms, commands, orders)


def _item(
	at, kind: str, title: str, text: str | None, doctype: str | None, name: str | None, who: str | None = None
) -> dict:
	return {
		"at": at,
		"kind": kind,
		"title": title,
		"text": text or "",
		"doctype": doctype if name else None,
		"name": name,
		"who": get_fullname(who) if who else "",
	}
