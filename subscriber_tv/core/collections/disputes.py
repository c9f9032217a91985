"""Disputes on invoice rows: their states, how much may be disputed, and how much may be granted.

	raise        review           accept
	-----> Open -----> Under Review -----> Accepted     a credit note gives back what was granted
	         |              |  ^               |
	         |              |  +---------------+ reopen: its credit note was cancelled
	         +--------------+-- reject ---> Rejected    }
	                        |-- withdraw -> Withdrawn   } the amount is asked for again
	                        +-- close ----> Closed      the invoice was cancelled

A row can be disputed up to what is left on it: its amount less our corrections, less concessions, less what other
open disputes hold. Payments do not count: they settle invoices and not rows, and a payer who was debited may be right
all the same; what is granted then stays on his account. Amounts are Decimal, net of VAT as rows are, in the currency of
the invoice.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from subscriber_tv.core.money import ZERO, round_money

OPEN = "Open"
UNDER_REVIEW = "Under Review"
ACCEPTED = "Accepted"
REJECTED = "Rejected"
WITHDRAWN = "Withdrawn"
CLOSED = "Closed"

STATES = (OPEN, UNDER_REVIEW, ACCEPTED, REJECTED, WITHDRAWN, CLOSED)
#: States in which the amount waits.
WAITING = (OPEN, UNDER_REVIEW)

TRANSITIONS: Mapping[tuple[str | None, str], str] = {
	(None, "raise"): OPEN,
	(OPEN, "review"): UNDER_REVIEW,
	(ACCEPTED, "reopen"): UNDER_REVIEW,
	**{(state, "accept"): ACCEPTED for state in WAITING},
	**{(state, "reject"): REJECTED for state in WAITING},
	**{(state, "withdraw"): WITHDRAWN for state in WAITING},
	**{(state, "close"): CLOSED for state in WAITING},
}
EVENTS = tuple(dict.fromkeys(event for _, event in TRANSITIONS))

#: Events that no button causes.
OF_ITSELF = ("raise", "reopen", "close")


class NotNow(Exception):
	"""The event does not fit the state of the dispute; `allowed` do."""

	def __init__(self, state: str, event: str):
		super().__init__(f"{event} in {state}")
		self.state = state
		self.event = event
		self.allowed = allowed_events(state)


class NotDisputable(Exception):
	"""An amount that cannot be disputed or granted. `row` names the invoice row, `amount` what would be possible.

	Codes: no_rows, unknown_row, twice, not_positive, places, nothing_left, too_much; in a grant also
	nothing_granted and row_left_out.
	"""

	def __init__(self, code: str, row: str = "", amount: Decimal = ZERO):
		super().__init__(f"{code} {row}")
		self.code = code
		self.row = row
		self.amount = amount


@dataclass(frozen=True)
class Row:
	"""An invoice row and what has been taken off it; every amount is positive.

	`disputed` is what open disputes hold of it, `with_tax` what the row comes to with its share of the taxes.
	"""

	name: str
	billed: Decimal
	corrected: Decimal = ZERO
	conceded: Decimal = ZERO
	disputed: Decimal = ZERO
	with_tax: Decimal = ZERO

	@property
	def standing(self) -> Decimal:
		"""What the payer still owes for the row, disputed or not."""
		return max(self.billed - self.corrected - self.conceded, ZERO)

	@property
	def left(self) -> Decimal:
		"""The most that can still be disputed."""
		return max(self.standing - self.disputed, ZERO)


@dataclass(frozen=True)
class Claimed:
	"""What one dispute holds of one row: net, and with the row's share of the taxes."""

	row: str
	amount: Decimal
	with_tax: Decimal


def next_state(state: str | None, event: str) -> str:
	"""The state after the event. NotNow when the table has none."""
	try:
		return TRANSITIONS[state, event]
	except KeyError:
		raise NotNow(state or "", event) from None


def allowed_events(state: str) -> tuple[str, ...]:
	"""What staff may do in a state."""
	return tuple(event for event in EVENTS if (state, event) in TRANSITIONS and event not in OF_ITSELF)


