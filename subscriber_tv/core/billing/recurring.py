"""What is charged once, and what is charged again every period."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from subscriber_tv.core.billing.base import Base, over_base
from subscriber_tv.core.billing.chain import Chain, in_force, is_free, pieces_in, row_of, ruled, services
from subscriber_tv.core.billing.discounts import discounted
from subscriber_tv.core.billing.periods import Span, subtract
from subscriber_tv.core.billing.price import ONE_DAY, Expected
from subscriber_tv.core.billing.terms import Terms
from subscriber_tv.core.contracts.timeline import Contract


def one_off_rows(contract: Contract, chain: Chain) -> list[Expected]:
	"""Once, on the first served day of the charge: no new quantity, price or reactivation charges it again.

	What was free on that day stays free.
	"""
	firsts = [
		(span.start, line, charge, served)
		for served in services(contract)
		for line, charge in chain
		if (span := served.meet(in_force(line)))
	]
	if not firsts:
		return []
	start, line, charge, served = min(firsts, key=lambda first: first[0])
	if is_free(charge):
		return []
	day = Span(start, start + ONE_DAY)
	return [row_of(contract, line, charge, day, day, min(day.end, served.end))]


def recurring_rows(contract: Contract, chain: Chain, until: date, terms: Terms, base: Base) -> list[Expected]:
	"""One row a period and price, at the charge's own discounts, in order of time."""
	rows = [
		row
		for served in services(contract)
		for row in _of_service(contract, chain, served, until, terms, base)
	]
	rows.sort(key=lambda row: row.span)
	if not all(row.price.prorate for row in rows):
		rows = _whole_periods(rows)
	return discounted(rows, chain[0][1].discounts)


def _of_service(
	contract: Contract, chain: Chain, served: Span, until: date, terms: Terms, base: Base
) -> Iterator[Expected]:
	for reign, grid in ruled(contract, chain, served, terms):
		for line, charge, span in pieces_in(chain, reign):
			charged = subtract([span], terms.unbilled)
			for period in grid.periods(min(until, span.end - ONE_DAY), span.start):
				for part in charged:
					if row := period.meet(part):
						closes = min(period.end, served.end)
						yield from over_base(
							row_of(contract, line, charge, row, period, closes), charge, base
						)


def _whole_periods(rows: Sequence[Expected]) -> list[Expected]:
	"""One row a period begun without proration, from its first day charged to its last, at the price of the first.

	Days of a period that come back after others have a row of their own; in its cell they are paid already.
	"""
	kept: list[Expected] = []
	for row in rows:
		if kept and not kept[-1].price.prorate and kept[-1].price.period == row.price.period:
			kept[-1] = replace(kept[-1], span=Span(kept[-1].span.start, row.span.end))
		else:
			kept.append(row)
	return kept
