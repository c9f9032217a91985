"""A scenario: contracts, what happened to them and when it became known, and the days on which bills are run.

Everything belongs to one payer and one currency. Amounts are Decimal, net of tax unless said otherwise; days are
those of the site; percentages are of a hundred.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from subscriber_tv.core.billing.terms import Discount
from subscriber_tv.core.contracts.commitment import Term
from subscriber_tv.core.pricing.models import PriceModel
from subscriber_tv.core.pricing.offered import LINE

START = "start"
CANCEL = "cancel"
PAUSE = "pause"
RESUME = "resume"
PRICE = "change_price"
QUANTITY = "change_quantity"
INTERVAL = "change_interval"
ANCHOR = "change_anchor"

#: What one event changes: two events of a contract on one day need an order when they change the same.
SERVICE = (START, CANCEL, PAUSE, RESUME)


@dataclass(frozen=True)
class Event:
	"""`effective` is the first day of the new state, `known` the first day a run knows of it.

	`line` is None for an event of the whole contract. `value` is the new price, quantity, interval or anchor day.
	"""

	contract: str
	line: str | None
	kind: str
	effective: date
	known: date
	order: int = 0
	value: PriceModel | int | None = None

	@property
	def place(self) -> tuple[date, int]:
		"""Where it stands in the timeline, whenever it became known."""
		return (self.effective, self.order)


@dataclass(frozen=True)
class LineTerms:
	"""One line as agreed at the start; without days of its own it is in force as long as the contract.

	`of` are the lines it is a percentage of. `counts_over` is the base that picks its tier, and `counts` names what is
	counted: lines that count the same belong to one base.
	"""

	id: str
	kind: str
	price: PriceModel
	quantity: int
	start: date | None
	end: date | None
	arrears: bool
	prorate: bool
	tax_percent: Decimal
	discounts: tuple[Discount, ...] = ()
	minimum: Decimal | None = None
	of: tuple[str, ...] = ()
	counts_over: str = LINE
	counts: str = ""


@dataclass(frozen=True)
class ContractTerms:
	"""One contract as agreed at the start; `start` may be left to an event."""

	id: str
	start: date | None
	end: date | None
	anchor_day: int | None
	interval_months: int
	calendar_aligned: bool
	trial_days: int
	billed_through: date | None
	tax_percent: Decimal
	lines: tuple[LineTerms, ...]
	discounts: tuple[Discount, ...] = ()
	minimum: Decimal | None = None
	term: Term | None = None


@dataclass(frozen=True)
class Billed:
	"""A row invoiced before the first run, on the day `date`. `path` is where the scenario says so."""

	path: str
	contract: str
	line: str
	kind: str
	start: date
	end: date
	amount: Decimal
	date: date


@dataclass(frozen=True)
class Used:
	"""A record of usage of one day, known to runs on `known` or later."""

	contract: str
	line: str
	day: date
	quantity: Decimal
	known: date


@dataclass(frozen=True)
class GroupStep:
	"""What the other payers of the group have of what is counted as `counts`, from a day on."""

	counts: str
	start: date
	quantity: int
	known: date


@dataclass(frozen=True)
class Scenario:
	"""`paid` is what was paid on the rows of `billed`, with tax; None: all of it. `tax_by_row`: one rounding a row."""

	currency: str
	contracts: tuple[ContractTerms, ...]
	timeline: tuple[Event, ...]
	runs: tuple[date, ...]
	tax_by_row: bool = True
	billed: tuple[Billed, ...] = ()
	paid: Decimal | None = None
	mrr_dates: tuple[date, ...] = ()
	usage: tuple[Used, ...] = ()
	group: tuple[GroupStep, ...] = ()

	def tax_percent(self, contract: str, line: str) -> Decimal:
		"""Of a line, or of the whole contract for what belongs to no line."""
		terms = next(terms for terms in self.contracts if terms.id == contract)
		found = (one.tax_percent for one in terms.lines if one.id == line)
		return next(found, terms.tax_percent)
