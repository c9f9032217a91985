"""The next bills of contracts, played ahead with the function that bills: "15.49 today, then 29.95 a month".

Nothing here decides an amount. Each bill is `decide` on its day, and what it would invoice is kept in books of memory
for the bill after it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from subscriber_tv.core.billing.base import with_base_of_payer
from subscriber_tv.core.billing.bill import Bill, ContractFacts, decide, expected_of
from subscriber_tv.core.billing.books import books_with
from subscriber_tv.core.billing.price import DEPOSIT, Refused

#: The invoice of a row that is billed ahead in memory: none yet.
UNPOSTED = ""


@dataclass(frozen=True)
class Upcoming:
	"""What would be billed on `day`: a bill for each group of rows that shares an invoice, and who would wait."""

	day: date
	bills: tuple[Bill, ...]
	refused: tuple[Refused, ...] = ()


def upcoming(
	contracts: Sequence[ContractFacts], *, today: date, until: date, max_months: int
) -> tuple[Upcoming, ...]:
	"""The bills of today and of every later day up to `until` on which a row falls due; days with nothing are left out.

	A contract that a run would refuse is refused here on the first day, and left out of the days after it.
	"""
	books = books_with(row for facts in contracts for row in facts.invoiced)
	found = []
	for day in days_due(contracts, today=today, until=until):
		current = [replace(facts, invoiced=books.of(facts.contract.subscription)) for facts in contracts]
		decided = decide(current, until=day, max_months=max_months)
		if decided.bills or decided.refused:
			found.append(Upcoming(day, decided.bills, decided.refused))
		for bill in decided.bills:
			books.post(bill, UNPOSTED)
		refused = {refusal.values.get("subscription") for refusal in decided.refused}
		contracts = [facts for facts in contracts if facts.contract.subscription not in refused]
	return tuple(found)


def days_due(contracts: Iterable[ContractFacts], *, today: date, until: date) -> tuple[date, ...]:
	"""Today, and the later days up to `until` on which the contracts of a payer are charged or given back something."""
	days = {today}
	for facts in with_base_of_payer(list(contracts)):
		try:
			days |= {day for day in days_of(facts, until) if today < day <= until}
		except Refused:
			pass  # `decide` tells why, on the first day
	return tuple(sorted(days))


def days_of(facts: ContractFacts, until: date) -> set[date]:
	"""The days on which rows of a contract fall due, or its deposits are given back. Refused as for `expected_of`."""
	rows = expected_of(facts, until)
	return {row.due for row in rows} | {row.closes for row in rows if row.kind == DEPOSIT}
