"""Builders for the billing tests: a contract in one line, and what a run leaves in the books."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from subscriber_tv.core.billing.bill import ContractFacts, Correction, InvoicedRow, bill_contract
from subscriber_tv.core.billing.price import ONE_OFF, RECURRING, OfferCharge
from subscriber_tv.core.contracts.timeline import Contract, Line, StateSpan
from subscriber_tv.core.pricing.offered import PER_UNIT

OFFER = "HOTEL-TV-V1"


def day(text: str) -> date:
	return date.fromisoformat(text)


def recurring(price="30.00", *, months=1, model=PER_UNIT, code="BASE", free=False) -> OfferCharge:
	return OfferCharge(code, RECURRING, "TV-" + code, model, Decimal(price), months, free)


def one_off(price="50.00", *, code="ACTIVATION", model="Flat", free=False) -> OfferCharge:
	return OfferCharge(code, ONE_OFF, "TV-" + code, model, Decimal(price), 0, free)


def charged(kind, scheme, code, **fields) -> OfferCharge:
	"""A charge of any kind and price model."""
	return OfferCharge(code, kind, "TV-" + code, type(scheme).__name__, Decimal(0), scheme=scheme, **fields)


def contract(start, end=None, *, anchor=None, quantity=1, billed_through=None, lines=None) -> Contract:
	"""Served from `start` to `end`, both ISO days."""
	begin = day(start)
	spans = (StateSpan("Active", begin, day(end) if end else None),)
	if end:
		spans += (StateSpan("Cancelled", day(end)),)
	return Contract(
		subscription="TVS-1",
		lines=lines or (Line("1", OFFER, quantity),),
		spans=spans,
		activated_on=begin,
		end_date=day(end) if end else None,
		anchor_day=anchor or begin.day,
		billed_through=day(billed_through) if billed_through else None,
		state="Cancelled" if end else "Active",
	)


class Books:
	"""The invoices of one contract, as bill runs leave them."""

	def __init__(self, *charges: OfferCharge, places: int = 2):
		self.offers = {OFFER: charges or (recurring(),)}
		self.rows: list[InvoicedRow] = []
		self.places = places

	def run(self, contract: Contract, until: str | date, max_months: int = 1200, **facts):
		"""Bill and book; returns the bill. `facts` are more of those that ContractFacts takes."""
		until = day(until) if isinstance(until, str) else until
		facts = ContractFacts(contract, self.offers, tuple(self.rows), places=self.places, **facts)
		bill = bill_contract(facts, until=until, max_months=max_months)
		for credit in bill.credits:
			self._correct(credit)
		for charge in bill.charges:
			self._add(charge)
		names = [row.name for row in self.rows]
		assert len(names) == len(set(names)), "a claim was used twice"
		return bill

	def concede(self, index: int, amount: str) -> None:
		"""A standard credit note of `amount` on one row."""
		row = self.rows[index]
		self.rows[index] = replace(row, conceded=row.conceded + Decimal(amount))

	@property
	def net(self) -> Decimal:
		return sum((row.left for row in self.rows), Decimal(0))

	def _add(self, charge) -> None:
		claim = charge.claim
		self.rows.append(
			InvoicedRow(
				claim.name,
				f"SINV-{len(self.rows)}",
				charge.subscription,
				claim.line,
				claim.kind,
				charge.span,
				claim.revision,
				charge.amount,
				charge.price,
			)
		)

	def _correct(self, credit) -> None:
		at = next(i for i, row in enumerate(self.rows) if row.name == credit.row.name)
		done = Correction(credit.span, credit.amount, credit.claim.revision)
		assert credit.amount <= self.rows[at].left
		self.rows[at] = replace(self.rows[at], corrections=(*self.rows[at].corrections, done))


def shown(bill) -> list[tuple]:
	"""A bill as rows (sign, charge, from, to, amount) for comparison with a table."""
	rows = [
		("+", c.claim.line.split("/")[-1], str(c.span.start), str(c.span.end), str(c.amount))
		for c in bill.charges
	]
	return rows + [
		("-", c.claim.line.split("/")[-1], str(c.span.start), str(c.span.end), str(c.amount))
		for c in bill.credits
	]
