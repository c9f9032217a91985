"""Reads TV Settings for the flows: which phases are switched on, and how far back a bill may reach."""

import frappe
from frappe import _

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


def require_phase(phase: str) -> None:
	"""Raise PhaseOff, naming the switch in TV Settings, when the phase is off."""
	if phase_on(phase):
		return
	frappe.throw(
		_("The phase {0} is switched off. Switch it on in TV Settings to go on.").format(_(PHASES[phase])),
		PhaseOff,
		title=_("Phase Switched Off"),
	)
