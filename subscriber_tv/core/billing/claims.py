"""The claim on a billed period: a key that the database lets exist once.

The claim decides nothing about amounts (those are read from the invoice rows alone); it makes a race between two
writers harmless, because the second insert of the same key fails inside the second invoice's transaction.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from subscriber_tv.core.billing.periods import Span
from subscriber_tv.core.billing.price import CORRECTION, ONE_DAY, ONE_OFF

MAX_NAME = 140  # length of a document name


@dataclass(frozen=True)
class Claim:
	"""What one invoice row covers. `revision` counts how often the same days were billed anew after a credit."""

	line: str
	start: date
	end: date
	kind: str
	revision: int = 0

	@property
	def name(self) -> str:
		name = "|".join(
			(self.line, self.start.isoformat(), self.end.isoformat(), self.kind, str(self.revision))
		)
		if len(name) > MAX_NAME:
			raise ValueError(f"the key {name} is longer than {MAX_NAME} characters: shorten the charge code")
		return name


def next_revision(line: str, start: date, end: date, kind: str, standing: Iterable[Claim]) -> int:
	"""The revision for a new row: one above the highest among the standing rows of the same days and kind.

	Two writers that see the same standing rows compute the same key, and only one of them can insert it.
	"""
	taken = (
		claim.revision
		for claim in standing
		if (claim.line, claim.start, claim.end, claim.kind) == (line, start, end, kind)
	)
	return max(taken, default=-1) + 1


class _InvoicedRow(Protocol):
	line: str
	kind: str
	span: Span
	revision: int
	corrections: Sequence


def standing_claims(invoiced: Iterable[_InvoicedRow]) -> list[Claim]:
	"""Keys that exist already: those of the rows, and those of our corrections of them."""
	claims = []
	for row in invoiced:
		claims.append(Claim(row.line, row.span.start, row.span.end, row.kind, row.revision))
		claims += [
			Claim(row.line, done.span.start, done.span.end, CORRECTION, done.revision)
			for done in row.corrections
		]
	return claims


def new_claim(line: str, span: Span, kind: str, claims: list[Claim]) -> Claim:
	"""The next free key, added to `claims` so that the same bill does not take it twice."""
	claim = Claim(line, span.start, span.end, kind, next_revision(line, span.start, span.end, kind, claims))
	claims.append(claim)
	return claim


def taken(claim: Claim, standing: Iterable[Claim]) -> Claim | None:
	"""The standing row that bills a day of `claim` already, whatever its own days are; None when there is none.

	A day that was billed and corrected as often is free. A one-off charge is one, whatever its day.
	"""
	same = [other for other in standing if other.line == claim.line]
	charged = sorted(
		(other for other in same if other.kind == claim.kind), key=lambda other: (other.start, other.end)
	)
	corrected = [other for other in same if other.kind == CORRECTION]
	if claim.kind == ONE_OFF:
		return charged[0] if len(charged) > len(corrected) else None
	day = claim.start
	while day < claim.end:
		holders = [other for other in charged if other.start <= day < other.end]
		if len(holders) > sum(other.start <= day < other.end for other in corrected):
			return holders[-1]
		day += ONE_DAY
	return None
