"""What the form of a subscription shows beside its fields: what is next, what is possible, what has been."""

import frappe
from frappe import _

from subscriber_tv.core.contracts.states import (
	ACTIVE,
	AWAITING_ACTIVATION,
	AWAITING_DOCUMENTS,
	AWAITING_INSTALLATION,
	CANCELLED,
	CANCELLING,
	DRAFT,
	SUSPENDED,
	UNINSTALLED,
	allowed_events,
)
from subscriber_tv.core.contracts.timeline import is_due
from subscriber_tv.flows.contracts.today import site_today
from subscriber_tv.flows.contracts.words import event_label

#: States in which a TV can be delivered to the site, and bound to a line.
DELIVERING = (AWAITING_INSTALLATION, AWAITING_ACTIVATION, ACTIVE, SUSPENDED, CANCELLING)
BINDING = (AWAITING_ACTIVATION, ACTIVE, SUSPENDED, CANCELLING)

#: The one thing staff does next in each state; the other possible events stand in the Actions group.
PRIMARY = {
	DRAFT: "request_documents",
	AWAITING_DOCUMENTS: "complete_documents",
	AWAITING_INSTALLATION: "finish_installation",
	AWAITING_ACTIVATION: "bind",
	ACTIVE: "suspend",
	SUSPENDED: "resume",
	CANCELLING: "withdraw_cancellation",
	CANCELLED: "uninstall",
	UNINSTALLED: "reactivate",
}


def overview(subscription: str, may: tuple[str, ...]) -> dict:
	"""State, today at the site, the events possible now among those in `may`, a hint, TVs and the changes.

	`over_since` is the day agreed of a cancellation that is due and not ended yet: nothing else can be recorded then.
	"""
	facts = frappe.db.get_value("TV Subscription", subscription, ["state", "site", "end_date"], as_dict=True)
	today = site_today(facts.site)
	over_since = facts.end_date if is_due(facts.state, facts.end_date, today) else None
	lines = frappe.get_all(
		"TV Subscription Line",
		{"parent": subscription, "parenttype": "TV Subscription"},
		["line_id", "offer_version", "quantity", "bound"],
		order_by="idx",
	)
	return {
		"state": facts.state,
		"today": today,
		"over_since": over_since,
		"events": [
			{"event": event, "label": event_label(event)}
			for event in allowed_events(facts.state)
			if event in may and (event == "end" or not over_since)
		],
		"hint": _hint(facts.state, facts.end_date, bool(over_since)),
		"primary": "end" if over_since else PRIMARY[facts.state],
		"lines": lines,
		"can_bind": facts.state in BINDING and any(line.bound < line.quantity for line in lines),
		"can_deliver": facts.state in DELIVERING,
		"devices": frappe.db.count("TV Device", {"subscription": subscription}),
		"changes": _changes(subscription),
	}


def _hint(state: str, end_date, over: bool) -> str:
	hints = {
		DRAFT: _("Next: ask the customer for the documents of the contract."),
		AWAITING_DOCUMENTS: _("Next: check the documents, then mark them complete."),
		AWAITING_INSTALLATION: _("Next: deliver the TVs and finish the installation at the site."),
		AWAITING_ACTIVATION: _(
			"Next: switch a TV on and bind it by its pairing code; that starts the contract."
		),
		ACTIVE: _("Served and billed."),
		SUSPENDED: _("The TVs are refused until the subscription is resumed. Billing goes on."),
		CANCELLING: _("Over since {0}: ends by itself within the hour, or by End Now.")
		if over
		else _("Cancelled, and in force until {0}. TVs and billing stop on that day."),
		CANCELLED: _("Ended. Next: take the TVs back and mark the site uninstalled."),
		UNINSTALLED: _("Ended and uninstalled."),
	}
	return hints[state].format(frappe.format(end_date, {"fieldtype": "Date"}) if end_date else "")


def _changes(subscription: str) -> list[dict]:
	rows = frappe.get_all(
		"TV Subscription Change",
		{"subscription": subscription, "docstatus": 1},
		[
			"name",
			"change_no",
			"event",
			"to_state",
			"effective_date",
			"end_date",
			"reason",
			"known_on",
			"author",
		],
		order_by="change_no desc",
		limit=50,
	)
	return [{**row, "label": event_label(row.event)} for row in rows]
