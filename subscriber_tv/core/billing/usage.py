"""Usage: what was consumed, a fact that is rated when its period closes."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True)
class Usage:
	"""What was used of one charge of a contract line on one day of the site; `quantity` is in the unit of the charge.

	For a charge that is a percentage the quantity is an amount of money, net of VAT, in the contract's currency.
	"""

	line_id: str
	charge: str
	day: date
	quantity: Decimal
