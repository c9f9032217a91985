"""Takes a TV off the line of its subscription."""

import frappe
from frappe import _

from subscriber_tv.core.devices import movements
from subscriber_tv.flows.activation import record_answer
from subscriber_tv.flows.activation.note_change import note_change
from subscriber_tv.flows.devices.write_devices import PAIRING, add_event, count_bound
from subscriber_tv.flows.settings import require_phase


class NotBound(frappe.ValidationError):
	"""The TV is bound to no subscription."""


def unbind(*, device: str, reason: str | None = None) -> None:
	"""Take a TV off its line; it stays where it is and may pair again with a new code. Errors: NotBound."""
	require_phase("activation")
	found = lock(device)
	if not found or not found.line_id:
		frappe.throw(_("TV {0} is not bound to a subscription.").format(frappe.bold(device)), NotBound)
	credential = movements.REVOKED if found.credential_state == movements.REVOKED else movements.STOCKED
	release(found, credential, "Unbound", reason or found.line_id)


def lock(device: str) -> frappe._dict | None:
	"""The TV with its pairing, locked until the transaction ends."""
	keys = ["key_hash", "pending_key_hash", "revoked_keys"]
	fields = ["name", "state", "subscription", "site", "line_id", "credential_state", *keys]
	return frappe.db.get_value("TV Device", device, fields, as_dict=True, for_update=True)


def release(device: frappe._dict, credential: str, event: str, note: str) -> None:
	"""Empty the pairing of a TV that `lock` gave, put `event` in its history, and have its rights worked out again."""
	frappe.db.set_value("TV Device", device.name, {**dict.fromkeys(PAIRING), "credential_state": credential})
	add_event(device.name, event, device.state, device.subscription, device.site, note)
	if device.line_id:
		count_bound([(device.subscription, device.line_id)])
	record_answer.state_change(event.lower(), device.name, device.subscription)
	note_change("Device", device.name)
