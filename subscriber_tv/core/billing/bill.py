"""The bill is a difference: what is expected less what is invoiced.

Days are compared, not amounts. Rows are gathered in cells: same line, same kind, same whole period, same Item (it
gives account and VAT), same price of the whole period, shared by days or not. Within a cell

    expected   |===============|              value V(E)
    invoiced        |==============|          value V(I), the rows that stand less our corrections
    charge     |----|                         V(kept + charged) - V(kept)
    credit                     |---|          V(I) - V(kept)

where V(days) is the price of the period times days over its days, rounded once: the parts of a period add up to
the whole. A row of which no day is expected any longer gives back all that is left on it.

What is left on a row is its amount less our corrections and less concessions. A concession (a standard credit note)
lowers expected and invoiced by the same amount, so it cancels out here: it never comes back as a charge, and it
caps what can still be credited. For the same reason an invoice amended by hand to another amount is left alone.

Days that another row of the line will bill once it is due keep their old row until then: a yearly price known to
rise in June is not credited in January.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from subscriber_tv.core.billing.base import Counted, with_base_of_payer
from subscriber_tv.core.billing.charges import expected_charges
from subscriber_tv.core.billing.claims import Claim, new_claim, standing_claims
from subscriber_tv.core.billing.deposits import Held
from subscriber_tv.core.billing.groups import GroupKey, gather
from subscriber_tv.core.billing.limits import MAX_ROWS, Limits, check_limits, split_by_age, without_waiting
from subscriber_tv.core.billing.payers import of_payer, own_rows
from subscriber_tv.core.billing.periods import Span, days_in, intersect, subtract, union
from subscriber_tv.core.billing.price import (
	BY_TOTAL,
	CORRECTION,
	EXIT_FEE,
	FAR,
	ONE_DAY,
	ONE_OFF,
	Expected,
	Offers,
	Price,
	Refused,
)
from subscriber_tv.core.billing.rows import Charge as Charge
from subscriber_tv.core.billing.rows import Correction as Correction
from subscriber_tv.core.billing.rows import Credit as Credit
from subscriber_tv.core.billing.rows import InvoicedRow as InvoicedRow
from subscriber_tv.core.billing.terms import NO_TERMS, Terms
from subscriber_tv.core.billing.totals import difference
from subscriber_tv.core.billing.usage import Usage
from subscriber_tv.core.contracts.timeline import Contract
from subscriber_tv.core.money import ZERO, plain


@dataclass(frozen=True)
class ContractFacts:
	"""All that is read of one contract before its bill is decided; `places` are the decimals of the currency.

	`mode_of_payment`, `po_no` and `separate` (see groups.py) tell which contracts share an invoice. `payer` is who is
	billed: of a contract that others paid or will pay, only his days (see payers.py); nobody named: all days.
	"""

	contract: Contract
	offers: Offers
	invoiced: tuple[InvoicedRow, ...] = ()
	currency: str = "EUR"
	places: int = 2
	terms: Terms = NO_TERMS
	usage: tuple[Usage, ...] = ()
	base: tuple[Counted, ...] = ()
	held: tuple[Held, ...] = ()
	mode_of_payment: str = ""
	po_no: str = ""
	separate: str = ""
	payer: str = ""

	@property
	def own(self) -> tuple[InvoicedRow, ...]:
		"""The rows that count as his: of the others' he knows the keys alone."""
		return own_rows(self.invoiced, self.payer, self.contract)

	@property
	def group(self) -> GroupKey:
		return GroupKey(self.currency, self.mode_of_payment, self.po_no, self.separate)


@dataclass(frozen=True)
class Bill:
	"""What to write for one contract, or for all contracts of one payer that share an invoice.

	Its credits are those of the same contracts, on whatever invoices; see documents.py. `late` is usage that is due and
	too old to be charged.
	"""

	group: GroupKey
	charges: tuple[Charge, ...] = ()
	credits: tuple[Credit, ...] = ()
	late: tuple[Charge, ...] = ()

	@property
	def currency(self) -> str:
		return self.group.currency

	@property
	def net(self) -> Decimal:
		charged = sum((charge.amount for charge in self.charges), ZERO)
		return charged - sum((credit.amount for credit in self.credits), ZERO)

	def __bool__(self) -> bool:
		return bool(self.charges or self.credits)


@dataclass(frozen=True)
class PayerBill:
	"""The bills of one payer, one a group, and what waits while the rest goes on: contracts refused, usage held back."""

	bills: tuple[Bill, ...] = ()
	refused: tuple[Refused, ...] = field(default=())
	late: tuple[Charge, ...] = ()


