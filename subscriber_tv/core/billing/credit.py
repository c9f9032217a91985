"""Money a payer has with us already settles his new invoices first: the oldest first, never more than there is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from subscriber_tv.core.money import ZERO


@dataclass(frozen=True)
class Source:
	"""An advance or a credit on the account; `amount` is what is left of it, positive.

	`doctype` and `name` are the voucher, `row` its row where the voucher holds several payments.
	"""

	doctype: str
	name: str
	day: date
	amount: Decimal
	row: str = ""


@dataclass(frozen=True)
class Use:
	"""So much of a source settles one invoice."""

	source: Source
	invoice: str
	amount: Decimal


def allocate(open_amounts: Sequence[tuple[str, Decimal]], sources: Iterable[Source]) -> tuple[Use, ...]:
	"""Spend the sources on the invoices, given with what is open on each, in the order given.

	All amounts are in one currency and of one account. No invoice gets more than is open, no source gives more than is
	left of it, and of two sources the younger is touched only when the older is used up.
	"""
	left = [(invoice, amount) for invoice, amount in open_amounts if amount > 0]
	uses: list[Use] = []
	for source in sorted(sources, key=lambda source: (source.day, source.doctype, source.name, source.row)):
		rest = max(source.amount, ZERO)
		while rest and left:
			invoice, wanted = left[0]
			used = min(rest, wanted)
			uses.append(Use(source, invoice, used))
			rest -= used
			left[:1] = [(invoice, wanted - used)] if wanted > used else []
	return tuple(uses)
