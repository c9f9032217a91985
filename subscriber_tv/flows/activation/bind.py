"""Binds a TV to a line of a subscription by the pairing code on its screen."""

import frappe
from frappe import _
from frappe.utils import get_datetime, now_datetime

from subscriber_tv.core.activation import pairing
from subscriber_tv.core.devices import movements
from subscriber_tv.flows.activation import record_answer
from subscriber_tv.flows.activation.note_change import note_change
from subscriber_tv.flows.contracts.change_state import change_state
from subscriber_tv.flows.contracts.record_change import read_current
from subscriber_tv.flows.contracts.today import site_today
from subscriber_tv.flows.devices.tvs_on_line import tvs_on_line
from subscriber_tv.flows.devices.write_devices import add_event, count_bound
from subscriber_tv.flows.settings import phase_on, require_phase

BINDABLE = ("Awaiting Activation", "Active", "Suspended", "Cancelling")


class BindRefused(frappe.ValidationError):
	"""The TV cannot be bound to this line; the message says why and what to do."""


class CodeUnknown(BindRefused):
	"""No TV shows this pairing code now."""


def bind_by_code(*, subscription: str, line_id: str, code: str) -> str:
	"""Bind the TV that shows `code`; return its serial. The first TV of a subscription activates it.

	Locks the subscription, then the TV: of two agents with one code, or with two codes for the last place on a line,
	the second sees what the first did. Errors: BindRefused, CodeUnknown.
	"""
	require_phase("activation")
	contract = _lock_subscription(subscription)
	device = _lock_device(code)
	_check_device(device, contract)
	_check_line(contract, line_id)
	_write(device, contract, line_id)
	if contract.state == "Awaiting Activation":
		change_state(subscription=subscription, event="activate")
	return device.name


def find_by_code(code: str) -> dict:
	"""The TV that shows `code`, for staff to compare with the one before them. Errors: CodeUnknown."""
	device = _by_code(code)
	_check_code(device)
	return device


def refuse_code(*, code: str, reason: str | None = None) -> str:
	"""Send away the TV that shows `code`: its code is worth nothing from here on. Return its serial. Errors: CodeUnknown."""
	require_phase("activation")
	device = _by_code(code, lock=True)
	_check_code(device)
	frappe.db.set_value(
		"TV Device", device.name, {"credential_state": movements.STOCKED, "pairing_code": None}
	)
	add_event(device.name, "Pairing Refused", device.state, device.subscription, device.site, reason or "")
	return device.name


def _lock_subscription(subscription: str):
	fields = ["name", "state", "customer", "site", "company", "modified"]
	found = frappe.db.get_value("TV Subscription", subscription, fields, as_dict=True, for_update=True)
	if not found:
		frappe.throw(_("There is no subscription {0}.").format(subscription), BindRefused)
	if found.state not in BINDABLE:
		frappe.throw(
			_(
				"Subscription {0} is {1}. A TV can be bound once its installation is finished and until it ends."
			).format(frappe.bold(found.name), frappe.bold(_(found.state))),
			BindRefused,
			title=_("Not Possible Now"),
		)
	return found


def _lock_device(code: str):
	device = _by_code(code, lock=True)
	if device and device.credential_state == movements.ACTIVE:
		frappe.throw(
			_("TV {0} was bound with this code by {1}, to subscription {2}.").format(
				frappe.bold(device.name), device.bound_by, frappe.bold(device.subscription)
			),
			CodeUnknown,
			title=_("Code Already Used"),
		)
	_check_code(device)
	return device


def _by_code(code: str, lock: bool = False):
	known = pairing.normalise(code or "")
	if not known:
		return None
	# A code stays with its TV until the next one, so that the second of two agents learns who was first.
	fields = [
		"name",
		"model",
		"state",
		"warehouse",
		"customer",
		"site",
		"subscription",
		"credential_state",
		"bound_by",
		"pairing_until",
		"pairing_network",
		"pending_key_hash",
		"pending_public_key",
		"pending_parts",
		"firmware",
		"told_model",
	]
	return frappe.db.get_value("TV Device", {"pairing_code": known}, fields, as_dict=True, for_update=lock)


def _check_code(device) -> None:
	waiting = device and device.credential_state == movements.PENDING and device.pending_key_hash
	if waiting and get_datetime(device.pairing_until) > now_datetime():
		return
	frappe.throw(
		_(
			"No TV shows this pairing code now. A code lives for {0} minutes: read the one on the screen again."
		).format(frappe.get_cached_doc("TV Settings").pairing_minutes or 15),
		CodeUnknown,
		title=_("Unknown Pairing Code"),
	)


def _check_device(device, contract) -> None:
	if phase_on("equipment") and device.state not in (movements.IN_SERVICE, movements.SOLD):
		frappe.throw(
			_("TV {0} stands in warehouse {1}. Deliver it to the site first, then bind it.").format(
				frappe.bold(device.name), frappe.bold(device.warehouse)
			),
			BindRefused,
			title=_("Not Delivered Yet"),
		)
	if device.customer and device.customer != contract.customer:
		frappe.throw(
			_("TV {0} was delivered to customer {1}, not to {2}.").format(
				frappe.bold(device.name), frappe.bold(device.customer), frappe.bold(contract.customer)
			),
			BindRefused,
			title=_("Another Customer's TV"),
		)
	if device.site and device.site != contract.site:
		frappe.throw(
			_("TV {0} was delivered to site {1}, not to {2}. Transfer it first.").format(
				frappe.bold(device.name), frappe.bold(device.site), frappe.bold(contract.site)
			),
			BindRefused,
			title=_("TV of Another Site"),
		)


def _check_line(contract, line_id: str) -> None:
	lines = {row.line_id: row for row in read_current(contract.name, contract).lines}
	line = lines.get(line_id)
	if line is None:
		frappe.throw(
			_("Subscription {0} has no line {1}.").format(frappe.bold(contract.name), frappe.bold(line_id)),
			BindRefused,
		)
	today = site_today(contract.site)
	if (line.from_date and line.from_date > today) or (line.to_date and line.to_date <= today):
		frappe.throw(
			_("Line {0} of subscription {1} is not in force today.").format(
				frappe.bold(line_id), frappe.bold(contract.name)
			),
			BindRefused,
		)
	if tvs_on_line(contract.name, line_id) >= line.quantity:
		frappe.throw(
			_("All {0} outlets of line {1} have their TV. Unbind one, or raise the quantity.").format(
				line.quantity, frappe.bold(line_id)
			),
			BindRefused,
			title=_("Line Full"),
		)


def _write(device, contract, line_id: str) -> None:
	now = now_datetime()
	frappe.db.set_value(
		"TV Device",
		device.name,
		{
			"credential_state": movements.ACTIVE,
			"key_hash": device.pending_key_hash,
			"public_key": device.pending_public_key,
			"parts": device.pending_parts,
			# The code's life goes on: within it the TV may fetch its key again when the reply got lost.
			**dict.fromkeys(("pending_key_hash", "pending_public_key", "pending_parts")),
			"subscription": contract.name,
			"line_id": line_id,
			"customer": contract.customer,
			"site": contract.site,
			"company": contract.company,
			"bound_on": now,
			"bound_by": frappe.session.user,
			"first_power_on": None,
		},
	)
	# Another key, another count: what was asked under the old one is worth nothing anyway.
	frappe.db.delete("TV Counter", {"name": device.name})
	add_event(device.name, "Bound", device.state, contract.name, contract.site, line_id)
	count_bound([(contract.name, line_id)])
	record_answer.state_change("bound", device.name, contract.name)
	note_change("Device", device.name)
