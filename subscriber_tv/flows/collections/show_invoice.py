"""What the form of an invoice shows of its disputes: what is due, what waits, and what may still be disputed."""

import frappe
from frappe import _
from frappe.utils import fmt_money, formatdate, strip_html

from subscriber_tv.core.collections.collectable import Collectable
from subscriber_tv.core.collections.disputes import Row
from subscriber_tv.core.money import plain
from subscriber_tv.flows.collections.invoice_facts import load
from subscriber_tv.flows.collections.payer_claims import claim_on


def show_invoice(invoice: str) -> dict:
	"""The disputes of an invoice, and the parts of what is outstanding; amounts include VAT and are decimal strings.

	`parts` and `sentence` are empty while nothing waits.
	"""
	disputes = frappe.get_all(
		"TV Dispute",
		{"invoice": invoice},
		["name", "state", "ground", "amount_with_tax", "raised_on", "credit_note"],
		order_by="name",
		limit=0,
	)
	doc = frappe.get_doc("Sales Invoice", invoice)
	shown = {"disputes": disputes, "parts": [], "sentence": ""}
	if not disputes or doc.docstatus != 1:
		return shown
	claim = claim_on(doc)
	if not claim.disputed:
		return shown
	return shown | {"parts": _parts(claim), "sentence": sentence(claim, doc.currency)}


def disputable_rows(invoice: str) -> list[dict]:
	"""The rows of an invoice with what was billed, given back, is disputed and is left; net decimal strings."""
	facts = load(invoice)
	described = {row.name: row for row in facts.doc.items}
	return [_row(row, described[row.name], facts.doc.currency) for row in facts.rows]


def sentence(claim: Collectable, currency: str) -> str:
	"""What is due and what waits, in one sentence in the user's language."""

	def text(amount) -> str:
		return fmt_money(float(amount), currency=currency)

	clauses = [_("{0} disputed and waiting").format(text(claim.disputed))]
	if claim.credit:
		clauses.append(_("{0} covered by credit on the account").format(text(claim.credit)))
	if claim.due:
		clauses.append(_("{0} due since {1}").format(text(claim.due), formatdate(claim.due_since)))
	if claim.not_due:
		clauses.append(_("{0} due from {1}").format(text(claim.not_due), formatdate(claim.due_next)))
	return _("Of {0} outstanding: {1}.").format(text(claim.outstanding), ", ".join(clauses))


def _parts(claim: Collectable) -> list[dict]:
	amounts = {
		"due": claim.due,
		"not_due": claim.not_due,
		"credit": claim.credit,
		"disputed": claim.disputed,
	}
	labels = {
		"due": _("Due"),
		"not_due": _("Not due yet"),
		"credit": _("Covered by credit"),
		"disputed": _("Disputed"),
	}
	return [
		{"part": part, "label": labels[part], "amount": plain(amount)}
		for part, amount in amounts.items()
		if amount
	]


def _row(row: Row, described, currency: str) -> dict:
	return {
		"row": row.name,
		"currency": currency,
		"idx": described.idx,
		"description": strip_html(described.description or described.item_name or ""),
		"billed": plain(row.billed),
		"given_back": plain(row.billed - row.standing),
		"disputed": plain(row.disputed),
		"left": plain(row.left),
	}
