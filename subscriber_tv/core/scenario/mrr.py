"""Recurring revenue of a month by date, from the state of the contracts and never from invoices.

Counted is the price of each recurring line in force, less discounts that never end, by the months of its interval.
Trial days and pauses count nothing; tax, one-off lines, minimums and discounts that end are left out.
"""

from datetime import date
from decimal import Decimal

from subscriber_tv.core.billing.bill import expected_of
from subscriber_tv.core.billing.mrr import lasting, monthly
from subscriber_tv.core.billing.price import Expected
from subscriber_tv.core.money import ZERO
from subscriber_tv.core.scenario.known import all_facts_on
from subscriber_tv.core.scenario.model import Scenario


def mrr_by_date(scenario: Scenario) -> dict[date, Decimal]:
	"""The revenue on each day it changes, each day of a run and each day asked for, all events known; not rounded."""
	asked = {*scenario.runs, *scenario.mrr_dates}
	last = max([*asked, *(event.effective for event in scenario.timeline)], default=None)
	if last is None:
		return {}
	rows = _rows(scenario, last)
	days = sorted(asked | {day for row in rows for day in (row.span.start, row.span.end) if day <= last})
	found: dict[date, Decimal] = {}
	before = ZERO
	for day in days:
		amount = sum((monthly(row) for row in rows if row.span.start <= day < row.span.end), ZERO)
		if day in asked or amount != before:
			found[day] = amount
		before = amount
	return found


def _rows(scenario: Scenario, last: date) -> list[Expected]:
	known = all_facts_on(scenario, scenario.contracts, date.max)
	return [row for facts in known for row in expected_of(lasting(facts), last)]
