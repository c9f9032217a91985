"""Raises a dispute on rows of an invoice, for staff or for the payer himself."""

from collections.abc import Sequence
from decimal import Decimal

import frappe
from frappe import _
from frappe.utils import getdate

from subscriber_tv.core.collections.disputes import Claimed, NotDisputable, claim, claim_all, next_state
from subscriber_tv.flows.billing.lock import under_payer_lock
from subscriber_tv.flows.collections.invoice_facts import InvoiceFacts, load, lock
from subscriber_tv.flows.collections.words import why_not_disputable
from subscriber_tv.flows.collections.write_dispute import write_step
from subscriber_tv.flows.settings import require_phase


class Indisputable(frappe.ValidationError):
	"""The amounts do not fit what is left on the rows."""


def raise_dispute(
	*,
	invoice: str,
	ground: str,
	reason: str,
	rows: Sequence[tuple[str, Decimal | None]] | None = None,
	raised_from: str = "Desk",
) -> str:
	"""Record that the payer disputes `rows` (names of invoice rows with a net amount, None: all that is left).

	Without `rows` the whole invoice is disputed. Runs under the payer's lock and rolls the open transaction back first;
	the request commits. `raised_from` is Desk or Subscriber. Errors: PhaseOff, Indisputable with the reason,
	ValidationError for what is no invoice or a reason left empty.
	"""
	require_phase("billing")
	if not reason.strip():
		frappe.throw(_("Say why the payer does not accept it: whoever decides has to know."), Indisputable)
	facts = load(invoice)

	def unit() -> str:
		lock(invoice)
		locked = load(invoice)
		try:
			claimed = claim(locked.rows, claim_all(locked.rows) if rows is None else rows, locked.places)
		except NotDisputable as refused:
			frappe.throw(why_not_disputable(refused, locked.doc), Indisputable)
		return _write(locked, claimed, ground, reason, raised_from)

	return under_payer_lock(facts.doc.customer, unit)


def _write(
	facts: InvoiceFacts, claimed: Sequence[Claimed], ground: str, reason: str, raised_from: str
) -> str:
	invoice = facts.doc
	rows = {row.name: row for row in invoice.items}
	doc = frappe.get_doc(
		{
			"doctype": "TV Dispute",
			"invoice": invoice.name,
			"customer": invoice.customer,
			"company": invoice.company,
			"currency": invoice.currency,
			"ground": ground,
			"reason": reason,
			"raised_on": getdate(),
			"raised_by": frappe.session.user,
			"raised_from": raised_from,
			"amount": float(sum(part.amount for part in claimed)),
			"amount_with_tax": float(sum(part.with_tax for part in claimed)),
			"lines": [_line(part, rows[part.row]) for part in claimed],
		}
	)
	return write_step(doc, "raise", next_state(None, "raise"), reason).name


def _line(part: Claimed, row) -> dict:
	return {
		"invoice_row": row.name,
		"description": frappe.utils.strip_html(row.description or row.item_name or row.item_code),
		"subscription": row.get("tv_subscription"),
		"from_date": row.get("tv_from"),
		"to_date": row.get("tv_to"),
		"billed": row.net_amount,
		"amount": float(part.amount),
		"amount_with_tax": float(part.with_tax),
	}
