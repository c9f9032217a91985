"""Disputes follow the documents they rest on: a cancelled invoice closes them, a cancelled credit note reopens one."""

import frappe
from frappe import _

from subscriber_tv.core.collections.disputes import ACCEPTED, WAITING, next_state
from subscriber_tv.flows.collections.write_dispute import write_step


def close_disputes(invoice: str) -> int:
	"""Close what waits on a cancelled invoice: nothing is asked for any longer. Returns how many there were.

	Runs in the transaction that cancels the invoice and waits for whoever decides one of its disputes just now.
	"""
	filters = {"invoice": invoice, "state": ("in", WAITING)}
	names = frappe.get_all("TV Dispute", filters, pluck="name", order_by="name")
	return sum(
		_step(name, WAITING, "close", _("Invoice {0} was cancelled.").format(invoice)) for name in names
	)


def reopen_dispute(credit_note: str, dispute: str) -> bool:
	"""Take a dispute under review again when the credit note that settled it is cancelled."""
	settled = frappe.db.get_value("TV Dispute", dispute, "credit_note")
	if settled != credit_note:
		return False
	return _step(dispute, (ACCEPTED,), "reopen", _("Credit note {0} was cancelled.").format(credit_note))


def _step(dispute: str, states: tuple[str, ...], event: str, note: str) -> bool:
	# A locking read sees what was committed after this transaction began.
	doc = frappe.get_doc("TV Dispute", dispute, for_update=True)
	if doc.state not in states:
		return False
	if event == "reopen":
		doc.credit_note, doc.granted, doc.outcome = None, 0, None
		for line in doc.lines:
			line.granted = 0
	write_step(doc, event, next_state(doc.state, event), note)
	return True
