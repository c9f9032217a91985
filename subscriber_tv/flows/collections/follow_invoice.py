"""Disputes follow the documents they rest on: a cancelled invoice closes them, a cancelled credit note reopens one."""

import frappe
from frappe import _

from subscriber_tv.core.collections.disputes import ACCEPTED, WAITING, next_state
from subscriber_tv.flows.collections.write_dispute import write_step


def close_disputes(invoice: str) -> int:
	"""Close what waits on a cancelled invoice: nothing is asked for any longer. Returns how many there were.

	Runs in the transaction that cancels the invoice and waits for whoever decides one of its disputes just now.
	"""
	dispute = frappe.qb.DocType("TV Dispute")
	# A locking read sees what was committed after this transaction began, and waits for what is being written.
	rows = (
		frappe.qb.from_(dispute)
		.select(dispute.name)
		.where((dispute.invoice == invoice) & dispute.state.isin(WAITING))
		.orderby(dispute.name)
		.for_update()
		.run()
	)
	note = _("Invoice {0} was cancelled.").format(invoice)
	return sum(_step(name, WAITING, "close", note) for (name,) in rows)


def reopen_dispute(credit_note: str, dispute: str) -> bool:
	"""Take a dispute under review again when the credit note that settled it is cancelled."""
	settled = frappe.db.get_value("TV Dispute", dispute, "credit_note", for_update=True)
	if settled != credit_note:
		return False
	return _step(dispute, (ACCEPTED,), "reopen", _("Credit note {0} was cancelled.").format(credit_note))


def _step(dispute: str, states: tuple[str, ...], event: str, note: str) -> bool:
	doc = frappe.get_doc("TV Dispute", dispute, for_update=True)
	if doc.state not in states:
		return False
	if event == "reopen":
		doc.credit_note, doc.granted, doc.outcome = None, 0, None
		for line in doc.lines:
			line.granted = 0
	write_step(doc, event, next_state(doc.state, event), note)
	return True
