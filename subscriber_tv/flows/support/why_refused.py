"""Says in plain words why a TV is refused and what to do next: the shell of core.activation.refusal."""

import datetime

import frappe
from frappe import _
from frappe.utils import add_to_date, now_datetime

from subscriber_tv.core.activation import counter, refusal
from subscriber_tv.core.activation.decide import BINDING_MISMATCH
from subscriber_tv.core.activation.feed import DEVICE
from subscriber_tv.core.provisioning.orders import FAILED, OPEN
from subscriber_tv.flows.activation import keys, store_rights
from subscriber_tv.flows.activation.record_answer import local_time
from subscriber_tv.flows.mqtt import broker
from subscriber_tv.flows.support.moments import epoch
from subscriber_tv.flows.support.refusal_words import finding, next_step, questions, state_label

DAY = 86_400
CONFLICTS = (counter.REPLAYED, counter.RESYNC)
WAITS_MINUTES = 5
"""An order that nobody has tried for so long waits for more than its turn."""
FIELDS = (
	"name",
	"credential_state",
	"line_id",
	"key_hash",
	"subscription",
	"site",
	"customer",
	"model",
	"state",
	"bound_on",
	"pairing_until",
)


def why_refused(serial: str) -> dict:
	"""The checks of a TV in order, each with its finding in words, and the one that explains a refusal with the next step.

	The caller has made sure that the user may read the TV; an unknown serial is an answer too.
	"""
	now = epoch(now_datetime())
	device = frappe.db.get_value("TV Device", serial, list(FIELDS), as_dict=True) or frappe._dict()
	case = case_of(serial, device, now)
	checks, state = refusal.walk(case, now), refusal.standing(case, now)
	reason = refusal.verdict(checks)
	return {
		"serial": serial,
		"device": device.name,
		"customer": device.customer,
		"site": device.site,
		"subscription": device.subscription,
		"state": state,
		"state_label": state_label(state),
		"checks": [_told(check, case, device) for check in checks],
		"verdict": _verdict(reason, case, device),
	}


def case_of(serial: str, device: frappe._dict, now: int) -> refusal.Case:
	"""The facts of a TV (epoch seconds UTC); `device` is empty for a serial that no TV has."""
	if not device:
		return refusal.Case(serial)
	found = store_rights.entry(DEVICE, serial)
	answers = _last_answers(serial)
	status = _status(serial)
	return refusal.Case(
		serial=serial,
		credential=device.credential_state,
		paired=bool(device.line_id),
		key_hash=device.key_hash or "",
		row=found.row() if found else None,
		waiting_since=_waiting_since(device),
		paired_at=epoch(device.bound_on),
		answered_at=max(answers["answered_at"], epoch(status.last_heard)),
		strangers=_strangers(status.network, now),
		resyncs=_resyncs(serial, now),
		mismatch_at=answers["mismatch_at"],
		allowed_at=answers["allowed_at"],
		conflict_at=answers["conflict_at"],
		settled_at=answers["settled_at"],
		rotated_at=keys.epoch_since(),
		orders=_orders(device),
		has_broker=broker.enabled(),
		at_broker=bool(status.at_broker),
		broker_since=epoch(status.broker_since),
		edges=_edges(now),
	)


def _status(serial: str) -> frappe._dict:
	fields = ["last_heard", "network", "at_broker", "broker_since"]
	return frappe.db.get_value("TV Device Status", serial, fields, as_dict=True) or frappe._dict()


def _last_answers(serial: str) -> dict[str, int]:
	"""When the TV was last answered at all, allowed, refused for its parts or for its number, or answered anything else."""
	table = frappe.qb.DocType("TV Activation")
	rows = (
		frappe.qb.from_(table)
		.select(table.kind, table.code, table.last_at)
		.where((table.device == serial) & table.kind.isin(("Allowed", "Refused")))
		.orderby(table.last_at, order=frappe.qb.desc)
		.limit(50)
		.run(as_dict=True)
	)

	def latest(*found) -> int:
		return max((epoch(row.last_at) for row in found), default=0)

	return {
		"answered_at": latest(*rows),
		"allowed_at": latest(*(row for row in rows if row.kind == "Allowed")),
		"mismatch_at": latest(*(row for row in rows if row.code == BINDING_MISMATCH)),
		"conflict_at": latest(*(row for row in rows if row.code in CONFLICTS)),
		"settled_at": latest(*(row for row in rows if row.code not in CONFLICTS)),
	}


