"""Recurring revenue a month, from the state of a contract on a day and never from invoices.

Counted is the price of each recurring row in force less discounts that never end, by the months of its interval. Trial
days and pauses count nothing; tax, one-off charges, usage, minimums and discounts that end are left out.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal

from subscriber_tv.core.billing.bill import ContractFacts, expected_of
from subscriber_tv.core.billing.price import RECURRING, Expected, line_id_of
from subscriber_tv.core.money import ZERO, round_money


def lasting(facts: ContractFacts) -> ContractFacts:
	"""The same without what ends by itself or counts once."""
	offers = {
		version: tuple(
			replace(
				charge, discounts=tuple(d for d in charge.discounts if d.lasting), minimum=None, prorate=True
			)
			for charge in charges
			if charge.kind == RECURRING
		)
		for version, charges in facts.offers.items()
	}
	discounts = tuple(discount for discount in facts.terms.discounts if discount.lasting)
	return replace(facts, offers=offers, terms=replace(facts.terms, discounts=discounts, minimum=None))


def monthly(row: Expected) -> Decimal:
	"""What a recurring row comes to in a month, not rounded."""
	return row.price.full_amount / row.price.interval_months


def monthly_on(facts: ContractFacts, day: date) -> Decimal:
	"""Recurring revenue a month of the whole contract on that day, rounded once."""
	return round_money(sum((monthly(row) for row in _in_force(facts, day)), ZERO), facts.places)


def monthly_by_line(facts: ContractFacts, day: date) -> dict[str, Decimal]:
	"""Recurring revenue a month on that day by line of the contract, each rounded once."""
	sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
	for row in _in_force(facts, day):
		sums[line_id_of(row.subscription, row.line)] += monthly(row)
	return {line_id: round_money(amount, facts.places) for line_id, amount in sums.items()}


def _in_force(facts: ContractFacts, day: date) -> Iterator[Expected]:
	for row in expected_of(lasting(facts), day):
		if row.kind == RECURRING and row.span.start <= day < row.span.end:
			yield row
