"""The names by which staff knows events, and the sentences for a step that is refused."""

import frappe
from frappe import _
from frappe.utils import formatdate

from subscriber_tv.core.contracts.states import WITHDRAWABLE, IllegalTransition
from subscriber_tv.core.contracts.timeline import TimelineError


def event_label(event: str) -> str:
	"""Translated name of the button that causes the event; the event itself when it is unknown."""
	labels = {
		"create": _("Open"),
		"request_documents": _("Request Documents"),
		"complete_documents": _("Documents Complete"),
		"finish_installation": _("Installation Finished"),
		"activate": _("Activate"),
		"suspend": _("Suspend"),
		"resume": _("Resume"),
		"cancel_at_date": _("Cancel at a Date"),
		"withdraw_cancellation": _("Withdraw Cancellation"),
		"end": _("End Now"),
		"uninstall": _("Uninstalled"),
		"reactivate": _("Reactivate"),
		"change_lines": _("Change Lines"),
		"change_anchor": _("Move Billing Day"),
		"grant_discount": _("Grant Discount"),
		"change_payer": _("Change Payer"),
		"change_holder": _("Change Holder"),
		"move": _("Move to Another Site"),
		"renew": _("Renew"),
		"withdraw": _("Take Back"),
	}
	return labels.get(event, event)


def why_illegal(subscription: str, refused: IllegalTransition) -> str:
	"""Sentence for an event that the present state does not know."""
	possible = ", ".join(event_label(event) for event in refused.allowed) or _("nothing")
	return _("{0} is not possible: subscription {1} is {2}. Possible now: {3}.").format(
		frappe.bold(event_label(refused.event)),
		frappe.bold(subscription),
		frappe.bold(_(refused.state or "")),
		possible,
	)


def why_not_then(subscription: str, event: str, refused: TimelineError) -> str:
	"""Sentence for an event whose dates do not fit the contract."""
	day = formatdate(refused.day) if refused.day else ""
	sentences = {
		"future": _(
			"it cannot take effect after today ({0}). For an end in the future use Cancel at a Date."
		),
		"too_early": _("it cannot take effect before {0}, when the present state began."),
		"end_missing": _("give the first day that is no longer served."),
		"end_too_early": _("the first day no longer served must come after {0}. To stop today use End Now."),
		"already_over": _("the contract is over since {0}. Use End Now with that day as its effective day."),
		"before_opening": _("it cannot take effect before {0}, when the contract was opened."),
		"too_far": _("it cannot be planned for a day after {0}."),
		"not_yours": _why_not_taken_back(),
	}
	return _("{0} of subscription {1}: {2}").format(
		frappe.bold(event_label(event)), frappe.bold(subscription), sentences[refused.code].format(day)
	)


def _why_not_taken_back() -> str:
	kinds = ", ".join(event_label(event) for event in WITHDRAWABLE)
	return _(
		"only what still holds is taken back, and only {0}. Change a holder or a site anew instead."
	).format(kinds)
