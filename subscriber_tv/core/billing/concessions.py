"""A credit note that names no row of its invoice still lowers what is left on the rows."""

from collections.abc import Sequence
from decimal import Decimal

from subscriber_tv.core.money import ZERO


def spread(amount: Decimal, left: Sequence[Decimal]) -> list[Decimal]:
	"""Take `amount` from the rows in their order, from each at most what is left on it."""
	shares = []
	for row_left in left:
		share = max(min(amount, row_left), ZERO)
		shares.append(share)
		amount -= share
	return shares
