"""The fleet in the desk: board, a TV's whole story, its signs cleared, why it is refused, how long activation takes."""

import datetime
import json

import frappe
from frappe import _
from frappe.utils import add_days, now_datetime

from subscriber_tv.api import guards
from subscriber_tv.core.activation import waiting
from subscriber_tv.flows.support import activation_time, fleet_board
from subscriber_tv.flows.support import clear_evidence as clear_flow
from subscriber_tv.flows.support import device_story as story
from subscriber_tv.flows.support import why_refused as why

STAFF_WATCHING = ("TV Support", "TV Back Office", "TV Logistics", "TV Management", "System Manager")
STAFF_CLEARING = guards.STAFF_REVOKING
CARD_DAYS = 30


@frappe.whitelist(methods=["GET", "POST"])
def board(group: str = "segment", filters: str | dict | None = None) -> dict:
	"""Figures of the TVs in service by `group`, narrowed down by `filters` (field -> value), and the open alarms."""
	guards.only_for(*STAFF_WATCHING)
	frappe.has_permission("TV Fleet Count", throw=True)
	found = _filters(filters)
	if group not in fleet_board.GROUPS or set(found) - set(fleet_board.GROUPS):
		frappe.throw(_("The fleet is shown by {0}.").format(", ".join(fleet_board.GROUPS)))
	return fleet_board.fleet_board(group, found) | {
		"alarms": fleet_board.open_alarms(),
		"alarms_by_kind": fleet_board.alarms_by_kind(),
	}


@frappe.whitelist(methods=["GET", "POST"])
def device_story(device: str, before: str | None = None, limit: int = story.PAGE) -> dict:
	"""What happened to a TV, newest first; `before` asks for what is older than that moment."""
	_may_read(device)
	return story.device_story(device, before, limit)


@frappe.whitelist(methods=["GET", "POST"])
def device_now(device: str) -> dict:
	"""What is known of a TV right now, the signs against it, and whether the user may clear them."""
	_may_read(device)
	return story.device_now(device) | {"may_clear": guards.has_role(STAFF_CLEARING)}


@frappe.whitelist(methods=["POST"])
def clear_evidence(device: str, reason: str) -> int:
	"""Void the signs that a TV has a copy, and end its quarantine."""
	guards.only_for(*STAFF_CLEARING)
	_may_read(device)
	return clear_flow.clear_evidence(device=device, reason=reason)


@frappe.whitelist(methods=["GET", "POST"])
def why_refused(serial: str) -> dict:
	"""Why a TV is refused: every check in order, in words, with the next step. For whoever may read the TV."""
	guards.only_for(*STAFF_WATCHING)
	serial = serial.strip().upper()[:140]
	if frappe.db.exists("TV Device", serial):
		_may_read(serial)
	return why.why_refused(serial)


@frappe.whitelist(methods=["GET", "POST"])
def activation_minutes(filters: str | dict | list | None = None) -> dict:
	"""Number card: minutes that half of the TVs first allowed in the last 30 days waited at most."""
	frappe.has_permission("TV Device", throw=True)
	now = now_datetime()
	firsts = activation_time.first_answers(add_days(now, -CARD_DAYS), now + datetime.timedelta(seconds=1))
	waits = [found for found in map(waiting.minutes, firsts) if found is not None]
	return {
		"value": waiting.percentile(waits, 50) if waits else 0,
		"tvs": len(waits),
		"fieldtype": "Int",
		"label": _("Minutes to the First Picture"),
		"route": ["query-report", "TV Activation Time"],
	}


def _may_read(device: str) -> None:
	frappe.has_permission("TV Device", "read", device, throw=True)


def _filters(filters: str | dict | None) -> dict[str, str]:
	try:
		found = json.loads(filters) if isinstance(filters, str) else filters or {}
	except ValueError:
		found = None
	if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
		frappe.throw(_("Filters are fields with their values."))
	return found
