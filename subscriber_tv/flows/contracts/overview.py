"""What the form of a subscription shows beside its fields: what is next, what is possible, what has been."""

from collections.abc import Collection
from datetime import date

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
	OTHER_EVENTS,
	SUSPENDED,
	UNINSTALLED,
	WITHDRAWABLE,
	allowed_events,
	may_change_terms,
)
from subscriber_tv.core.contracts.timeline import Contract, in_force, is_due
from subscriber_tv.flows.contracts import double_billing, timeline
from subscriber_tv.flows.contracts.describe_changes import describe_changes
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

	`warnings` are sentences about what is billed twice.
	`over_since` is the day agreed of a cancellation that is due and not ended yet: nothing else can be recorded then.
	"""
	facts = frappe.db.get_value(
		"TV Subscription", subscription, ["state", "site", "end_date", "currency"], as_dict=True
	)
	today = site_today(facts.site)
	over_since = facts.end_date if is_due(facts.state, facts.end_date, today) else None
	lines = frappe.get_all(
		"TV Subscription Line",
		{"parent": subscription, "parenttype": "TV Subscription"},
		["line_id", "offer_version", "quantity", "bound", "from_date", "to_date", "option_of"],
		order_by="idx",
	)
	contract = timeline.load(subscription)
	return {
		"state": facts.state,
		"today": today,
		"over_since": over_since,
		"events": [
			{"event": event, "label": event_label(event)}
			for event in allowed_events(facts.state)
			if event in may and (event == "end" or not over_since)
		],
		"hint": _hint(facts.state, facts.end_date, bool(over_since), contract.spans[-1].billed),
		"primary": "end" if over_since else PRIMARY[facts.state],
		"lines": lines,
		"planned": _planned(contract, today),
		"can_change_terms": may_change_terms(facts.state) and not over_since,
		"can_bind": facts.state in BINDING and any(line.bound < line.quantity for line in lines),
		"can_deliver": facts.state in DELIVERING,
		"devices": frappe.db.count("TV Device", {"subscription": subscription}),
		"changes": _changes(
			subscription, facts.currency, {change.no for change in in_force(contract.changes)}
		),
		"warnings": [double_billing.warning(found) for found in double_billing.of_subscription(subscription)],
	}


def _planned(contract: Contract, today: date) -> list[dict]:
	"""What of the lines changes after today, by day: {day, line_id, quantity, offer_version, ends}."""
	begun = [
		{
			"day": line.start,
			"line_id": line.line_id,
			"quantity": line.quantity,
			"offer_version": line.offer_version,
		}
		for line in contract.lines
		if line.start and line.start > today
	]
	starts = {(row["line_id"], row["day"]) for row in begun}
	ended = [
		{"day": line.end, "line_id": line.line_id, "ends": True}
		for line in contract.lines
		if line.end and line.end > today and (line.line_id, line.end) not in starts
	]
	return sorted(begun + ended, key=lambda row: (row["day"], row["line_id"]))


def _hint(state: str, end_date, over: bool, billed: bool) -> str:
	hints = {
		DRAFT: _("Next: ask the customer for the documents of the contract."),
		AWAITING_DOCUMENTS: _("Next: check the documents, then mark them complete."),
		AWAITING_INSTALLATION: _("Next: deliver the TVs and finish the installation at the site."),
		AWAITING_ACTIVATION: _(
			"Next: switch a TV on and bind it by its pairing code; that starts the contract."
		),
		ACTIVE: _("Served and billed."),
		SUSPENDED: _("The TVs are refused until the subscription is resumed. Billing goes on.")
		if billed
		else _("The TVs are refused until the subscription is resumed. Billing stands still."),
		CANCELLING: _("Over since {0}: ends by itself within the hour, or by End Now.")
		if over
		else _("Cancelled, and in force until {0}. TVs and billing stop on that day."),
		CANCELLED: _("Ended. Next: take the TVs back and mark the site uninstalled."),
		UNINSTALLED: _("Ended and uninstalled."),
	}
	return hints[state].format(frappe.format(end_date, {"fieldtype": "Date"}) if end_date else "")


def _changes(subscription: str, currency: str, in_force: Collection[int]) -> list[dict]:
	"""The latest changes; those in force beside the changes of state can be taken back."""
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
			"anchor_day",
			"withdraws",
			"billing_stops",
			"payer",
			"customer",
			"site",
			"reason",
			"known_on",
			"author",
		],
		order_by="change_no desc",
		limit=50,
	)
	told = describe_changes(rows, currency)
	return [
		{
			**row,
			"label": event_label(row.event),
			"what": told[row.name],
			"changes_state": row.event not in OTHER_EVENTS,
			"can_withdraw": row.change_no in in_force and row.event in WITHDRAWABLE,
			"withdrawn": row.event in OTHER_EVENTS and row.change_no not in in_force,
		}
		for row in rows
	]
