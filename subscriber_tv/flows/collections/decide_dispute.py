"""Takes a dispute from state to state; accepting it gives the amount back by a standard credit note."""

from collections.abc import Mapping
from decimal import Decimal

import frappe
from frappe import _
from frappe.utils import getdate

from subscriber_tv.core.collections.disputes import Claimed, NotDisputable, NotNow, grant, next_state
from subscriber_tv.core.money import money
from subscriber_tv.flows.billing.bill_payer import default_series
from subscriber_tv.flows.billing.lock import under_payer_lock
from subscriber_tv.flows.billing.use_credit import use_credit
from subscriber_tv.flows.collections.invoice_facts import InvoiceFacts, load, lock
from subscriber_tv.flows.collections.raise_dispute import Indisputable
from subscriber_tv.flows.collections.words import why_not_disputable, why_not_now
from subscriber_tv.flows.collections.write_dispute import write_step
from subscriber_tv.flows.settings import require_phase
from subscriber_tv.ledger.books import check_open
from subscriber_tv.ledger.invoices import Order, post_concession


class DecidedAlready(frappe.ValidationError):
	"""The step does not fit the state the dispute is in by now."""


def decide_dispute(
	*, dispute: str, event: str, note: str | None = None, granted: Mapping[str, Decimal] | None = None
) -> str:
	"""Take one step (review, accept, reject, withdraw) and return the new state.

	`granted` are net amounts by invoice row, for accept alone; None grants all that is disputed and still owed. Of two
	users at once the second sees what the first did. Runs under the payer's lock and rolls the open transaction back
	first; the request commits. Errors: PhaseOff, DecidedAlready, Indisputable, and what ERPNext refuses to post.
	"""
	require_phase("billing")
	facts = frappe.db.get_value("TV Dispute", dispute, ["customer", "invoice"], as_dict=True)
	if not facts:
		frappe.throw(_("There is no dispute {0}.").format(dispute), frappe.DoesNotExistError)

	def unit() -> str:
		lock(facts.invoice)
		doc = frappe.get_doc("TV Dispute", dispute)
		try:
			state = next_state(doc.state, event)
		except NotNow as refused:
			frappe.throw(why_not_now(doc, refused), DecidedAlready, title=_("Not Possible Any More"))
		if event == "accept":
			_give_back(doc, granted)
		if event != "review":
			doc.outcome = note
		return write_step(doc, event, state, note).state

	return under_payer_lock(facts.customer, unit)


def _give_back(doc, granted: Mapping[str, Decimal] | None) -> None:
	facts = load(doc.invoice)
	held = [Claimed(line.invoice_row, money(line.amount), money(line.amount_with_tax)) for line in doc.lines]
	try:
		given = grant(held, facts.rows, granted, facts.places)
	except NotDisputable as refused:
		frappe.throw(why_not_disputable(refused, facts.doc), Indisputable)
	for line in doc.lines:
		line.granted = float(given.get(line.invoice_row, 0))
	doc.granted = float(sum(given.values()))
	doc.credit_note = _post(doc, facts, given)


def _post(doc, facts: InvoiceFacts, given: Mapping[str, Decimal]) -> str:
	invoice, today = facts.doc, getdate()
	check_open(invoice.company, today)
	order = Order(
		customer=invoice.customer,
		company=invoice.company,
		currency=invoice.currency,
		posting_date=today,
		series=default_series(),
	)
	reason = _("Granted on your dispute {0}", order.language).format(doc.name)
	note = post_concession(order, invoice.name, given, reason=reason, dispute=doc.name).name
	# More than is open on a partly paid invoice settles the rest of it first.
	for left_undone in use_credit((), (note,)):
		frappe.msgprint(left_undone, indicator="orange")
	return note
