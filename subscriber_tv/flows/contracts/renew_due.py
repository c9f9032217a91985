"""Renews the contracts that nobody refused to renew, and lists the letters that tell of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timezone

import frappe
from frappe import _

from subscriber_tv.core.billing.periods import later
from subscriber_tv.core.contracts.commitment import Term, information_window
from subscriber_tv.core.contracts.states import ACTIVE, RENEW, SUSPENDED
from subscriber_tv.core.contracts.timeline import Change, Contract
from subscriber_tv.flows.contracts.change_terms import record_other
from subscriber_tv.flows.contracts.commitments import LONGEST_NOTICE, is_consumer
from subscriber_tv.flows.contracts.each_due import each_due, latest_day
from subscriber_tv.flows.contracts.timeline import load

#: Those who could still refuse; a cancelled contract is not renewed.
RENEWING = (ACTIVE, SUSPENDED)

#: Months before the end of a term in which anything about its renewal can fall: notice, and the letter before it.
FARTHEST = LONGEST_NOTICE + 4


def renew_due(*, today: date | None = None) -> int:
	"""Record every tacit renewal whose last day of refusal has passed at the site; return how many.

	Daily. Missed nights do no harm: each renewal takes effect on the end of the term before, whenever it is recorded,
	and several are caught up one after the other. `today` replaces the day at every site. One contract that fails is
	written to the Error Log and does not keep the others.
	"""
	return _each(today, renew_if_due)


def list_notices(*, today: date | None = None) -> int:
	"""Write the TV Renewal Notices whose time has come, and mark those nobody sent; return how many are new. Daily."""
	new = _each(today, notice_if_due)
	_mark_missed(today or datetime.now(timezone.utc).date())
	return new


def renew_if_due(subscription: str, today: date) -> int:
	"""Record the renewals of one contract whose last day of refusal has passed; return how many."""
	done = 0
	while renewing := _renewing(subscription):
		term, end = renewing
		if today <= term.last_refusal(end):
			break
		_record(subscription, end, later(end, term.renewal or 0))
		done += 1
	return done


def notice_if_due(subscription: str, today: date) -> int:
	"""Write the notice of one contract when its letter may go out; return 1 when it is new."""
	renewing = _renewing(subscription)
	if renewing is None:
		return 0
	term, end = renewing
	window = information_window(term, end)
	if window.state(today) == "early" or today > window.last_refusal:
		return 0
	if frappe.db.exists("TV Renewal Notice", f"{subscription}-{end}"):
		return 0
	facts = frappe.db.get_value("TV Subscription", subscription, ["customer", "payer"], as_dict=True)
	doc = frappe.get_doc(
		{
			"doctype": "TV Renewal Notice",
			"subscription": subscription,
			"customer": facts.customer,
			"payer": facts.payer,
			"consumer": int(is_consumer(facts.customer)),
			"term_end": end,
			"renewed_until": later(end, term.renewal or 0),
			"send_from": window.first,
			"send_until": window.last,
			"last_refusal": window.last_refusal,
			"status": "Due",
		}
	)
	# Nobody writes notices by hand: the daily look makes them.
	doc.flags.ignore_permissions = True
	doc.insert()
	return 1


def _renewing(subscription: str) -> tuple[Term, date] | None:
	"""The term of a contract that goes on by itself and the end it runs to; None for any other."""
	state = frappe.db.get_value("TV Subscription", subscription, "state")
	contract: Contract = load(subscription)
	commitment = contract.agreed.commitment
	if state not in RENEWING or commitment is None or not commitment.term.renewal or not contract.bounds():
		return None
	return commitment.term, contract.bounds()[-1].end


def _record(subscription: str, start: date, end: date) -> None:
	def complete(contract: Contract, facts: frappe._dict, change: Change) -> Change:
		if contract.bounds()[-1].end != start:
			# Two at once: whoever had the lock first has renewed it.
			frappe.throw(_("Subscription {0} is renewed already.").format(frappe.bold(subscription)))
		return replace(change, end=end)

	record_other(subscription, RENEW, complete, effective_date=start, reason=_("Tacit renewal"))


def _candidates(today: date | None) -> list[frappe._dict]:
	"""Contracts whose term ends soon enough, somewhere on Earth."""
	latest = later(latest_day(today), FARTHEST)
	return frappe.get_all(
		"TV Subscription",
		{"renewal": "Tacit", "state": ("in", RENEWING), "term_end": ("<=", latest)},
		["name", "site"],
		order_by="name",
		limit=0,
	)


def _each(today: date | None, act: Callable[[str, date], int]) -> int:
	return each_due(
		_candidates(today),
		lambda row, day: act(row.name, day),
		today=today,
		failure="A contract could not be renewed",
	)


def _mark_missed(today: date) -> None:
	due = {"status": "Due"}
	frappe.db.set_value("TV Renewal Notice", {**due, "send_until": ("<", today)}, "status", "Missed")
	open_notices = frappe.get_all(
		"TV Renewal Notice", {"status": ("in", ("Due", "Missed"))}, ["name", "subscription"]
	)
	over = set(
		frappe.get_all(
			"TV Subscription",
			{
				"name": ("in", [row.subscription for row in open_notices] or [""]),
				"state": ("not in", RENEWING),
			},
			pluck="name",
		)
	)
	for row in open_notices:
		if row.subscription in over:
			frappe.db.set_value("TV Renewal Notice", row.name, "status", "Not Needed")
