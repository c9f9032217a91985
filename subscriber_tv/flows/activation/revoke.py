"""Shuts out a TV that was stolen or misused, wherever the stock says that it stands; and lets one in again."""

import frappe
from frappe import _

from subscriber_tv.core.devices import movements
from subscriber_tv.flows.activation.unbind import lock, release
from subscriber_tv.flows.settings import require_phase


class NotRevocable(frappe.ValidationError):
	"""The TV is unknown, or is already in the state asked for."""


def revoke(*, device: str, reason: str) -> None:
	"""End a TV's rights and its pairing: it can neither play nor pair, until `readmit`; its keys never can again. Errors: NotRevocable."""
	require_phase("activation")
	found = lock(device)
	if not found or found.credential_state == movements.REVOKED:
		frappe.throw(_("TV {0} is unknown, or already revoked.").format(frappe.bold(device)), NotRevocable)
	_shut_out_keys(found)
	release(found, movements.REVOKED, "Revoked", reason)


def readmit(*, device: str, reason: str) -> None:
	"""Let a revoked TV pair again, with a new key, when it was found or revoked by mistake. Errors: NotRevocable."""
	require_phase("activation")
	found = lock(device)
	if not found or found.credential_state != movements.REVOKED:
		frappe.throw(_("TV {0} is not revoked.").format(frappe.bold(device)), NotRevocable)
	gone = found.state == movements.OUT_OF_STOCK
	release(found, movements.RETIRED if gone else movements.STOCKED, "Readmitted", reason)


def _shut_out_keys(device: frappe._dict) -> None:
	"""Whoever had the TV may have copied its key: the set may come back, the key may not."""
	keys = {*(device.revoked_keys or "").split(), device.key_hash, device.pending_key_hash} - {None, ""}
	frappe.db.set_value("TV Device", device.name, "revoked_keys", "\n".join(sorted(keys)) or None)
