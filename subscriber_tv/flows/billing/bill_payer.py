"""Bills one payer: facts, decision, documents, all under the payer's lock and in one transaction."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import frappe
from frappe.utils import getdate

from subscriber_tv.core.billing.bill import Bill, Credit, PayerBill, decide
from subscriber_tv.core.billing.price import Refused
from subscriber_tv.core.money import ZERO
from subscriber_tv.flows.billing import facts
from subscriber_tv.flows.billing.lock import under_payer_lock
from subscriber_tv.flows.billing.words import why_refused
from subscriber_tv.flows.settings import require_phase
from subscriber_tv.ledger.invoice_guard import customer_warnings
from subscriber_tv.ledger.invoices import Order, Posted, post_credit_note, post_invoice

DEFAULT_MAX_MONTHS = 24


@dataclass(frozen=True)
class Outcome:
	"""What billing a payer came to. `net` is in the currency of the company.

	`refused` are the reasons of the contracts that wait; `warnings` do not hold an invoice back.
	"""

	invoices: tuple[str, ...] = ()
	credit_notes: tuple[str, ...] = ()
	net: Decimal = ZERO
	refused: tuple[str, ...] = ()
	warnings: tuple[str, ...] = ()

	@property
	def document(self) -> str | None:
		"""The one document to show: the invoice, else the credit note."""
		return next(iter((*self.invoices, *self.credit_notes)), None)


def bill_payer(
	*,
	payer: str,
	company: str,
	posting_date: date | str,
	bill_until: date | str,
	bill_run: str | None = None,
	series: str | None = None,
) -> str | None:
	"""Invoice what is due to `payer` and commit nothing; return the invoice (else the credit note), or None.

	Rolls the current transaction back first (see `lock.payer_lock`). Errors: PhaseOff; ValidationError with the
	reasons when a contract is refused: nothing is written then, unlike in a bill run.
	"""
	require_phase("billing")

	def unit() -> Outcome:
		outcome = settle(
			payer=payer,
			company=company,
			posting_date=getdate(posting_date),
			bill_until=getdate(bill_until),
			bill_run=bill_run,
			series=series,
		)
		if outcome.refused:
			frappe.throw("<br>".join(outcome.refused))
		return outcome

	return under_payer_lock(payer, unit).document


def settle(
	*,
	payer: str,
	company: str,
	posting_date: date,
	bill_until: date,
	bill_run: str | None = None,
	series: str | None = None,
) -> Outcome:
	"""The unit that runs under the payer's lock: load, decide, write. Contracts that are refused wait."""
	bill = decide_for(payer, company, bill_until)
	posted: list[tuple[list[Posted], list[Posted]]] = []
	for part in bill.bills:
		order = Order(payer, company, part.currency, posting_date, bill_run, series or default_series())
		posted.append(_write(order, part))
	invoices = [document for made, _ in posted for document in made]
	notes = [document for _, made in posted for document in made]
	return Outcome(
		invoices=tuple(document.name for document in invoices),
		credit_notes=tuple(document.name for document in notes),
		net=sum((document.net for document in (*invoices, *notes)), ZERO),
		refused=tuple(why_refused(refusal) for refusal in bill.refused),
		warnings=tuple(customer_warnings(payer)) if invoices else (),
	)


def decide_for(payer: str, company: str, bill_until: date) -> PayerBill:
	"""Facts and decision without writing: what a run would bill `payer` now. The preview is this very function."""
	limit = frappe.get_cached_doc("TV Settings").max_catch_up_months or DEFAULT_MAX_MONTHS
	try:
		loaded = facts.load(payer, company)
	except Refused as refusal:
		# A row that cannot be read could be billed twice: the whole payer waits.
		return PayerBill(refused=(refusal,))
	return decide(loaded, until=bill_until, max_months=limit)


def default_series() -> str | None:
	"""The first gapless series of TV Settings; None leaves the choice to ERPNext."""
	series = frappe.get_cached_doc("TV Settings").invoice_series
	return series[0].series if series else None


def _write(order: Order, bill: Bill) -> tuple[list[Posted], list[Posted]]:
	by_invoice: dict[str, list[Credit]] = defaultdict(list)
	for credit in bill.credits:
		by_invoice[credit.row.invoice].append(credit)
	notes = [post_credit_note(order, invoice, credits) for invoice, credits in by_invoice.items()]
	invoices = [post_invoice(order, bill.charges)] if bill.charges else []
	return invoices, notes
