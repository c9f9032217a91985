"""Rows compared by what they come to: usage of a period, deposits of a day.

The days of such a row do not share its amount, so what is expected for them is compared with what stands invoiced: what
is missing is a row of its own on the same days, what is too much is credited on the rows that stand, the last first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Protocol

from subscriber_tv.core.billing.price import DEPOSIT, Expected, Price
from subscriber_tv.core.money import ZERO


class _Amount(Protocol):
	amount: Decimal


class Row(Protocol):
	"""What is read of an invoiced row: its price when it was billed, our corrections and what is left on it."""

	price: Price
	revision: int
	corrections: Sequence[_Amount]

	@property
	def left(self) -> Decimal: ...


def difference(
	expected: Sequence[Expected], rows: Iterable[Row], until: date, places: int
) -> tuple[list[tuple[Expected, Decimal]], list[tuple[Row, Decimal]]]:
	"""What to charge and what to credit for the rows of one line, kind, period and first day, by `until`.

	What was decided for a row counts as invoiced even if someone amended it or gave a part of it back: neither is ever
	billed again. Usage whose period is not closed yet is left alone.
	"""
	rows = list(rows)
	due = [row for row in expected if row.due <= until]
	if expected and not due:
		return [], []
	held = [row for row in due if row.kind != DEPOSIT or until < row.closes]
	wanted = _together(held, ZERO).price.value_of(1, places) if held else ZERO
	standing = sum((_standing(row, places) for row in rows), ZERO)
	if wanted > standing:
		return [(_together(held, standing), wanted - standing)], []
	return [], list(_taken_back(rows, standing - wanted))


def _standing(row: Row, places: int) -> Decimal:
	return row.price.value_of(1, places) - sum((done.amount for done in row.corrections), ZERO)


def _together(held: Sequence[Expected], standing: Decimal) -> Expected:
	"""One row for all of it, rounded once, that tells how much of it was billed before."""
	quantity = sum(row.price.quantity for row in held)
	return replace(held[0], price=replace(held[0].price, quantity=quantity, already=standing))


def _taken_back(rows: Iterable[Row], surplus: Decimal) -> Iterable[tuple[Row, Decimal]]:
	for row in sorted(rows, key=lambda row: row.revision, reverse=True):
		amount = min(surplus, row.left)
		if amount > 0:
			surplus -= amount
			yield row, amount
