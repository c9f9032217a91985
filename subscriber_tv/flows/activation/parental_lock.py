"""Sets the parental lock of a TV and its PIN; the PIN itself is kept nowhere."""

import frappe
from frappe import _
from frappe.utils import now_datetime

from subscriber_tv.core.activation import parental
from subscriber_tv.flows.activation.note_change import note_change
from subscriber_tv.flows.activation.unbind import NotBound
from subscriber_tv.flows.devices.write_devices import add_event
from subscriber_tv.flows.settings import require_phase

KEEP, NEW, NONE = "Keep", "New", "None"
"""What becomes of the PIN."""
UNLOCKED = "Unlocked"
AS_SITE = ""


class BadLock(frappe.ValidationError):
	"""The age, the PIN or what should become of it cannot be."""


def set_parental_lock(*, device: str, age: str, pin: str = "", pin_rule: str = KEEP) -> None:
	"""Lock a bound TV's channels from an age on, or unlock them. Errors: BadLock, NotBound.

	:param age: "10", "12", "16", "18", `UNLOCKED`, or `AS_SITE`
	:param pin: 4 to 8 digits; only with the rule `NEW`
	:param pin_rule: `NONE`: nothing opens locked channels at the TV
	"""
	require_phase("activation")
	fields = ["name", "state", "subscription", "site", "line_id"]
	found = frappe.db.get_value("TV Device", device, fields, as_dict=True, for_update=True)
	if not found or not found.line_id:
		frappe.throw(_("TV {0} is not bound to a subscription.").format(frappe.bold(device)), NotBound)
	values = {"parental_lock": _age(age), **_pin(device, pin, pin_rule)}
	frappe.db.set_value("TV Device", device, values)
	add_event(device, "Parental Lock", found.state, found.subscription, found.site, _note(age, pin_rule))
	note_change("Device", device)


def _age(age: str) -> str:
	known = (AS_SITE, UNLOCKED, *(str(number) for number in parental.AGES if number))
	if age not in known:
		frappe.throw(
			_("{0} is no age of the signs. Choose one of: {1}.").format(
				frappe.bold(age), ", ".join(known[2:])
			),
			BadLock,
		)
	return f"From {age} years" if age.isdigit() else age


def _pin(device: str, pin: str, rule: str) -> dict:
	if rule == KEEP and not pin:
		return {}
	if rule == NONE and not pin:
		return {"pin_set_on": None, "pin_verifier": None}
	if rule != NEW:
		frappe.throw(_("Say what becomes of the PIN: keep it, take it away, or set a new one."), BadLock)
	try:
		return {"pin_set_on": now_datetime(), "pin_verifier": parental.verifier(device, pin)}
	except parental.BadPin:
		frappe.throw(_("A PIN is 4 to 8 digits."), BadLock)


def _note(age: str, rule: str) -> str:
	"""For the TV's history, which names no PIN."""
	said = {AS_SITE: _("as the site says"), UNLOCKED: _("unlocked")}.get(age) or _(_age(age))
	pins = {NEW: _("new PIN"), NONE: _("no PIN")}
	return f"{said}, {pins[rule]}" if rule in pins else said
