"""Figures of the workspace and who sees the app on the apps screen."""

import frappe
from frappe import _
from frappe.utils import getdate
from pypika.terms import ExistsCriterion

from subscriber_tv.flows.permitted import permitted

BILLED_STATES = ("Active", "Suspended", "Cancelling")


@frappe.whitelist(methods=["GET", "POST"])
def subscriptions_to_bill(filters: str | dict | list | None = None) -> dict:
	"""Number card: subscriptions the user may read, in service without a billed period that reaches past today."""
	frappe.has_permission("TV Subscription", throw=True)
	subscription, claim = frappe.qb.DocType("TV Subscription"), frappe.qb.DocType("TV Billed Period")
	today = getdate()
	billed = (
		frappe.qb.from_(claim)
		.select(claim.name)
		.where((claim.subscription == subscription.name) & (claim.to_date > today))
	)
	names = (
		frappe.qb.from_(subscription)
		.select(subscription.name)
		.where(subscription.state.isin(BILLED_STATES) & (subscription.activated_on <= today))
		.where(subscription.billed_through.isnull() | (subscription.billed_through <= today))
		.where(~ExistsCriterion(billed))
	)
	due = {name for (name,) in names.run()}
	return {
		"value": len(permitted("TV Subscription", due)),
		"fieldtype": "Int",
		"label": _("TV Subscriptions to Bill"),
		"route": ["List", "TV Bill Run"],
	}


def may_open_app() -> bool:
	"""Whether the user has the app on the apps screen: who may read subscriptions or offers in the desk."""
	return any(frappe.has_permission(doctype, "read") for doctype in ("TV Subscription", "TV Offer"))
