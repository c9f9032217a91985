"""What a campaign does to one contract: the day, the steps on its lines, or why the contract is left out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from subscriber_tv.core.billing.charges import at_prices_of, expected_charges
from subscriber_tv.core.billing.periods import clamped
from subscriber_tv.core.billing.price import RECURRING, OfferCharge, Offers
from subscriber_tv.core.billing.terms import Terms
from subscriber_tv.core.contracts.lines import Line, LineStep
from subscriber_tv.core.contracts.timeline import Contract

#: The rules for the day on which a contract follows.
FIXED, ANNIVERSARY, NEXT_PERIOD = "Fixed Date", "Anniversary", "Next Period Start"


@dataclass(frozen=True)
class Timing:
	"""When each contract follows: on `day`, on its first anniversary from `day` to `last`, or when a period begins."""

	rule: str
	day: date
	last: date | None = None


@dataclass(frozen=True)
class Plan:
	"""`steps` on the lines from `effective` on. Without steps the contract is left out, and `left_out` says why.

	Codes: over (no longer served on that day), no_anniversary (none in the window), no_line (no line is concerned),
	negotiated (only prices of its own), unchanged (nothing would be different). `details` are plain values for
	letters, pages and the next campaign.
	"""

	effective: date | None = None
	steps: tuple[LineStep, ...] = ()
	details: tuple[dict[str, Any], ...] = ()
	left_out: str = ""


def effective_day(contract: Contract, offers: Offers, terms: Terms, timing: Timing) -> date | None:
	"""The day on which the contract follows; None when it has no anniversary in the window or is never served then."""
	if timing.rule == FIXED:
		return timing.day
	if timing.rule == ANNIVERSARY:
		return _anniversary(contract, timing)
	return _next_period(contract, offers, terms, timing.day)


def charges_of(line: Line, offers: Offers) -> Iterable[OfferCharge]:
	"""The charges of a line, at its own prices where it has some."""
	return at_prices_of(line, offers[line.offer_version])


def _anniversary(contract: Contract, timing: Timing) -> date | None:
	"""The first day of a further year since the activation, within the window; 29 February falls on the 28th."""
	first = contract.activated_on
	if first is None:
		return None
	for year in range(max(timing.day.year, first.year + 1), (timing.last or timing.day).year + 1):
		day = clamped(year * 12 + first.month - 1, first.day)
		if timing.day <= day <= (timing.last or timing.day):
			return day
	return None


def _next_period(contract: Contract, offers: Offers, terms: Terms, day: date) -> date | None:
	"""The first day from `day` on which a period of the longest interval begins: all shorter ones begin there too."""
	charges = [charge for line in contract.lines_on(day) for charge in charges_of(line, offers)]
	longest = max((charge.interval_months for charge in charges if charge.kind == RECURRING), default=0)
	if not longest:
		return None
	horizon = clamped(day.year * 12 + day.month - 1 + longest, 31)
	rows = expected_charges(contract, offers, horizon, terms)
	starts = (row.price.period.start for row in rows if row.price.interval_months == longest)
	return min((start for start in starts if start >= day), default=None)
