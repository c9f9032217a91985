"""Reads TV Settings for the flows: which phases are switched on, and how far back a bill may reach."""

import frappe
from frappe import _

from subscriber_tv.core.billing.limits import MAX_ROWS

#: Phase -> label of its switch in TV Settings. Off means: the hooks of the phase do nothing.
PHASES = {
	"orders": "Orders",
	"activation": "Activation",
	"billing": "Billing",
	"equipment": "Equipment",
}

DEFAULT_MAX_MONTHS = 24


class PhaseOff(frappe.ValidationError):
	"""The phase that this step belongs to is switched off in TV Settings."""


def phase_on(phase: str) -> bool:
	"""Tell whether a phase (a key of PHASES) is switched on; read through the document cache.

	Errors: KeyError for a phase that does not exist.
	"""
	if phase not in PHASES:
		raise KeyError(phase)
	return bool(frappe.get_cached_doc("TV Settings").get(f"{phase}_enabled"))


def max_months() -> int:
	"""How many months back a bill may reach."""
	return frappe.get_cached_doc("TV Settings").max_catch_up_months or DEFAULT_MAX_MONTHS


def billing_limits() -> tuple[int, int]:
	"""The two safety limits of a bill: how many months back it may reach, and how many rows a day it may have."""
	return max_months(), frappe.get_cached_doc("TV Settings").get("max_rows_a_day") or MAX_ROWS


def require_phase(phase: str) -> None:
	"""Raise PhaseOff, naming the switch in TV Settings, when the phase is off."""
	if phase_on(phase):
		return
	frappe.throw(
		_("The phase {0} is switched off. Switch it on in TV Settings to go on.").format(_(PHASES[phase])),
		PhaseOff,
		title=_("Phase Switched Off"),
	)
