"""Buttons of the subscription form: who may cause which event, and one call each."""

import frappe
from frappe import _

from subscriber_tv.api import guards
from subscriber_tv.core.contracts.states import EVENTS
from subscriber_tv.flows.contracts import change_state as change_flow
from subscriber_tv.flows.contracts import leave
from subscriber_tv.flows.contracts import overview as overview_flow
from subscriber_tv.flows.contracts.words import event_label

#: Roles that may cause each event; System Manager may cause all. `create` is the permission to create a
#: TV Subscription. Support may suspend (a stolen TV), yet only those who know why it was done may resume.
ROLES: dict[str, frozenset[str]] = {
	"request_documents": frozenset({"TV Sales", "TV Back Office"}),
	"complete_documents": frozenset({"TV Sales", "TV Back Office"}),
	"finish_installation": frozenset({"TV Back Office", "TV Logistics"}),
	"activate": frozenset({"TV Back Office"}),
	"suspend": frozenset({"TV Back Office", "TV Billing", "TV Support"}),
	"resume": frozenset({"TV Back Office", "TV Billing"}),
	"cancel_at_date": frozenset({"TV Back Office"}),
	"withdraw_cancellation": frozenset({"TV Back Office"}),
	"end": frozenset({"TV Back Office"}),
	"uninstall": frozenset({"TV Back Office", "TV Logistics"}),
	"reactivate": frozenset({"TV Sales", "TV Back Office"}),
}


@frappe.whitelist(methods=["POST"])
def change_state(
	subscription: str,
	event: str,
	effective_date: str | None = None,
	end_date: str | None = None,
	reason: str | None = None,
	billing_stops: int = 0,
	exit_free: int = 0,
) -> dict:
	"""Cause one event of a subscription the user may read; answer with its new state.

	Dates are ISO days at the site; `billing_stops` makes a suspension free of charge, `exit_free` an end that comes
	before that of the term. PermissionError without a role for the event or for such an end, ValidationError with the
	reason when the event is not possible.
	"""
	require_subscription(subscription)
	_require_role(event)
	free = leave.agree_on_end(
		subscription,
		event,
		end_date or effective_date,
		free=bool(exit_free),
		may_choose=guards.has_role(guards.STAFF_LEAVING_EARLY),
	)
	change = change_flow.change_state(
		subscription=subscription,
		event=event,
		effective_date=effective_date or None,
		end_date=end_date or None,
		reason=reason or None,
		billing_stops=_may_stop_billing(event, billing_stops),
		exit_free=free,
	)
	return {"change": change, "state": frappe.db.get_value("TV Subscription", subscription, "state")}


@frappe.whitelist(methods=["GET", "POST"])
def overview(subscription: str) -> dict:
	"""What the form shows beside its fields, for a subscription the user may read."""
	require_subscription(subscription)
	seen = overview_flow.overview(subscription, may=my_events())
	seen["can_bind"] = seen["can_bind"] and guards.has_role(guards.STAFF_PAIRING)
	seen["can_deliver"] = seen["can_deliver"] and guards.has_role(guards.STAFF_LOGISTICS)
	seen["can_change_lines"] = seen["can_change_terms"] and guards.has_role(guards.STAFF_SELLING)
	seen["can_keep_terms"] = seen["can_change_terms"] and guards.has_role(guards.STAFF_KEEPING_TERMS)
	seen["can_suggest"] = seen["can_change_terms"] and guards.has_role(guards.STAFF_SUGGESTING)
	return seen


def _may_stop_billing(event: str, billing_stops: int) -> bool:
	"""Support may make TVs dark; only those who answer for the money may stop the bills with them."""
	if not billing_stops or event != "suspend":
		return False
	guards.only_for(*guards.STAFF_KEEPING_TERMS)
	return True


def my_events() -> tuple[str, ...]:
	"""Events that the roles of the session's user allow."""
	roles = set(frappe.get_roles())
	if "System Manager" in roles:
		return tuple(ROLES)
	return tuple(event for event, needed in ROLES.items() if needed & roles)


def require_subscription(subscription: str) -> None:
	"""Refuse who may not read it. Unknown and forbidden are told apart only to those who may read subscriptions at all."""
	frappe.has_permission("TV Subscription", "read", throw=True)
	if not frappe.db.exists("TV Subscription", subscription):
		frappe.throw(
			_("There is no subscription {0}.").format(frappe.utils.escape_html(subscription)),
			frappe.DoesNotExistError,
		)
	frappe.has_permission("TV Subscription", "read", doc=subscription, throw=True)


def _require_role(event: str) -> None:
	if event not in ROLES:
		known = ", ".join(name for name in EVENTS if name in ROLES)
		frappe.throw(_("There is no event {0}. Known events: {1}.").format(event, known))
	if event not in my_events():
		frappe.throw(
			_("Your roles do not allow {0}. It takes one of: {1}.").format(
				frappe.bold(event_label(event)), ", ".join(sorted(_(role) for role in ROLES[event]))
			),
			frappe.PermissionError,
			title=_("Not Allowed"),
		)