def _orders(device: frappe._dict) -> tuple[refusal.PlatformOrder, ...]:
	"""Orders for this TV, or its account, that a platform refused or has left undone for minutes."""
	order = frappe.qb.DocType("TV Provisioning Order")
	account = (order.kind == "Account") & (order.subscription == (device.subscription or ""))
	waits = order.state.isin(OPEN) & (
		(order.attempts > 0) | (order.creation < add_to_date(now_datetime(), minutes=-WAITS_MINUTES))
	)
	rows = (
		frappe.qb.from_(order)
		.select(order.name, order.platform, order.state, order.last_error)
		.where((order.device == device.name) | account)
		.where((order.state == FAILED) | waits)
		.orderby(order.creation)
		.limit(10)
		.run(as_dict=True)
	)
	return tuple(
		refusal.PlatformOrder(row.name, row.platform, row.state == FAILED, row.last_error or "")
		for row in rows
	)


def _waiting_since(device: frappe._dict) -> int:
	outbox = frappe.qb.DocType("TV Rights Outbox")
	mine = (
		((outbox.subject_type == "Device") & (outbox.subject == device.name))
		| ((outbox.subject_type == "Subscription") & (outbox.subject == (device.subscription or "")))
		| ((outbox.subject_type == "Site") & (outbox.subject == (device.site or "")))
	)
	query = frappe.qb.from_(outbox).select(outbox.created_at).where(mine).orderby(outbox.created_at).limit(1)
	rows = query.run()
	return int(rows[0][0]) if rows else 0


def _strangers(network: str | None, now: int) -> int:
	"""Attempts that proved nothing, from the network this TV was last heard from, in the last day."""
	if not network:
		return 0
	rows = frappe.get_all(
		"TV Activation",
		filters={
			"kind": "Stranger",
			"network": network,
			"code": "wrong_credential",
			"last_at": (">", local_time(now - DAY)),
		},
		fields=["sum(`count`) as attempts"],
	)
	return int(rows[0].attempts or 0)


def _resyncs(serial: str, now: int) -> int:
	return frappe.db.count(
		"TV Device Evidence",
		{
			"device": serial,
			"kind": ("in", ("resync", "restored")),
			"cleared": 0,
			"last_noted": (">", local_time(now - DAY)),
		},
	)


def _edges(now: int) -> tuple[tuple[str, int], ...]:
	"""Edges heard of within a day, with the age of their data."""
	recent = now_datetime() - datetime.timedelta(days=1)
	rows = frappe.get_all("TV Edge", {"last_heard": (">", recent)}, ["edge_name", "as_of"], limit=0)
	return tuple((row.edge_name, now - epoch(row.as_of)) for row in rows)


def _told(check: refusal.Check, case: refusal.Case, device: frappe._dict) -> dict:
	return {
		"name": check.name,
		"outcome": check.outcome,
		"code": check.code,
		"question": questions()[check.name],
		"finding": finding(check, case, device) if check.outcome != refusal.SKIPPED else "",
	}


def _verdict(check: refusal.Check | None, case: refusal.Case, device: frappe._dict) -> dict:
	if check is None:
		text = _(
			"Nothing keeps this TV from playing. If it shows a refusal, switch it off and on: it asks at once."
		)
		return {"outcome": refusal.OK, "text": text, "next": "", "links": []}
	step, links = next_step(check.code, case, device)
	return {
		"outcome": check.outcome,
		"text": finding(check, case, device),
		"next": step,
		"links": [{"label": label, "doctype": doctype, "name": name} for label, doctype, name in links],
	}
