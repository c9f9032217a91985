"""Takes a subscription from one state to the next."""

from dataclasses import replace
from datetime import date

import frappe
from frappe import _
from frappe.utils import getdate

from subscriber_tv.core.contracts.states import IllegalTransition
from subscriber_tv.core.contracts.timeline import Change, Contract, TimelineError, extend, plan_change
from subscriber_tv.flows.activation.note_change import note_change
from subscriber_tv.flows.contracts import timeline
from subscriber_tv.flows.contracts.record_change import read_current, record_change, refresh_cache
from subscriber_tv.flows.contracts.today import site_today
from subscriber_tv.flows.contracts.words import why_illegal, why_not_then


class IllegalChange(frappe.ValidationError):
	"""The event does not fit the state or the dates of the subscription."""


def change_state(
	*,
	subscription: str,
	event: str,
	effective_date: date | str | None = None,
	end_date: date | str | None = None,
	reason: str | None = None,
	billing_stops: bool = False,
	exit_free: bool = False,
) -> str:
	"""Record one event of a subscription; return the name of the TV Subscription Change.

	Days are days at the site: `effective_date` (default today, never later) is the first day of the new state,
	`end_date` the first day no longer served (only for cancel_at_date), `billing_stops` whether a suspension is free
	of charge, `exit_free` whether an end costs no fee, however early it is. Change, cache and rights outbox are
	written in one transaction, under the lock of the subscription row: of two users at once the second sees
	what the first did. Errors: IllegalChange with the reason and what is possible instead.
	"""
	facts = lock(subscription)
	contract = timeline.load_locked(subscription, facts.change_count, facts)
	change = _plan(contract, event, facts, effective_date, end_date, not billing_stops)
	if exit_free and event in ("cancel_at_date", "end"):
		change = replace(change, free=True)
	name = record_change(subscription, change, reason)
	doc = read_current(subscription, facts)
	refresh_cache(doc, extend(contract, change), name, site_today(facts.site))
	note_change("Subscription", subscription)
	return name


def lock(subscription: str) -> frappe._dict:
	"""Lock the subscription row and return its latest facts."""
	facts = frappe.db.get_value(
		"TV Subscription",
		subscription,
		[
			"site",
			"customer",
			"payer",
			"company",
			"currency",
			"state",
			"change_count",
			"modified",
			*timeline.AGREED,
		],
		as_dict=True,
		for_update=True,
	)
	if not facts:
		frappe.throw(_("There is no subscription {0}.").format(subscription), frappe.DoesNotExistError)
	return facts


def _plan(contract: Contract, event: str, facts: frappe._dict, effective, end, billed: bool) -> Change:
	try:
		return plan_change(
			contract,
			event,
			no=facts.change_count + 1,
			today=site_today(facts.site),
			effective=getdate(effective) if effective else None,
			end=getdate(end) if end else None,
			billed=billed,
		)
	except IllegalTransition as refused:
		message = why_illegal(contract.subscription, refused)
	except TimelineError as refused:
		message = why_not_then(contract.subscription, event, refused)
	frappe.throw(message, IllegalChange, title=_("Not Possible Now"))
