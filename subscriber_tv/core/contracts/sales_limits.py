"""What sales may grant by themselves, and what of a contract goes beyond it. Pure: nothing is refused here."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from subscriber_tv.core.money import ZERO

DISCOUNT, TRIAL, PRICE = "discount", "trial", "price"
_WHOLE = Decimal(100)


@dataclass(frozen=True)
class SalesLimits:
	"""The largest discount in percent and the longest trial in days; zero allows none."""

	percent: Decimal
	trial_days: int


@dataclass(frozen=True)
class NegotiatedPrice:
	"""A price of one's own on row `row` of a form, beside that of the offer; both net, for the same unit and period."""

	row: int
	offered: Decimal
	agreed: Decimal


@dataclass(frozen=True)
class Excess:
	"""`code` of what goes too far (discount, trial, price), its `value` and the `limit`, and the row (0: the whole).

	For a price the value is how many percent it lies below that of the offer, the discount included.
	"""

	code: str
	value: Decimal
	limit: Decimal
	row: int = 0


def beyond(
	limits: SalesLimits,
	*,
	percent: Decimal = ZERO,
	trial_days: int = 0,
	prices: Iterable[NegotiatedPrice] = (),
) -> tuple[Excess, ...]:
	"""Everything that goes beyond the limits, in the order of the form.

	A negotiated price counts with the discount that is taken off it, so that two small favours make no large one.
	"""
	found = []
	if percent > limits.percent:
		found.append(Excess(DISCOUNT, percent, limits.percent))
	if trial_days > limits.trial_days:
		found.append(Excess(TRIAL, Decimal(trial_days), Decimal(limits.trial_days)))
	for price in prices:
		below = _percent_below(price, percent)
		if below > limits.percent:
			found.append(Excess(PRICE, below, limits.percent, price.row))
	return tuple(found)


def _percent_below(price: NegotiatedPrice, percent: Decimal) -> Decimal:
	"""Nothing can lie below what is free."""
	if price.offered <= 0:
		return ZERO
	return _WHOLE - price.agreed * (_WHOLE - percent) / price.offered
