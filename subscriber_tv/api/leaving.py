"""The dialog of a cancellation: which end was agreed, and what another one costs."""

import frappe

from subscriber_tv.api.contracts import require_subscription
from subscriber_tv.api.guards import STAFF_LEAVING_EARLY, has_role
from subscriber_tv.flows.contracts import leave


@frappe.whitelist(methods=["GET", "POST"])
def exit_options(subscription: str, end_date: str | None = None) -> dict:
	"""The earliest agreed end, and the fee of leaving on `end_date` (ISO), for a subscription the user may read."""
	require_subscription(subscription)
	found = leave.exit_options(subscription, end_date or None)
	return found | {"may_choose": has_role(STAFF_LEAVING_EARLY)}