@dataclass
class _Cell:
	"""Days of one line, kind, whole period and price: those expected and those that rows cover."""

	expected: list[Expected] = field(default_factory=list)
	rows: list[InvoicedRow] = field(default_factory=list)

	@property
	def place(self) -> tuple[str, str]:
		"""Line and kind."""
		row = (self.expected or self.rows)[0]
		return (row.line, row.kind)

	def wanted(self) -> tuple[Span, ...]:
		return union(row.span for row in self.expected)

	def covered(self, floor: Span) -> tuple[Span, ...]:
		return intersect((span for row in self.rows for span in row.standing), [floor])


def decide(
	contracts: Iterable[ContractFacts], *, until: date, max_months: int, max_rows: int = MAX_ROWS
) -> PayerBill:
	"""Decide what one payer is invoiced and credited: periods that begin on or before `until`.

	`max_months` and `max_rows` are the safety limits, see limits.py; a contract beyond one is refused, as is one with a
	missing price. Charges come sorted by contract, line and day.
	"""
	due: list[Bill] = []
	late: list[Charge] = []
	refused = []
	contracts = sorted(contracts, key=lambda facts: facts.contract.subscription)
	for facts in with_base_of_payer(contracts):
		try:
			bill = bill_contract(facts, until=until, max_months=max_months, max_rows=max_rows)
		except Refused as refusal:
			refused.append(refusal)
			continue
		late += bill.late
		if bill:
			due.append(bill)
	groups = gather((bill.group, bill) for bill in due)
	return PayerBill(tuple(_consolidate(*group) for group in groups.items()), tuple(refused), tuple(late))


def expected_of(facts: ContractFacts, until: date) -> tuple[Expected, ...]:
	"""Every row that one contract should have been charged to its payer by `until`. Refused as for `expected_charges`."""
	rows = expected_charges(
		facts.contract, facts.offers, until, facts.terms, facts.places, facts.usage, facts.base, facts.held
	)
	return tuple(of_payer(rows, facts.payer, facts.contract.payers))


def bill_contract(facts: ContractFacts, *, until: date, max_months: int, max_rows: int = MAX_ROWS) -> Bill:
	"""The difference for one contract. Refused when a safety limit is passed or a price is missing."""
	horizon = max([until, *(row.span.end - ONE_DAY for row in facts.own)])
	expected = expected_of(facts, horizon)
	floor = Span(facts.contract.billed_through or date.min, FAR)
	claims = standing_claims(facts.invoiced)
	waiting = _waiting(expected, until)
	charges: list[Charge] = []
	credits: list[Credit] = []
	for cell in _cells(expected, facts.own, facts.offers):
		if cell.place[1] in BY_TOTAL:
			_settle_total(cell, until, facts.places, floor, claims, charges, credits)
			continue
		settlement = _Settlement(cell, facts, floor, claims)
		settlement.work(until, waiting.get(cell.place, ()))
		charges += settlement.charges
		credits += settlement.credits
	charges, late = split_by_age(charges, until, max_months)
	credits = without_waiting(credits, late)
	check_limits(
		facts.contract.subscription,
		facts.own,
		charges,
		credits,
		until=until,
		limits=Limits(max_months, max_rows),
		places=facts.places,
	)
	return Bill(
		facts.group,
		tuple(sorted(charges, key=lambda charge: (charge.claim.line, charge.span))),
		tuple(sorted(credits, key=lambda credit: (credit.row.invoice, credit.claim.line, credit.span))),
		tuple(late),
	)


def _consolidate(group: GroupKey, bills: Sequence[Bill]) -> Bill:
	return Bill(
		group,
		tuple(charge for bill in bills for charge in bill.charges),
		tuple(credit for bill in bills for credit in bill.credits),
	)


def _cells(expected: Sequence[Expected], invoiced: Sequence[InvoicedRow], offers: Offers) -> Iterable[_Cell]:
	cells: dict[tuple, _Cell] = defaultdict(_Cell)
	for row in expected:
		cells[_identity(row, offers)].expected.append(row)
	for row in invoiced:
		cells[_identity(row, offers)].rows.append(row)
	return cells.values()


def _identity(row: Expected | InvoicedRow, offers: Offers) -> tuple:
	"""A one-off charge is one for ever, whatever its day, Item or price: it is not repaired once billed."""
	if row.kind == ONE_OFF:
		return (row.line, row.kind)
	item = _item_of(row, offers)
	if row.kind in BY_TOTAL:
		return (row.line, row.kind, row.price.period, item, row.span.start)
	return (row.line, row.kind, row.price.period, item, row.price.prorate, plain(row.price.full_amount))


