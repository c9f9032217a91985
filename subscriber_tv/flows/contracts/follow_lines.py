"""Brings the day's lines into the subscriptions whose change was planned ahead and takes effect now."""

from datetime import date

import frappe

from subscriber_tv.core.contracts.timeline import Contract
from subscriber_tv.flows.activation.note_change import note_change
from subscriber_tv.flows.contracts import timeline
from subscriber_tv.flows.contracts.change_state import lock
from subscriber_tv.flows.contracts.each_due import each_due, latest_day
from subscriber_tv.flows.contracts.record_change import read_current, refresh_cache


def follow_lines(*, today: date | None = None) -> int:
	"""Refresh every subscription whose planned change of lines has come at its site; return how many.

	Runs hourly and survives missed nights: bills and rights are read from the changes themselves, so only what the
	form shows waits for it. `today` replaces the day at every site. One that fails is written to the Error Log.
	"""
	due = frappe.get_all(
		"TV Subscription",
		{"next_change_on": ("<=", latest_day(today))},
		["name", "site"],
		order_by="name",
		limit=0,
	)
	failure = "The lines of a subscription could not be brought up to date"
	return each_due(due, _follow, today=today, failure=failure)


def _follow(row: frappe._dict, today: date) -> bool:
	facts = lock(row.name)
	contract: Contract = timeline.load_locked(row.name, facts.change_count, facts)
	doc = read_current(row.name, facts)
	if not doc.next_change_on or doc.next_change_on > today:
		return False
	refresh_cache(doc, contract, None, today)
	note_change("Subscription", row.name)
	return True
