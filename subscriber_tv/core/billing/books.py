"""Books kept in memory: what bills leave behind when they are played ahead instead of posted."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from subscriber_tv.core.billing.bill import Bill, Charge, Correction, Credit, InvoicedRow


@dataclass
class Books:
	"""Invoiced rows by contract. Nothing is ever removed; a correction is added to the row it corrects."""

	rows: dict[str, list[InvoicedRow]] = field(default_factory=dict)

	def of(self, contract: str) -> tuple[InvoicedRow, ...]:
		return tuple(self.rows.get(contract, ()))

	def post(self, bill: Bill, invoice: str) -> None:
		"""What the bill leaves behind: its charges on `invoice`, its credits on the rows they correct."""
		for credit in bill.credits:
			self._correct(credit)
		for charge in bill.charges:
			self.add(_invoiced(charge, invoice))

	def add(self, *rows: InvoicedRow) -> None:
		for row in rows:
			self.rows.setdefault(row.subscription, []).append(row)

	def _correct(self, credit: Credit) -> None:
		rows = self.rows[credit.row.subscription]
		at = next(index for index, row in enumerate(rows) if row.name == credit.row.name)
		done = Correction(credit.span, credit.amount, credit.claim.revision)
		rows[at] = replace(rows[at], corrections=(*rows[at].corrections, done))


def books_with(rows: Iterable[InvoicedRow]) -> Books:
	"""Books that hold these rows."""
	books = Books()
	books.add(*rows)
	return books


def _invoiced(charge: Charge, invoice: str) -> InvoicedRow:
	claim = charge.claim
	return InvoicedRow(
		name=f"{claim.line}|{claim.start}|{claim.end}|{claim.kind}|{claim.revision}",
		invoice=invoice,
		subscription=charge.subscription,
		line=claim.line,
		kind=claim.kind,
		span=charge.span,
		revision=claim.revision,
		amount=charge.amount,
		price=charge.price,
	)
