"""Reads what was given back on invoice rows: our own corrections, and concessions.

A correction takes days back and lowers what counts as invoiced. Every other credit note is a concession: a standard
one, or one that settles a dispute. It is never billed back.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from subscriber_tv.core.billing.bill import Correction
from subscriber_tv.core.billing.concessions import spread
from subscriber_tv.core.billing.periods import Span
from subscriber_tv.core.billing.price import CORRECTION
from subscriber_tv.core.money import ZERO, money
from subscriber_tv.flows.billing.posted_rows import posted_rows


@dataclass(frozen=True)
class Returned:
	"""Corrections and concessions by the name of the row they lower; all amounts positive and net of VAT.

	`loose` are concessions that name no row, by invoice and item.
	"""

	corrections: dict[str, list[Correction]]
	concessions: dict[str, Decimal]
	loose: dict[tuple[str, str], Decimal]

	def corrected(self, row: str) -> Decimal:
		return sum((done.amount for done in self.corrections.get(row, ())), ZERO)

	def share_loose(self, rows: Sequence[tuple[str, str, str, Decimal]]) -> None:
		"""Count the concessions that name no row on the rows of their item, from each at most what is left on it.

		`rows` are (name, invoice, item, net amount), in the order of the invoice.
		"""
		for place, amount in self.loose.items():
			named = [(name, billed) for name, invoice, item, billed in rows if (invoice, item) == place]
			left = [billed - self.corrected(name) - self.concessions[name] for name, billed in named]
			for (name, _), share in zip(named, spread(amount, left), strict=True):
				self.concessions[name] += share
		self.loose.clear()


def returns_of(invoices: Collection[str], *, before: datetime | None = None) -> Returned:
	"""What submitted credit notes against these invoices give back; with `before`, those that were made before it."""
	corrections, concessions, loose = defaultdict(list), defaultdict(lambda: ZERO), defaultdict(lambda: ZERO)
	for row in _rows(invoices, before):
		amount = -money(row.net_amount)
		if row.tv_kind == CORRECTION and row.tv_corrects:
			span = Span(row.tv_from, row.tv_to)
			corrections[row.tv_corrects].append(Correction(span, amount, row.tv_revision or 0))
		elif named := row.tv_corrects or row.sales_invoice_item:
			concessions[named] += amount
		else:
			loose[row.return_against, row.item_code] += amount
	return Returned(corrections, concessions, loose)


def _rows(invoices: Collection[str], before: datetime | None) -> list[dict]:
	if not invoices:
		return []
	query, _item, invoice = posted_rows(
		returns=True, columns=("sales_invoice_item", "tv_corrects"), of_invoice=("return_against",)
	)
	query = query.where(invoice.return_against.isin(list(invoices)))
	if before:
		query = query.where(invoice.creation < before)
	return query.run(as_dict=True)
