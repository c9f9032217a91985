"""Shows what a bill run would bill, with the run's own facts and decision; writes nothing."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from frappe.utils import getdate

from subscriber_tv.core.billing.bill import Bill, PayerBill
from subscriber_tv.core.money import ZERO
from subscriber_tv.flows.billing import facts
from subscriber_tv.flows.billing.bill_payer import decide_for
from subscriber_tv.flows.billing.words import why_refused


def preview(*, company: str, bill_until: date | str, payer: str | None = None) -> dict:
	"""What would be billed now: `rows`, `refused` sentences and the net `totals` by currency.

	Amounts are decimal strings, credits negative; days are ISO, `to` not included.
	"""
	rows: list[dict] = []
	refused: list[str] = []
	totals: dict[str, Decimal] = {}
	for name in facts.payers(company, payer):
		bill = decide_for(name, company, getdate(bill_until))
		rows += _rows(name, bill)
		refused += [why_refused(refusal) for refusal in bill.refused]
		for part in bill.bills:
			totals[part.currency] = totals.get(part.currency, ZERO) + part.net
	return {
		"rows": rows,
		"refused": refused,
		"totals": {currency: str(total) for currency, total in sorted(totals.items())},
	}


def _rows(payer: str, bill: PayerBill) -> Iterator[dict]:
	for part in bill.bills:
		yield from _charge_rows(payer, part)
		yield from _credit_rows(payer, part)


def _charge_rows(payer: str, bill: Bill) -> Iterator[dict]:
	for charge in bill.charges:
		yield {
			**_place(payer, bill, charge),
			"subscription": charge.subscription,
			"item": charge.price.item,
			"amount": str(charge.amount),
			"corrects": None,
		}


def _credit_rows(payer: str, bill: Bill) -> Iterator[dict]:
	for credit in bill.credits:
		yield {
			**_place(payer, bill, credit),
			"subscription": credit.row.subscription,
			"item": credit.row.price.item,
			"amount": str(-credit.amount),
			"corrects": credit.row.invoice,
		}


def _place(payer: str, bill: Bill, row) -> dict:
	return {
		"payer": payer,
		"currency": bill.currency,
		"line": row.claim.line,
		"kind": row.claim.kind,
		"from": row.claim.start.isoformat(),
		"to": row.claim.end.isoformat(),
	}
