"""A quote held against the bills: what it showed, played on the day the contract really began, row by row."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from subscriber_tv.core.billing.bill import Bill, InvoicedRow
from subscriber_tv.core.money import ZERO

#: Line and first day of a period: what a quoted and a billed row have in common.
Place = tuple[str, date]


@dataclass(frozen=True)
class Compared:
	"""One line and period; amounts are net, in the currency of the contract. `billed` is less our corrections."""

	line: str
	start: date
	end: date
	quoted: Decimal
	billed: Decimal

	@property
	def difference(self) -> Decimal:
		return self.billed - self.quoted


def compare(quoted: Iterable[Bill], billed: Iterable[InvoicedRow], changed_on: date | None) -> list[Compared]:
	"""Every line and period of the quoted bills or of the invoices, in order of line and day.

	Rows of days from `changed_on` on are left out: from there on the contract is no longer the one quoted.
	"""
	ends: dict[Place, date] = {}
	promised: dict[Place, Decimal] = defaultdict(lambda: ZERO)
	for charge in (charge for bill in quoted for charge in bill.charges):
		place = (charge.claim.line, charge.claim.start)
		promised[place] += charge.amount
		ends[place] = charge.claim.end
	posted: dict[Place, Decimal] = defaultdict(lambda: ZERO)
	for row in billed:
		place = (row.line, row.span.start)
		posted[place] += row.amount - sum((done.amount for done in row.corrections), ZERO)
		ends[place] = max(row.span.end, ends.get(place, row.span.end))
	return [
		Compared(line, start, ends[line, start], promised[line, start], posted[line, start])
		for line, start in sorted(ends)
		if changed_on is None or ends[line, start] <= changed_on
	]


def total_difference(rows: Iterable[Compared]) -> Decimal:
	"""What was billed more than quoted; zero when the quote was kept."""
	return sum((row.difference for row in rows), ZERO)
