"""The tax of a bill that is decided and not yet posted, so that a preview shows what the invoice will come to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from subscriber_tv.core.billing.bill import Bill
from subscriber_tv.core.billing.tax import TaxedRow, taxes
from subscriber_tv.core.money import ZERO
from subscriber_tv.ledger import taxation


@dataclass(frozen=True)
class BillTax:
	"""The tax of each charge and of each credit of a bill, in their order; credits are negative."""

	charges: tuple[Decimal, ...] = ()
	credits: tuple[Decimal, ...] = ()

	@property
	def total(self) -> Decimal:
		return sum((*self.charges, *self.credits), ZERO)


def tax_of(bill: Bill, *, payer: str, company: str, posting_date: date) -> BillTax:
	"""What ERPNext will add to the invoice of `bill`, and take off on its credit notes, in the currency of the bill.

	Without a payer, before a prospect is a customer, the rates are those of no tax category. ValidationError when
	there is no Sales Taxes and Charges Template for the payer.
	"""
	rates = _rates_of_items(bill, payer, company, posting_date)
	rows = [TaxedRow("", charge.amount, rates[charge.price.item]) for charge in bill.charges]
	rows += _credits(bill, rates)
	found = taxes(rows, taxation.rounding_of_site())
	split = len(bill.charges)
	return BillTax(tuple(found[:split]), tuple(found[split:]))


def _rates_of_items(bill: Bill, payer: str, company: str, posting_date: date) -> dict[str, taxation.Rates]:
	items = {charge.price.item for charge in bill.charges}
	items |= {credit.row.price.item for credit in bill.credits if not credit.row.invoice}
	if not items:
		return {}
	return taxation.rates_of_items(items, customer=payer, company=company, posting_date=posting_date)


def _credits(bill: Bill, items: Mapping[str, taxation.Rates]) -> Iterator[TaxedRow]:
	"""Each credit note is a document of its own, taxed as the invoice it corrects; one played ahead as its items."""
	rates = {
		invoice: taxation.rates_of_rows(invoice)
		for invoice in {credit.row.invoice for credit in bill.credits}
		if invoice
	}
	for credit in bill.credits:
		row = credit.row
		found = rates[row.invoice][row.name] if row.invoice else items[row.price.item]
		yield TaxedRow(f"credit {row.invoice}", -credit.amount, found)
