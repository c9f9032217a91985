"""Leaving a contract: the earliest end that was agreed, what an earlier one costs, and who may choose it."""

from dataclasses import replace
from datetime import date

import frappe
from frappe import _
from frappe.utils import formatdate, getdate

from subscriber_tv.core.billing.agreement import terms_of
from subscriber_tv.core.billing.charges import expected_charges
from subscriber_tv.core.billing.periods import later
from subscriber_tv.core.billing.price import EXIT_FEE, FAR, Expected
from subscriber_tv.core.contracts.commitment import bound_on, earliest_end
from subscriber_tv.core.contracts.states import CANCELLED, CANCELLING, billable
from subscriber_tv.core.contracts.timeline import Contract, StateSpan
from subscriber_tv.flows.billing.facts import offers_of, places_of
from subscriber_tv.flows.contracts.commitments import is_consumer
from subscriber_tv.flows.contracts.renew_due import renew_if_due
from subscriber_tv.flows.contracts.timeline import load
from subscriber_tv.flows.contracts.today import site_today

LEAVING = ("cancel_at_date", "end")

#: Reasons for which a consumer leaves without a fee.
FREELY = ("uninformed", "repriced")

#: So long after new prices took effect a consumer may leave because of them (code de la consommation, L224-33).
REPRICED_MONTHS = 4


def exit_options(subscription: str, end_date: date | str | None = None) -> dict:
	"""What the dialog of a cancellation shows for an end on `end_date`, else on the earliest agreed one.

	`earliest` is the first end that needs nobody's leave (today where nothing binds), `why` the reason for it, `fee` the
	net sum that leaving on `end` costs as a decimal string, "0" for nothing.
	"""
	facts = frappe.db.get_value(
		"TV Subscription", subscription, ["site", "customer", "currency"], as_dict=True
	)
	contract = load(subscription)
	today = site_today(facts.site)
	earliest, why = _earliest(contract, facts.customer, today)
	end = getdate(end_date) if end_date else max(earliest, today)
	row = None if why in FREELY else fee_of_leaving(contract, end, facts.currency)
	bounds = contract.bounds()
	return {
		"today": today,
		"bound": bool(contract.agreed.commitment),
		"bound_until": bounds[-1].end if bounds else None,
		"earliest": earliest,
		"why": _words(why),
		"end": end,
		"fee": str(row.price.full_amount) if row else "0",
		"fee_facts": dict(row.price.why) if row else {},
		"currency": facts.currency,
	}


def agree_on_end(
	subscription: str, event: str, end: date | str | None, *, free: bool, may_choose: bool
) -> bool:
	"""Check the end of a cancellation before it is recorded; True when leaving then costs nothing whatever the rule.

	A term whose last day of refusal has passed is renewed first. `may_choose` says that the user may let somebody
	leave before the agreed end, and without the fee when `free`. Errors: PermissionError naming the agreed end.
	"""
	if event not in LEAVING:
		return False
	facts = frappe.db.get_value("TV Subscription", subscription, ["site", "customer"], as_dict=True)
	today = site_today(facts.site)
	renew_if_due(subscription, today)
	contract = load(subscription)
	chosen = getdate(end) if end else today
	if contract.state == CANCELLING and contract.end_date and chosen >= contract.end_date:
		return False  # this end was agreed when the cancellation was recorded
	earliest, why = _earliest(contract, facts.customer, today)
	early = chosen < earliest and bound_on(contract.bounds(), chosen) is not None
	if (early or free) and not may_choose:
		frappe.throw(
			_(
				"{0} is bound until {1}. An earlier end, or one without its fee, is agreed by TV Billing or TV Management."
			).format(frappe.bold(subscription), formatdate(earliest)),
			frappe.PermissionError,
			title=_("Bound by Its Term"),
		)
	return free or (why in FREELY and not early)


def fee_of_leaving(contract: Contract, end: date, currency: str) -> Expected | None:
	"""The row that leaving on `end` would bring, by the engine that bills it; None where it costs nothing."""
	if not contract.served() or not contract.agreed.commitment:
		return None
	spans = [span for span in contract.spans if span.start < end and billable(span.state)]
	if not spans:
		return None
	left = replace(
		contract,
		spans=(*spans[:-1], replace(spans[-1], end=end), StateSpan(CANCELLED, end)),
		end_date=end,
		changes=tuple(change for change in contract.changes if change.event not in LEAVING),
	)
	offers = offers_of({line.offer_version for line in left.lines})
	rows = expected_charges(left, offers, _until(left, end), terms_of(left), places_of(currency))
	return next((row for row in rows if row.kind == EXIT_FEE and row.span.start == end), None)


def _until(contract: Contract, end: date) -> date:
	bounds = contract.bounds()
	return max(end, bounds[-1].end) if bounds and bounds[-1].end < FAR else end


def _earliest(contract: Contract, customer: str, today: date) -> tuple[date, str]:
	commitment = contract.agreed.commitment
	if commitment is None or contract.activated_on is None:
		return today, "free"
	consumer = is_consumer(customer)
	if consumer and _was_repriced(contract.subscription, today):
		return today, "repriced"
	return earliest_end(
		commitment.term,
		contract.activated_on,
		today,
		consumer=consumer,
		informed=informed_of(contract.subscription),
	)


def _was_repriced(subscription: str, today: date) -> bool:
	"""Whether a price revision of the last months, or one whose letter is out, lets a consumer leave."""
	target = frappe.get_all(
		"TV Campaign Target",
		{
			"subscription": subscription,
			"campaign_doctype": "TV Price Revision",
			"outcome": ("in", ("Pending", "Applied")),
			"effective_date": (">", later(today, -REPRICED_MONTHS)),
		},
		["effective_date", "letter_sent_on", "outcome"],
	)
	return any(
		row.letter_sent_on or (row.outcome == "Applied" and row.effective_date <= today) for row in target
	)


def informed_of(subscription: str) -> set[date]:
	"""The ends of terms about whose renewal a letter went out in time."""
	return set(
		frappe.get_all(
			"TV Renewal Notice", {"subscription": subscription, "status": "Sent"}, pluck="term_end", limit=0
		)
	)


def _words(why: str) -> str:
	sentences = {
		"free": _("No commitment: the contract may end on any day."),
		"over": _("The term is over and was not renewed: the contract may end on any day."),
		"repriced": _("A consumer may leave because of new prices until four months after they took effect."),
		"uninformed": _("The consumer was not told of the renewal in time and may leave on any day."),
		"term": _("The end of the term that a notice given today reaches."),
	}
	return sentences[why]
