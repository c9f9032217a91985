"""The documents that a payer's bills come to: one invoice a group, one credit note for each corrected invoice."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from subscriber_tv.core.billing.bill import Bill, Charge, Credit
from subscriber_tv.core.billing.groups import GroupKey
from subscriber_tv.core.money import ZERO


@dataclass(frozen=True)
class NewInvoice:
	"""An invoice to post, with the rows of one group."""

	group: GroupKey
	charges: tuple[Charge, ...]

	@property
	def subscriptions(self) -> tuple[str, ...]:
		return tuple(dict.fromkeys(charge.subscription for charge in self.charges))

	@property
	def net(self) -> Decimal:
		return sum((charge.amount for charge in self.charges), ZERO)

	def only(self, subscription: str) -> "NewInvoice":
		"""The same with the rows of one contract alone."""
		return replace(self, charges=tuple(c for c in self.charges if c.subscription == subscription))


@dataclass(frozen=True)
class NewCreditNote:
	"""A credit note to post, with all corrections of one invoice: a return names a single invoice."""

	invoice: str
	currency: str
	credits: tuple[Credit, ...]

	@property
	def subscriptions(self) -> tuple[str, ...]:
		return tuple(dict.fromkeys(credit.row.subscription for credit in self.credits))

	@property
	def net(self) -> Decimal:
		return -sum((credit.amount for credit in self.credits), ZERO)

	def only(self, subscription: str) -> "NewCreditNote":
		"""The same with the corrections of one contract alone."""
		return replace(self, credits=tuple(c for c in self.credits if c.row.subscription == subscription))


Document = NewCreditNote | NewInvoice


def documents(bills: Iterable[Bill], without: Collection[str] = ()) -> tuple[Document, ...]:
	"""What to post, credit notes first: what they give back may pay the invoices.

	`without` are subscriptions that wait. Contracts whose groups differ by now but that stand on one old invoice are
	corrected together.
	"""
	bills = tuple(bills)
	credits: dict[tuple[str, str], list[Credit]] = defaultdict(list)
	for bill in bills:
		for credit in bill.credits:
			if credit.row.subscription not in without:
				credits[credit.row.invoice, bill.currency].append(credit)
	notes = [NewCreditNote(*place, tuple(credits[place])) for place in sorted(credits)]
	invoices = [
		NewInvoice(bill.group, kept)
		for bill in bills
		if (kept := tuple(charge for charge in bill.charges if charge.subscription not in without))
	]
	return (*notes, *invoices)
