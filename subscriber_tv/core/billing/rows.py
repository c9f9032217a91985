"""The rows a bill is made of: those that stand on invoices, those to add, and those to give back."""

from dataclasses import dataclass
from decimal import Decimal

from subscriber_tv.core.billing.claims import Claim
from subscriber_tv.core.billing.periods import Span, subtract
from subscriber_tv.core.billing.price import Price
from subscriber_tv.core.money import ZERO


@dataclass(frozen=True)
class Correction:
	"""One row of our own credit notes: it lowers what counts as invoiced. `amount` is positive."""

	span: Span
	amount: Decimal
	revision: int = 0


@dataclass(frozen=True)
class InvoicedRow:
	"""A row of a submitted Sales Invoice that we made, with all that was credited on it since.

	`name` is the row's name in the ledger. `conceded` is the sum, positive, of standard credit notes on it.
	"""

	name: str
	invoice: str
	subscription: str
	line: str
	kind: str
	span: Span
	revision: int
	amount: Decimal
	price: Price
	corrections: tuple[Correction, ...] = ()
	conceded: Decimal = ZERO
	payer: str = ""

	@property
	def left(self) -> Decimal:
		"""The most that can still be credited."""
		corrected = sum((correction.amount for correction in self.corrections), ZERO)
		return max(self.amount - corrected - self.conceded, ZERO)

	@property
	def standing(self) -> tuple[Span, ...]:
		"""The days this row still covers."""
		return subtract([self.span], (correction.span for correction in self.corrections))


@dataclass(frozen=True)
class Charge:
	"""A row to add to an invoice."""

	subscription: str
	claim: Claim
	price: Price
	amount: Decimal

	@property
	def span(self) -> Span:
		return Span(self.claim.start, self.claim.end)


@dataclass(frozen=True)
class Credit:
	"""A row to add to a credit note against `row.invoice`; `amount` is positive and at most what is left."""

	row: InvoicedRow
	claim: Claim
	amount: Decimal

	@property
	def span(self) -> Span:
		return Span(self.claim.start, self.claim.end)
