"""A discount on the price of whole periods."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from subscriber_tv.core.money import ZERO


@dataclass(frozen=True)
class Discount:
	"""A part of the price of each whole period, or an amount off it; a part of a period gets its share by days.

	It holds for the first `periods` charged periods (None: for all) that begin on `since` or later, and for the days
	before `until`. One given in the middle of a period takes effect at once when it counts no periods. `line` is the
	line it is taken off, None for all recurring charges of the contract. `label` is what the subscriber reads, `promotion`
	the name of the one that gave it.
	"""

	percent: Decimal = ZERO
	amount: Decimal = ZERO
	periods: int | None = None
	until: date | None = None
	since: date | None = None
	line: str | None = None
	label: str = field(default="", compare=False)
	promotion: str = field(default="", compare=False)

	@property
	def lasting(self) -> bool:
		"""Whether it never ends by itself."""
		return self.periods is None and self.until is None
