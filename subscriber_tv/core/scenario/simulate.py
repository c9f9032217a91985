"""Plays a scenario: runs the bills of each day with the engine that bills a site, and tells what comes out.

`simulate(document)` takes the plain values of one JSON document and returns those of the answer. Nothing here
decides an amount: prices, days and differences are the engine's.
"""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from subscriber_tv.core.billing.bill import Bill, Charge, Credit, decide
from subscriber_tv.core.billing.books import Books
from subscriber_tv.core.billing.groups import GroupKey
from subscriber_tv.core.billing.limits import NO_AGE_LIMIT
from subscriber_tv.core.billing.price import CORRECTION
from subscriber_tv.core.billing.tax import TaxRounding, taxed, taxes
from subscriber_tv.core.money import ZERO, places_of, plain, round_money
from subscriber_tv.core.scenario.books import Account, account, opened
from subscriber_tv.core.scenario.known import facts_on
from subscriber_tv.core.scenario.model import Scenario
from subscriber_tv.core.scenario.mrr import mrr_by_date
from subscriber_tv.core.scenario.read import read_scenario


def simulate(document: Any) -> dict[str, Any]:
	"""The answer to a scenario. BadValue names what is wrong with it."""
	scenario = read_scenario(document)
	books = opened(scenario)
	paid = account(scenario, books.rows, _gross(scenario, books))
	runs = [_run(scenario, books, paid, day) for day in scenario.runs]
	places = places_of(scenario.currency)
	return {
		"currency": scenario.currency,
		"runs": runs,
		"mrr": {day.isoformat(): _text(amount, places) for day, amount in mrr_by_date(scenario).items()},
	}


def bill_on(scenario: Scenario, books: Books, day: date) -> Bill:
	"""The difference between what is expected on `day`, as far as known, and what the books hold."""
	contracts = [
		replace(facts_on(scenario, terms, day), invoiced=books.of(terms.id)) for terms in scenario.contracts
	]
	decided = decide(contracts, until=day, max_months=NO_AGE_LIMIT)
	for refusal in decided.refused:
		raise refusal
	return decided.bills[0] if decided.bills else Bill(GroupKey(scenario.currency))


def _run(scenario: Scenario, books: Books, paid: Account, day: date) -> dict[str, Any]:
	places = places_of(scenario.currency)
	bill = bill_on(scenario, books, day)
	lines = [_charge_line(charge) for charge in bill.charges] + [_credit_line(row) for row in bill.credits]
	documents = [""] * len(bill.charges) + [credit.row.invoice for credit in bill.credits]
	books.post(bill, day.isoformat())
	tax = taxes(
		[
			taxed(document, line[-1], scenario.tax_percent(line[0], line[1]))
			for document, line in zip(documents, lines, strict=True)
		],
		_rounding(scenario),
	)
	net, tax_sum = sum((line[-1] for line in lines), ZERO), sum(tax, ZERO)
	used, payable = paid.settle(net + tax_sum)
	return {
		"date": day.isoformat(),
		"lines": [
			[*line[:-1], _text(line[-1], places), _text(amount, places)]
			for line, amount in zip(lines, tax, strict=True)
		],
		"net": _text(net, places),
		"tax": _text(tax_sum, places),
		"total": _text(net + tax_sum, places),
		"credit_used": _text(used, places),
		"payable": _text(payable, places),
		"credit_balance": _text(paid.credit, places),
	}


def _charge_line(charge: Charge) -> list[Any]:
	claim = charge.claim
	return _line(charge.subscription, claim.line, claim.kind, charge, charge.price.quantity, charge.amount)


def _credit_line(credit: Credit) -> list[Any]:
	row = credit.row
	return _line(row.subscription, row.line, CORRECTION, credit, row.price.quantity, -credit.amount)


def _line(
	contract: str, key: str, kind: str, row: Charge | Credit, quantity: int | Decimal, amount: Decimal
) -> list[Any]:
	"""Units of usage may be a fraction, so they are told as text."""
	line = key.split("/")[1]
	span = row.span
	units = quantity if isinstance(quantity, int) else plain(quantity)
	return [contract, line, kind, span.start.isoformat(), span.end.isoformat(), units, amount]


def _gross(scenario: Scenario, books: Books) -> Decimal:
	"""What the rows billed before the first run come to with tax."""
	rows = [row for terms in scenario.contracts for row in books.of(terms.id)]
	taxable = [
		taxed(row.invoice, row.amount, scenario.tax_percent(row.subscription, row.line.split("/")[1]))
		for row in rows
	]
	tax = taxes(taxable, _rounding(scenario))
	return sum((row.amount for row in rows), ZERO) + sum(tax, ZERO)


def _rounding(scenario: Scenario) -> TaxRounding:
	return TaxRounding(by_row=scenario.tax_by_row, places=places_of(scenario.currency))


def _text(amount: Decimal, places: int) -> str:
	"""With all decimals of the currency; never minus zero."""
	rounded = round_money(amount, places)
	return f"{abs(rounded) if rounded == 0 else rounded:f}"
