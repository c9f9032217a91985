"""Buttons of the subscription form for promotions; one call each."""

import frappe
from frappe import _

from subscriber_tv.api.contracts import require_subscription
from subscriber_tv.api.guards import STAFF_SELLING, only_for
from subscriber_tv.flows.contracts.today import site_today
from subscriber_tv.flows.promotions import by_hand, give, grant


@frappe.whitelist(methods=["GET", "POST"])
def choices(subscription: str) -> list:
	"""The promotions of a subscription the user may read: possible ones first, the others with their reasons."""
	only_for(*STAFF_SELLING)
	require_subscription(subscription)
	site = frappe.db.get_value("TV Subscription", subscription, "site")
	found = give.choices(subscription, site_today(site))
	for one in found:
		if reason := by_hand.why_not_by_hand(one["promotion"]):
			one["reasons"].append(reason)
	return sorted(found, key=lambda one: bool(one["reasons"]))


@frappe.whitelist(methods=["POST"])
def grant_promotion(
	subscription: str,
	promotion: str | None = None,
	code: str | None = None,
	effective_date: str | None = None,
) -> dict:
	"""Give a promotion by name or code, from an ISO day on; answer with the change.

	PermissionError without a role, or for one by hand beyond the limits of sales.
	"""
	only_for(*STAFF_SELLING)
	require_subscription(subscription)
	if not (promotion or code):
		frappe.throw(_("Choose a promotion, or enter its code."), title=_("Promotion"))
	name = promotion or give.name_of_code(code)
	by_hand.require_by_hand(name)
	change = grant.grant_promotion(
		subscription=subscription,
		promotion=name,
		effective_date=effective_date or None,
	)
	return {"change": change}
