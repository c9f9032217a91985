"""Says in plain words why a TV is refused and what to do next: the shell of core.activation.refusal."""

import datetime

import frappe
from frappe import _
from frappe.utils import format_datetime, now_datetime

from subscriber_tv.core.activation import refusal
from subscriber_tv.core.activation.decide import BINDING_MISMATCH
from subscriber_tv.core.activation.feed import DEVICE
from subscriber_tv.flows.activation import store_rights
from subscriber_tv.flows.activation.record_answer import local_time
from subscriber_tv.flows.support.moments import epoch

DAY = 86_400
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

Link = tuple[str, str, str]


def why_refused(serial: str) -> dict:
	"""The checks of a TV in order, each with its finding in words, and the one that explains a refusal with the next step.

	The caller has made sure that the user may read the TV; an unknown serial is an answer too.
	"""
	now = epoch(now_datetime())
	device = frappe.db.get_value("TV Device", serial, list(FIELDS), as_dict=True) or frappe._dict()
	case = case_of(serial, device, now)
	checks = refusal.walk(case, now)
	reason = refusal.verdict(checks)
	return {
		"serial": serial,
		"device": device.name,
		"customer": device.customer,
		"site": device.site,
		"subscription": device.subscription,
		"checks": [_told(check, case, device) for check in checks],
		"verdict": _verdict(reason, case, device),
	}


def case_of(serial: str, device: frappe._dict, now: int) -> refusal.Case:
	"""The facts of a TV (epoch seconds UTC); `device` is empty for a serial that no TV has."""
	if not device:
		return refusal.Case(serial)
	found = store_rights.entry(DEVICE, serial)
	answered, allowed, mismatch = _last_answers(serial)
	return refusal.Case(
		serial=serial,
		credential=device.credential_state,
		paired=bool(device.line_id),
		key_hash=device.key_hash or "",
		row=found.row() if found else None,
		waiting_since=_waiting_since(device),
		paired_at=epoch(device.bound_on),
		answered_at=answered,
		strangers=_strangers(serial, now),
		resyncs=_resyncs(serial, now),
		mismatch_at=mismatch,
		allowed_at=allowed,
		edges=_edges(now),
	)


def _last_answers(serial: str) -> tuple[int, int, int]:
	"""When the TV last proved itself, was last allowed, and was last refused for its parts."""
	table = frappe.qb.DocType("TV Activation")
	rows = (
		frappe.qb.from_(table)
		.select(table.kind, table.code, table.last_at)
		.where((table.device == serial) & table.kind.isin(("Allowed", "Refused")))
		.orderby(table.last_at, order=frappe.qb.desc)
		.limit(50)
		.run(as_dict=True)
	)
	heard = frappe.db.get_value("TV Device Status", serial, "last_heard")

	def latest(*found) -> int:
		return max((epoch(row.last_at) for row in found), default=0)

	allowed = latest(*(row for row in rows if row.kind == "Allowed"))
	mismatch = latest(*(row for row in rows if row.code == BINDING_MISMATCH))
	return max(latest(*rows), epoch(heard)), allowed, mismatch


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


def _strangers(serial: str, now: int) -> int:
	"""Attempts that proved nothing, from the network this TV was last heard from, in the last day."""
	network = frappe.db.get_value("TV Device Status", serial, "network")
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
		"question": _questions()[check.name],
		"finding": finding(check, case, device) if check.outcome != refusal.SKIPPED else "",
	}


def _verdict(check: refusal.Check | None, case: refusal.Case, device: frappe._dict) -> dict:
	if check is None:
		text = _(
			"Nothing keeps this TV from playing. If it shows a refusal, switch it off and on: it asks at once."
		)
		return {"outcome": refusal.OK, "text": text, "next": "", "links": []}
	step, links = next_step(check.code, device)
	return {
		"outcome": check.outcome,
		"text": finding(check, case, device),
		"next": step,
		"links": [{"label": label, "doctype": doctype, "name": name} for label, doctype, name in links],
	}


def _questions() -> dict[str, str]:
	return {
		refusal.KNOWN: _("Is the serial number one of ours?"),
		refusal.PAIRED: _("Is the TV paired with a subscription?"),
		refusal.PUBLISHED: _("Are its rights published?"),
		refusal.PROVEN: _("Has it proved itself with its key?"),
		refusal.COUNTED: _("Does its count go on?"),
		refusal.RIGHTS: _("Are its rights open now?"),
		refusal.BOUND: _("Are its parts those it was paired with?"),
		refusal.FRESH: _("Do all edges know the latest?"),
	}


