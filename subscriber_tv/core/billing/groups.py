"""Which rows stand on one invoice together.

The invoice is decided after the lines: the rows of all contracts of a payer are there first, then they are put
together by currency, means of payment, purchase order and the payer's own choice. (One bill is always of one
company; see flows.) Grouping looks at no date: contracts billed on different days meet on the invoice of the run that
finds them due. A credit note follows the invoice it corrects and not the groups of today.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

ONE_FOR_ALL = "One Invoice for All"
PER_SUBSCRIPTION = "One per Subscription"
PER_SITE = "One per Site"

CHOICES = (ONE_FOR_ALL, PER_SUBSCRIPTION, PER_SITE)
"""What a payer may ask for; nothing chosen means the first."""

Row = TypeVar("Row")


@dataclass(frozen=True, order=True)
class GroupKey:
	"""What the rows of one invoice have in common.

	`separate` names the site or subscription that has an invoice to itself, and is empty on the shared one.
	"""

	currency: str
	mode_of_payment: str = ""
	po_no: str = ""
	separate: str = ""


def separate_key(choice: str, *, subscription: str, site: str, alone: bool) -> str:
	"""What keeps a contract apart: nothing, its site, or itself when it or the payer asks for it.

	An unknown `choice` counts as none: a contract is rather billed with others than not at all.
	"""
	if alone or choice == PER_SUBSCRIPTION:
		return f"subscription {subscription}"
	return f"site {site}" if choice == PER_SITE else ""


def gather(rows: Iterable[tuple[GroupKey, Row]]) -> dict[GroupKey, tuple[Row, ...]]:
	"""The rows by group, groups sorted, rows in the order they came: none is lost, added or changed."""
	found: dict[GroupKey, list[Row]] = defaultdict(list)
	for key, row in rows:
		found[key].append(row)
	return {key: tuple(found[key]) for key in sorted(found)}
