"""Tax of the rows of a run: rounded for each row, or on the total of each document and rate.

Rounded on the total, a row gets what the total grows by when it is added, so that the rows add up to the total.
"""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from subscriber_tv.core.money import ZERO, round_money


def taxes(rows: Iterable[tuple[str, Decimal, Decimal]], *, by_row: bool, places: int) -> list[Decimal]:
	"""The tax of each row given as (document, tax percent, net amount), in the order given."""
	sums: dict[tuple[str, Decimal], Decimal] = defaultdict(lambda: ZERO)
	found = []
	for document, percent, amount in rows:
		before = ZERO if by_row else sums[document, percent]
		after = before + amount
		sums[document, percent] = after
		found.append(_tax(after, percent, places) - _tax(before, percent, places))
	return found


def _tax(net: Decimal, percent: Decimal, places: int) -> Decimal:
	return round_money(net * percent / 100, places)
