"""Buttons of the quotation."""

import frappe

from subscriber_tv.api.guards import STAFF_SELLING, only_for
from subscriber_tv.flows.quotes import open_from_quote as flow


@frappe.whitelist(methods=["POST"])
def open_subscriptions(quotation: str) -> list:
	"""Open the subscriptions a submitted quotation offers; answer with their names.

	PermissionError without a role or the right to read the quotation; ValidationError with the reason.
	"""
	only_for(*STAFF_SELLING)
	frappe.has_permission("Quotation", doc=quotation, throw=True)
	return flow.open_from_quote(quotation)
