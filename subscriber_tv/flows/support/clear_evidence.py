"""Somebody has looked: the signs against a TV are void, and it has its rights again."""

import frappe
from frappe import _
from frappe.utils import now_datetime

from subscriber_tv.core.devices import movements
from subscriber_tv.flows.activation import record_answer
from subscriber_tv.flows.activation.note_change import note_change
from subscriber_tv.flows.activation.unbind import lock
from subscriber_tv.flows.devices.write_devices import add_event
from subscriber_tv.flows.settings import require_phase
from subscriber_tv.flows.support import raise_alarm


class NothingToClear(frappe.ValidationError):
	"""The TV is unknown, or no sign speaks against it."""


def clear_evidence(*, device: str, reason: str) -> int:
	"""Void every sign against a TV and end its suspicion; how many there were. Errors: NothingToClear.

	The rows stay, with who cleared them and why, until Log Settings take them.
	"""
	require_phase("activation")
	reason = (reason or "").strip()
	if not reason:
		frappe.throw(_("Say why the signs are void."), frappe.MandatoryError)
	found = lock(device)
	suspicion = frappe.db.get_value("TV Device", device, "suspicion") if found else None
	signs = frappe.get_all("TV Device Evidence", {"device": device, "cleared": 0}, pluck="name", limit=0)
	if not found or not (signs or suspicion):
		frappe.throw(
			_("No sign speaks against TV {0}.").format(frappe.bold(frappe.utils.escape_html(device))),
			NothingToClear,
		)
	_void(signs, reason)
	_free(found, suspicion, reason)
	return len(signs)


def _void(signs: list[str], reason: str) -> None:
	if not signs:
		return
	values = {
		"cleared": 1,
		"cleared_on": now_datetime(),
		"cleared_by": frappe.session.user,
		"cleared_reason": reason,
	}
	frappe.db.set_value("TV Device Evidence", {"name": ("in", signs)}, values)


def _free(device: frappe._dict, suspicion: str | None, reason: str) -> None:
	values = {"suspicion": None, "suspicion_score": 0}
	if device.credential_state == movements.QUARANTINED:
		values["credential_state"] = movements.ACTIVE
	frappe.db.set_value("TV Device", device.name, values)
	add_event(device.name, "Cleared", device.state, device.subscription, device.site, reason)
	record_answer.state_change("cleared", device.name, device.subscription)
	if suspicion:
		note_change("Device", device.name)
	raise_alarm.recover(
		raise_alarm.copy_name(device.name), _("Cleared by {0}: {1}").format(frappe.session.user, reason)
	)
