"""What each check of the self-test asks and found, and what to do next, in words for an agent on the telephone."""

import frappe
from frappe import _
from frappe.utils import format_datetime, formatdate

from subscriber_tv.core.activation import refusal
from subscriber_tv.core.activation.decide import BINDING_MISMATCH
from subscriber_tv.flows.activation.record_answer import local_time

Link = tuple[str, str, str]
"""Label, DocType, name; an empty name is the list."""

RUNNING = ("Awaiting Activation", "Active", "Suspended", "Cancelling")


def state_label(state: str) -> str:
	"""A credential state in words; "" for none."""
	labels = {
		refusal.RESYNC: _("Out of step"),
		refusal.ROTATING: _("Awaiting its new key"),
		refusal.SUSPENDED: _("Suspended"),
	}
	return labels.get(state) or (_(state) if state else "")


def questions() -> dict[str, str]:
	return {
		refusal.KNOWN: _("Is the serial number one of ours?"),
		refusal.PAIRED: _("Is the TV paired with a subscription?"),
		refusal.PUBLISHED: _("Are its rights published?"),
		refusal.PROVEN: _("Has it proved itself with its key?"),
		refusal.COUNTED: _("Does its count go on?"),
		refusal.RIGHTS: _("Are its rights open now?"),
		refusal.BOUND: _("Are its parts those it was paired with?"),
		refusal.PROVISIONED: _("Do the platforms know its rights?"),
		refusal.FRESH: _("Do all edges know the latest?"),
		refusal.CONNECTED: _("Is it connected to the message broker?"),
	}


def finding(check: refusal.Check, case: refusal.Case, device: frappe._dict) -> str:
	"""What a check found, in a sentence."""
	if check.outcome == refusal.OK:
		fine = {
			"no_broker": _("This site uses no message broker."),
			"off": _("No, and it has not asked since: it is off, or has no network."),
		}
		return fine.get(check.code) or _("Yes.")
	order = next(iter(sorted(case.orders, key=lambda order: not order.refused)), None)
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
		"lost_count": _(
			"Its count did not fit when it asked last ({0}), and it has not proved itself since."
		).format(_moment(case.conflict_at)),
		"provisioning_failed": _("The platform {0} refused what was ordered for it: {1}").format(
			order and order.platform, order and order.text
		),
		"provisioning_waits": _("The platform {0} has not yet done what was ordered for it. {1}").format(
			order and order.platform, order and order.text
		),
		"mqtt_silent": _(
			"The TV asks, but is not connected to the message broker: it plays, and hears of changes only when it asks."
		)
		if not case.broker_since
		else _(
			"The TV asks, but left the message broker on {0}: it plays, and hears of changes only when it asks."
		).format(_moment(case.broker_since)),
		"suspended": _("Its subscription {0} is suspended.").format(device.subscription),
		"ended": _ended(device),
		"not_started": _("Its subscription {0} has not started.").format(device.subscription),
		"quarantined": _("The TV is quarantined: signs show that it has a copy."),
		"lease_expired": _("Its lease has run out because nothing was signed for days: the fault is ours."),
		"denial_missing": _("Its refusal is not signed: the fault is ours."),
		BINDING_MISMATCH: _("The TV has other parts (chip, card, model) than those it was paired with."),
		"edge_late": _("These edges answer from old data: {0}.").format(_late(case)),
	}
	return texts.get(check.code, check.code) + _since(check.code, device)


def _ended(device: frappe._dict) -> str:
	"""Whether the contract is over, or only the offer that this TV had of it."""
	line = frappe.db.get_value(
		"TV Subscription Line",
		{"parent": device.subscription, "parenttype": "TV Subscription", "line_id": device.line_id},
		["to_date", "offer_version"],
		as_dict=True,
	)
	state = frappe.db.get_value("TV Subscription", device.subscription, "state")
	if line and line.to_date and state in RUNNING:
		return _("Its offer {0} ended on {1}, while subscription {2} goes on.").format(
			line.offer_version, formatdate(line.to_date), device.subscription
		)
	return _("Its subscription {0} has ended.").format(device.subscription)


def _moment(at: int) -> str:
	return format_datetime(local_time(at)) if at else ""


def _late(case: refusal.Case) -> str:
	late = (pair for pair in case.edges if pair[1] > refusal.LATE)
	return ", ".join(_("{0} ({1} minutes)").format(name, age // 60) for name, age in late)


def _since(code: str, device: frappe._dict) -> str:
	"""A second sentence with the date that a caller asks about."""
	if code == "pairing" and device.pairing_until:
		return " " + _("It is valid until {0}.").format(format_datetime(device.pairing_until))
	if code not in ("suspended", "not_started") or not device.subscription:
		return ""
	state = frappe.db.get_value(
		"TV Subscription", device.subscription, ["state", "state_since", "end_date"], as_dict=True
	)
	if not state or not state.state_since:
		return ""
	since = formatdate(state.state_since)
	return " " + _("It is in state {0} since {1}.").format(_(state.state), since)


def next_step(code: str, case: refusal.Case, device: frappe._dict) -> tuple[str, list[Link]]:
	"""What to do about a finding, and the records to do it on."""
	tv: Link = (_("Open the TV"), "TV Device", device.name or "")
	contract: Link = (_("Open the subscription"), "TV Subscription", device.subscription or "")
	pair = _("Read the code on the screen and enter it on the subscription with Bind TV.")
	anew = _("Unbind the TV, switch it on, and enter the code that it shows.")
	publisher = _("See that the publisher runs; the desk itself answers rightly at the next power-on.")
	orders: list[Link] = [(_("Open the order"), "TV Provisioning Order", order.name) for order in case.orders]
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
		"lost_count": (
			_(
				"Have it switched off and on: it proves itself with its key. If that does not help: {0}"
			).format(anew),
			[tv],
		),
		"provisioning_failed": (
			_("Mend what the platform says, then use Send Again on the order; its owner is told already."),
			orders,
		),
		"provisioning_waits": (
			_("It is sent again by itself. If the platform answers nobody, see its page."),
			[*orders, (_("Platforms"), "TV Provisioning Platform", "")],
		),
		"mqtt_silent": (
			_(
				"Check that its network lets it reach the broker, and that the broker knows it: its access list is written by mqtt-files."
			),
			[tv],
		),
		"suspended": (_("See why it was suspended, and resume it when that is settled."), [contract]),
		"ended": (
			_("Reactivate the subscription, sell the offer again, or bind the TV to a line that runs."),
			[contract, tv],
		),
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