def _item_of(row: Expected | InvoicedRow, offers: Offers) -> str:
	"""The Item that the offer billed says today: one renamed since, or amended by hand on an invoice, is no other.

	An exit fee has that of its rule, whatever an accountant made of it afterwards.
	"""
	if row.kind == EXIT_FEE:
		return ""
	charges = offers.get(row.price.offer_version, ())
	return next((one.item for one in charges if one.code == row.price.charge_code), row.price.item)


def _waiting(expected: Sequence[Expected], until: date) -> dict[tuple[str, str], list[Span]]:
	"""Days by line and kind that a row not yet due is going to bill."""
	waiting: dict[tuple[str, str], list[Span]] = defaultdict(list)
	for row in expected:
		if row.due > until and row.price.full_amount:
			waiting[row.line, row.kind].append(row.span)
	return waiting


def _settle_total(
	cell: _Cell,
	until: date,
	places: int,
	floor: Span,
	claims: list[Claim],
	charges: list[Charge],
	credits: list[Credit],
) -> None:
	"""A cell whose rows are compared by what they come to, see totals.py."""
	rows = [row for row in cell.rows if row.span.start >= floor.start]
	to_charge, to_credit = difference(cell.expected, rows, until, places)
	for row, amount in to_charge:
		claim = new_claim(row.line, row.span, row.kind, claims)
		charges.append(Charge(row.subscription, claim, row.price, amount))
	for row, amount in to_credit:
		credits.append(Credit(row, new_claim(row.line, row.span, CORRECTION, claims), amount))


class _Settlement:
	"""Works out one cell: credits, then charges, again and again until nothing left to do comes to a cent.

	A few days of a tiny price may come to nothing. No row can say that they were seen to, so `days` counts them as
	they were: only then does the next run find them to be worth nothing as well.
	"""

	def __init__(self, cell: _Cell, facts: ContractFacts, floor: Span, claims: list[Claim]):
		self._facts = facts
		self._claims = claims
		self._covered = cell.covered(floor)
		self._cell = cell
		self._days = days_in(self._covered)
		self._left = {row.name: row.left for row in cell.rows}
		self._standing = {row.name: row.standing for row in cell.rows}
		self.charges: list[Charge] = []
		self.credits: list[Credit] = []

	def work(self, until: date, waiting: Sequence[Span]) -> None:
		"""Charge what is due by `until`; credit what nobody expects, except for days that are `waiting`."""
		to_charge = self._to_charge(until)
		to_credit = self._to_credit(waiting)
		before = -1
		while (to_charge or to_credit) and len(to_charge) + len(to_credit) != before:
			before = len(to_charge) + len(to_credit)
			to_credit = [part for part in to_credit if not self._credit(*part)]
			to_charge = [part for part in to_charge if not self._charge(*part)]

	def _one_off(self) -> bool:
		return bool(self._cell.expected) and self._cell.expected[0].kind == ONE_OFF

	def _to_charge(self, until: date) -> list[tuple[Expected, Span]]:
		if self._one_off() and self._covered:
			return []
		missing = subtract(self._cell.wanted(), self._covered)
		due = [row for row in self._cell.expected if row.due <= until] if missing else []
		return [(row, span) for row in due for span in intersect(missing, [row.span])]

	def _to_credit(self, waiting: Sequence[Span]) -> list[tuple[InvoicedRow, Span]]:
		if self._one_off():
			return []
		surplus = subtract(self._covered, (*self._cell.wanted(), *waiting))
		rows = sorted(self._cell.rows, key=lambda row: (row.span, row.name)) if surplus else []
		return [(row, span) for row in rows for span in intersect(self._standing[row.name], surplus)]

	def _charge(self, row: Expected, span: Span) -> bool:
		amount = self._value(row.price, self._days, self._days + span.days)
		if amount <= 0:
			return False
		self._days += span.days
		claim = new_claim(row.line, span, row.kind, self._claims)
		self.charges.append(Charge(row.subscription, claim, row.price, amount))
		return True

	def _credit(self, row: InvoicedRow, span: Span) -> bool:
		"""A row of which no day stands any longer gives back all that is left on it."""
		standing = subtract(self._standing[row.name], [span])
		amount = self._left[row.name]
		if standing:
			amount = min(self._value(row.price, self._days - span.days, self._days), amount)
		if amount <= 0:
			return False
		self._days -= span.days
		self._left[row.name] -= amount
		self._standing[row.name] = standing
		self.credits.append(Credit(row, new_claim(row.line, span, CORRECTION, self._claims), amount))
		return True

	def _value(self, price: Price, days: int, more: int) -> Decimal:
		places = self._facts.places
		return price.value_of(more, places) - price.value_of(days, places)
