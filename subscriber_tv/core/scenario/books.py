"""What a scenario begins with: rows that were invoiced before its first run, and the payer's account."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from subscriber_tv.core.billing.bill import InvoicedRow, expected_of
from subscriber_tv.core.billing.books import Books
from subscriber_tv.core.billing.periods import Span
from subscriber_tv.core.billing.price import BY_TOTAL, ONE_OFF, USAGE, Expected, line_key
from subscriber_tv.core.json_values import BadValue
from subscriber_tv.core.money import ZERO
from subscriber_tv.core.scenario.known import CHARGE, all_facts_on
from subscriber_tv.core.scenario.model import Billed, Scenario


@dataclass
class Account:
	"""What the payer has to his credit, and what he owes from before the first run."""

	credit: Decimal = ZERO
	owed: Decimal = ZERO

	def settle(self, total: Decimal) -> tuple[Decimal, Decimal]:
		"""Credit used and amount payable for an invoice of `total` with tax.

		A total below zero first lowers what is owed from before, the rest is to the payer's credit.
		"""
		if total < 0:
			lowered = min(self.owed, -total)
			self.owed -= lowered
			self.credit += -total - lowered
			return ZERO, ZERO
		used = min(self.credit, total)
		self.credit -= used
		return used, total - used


def opened(scenario: Scenario) -> Books:
	"""The books before the first run. BadValue names a row that no period of its contract holds."""
	books = Books()
	for number, billed in enumerate(scenario.billed, start=1):
		expected = _expected(scenario, billed)
		if any(row.line == expected.line and _overlap(row, billed) for row in books.of(billed.contract)):
			raise BadValue(f"{billed.path}.from", "these days are billed by another row")
		books.add(
			InvoicedRow(
				name=f"opening-{number}",
				invoice=f"opening {billed.date}",
				subscription=billed.contract,
				line=expected.line,
				kind=billed.kind,
				span=Span(billed.start, billed.end),
				revision=0,
				amount=billed.amount,
				price=expected.price,
			)
		)
	return books


def _overlap(row: InvoicedRow, billed: Billed) -> bool:
	return row.span.meet(Span(billed.start, billed.end)) is not None


def _expected(scenario: Scenario, billed: Billed) -> Expected:
	"""The row that was billed, at the price known on its day."""
	contracts = [replace(terms, billed_through=None) for terms in scenario.contracts]
	known = all_facts_on(scenario, contracts, billed.date)
	facts = next(facts for facts in known if facts.contract.subscription == billed.contract)
	line = line_key(billed.contract, billed.line, CHARGE)
	for row in expected_of(facts, billed.start):
		holds = row.span.start <= billed.start < row.span.end
		if (row.line, row.kind) == (line, billed.kind) and holds:
			return _as_billed(row, billed)
	raise BadValue(
		f"{billed.path}.from", "the contract, as known then, charges nothing for this line on this day"
	)


def _as_billed(row: Expected, billed: Billed) -> Expected:
	"""Usage counts as rated at what was billed for it; what is reported of its days is compared with that."""
	if billed.kind != ONE_OFF and billed.end > row.price.period.end:
		raise BadValue(f"{billed.path}.to", f"the period ends on {row.price.period.end}: one row a period")
	if billed.kind in BY_TOTAL and (billed.start, billed.end) != (row.span.start, row.span.end):
		raise BadValue(f"{billed.path}.from", f"the row is that from {row.span.start} to {row.span.end}")
	if billed.kind == USAGE:
		return replace(row, price=replace(row.price, rated=billed.amount))
	return row


def account(scenario: Scenario, rows: Mapping[str, list[InvoicedRow]], gross: Decimal) -> Account:
	"""The payer's account before the first run; `gross` is the sum of `rows` with tax."""
	paid = gross if scenario.paid is None else scenario.paid
	return Account(credit=max(paid - gross, ZERO), owed=max(gross - paid, ZERO))
