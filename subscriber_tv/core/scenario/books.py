"""What a scenario begins with: rows that were invoiced before its first run, and the payer's account."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from subscriber_tv.core.billing.bill import InvoicedRow, expected_of
from subscriber_tv.core.billing.books import Books
from subscriber_tv.core.billing.periods import Span
from subscriber_tv.core.billing.price import ONE_OFF, Expected, line_key
from subscriber_tv.core.json_values import BadValue
from subscriber_tv.core.money import ZERO
from subscriber_tv.core.scenario.known import CHARGE, facts_on
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
	terms = next(terms for terms in scenario.contracts if terms.id == billed.contract)
	facts = facts_on(scenario, replace(terms, billed_through=None), billed.date)
	line = line_key(billed.contract, billed.line, CHARGE)
	for row in _rows(facts, billed.start):
		holds = row.span.start <= billed.start < row.span.end
		if (row.line, row.kind) == (line, billed.kind) and holds:
			if billed.kind != ONE_OFF and billed.end > row.price.period.end:
				raise BadValue(
					f"{billed.path}.to", f"the period ends on {row.price.period.end}: one row a period"
				)
			return row
	raise BadValue(
		f"{billed.path}.from", "the contract, as known then, charges nothing for this line on this day"
	)


def _rows(facts, until: date) -> Sequence[Expected]:
	return expected_of(facts, until)


def account(scenario: Scenario, rows: Mapping[str, list[InvoicedRow]], gross: Decimal) -> Account:
	"""The payer's account before the first run; `gross` is the sum of `rows` with tax."""
	paid = gross if scenario.paid is None else scenario.paid
	return Account(credit=max(paid - gross, ZERO), owed=max(gross - paid, ZERO))
