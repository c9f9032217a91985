"""The tax of a bill that is decided and not yet posted, so that a preview shows what the invoice will come to."""

from collections.abc import Iterator
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

	ValidationError when the company has no default Sales Taxes and Charges Template.
	"""
	rows = [*_charges(bill, payer, company, posting_date), *_credits(bill)]
	found = taxes(rows, taxation.rounding_of_site())
	split = len(bill.charges)
	return BillTax(tuple(found[:split]), tuple(found[split:]))


def _charges(bill: Bill, payer: str, company: str, posting_date: date) -> Iterator[TaxedRow]:
	category = taxation.category_of(payer)
	items = {charge.price.item for charge in bill.charges}
	rates = {item: taxation.rates_of_item(item, company, category, posting_date) for item in items}
	for charge in bill.charges:
		yield TaxedRow("", charge.amount, rates[charge.price.item])


def _credits(bill: Bill) -> Iterator[TaxedRow]:
	"""Each credit note is a document of its own, taxed as the invoice it corrects."""
	rates = {
		invoice: taxation.rates_of_rows(invoice)
		for invoice in {credit.row.invoice for credit in bill.credits}
	}
	for credit in bill.credits:
		yield TaxedRow(credit.row.invoice, -credit.amount, rates[credit.row.invoice][credit.row.name])