def claim(
	rows: Sequence[Row], asked: Sequence[tuple[str, Decimal | None]], places: int
) -> tuple[Claimed, ...]:
	"""What a new dispute holds. `asked` are rows by name with an amount, None for all that is left of the row.

	NotDisputable when nothing, too much, or a row that is not there is asked for.
	"""
	by_name = {row.name: row for row in rows}
	_check_names([name for name, _ in asked], by_name)
	if not asked:
		raise NotDisputable("no_rows")
	return tuple(_claimed(by_name[name], amount, places) for name, amount in asked)


def claim_all(rows: Iterable[Row]) -> list[tuple[str, None]]:
	"""The whole invoice: every row that anything is left of."""
	return [(row.name, None) for row in rows if row.left > 0]


def grant(
	held: Sequence[Claimed], rows: Sequence[Row], granted: Mapping[str, Decimal] | None, places: int
) -> dict[str, Decimal]:
	"""What is given back by row, rows without anything left out. `granted` names every row held; None grants all.

	At most what the dispute holds, and at most what is still owed for the row: a correction may have come since.
	NotDisputable when more is granted, or nothing at all (that is a rejection).
	"""
	by_name = {row.name: row for row in rows}
	if granted is None:
		granted = {part.row: min(part.amount, by_name[part.row].standing) for part in held}
	_check_names(list(granted), {part.row: part for part in held})
	for part in held:
		_check_granted(part, by_name[part.row], granted, places)
	given = {name: amount for name, amount in granted.items() if amount > 0}
	if not given:
		raise NotDisputable("nothing_granted")
	return given


def waiting(held: Iterable[Claimed], rows: Iterable[Row], places: int) -> list[Decimal]:
	"""What open disputes keep from being asked for, with taxes, one amount a part of `held`.

	A correction made meanwhile may leave less of a row than is disputed: nobody waits for what is no longer owed.
	"""
	standing = {row.name: row.standing for row in rows}
	amounts = []
	for part in held:
		kept = min(part.amount, standing.get(part.row, ZERO))
		standing[part.row] = standing.get(part.row, ZERO) - kept
		amounts.append(round_money(part.with_tax * kept / part.amount, places) if kept else ZERO)
	return amounts


def with_taxes(nets: Sequence[tuple[Decimal, Decimal]], total: Decimal, places: int) -> list[Decimal]:
	"""What each row comes to with taxes; together they come to `total`, what the invoice asks for.

	`nets` are the net amount of each row and its tax rate in percent. Taxes that follow no rate, and the cents of
	rounding, are shared in proportion.
	"""
	weights = [net * (100 + rate) for net, rate in nets]
	whole = sum(weights, ZERO)
	if not whole:
		return [ZERO for _ in nets]
	shares, reached, given = [], ZERO, ZERO
	for weight in weights:
		reached += weight
		until = total if reached == whole else round_money(total * reached / whole, places)
		shares.append(until - given)
		given = until
	return shares


def _check_names(names: Collection[str], known: Mapping) -> None:
	seen: set[str] = set()
	for name in names:
		if name not in known:
			raise NotDisputable("unknown_row", name)
		if name in seen:
			raise NotDisputable("twice", name)
		seen.add(name)


def _claimed(row: Row, amount: Decimal | None, places: int) -> Claimed:
	if row.left <= 0:
		raise NotDisputable("nothing_left", row.name)
	amount = row.left if amount is None else amount
	if amount <= 0:
		raise NotDisputable("not_positive", row.name)
	if round_money(amount, places) != amount:
		raise NotDisputable("places", row.name)
	if amount > row.left:
		raise NotDisputable("too_much", row.name, row.left)
	return Claimed(row.name, amount, round_money(row.with_tax * amount / row.billed, places))


def _check_granted(part: Claimed, row: Row, granted: Mapping[str, Decimal], places: int) -> None:
	if part.row not in granted:
		raise NotDisputable("row_left_out", part.row)
	amount, most = granted[part.row], min(part.amount, row.standing)
	if amount < 0:
		raise NotDisputable("not_positive", part.row)
	if round_money(amount, places) != amount:
		raise NotDisputable("places", part.row)
	if amount > most:
		raise NotDisputable("too_much", part.row, most)
