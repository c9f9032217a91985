"""What may be asked of a payer for one invoice today, and what has to wait.

	outstanding  |==========================================|  120.00
	waits        |============|                                 36.00  in dispute
	covered                   |====|                            10.00  by credit on the account
	due                            |==================|         50.00  its day has come
	not yet due                                       |=====|   24.00  its day is to come

The parts add up to what is outstanding, and none is below zero. Amounts include VAT, in the currency of the invoice.

A payment settles what is not disputed first, and the instalments in the order of their days, as ERPNext counts
overdue terms. Each open instalment waits for its share of the dispute; credit covers the oldest that do not wait.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from subscriber_tv.core.billing.concessions import spread
from subscriber_tv.core.money import ZERO, round_money


@dataclass(frozen=True)
class Instalment:
	"""A part of an invoice and the day it is to be paid, as the payment terms agreed it."""

	due: date
	amount: Decimal


@dataclass(frozen=True)
class Invoice:
	"""An invoice as plain facts.

	`outstanding` is what the ledger says is unpaid, at or below zero for a settled one. `disputed` are the amounts of
	its open disputes, `credit` is what stands on the payer's account for this invoice, all positive. `places` are the
	decimals of the currency.
	"""

	outstanding: Decimal
	instalments: tuple[Instalment, ...]
	disputed: tuple[Decimal, ...] = ()
	credit: Decimal = ZERO
	places: int = 2


@dataclass(frozen=True)
class Part:
	"""What is open of one instalment; `claim` is what is left to ask once dispute and credit are taken off."""

	due: date
	outstanding: Decimal
	disputed: Decimal
	credit: Decimal

	@property
	def claim(self) -> Decimal:
		return self.outstanding - self.disputed - self.credit


@dataclass(frozen=True)
class Collectable:
	"""The answer: `outstanding` is `due` + `not_due` + `disputed` + `credit`.

	`due_since` is the first day of what is due, `due_next` that of what is not; None where there is nothing.
	"""

	outstanding: Decimal
	due: Decimal
	not_due: Decimal
	disputed: Decimal
	credit: Decimal
	due_since: date | None
	due_next: date | None
	parts: tuple[Part, ...]


def collectable(invoice: Invoice, today: date) -> Collectable:
	"""Divide what is outstanding. An instalment is due on its day. ValueError when money is owed on no day at all."""
	parts = _parts(invoice)
	due = [part for part in parts if part.claim and part.due <= today]
	later = [part for part in parts if part.claim and part.due > today]
	return Collectable(
		outstanding=_sum(part.outstanding for part in parts),
		due=_sum(part.claim for part in due),
		not_due=_sum(part.claim for part in later),
		disputed=_sum(part.disputed for part in parts),
		credit=_sum(part.credit for part in parts),
		due_since=due[0].due if due else None,
		due_next=later[0].due if later else None,
		parts=parts,
	)


def _parts(invoice: Invoice) -> tuple[Part, ...]:
	instalments = sorted(invoice.instalments, key=lambda instalment: instalment.due)
	opened = _open(instalments, max(invoice.outstanding, ZERO))
	disputed = _in_proportion(opened, sum(invoice.disputed, ZERO), invoice.places)
	free = [amount - waits for amount, waits in zip(opened, disputed, strict=True)]
	covered = spread(max(invoice.credit, ZERO), free)
	return tuple(
		Part(instalment.due, *amounts)
		for instalment, *amounts in zip(instalments, opened, disputed, covered, strict=True)
		if amounts[0]
	)


def _open(instalments: Sequence[Instalment], outstanding: Decimal) -> list[Decimal]:
	"""What is open of each: what was paid has settled the first ones.

	More outstanding than was ever agreed (a fee, a change of rate) belongs to the last.
	"""
	if not instalments:
		if outstanding:
			raise ValueError("an invoice with an amount outstanding has a day to pay it on")
		return []
	last_first = spread(outstanding, [instalment.amount for instalment in reversed(instalments)])
	last_first[0] += outstanding - sum(last_first, ZERO)
	return last_first[::-1]


def _in_proportion(opened: Sequence[Decimal], disputed: Decimal, places: int) -> list[Decimal]:
	"""Share out what is disputed, at most all that is open; sums are rounded, so that the shares add up."""
	total = sum(opened, ZERO)
	waiting = min(max(disputed, ZERO), total)
	shares, reached, given = [], ZERO, ZERO
	for amount in opened:
		reached += amount
		until = waiting if reached == total else round_money(waiting * reached / total, places)
		shares.append(until - given)
		given = until
	return shares


def _sum(amounts: Iterable[Decimal]) -> Decimal:
	return sum(amounts, ZERO)
