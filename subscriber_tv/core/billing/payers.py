"""Whose bill a row stands on when the payer of a contract changes.

	payer     |------ parent company ------|------ hotel ------
	period         |======== March ========|
	rows           |== to the parent ==|== to the hotel ==|
	                                 16 March

Days before the change belong to the old payer, from its day on to the new one: what the old one was billed beyond is
credited to him, and charged to the new one. What cannot be cut by days belongs to whoever pays on its first day.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Protocol, TypeVar

from subscriber_tv.core.billing.discounts import cut
from subscriber_tv.core.billing.periods import Span, intersect
from subscriber_tv.core.billing.price import BY_TOTAL, FAR, ONE_OFF, Expected
from subscriber_tv.core.contracts.timeline import Contract


class Invoiced(Protocol):
	"""What is read of an invoiced row: on whose invoice it stands, and its days."""

	payer: str
	span: Span


Row = TypeVar("Row", bound=Invoiced)


def spans_paid_by(payer: str, payers: Sequence[tuple[date, str]]) -> tuple[Span, ...]:
	"""The days `payer` pays for; `payers` are in order of time, the first from the beginning."""
	ends = [start for start, _ in payers[1:]] + [FAR]
	return tuple(
		Span(start, end)
		for (start, who), end in zip(payers, ends, strict=True)
		if who == payer and start < end
	)


def paid_by(
	names: Collection[str], days: Iterable[Span], payers: Sequence[tuple[date, str]]
) -> tuple[Span, ...]:
	"""Those of `days` that one of `names` pays for; all when nobody is named, or nobody else ever pays."""
	if not names or all(who in ("", *names) for _, who in payers):
		return tuple(days)
	return intersect(days, [span for name in names for span in spans_paid_by(name, payers)])


def of_payer(rows: Sequence[Expected], payer: str, payers: Sequence[tuple[date, str]]) -> Sequence[Expected]:
	"""The rows, and parts of rows, that `payer` is billed; all of them when nobody else pays or none is named."""
	if not payer or all(who in ("", payer) for _, who in payers):
		return rows
	paid = spans_paid_by(payer, payers)
	days = [start for start, _ in payers[1:]]
	parts = (part for row in rows for part in ([row] if _whole(row) else cut(row, days)))
	return [part for part in parts if any(span.start <= part.span.start < span.end for span in paid)]


def own_rows(rows: tuple[Row, ...], payer: str, contract: Contract) -> tuple[Row, ...]:
	"""The invoiced rows that count for `payer`.

	A row on the invoice of somebody who never was the payer, an invoice put right by hand, counts for whoever pays
	for its days: they are billed.
	"""
	if not payer or contract.ever_payers <= {payer}:
		return rows
	return tuple(row for row in rows if _owner(row, contract) == payer)


def _owner(row: Row, contract: Contract) -> str:
	return row.payer if row.payer in contract.ever_payers else contract.payer_on(row.span.start)


def _whole(row: Expected) -> bool:
	return row.kind == ONE_OFF or row.kind in BY_TOTAL