def finding(check: refusal.Check, case: refusal.Case, device: frappe._dict) -> str:
	"""What a check found, in a sentence."""
	if check.outcome == refusal.OK:
		return _("Yes.")
	texts = {
		"unknown_serial": _("No TV has this serial number."),
		"not_paired": _("The TV is paired with no subscription: it shows a pairing code."),
		"pairing": _("The TV shows a pairing code that nobody has entered yet."),
		"retired": _("The TV has left the stock: it can neither play nor pair."),
		"revoked": _("The TV is revoked: it can neither play nor pair."),
		"waits": _("A change of its rights waits to be published."),
		"not_published": _("Its rights are not published, or for another key than it was paired with."),
		"never_asked": _("The TV has not asked since it was paired: it has no network, or another key."),
		"wrong_key": _(
			"The TV has not proved itself since it was paired; from its network {0} attempts failed."
		).format(case.strangers),
		"resync": _("The TV lost its count {0} times in a day: its memory fails, or it has a copy.").format(
			case.resyncs
		),
		"suspended": _("Its subscription {0} is suspended.").format(device.subscription),
		"ended": _("Its subscription {0}, or its line of it, has ended.").format(device.subscription),
		"not_started": _("Its subscription {0} has not started.").format(device.subscription),
		"quarantined": _("The TV is quarantined: signs show that it has a copy."),
		"lease_expired": _("Its lease has run out because nothing was signed for days: the fault is ours."),
		"denial_missing": _("Its refusal is not signed: the fault is ours."),
		BINDING_MISMATCH: _("The TV has other parts (chip, card, model) than those it was paired with."),
		"edge_late": _("These edges answer from old data: {0}.").format(_late(case)),
	}
	return texts.get(check.code, check.code) + _since(check.code, device)


def _late(case: refusal.Case) -> str:
	late = (pair for pair in case.edges if pair[1] > refusal.LATE)
	return ", ".join(_("{0} ({1} minutes)").format(name, age // 60) for name, age in late)


def _since(code: str, device: frappe._dict) -> str:
	"""A second sentence with the date that a caller asks about."""
	if code == "pairing" and device.pairing_until:
		return " " + _("It is valid until {0}.").format(format_datetime(device.pairing_until))
	if code not in ("suspended", "ended", "not_started") or not device.subscription:
		return ""
	state = frappe.db.get_value(
		"TV Subscription", device.subscription, ["state", "state_since", "end_date"], as_dict=True
	)
	if not state or not state.state_since:
		return ""
	since = frappe.utils.formatdate(state.state_since)
	return " " + _("It is in state {0} since {1}.").format(_(state.state), since)


def next_step(code: str, device: frappe._dict) -> tuple[str, list[Link]]:
	"""What to do about a finding, and the records to do it on: (label, DocType, name; "" is the list)."""
	tv: Link = (_("Open the TV"), "TV Device", device.name or "")
	contract: Link = (_("Open the subscription"), "TV Subscription", device.subscription or "")
	pair = _("Read the code on the screen and enter it on the subscription with Bind TV.")
	anew = _("Unbind the TV, switch it on, and enter the code that it shows.")
	publisher = _("See that the publisher runs; the desk itself answers rightly at the next power-on.")
	steps: dict[str, tuple[str, list[Link]]] = {
		"unknown_serial": (
			_(
				"Read the plate again. A new TV is known once its goods receipt is posted with serial numbers."
			),
			[(_("Goods receipts"), "Purchase Receipt", "")],
		),
		"not_paired": (pair, [contract, tv] if device.subscription else [tv]),
		"pairing": (pair, [contract, tv] if device.subscription else [tv]),
		"retired": (_("Post the stock movement that brought it back; then it may pair again."), [tv]),
		"revoked": (_("If it was revoked by mistake, readmit it; it pairs anew."), [tv]),
		"waits": (publisher, [(_("Waiting changes"), "TV Rights Outbox", ""), (_("Edges"), "TV Edge", "")]),
		"not_published": (publisher, [(_("Waiting changes"), "TV Rights Outbox", ""), tv]),
		"never_asked": (
			_("Check its network and the address it asks. If it shows a code: {0}").format(anew),
			[tv],
		),
		"wrong_key": (_("It was reset, and has a new key. {0}").format(anew), [tv]),
		"resync": (_("Look at the signs on its page. A set with a worn memory is swapped."), [tv]),
		"suspended": (_("See why it was suspended, and resume it when that is settled."), [contract]),
		"ended": (_("Reactivate the subscription, or bind the TV to a line that runs."), [contract, tv]),
		"not_started": (
			_("Finish what the subscription waits for: documents, installation, activation."),
			[contract],
		),
		"quarantined": (_("Ask whose sets these are; then clear the signs, or revoke the TV."), [tv]),
		"lease_expired": (
			_("See that the publisher runs: it signs every lease anew each day."),
			[(_("Edges"), "TV Edge", "")],
		),
		"denial_missing": (_("See that the publisher runs."), [(_("Edges"), "TV Edge", "")]),
		BINDING_MISMATCH: (_("After a repair, pair it anew. {0}").format(anew), [tv]),
		"edge_late": (_("See that these edges reach the publisher."), [(_("Edges"), "TV Edge", "")]),
	}
	text, links = steps.get(code, ("", [tv]))
	return text, [link for link in links if link[2] or link[1] not in ("TV Device", "TV Subscription")]
