"""Records the changes of a contract that leave its state as it is: lines, billing day, discounts, and taking back.

Each takes effect on a day of its own, today, earlier or later; the next bill puts right what was billed otherwise.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

import frappe
from frappe import _
from frappe.utils import getdate

from subscriber_tv.core.billing.periods import later
from subscriber_tv.core.catalogue.offer import MAX_INTERVAL_MONTHS
from subscriber_tv.core.contracts.states import IllegalTransition
from subscriber_tv.core.contracts.timeline import (
	Change,
	Contract,
	TimelineError,
	extend,
	plan_other,
	plan_withdrawal,
)
from subscriber_tv.core.pricing.discount import Discount
from subscriber_tv.flows.activation.note_change import note_change
from subscriber_tv.flows.contracts import timeline
from subscriber_tv.flows.contracts.change_state import IllegalChange, lock
from subscriber_tv.flows.contracts.record_change import Source, read_current, record_change, refresh_cache
from subscriber_tv.flows.contracts.today import site_today
from subscriber_tv.flows.contracts.words import why_illegal, why_not_then

#: Completes a change: gets the contract, the locked facts of its row and the bare change.
Completion = Callable[[Contract, frappe._dict, Change], Change]


def change_anchor(
	*, subscription: str, anchor_day: int, effective_date: date | str | None = None, reason: str | None = None
) -> str:
	"""Move the billing day; return the name of the change. The first new period is a part of one.

	Errors: IllegalChange, ValidationError for a day that is none or a contract aligned to the calendar.
	"""
	if not 1 <= anchor_day <= 31:
		frappe.throw(_("The billing day must be between 1 and 31."), title=_("Billing Day"))

	def complete(contract: Contract, facts: frappe._dict, change: Change) -> Change:
		if contract.agreed.calendar_aligned:
			frappe.throw(
				_("The periods of {0} follow the calendar: its billing day is 1.").format(
					frappe.bold(subscription)
				),
				title=_("Billing Day"),
			)
		return replace(change, anchor_day=anchor_day)

	return record_other(subscription, "change_anchor", complete, effective_date=effective_date, reason=reason)


def grant_discount(
	*,
	subscription: str,
	discounts: Sequence[Discount],
	effective_date: date | str | None = None,
	reason: str | None = None,
	source: Source | None = None,
) -> str:
	"""Grant discounts from a day on; return the name of the change. Errors: IllegalChange."""

	def complete(contract: Contract, facts: frappe._dict, change: Change) -> Change:
		return replace(
			change, discounts=tuple(replace(discount, since=change.effective) for discount in discounts)
		)

	return record_other(
		subscription, "grant_discount", complete, effective_date=effective_date, reason=reason, source=source
	)


def withdraw_change(
	*, subscription: str, change_no: int, reason: str | None = None, source: Source | None = None
) -> str:
	"""Take back change number `change_no` as if it had never been; return the name of the change that does so.

	Changes of state are not taken back, but followed by the opposite event. Errors: IllegalChange.
	"""
	facts = lock(subscription)
	contract = timeline.load_locked(subscription, facts.change_count, facts)
	try:
		change = plan_withdrawal(contract, change_no, no=facts.change_count + 1)
	except TimelineError as refused:
		_refuse(why_not_then(subscription, "withdraw", refused))
	return write_other(contract, facts, change, reason, source)


def record_other(
	subscription: str,
	event: str,
	complete: Completion,
	*,
	effective_date: date | str | None = None,
	reason: str | None = None,
	source: Source | None = None,
	**values: str,
) -> str:
	"""Lock, plan, complete and record one change beside those of state; return its name.

	`values` are fields of the change that the core does not know. Errors: IllegalChange with the reason.
	"""
	facts = lock(subscription)
	contract = timeline.load_locked(subscription, facts.change_count, facts)
	change = bare_change(contract, facts, event, effective_date)
	return write_other(contract, facts, complete(contract, facts, change), reason, source, **values)


def bare_change(
	contract: Contract, facts: frappe._dict, event: str, effective_date: date | str | None
) -> Change:
	"""The next change of the contract, dated and still without what it changes. Errors: IllegalChange."""
	today = site_today(facts.site)
	try:
		return plan_other(
			contract,
			event,
			no=len(contract.changes) + 1,
			today=today,
			farthest=later(today, MAX_INTERVAL_MONTHS),
			effective=getdate(effective_date) if effective_date else None,
		)
	except IllegalTransition as refused:
		_refuse(why_illegal(contract.subscription, refused))
	except TimelineError as refused:
		_refuse(why_not_then(contract.subscription, event, refused))


def write_other(
	contract: Contract,
	facts: frappe._dict,
	change: Change,
	reason: str | None,
	source: Source | None,
	**values: str,
) -> str:
	"""Record a complete change of a locked contract, its cache and its rights; return its name."""
	subscription = contract.subscription
	if change.payer:
		values["former_payer"] = contract.payer_on(change.effective)
	name = record_change(subscription, change, reason, source, **values)
	doc = read_current(subscription, facts)
	refresh_cache(doc, extend(contract, change), name, site_today(facts.site))
	note_change("Subscription", subscription)
	return name


def _refuse(message: str) -> None:
	frappe.throw(message, IllegalChange, title=_("Not Possible Now"))
