"""Bills one payer: facts, decision, documents, all under the payer's lock and in one transaction."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from subscriber_tv.core.billing.bill import PayerBill, decide
from subscriber_tv.core.billing.price import Refused
from subscriber_tv.core.money import ZERO
from subscriber_tv.flows.billing import facts
from subscriber_tv.flows.billing.ahead import Ahead
from subscriber_tv.flows.billing.facts import Loaded
from subscriber_tv.flows.billing.first_bills import hold_back
from subscriber_tv.flows.billing.series import default_series
from subscriber_tv.flows.billing.use_credit import use_credit
from subscriber_tv.flows.billing.warnings import warnings_of
from subscriber_tv.flows.billing.watch import keep_quiet
from subscriber_tv.flows.billing.words import why_refused
from subscriber_tv.flows.billing.write_bill import write_bill
from subscriber_tv.flows.settings import billing_limits, max_months
from subscriber_tv.flows.usage.mark_held import mark_held
from subscriber_tv.ledger.invoices import Order
from subscriber_tv.ledger.posting.memory import remembering


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


def settle(
	*,
	payer: str,
	company: str,
	posting_date: date,
	bill_until: date,
	bill_run: str | None = None,
	series: str | None = None,
	ahead: Ahead | None = None,
) -> Outcome:
	"""The unit that runs under the payer's lock: load, decide, write, settle. Contracts that are refused wait.

	`ahead` may know the payer already.
	"""
	with remembering():
		loaded, bill = look_at(payer, company, bill_until, ahead and ahead.facts_of(payer))
		bill = hold_back(bill, loaded)
		order = Order(payer, company, "", posting_date, bill_run, series or default_series())
		written = write_bill(order, bill.bills)
		invoices = tuple(document.name for document in written.invoices)
		notes = tuple(document.name for document in written.credit_notes)
		held = mark_held(bill.late, bill_until, max_months())
		unused = use_credit(invoices, notes)
		if not (invoices or notes or bill.refused or written.parked):
			keep_quiet(payer, company, loaded, bill_until)
		return Outcome(
			invoices=invoices,
			credit_notes=notes,
			net=sum((document.net for document in (*written.invoices, *written.credit_notes)), ZERO),
			refused=(*(why_refused(refusal) for refusal in bill.refused), *written.parked),
			warnings=(*(_warnings(payer, ahead) if invoices else ()), *held, *unused),
		)


def _warnings(payer: str, ahead: Ahead | None) -> tuple[str, ...]:
	return ahead.warnings_of(payer) if ahead else warnings_of([payer]).get(payer, ())


def decide_for(payer: str, company: str, bill_until: date) -> PayerBill:
	"""Facts and decision without writing: what is due of `payer` now, first bills after a take-over included."""
	return look_at(payer, company, bill_until)[1]


def look_at(
	payer: str, company: str, bill_until: date, loaded: Loaded | Refused | None = None
) -> tuple[Loaded, PayerBill]:
	"""The facts of `payer` and what is decided from them. The run and its preview both call this very function.

	What is `loaded` of him already is not loaded again.
	"""
	try:
		loaded = facts.load(payer, company) if loaded is None else loaded
	except Refused as refusal:
		loaded = refusal
	if isinstance(loaded, Refused):
		# A row that cannot be read could be billed twice: the whole payer waits.
		return [], PayerBill(refused=(loaded,))
	months, rows = billing_limits()
	bill = decide(loaded, until=bill_until, max_months=months, max_rows=rows)
	return loaded, bill
