"""Buttons that change a contract without changing its state: lines, billing day, taking back."""

import frappe

from subscriber_tv.api.contracts import require_subscription
from subscriber_tv.api.guards import STAFF_KEEPING_TERMS, STAFF_SELLING, STAFF_SUGGESTING, only_for
from subscriber_tv.api.values import steps_of
from subscriber_tv.flows.catalogue import suggest_offers as suggest
from subscriber_tv.flows.contracts import change_lines as lines_flow
from subscriber_tv.flows.contracts import change_parties, change_terms


@frappe.whitelist(methods=["POST"])
def change_lines(
	subscription: str, steps: list | str, effective_date: str | None = None, reason: str | None = None
) -> dict:
	"""Change plan, quantity, option or price of a subscription the user may read; answer with the change.

	A step is {line_id, offer_version, quantity, option_of, ends, prices}; `effective_date` is an ISO day at the site,
	today unless given. PermissionError without a role, for negotiated prices without TV Billing or Back Office.
	"""
	only_for(*STAFF_SELLING)
	require_subscription(subscription)
	read = steps_of(steps)
	if any("prices" in step for step in read):
		only_for(*STAFF_KEEPING_TERMS)
	change = lines_flow.change_lines(
		subscription=subscription,
		steps=read,
		effective_date=effective_date or None,
		reason=reason or None,
	)
	return {"change": change}


@frappe.whitelist(methods=["GET", "POST"])
def suggest_offers(subscription: str) -> list:
	"""What to propose to the subscriber next, and why not the rest. PermissionError without a role that sells."""
	only_for(*STAFF_SUGGESTING)
	require_subscription(subscription)
	return suggest.suggest_offers(subscription)


@frappe.whitelist(methods=["POST"])
def change_anchor(
	subscription: str, anchor_day: int, effective_date: str | None = None, reason: str | None = None
) -> dict:
	"""Move the billing day of a subscription the user may read. PermissionError without a role."""
	only_for(*STAFF_KEEPING_TERMS)
	require_subscription(subscription)
	change = change_terms.change_anchor(
		subscription=subscription,
		anchor_day=anchor_day,
		effective_date=effective_date or None,
		reason=reason or None,
	)
	return {"change": change}


@frappe.whitelist(methods=["POST"])
def withdraw(subscription: str, change_no: int, reason: str) -> dict:
	"""Take back a change that still holds, of a kind that `states.WITHDRAWABLE` lists. PermissionError without a role."""
	only_for(*STAFF_KEEPING_TERMS)
	require_subscription(subscription)
	change = change_terms.withdraw_change(subscription=subscription, change_no=change_no, reason=reason)
	return {"change": change}


@frappe.whitelist(methods=["POST"])
def change_payer(
	subscription: str, payer: str, effective_date: str | None = None, reason: str | None = None
) -> dict:
	"""Let another customer pay from a day on. PermissionError without a role or the right to read the customer."""
	_require(subscription, payer)
	change = change_parties.change_payer(
		subscription=subscription, payer=payer, effective_date=effective_date or None, reason=reason or None
	)
	return {"change": change}


@frappe.whitelist(methods=["POST"])
def change_holder(
	subscription: str,
	customer: str,
	payer: str | None = None,
	effective_date: str | None = None,
	reason: str | None = None,
) -> dict:
	"""Hand the contract over to another customer, site and TVs included. PermissionError as for `change_payer`."""
	_require(subscription, customer, *([payer] if payer else []))
	change = change_parties.change_holder(
		subscription=subscription,
		customer=customer,
		payer=payer or None,
		effective_date=effective_date or None,
		reason=reason or None,
	)
	return {"change": change}


@frappe.whitelist(methods=["POST"])
def move(subscription: str, site: str, effective_date: str | None = None, reason: str | None = None) -> dict:
	"""Serve the contract at another site of its holder. PermissionError without a role or the right to read the site."""
	_require(subscription)
	frappe.has_permission("TV Site", doc=site, throw=True)
	change = change_parties.move(
		subscription=subscription, site=site, effective_date=effective_date or None, reason=reason or None
	)
	return {"change": change}


def _require(subscription: str, *customers: str) -> None:
	only_for(*STAFF_KEEPING_TERMS)
	require_subscription(subscription)
	for customer in customers:
		frappe.has_permission("Customer", doc=customer, throw=True)
