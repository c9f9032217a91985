"""What a standard ERPNext Subscription becomes here, or why it cannot be taken over. Pure: problems are returned.

ERPNext's days include the last one; those of the answer are half-open. Prices are net of tax, in the currency of the
plan. The rule that matters: `billed_through` is the day after the last one ERPNext has invoiced, so that nothing is
billed twice and nothing is left out, whatever its own current period says.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from subscriber_tv.core.billing.periods import Grid, clamped
from subscriber_tv.core.catalogue.offer import MAX_INTERVAL_MONTHS

ONE_DAY = timedelta(days=1)

CUSTOMER = "Customer"
AT_THE_END = "End of the current subscription period"
DAYS_BEFORE = "Days before the current subscription period"
MONTHLY_RATE = "Monthly Rate"
PRICE_LIST = "Based On Price List"
MONTHS = {"Month": 1, "Year": 12}


@dataclass(frozen=True)
class Plan:
	"""One plan of a Subscription: `rate` is what ERPNext takes for one unit, a month of it at the Monthly Rate."""

	name: str
	item: str
	currency: str
	rate: Decimal
	interval: str
	count: int
	quantity: int
	determination: str = "Fixed Rate"

	@property
	def months(self) -> int:
		"""Length of a period in months; 0 when it is counted in days or weeks."""
		return MONTHS.get(self.interval, 0) * self.count

	@property
	def price(self) -> Decimal:
		"""Price of one unit for a whole period."""
		return self.rate * self.months if self.determination == MONTHLY_RATE else self.rate


@dataclass(frozen=True)
class Invoice:
	"""A Sales Invoice of a Subscription that is not cancelled; `first` and `last` day as ERPNext holds them."""

	name: str
	draft: bool
	is_return: bool
	first: date | None
	last: date | None


@dataclass(frozen=True)
class Standard:
	"""All that is read of a standard Subscription."""

	name: str
	party_type: str
	company: str
	start: date | None
	plans: tuple[Plan, ...]
	invoices: tuple[Invoice, ...] = ()
	end: date | None = None
	trial_end: date | None = None
	current_end: date | None = None
	generate_at: str = ""
	cancel_at_period_end: bool = False
	discounted: bool = False
	tax_included: bool = False
	calendar_months: bool = False


@dataclass(frozen=True)
class Finding:
	"""A reason or a remark: its code, the record it is about, and up to two days."""

	code: str
	value: str = ""
	first: date | None = None
	last: date | None = None


@dataclass(frozen=True)
class TakenLine:
	"""One line of the new contract: units of an item at a price for a whole period."""

	plan: str
	item: str
	price: Decimal
	interval_months: int
	quantity: int


@dataclass(frozen=True)
class TakeOver:
	"""The contract to open: served since `activated_on`, billed by ERPNext up to `billed_through` (not included).

	`end` is the first day no longer served, None while open.
	"""

	lines: tuple[TakenLine, ...]
	currency: str
	arrears: bool
	start: date
	activated_on: date
	billed_through: date
	anchor_day: int
	trial_days: int = 0
	end: date | None = None
	remarks: tuple[Finding, ...] = field(default=())


def take_over(standard: Standard, today: date) -> TakeOver | list[Finding]:
	"""The contract that goes on where ERPNext stopped, or all reasons why there is none."""
	reasons = [*_reasons_of_terms(standard, today), *_reasons_of_plans(standard.plans)]
	reasons += [Finding("draft_invoice", invoice.name) for invoice in standard.invoices if invoice.draft]
	if reasons:
		return reasons
	billed_through = _billed_through(standard)
	months = standard.plans[0].months
	anchor_day = _anchor_day(standard, billed_through)
	activated_on = _activated_on(standard, billed_through, anchor_day, months)
	if activated_on > today:
		return [Finding("trial_running", first=billed_through)]
	in_trial = billed_through > today and standard.trial_end is not None and activated_on == standard.start
	return TakeOver(
		lines=tuple(
			TakenLine(plan.name, plan.item, plan.price, plan.months, plan.quantity) for plan in standard.plans
		),
		currency=standard.plans[0].currency,
		arrears=standard.generate_at == AT_THE_END,
		start=standard.start,
		activated_on=activated_on,
		billed_through=billed_through,
		anchor_day=anchor_day,
		trial_days=(standard.trial_end + ONE_DAY - standard.start).days if in_trial else 0,
		end=_end(standard),
		remarks=tuple(_remarks(standard, billed_through, today)),
	)


def _reasons_of_terms(standard: Standard, today: date) -> list[Finding]:
	reasons = []
	if standard.party_type != CUSTOMER:
		reasons.append(Finding("party_type", standard.party_type))
	if not standard.company:
		reasons.append(Finding("no_company"))
	if standard.start is None:
		reasons.append(Finding("no_start"))
	elif standard.start > today:
		reasons.append(Finding("not_started", first=standard.start))
	if standard.discounted:
		reasons.append(Finding("additional_discount"))
	if standard.tax_included:
		reasons.append(Finding("tax_included"))
	return reasons


def _reasons_of_plans(plans: Sequence[Plan]) -> list[Finding]:
	if not plans:
		return [Finding("no_plans")]
	reasons = [reason for plan in plans for reason in _reasons_of_plan(plan)]
	if len({plan.months for plan in plans}) > 1:
		reasons.append(Finding("mixed_intervals"))
	if len({plan.currency for plan in plans}) > 1:
		reasons.append(Finding("mixed_currencies"))
	return reasons


def _reasons_of_plan(plan: Plan) -> Iterator[Finding]:
	if not plan.months:
		yield Finding("interval", plan.name)
	elif plan.months > MAX_INTERVAL_MONTHS:
		yield Finding("long_interval", plan.name)
	if plan.rate <= 0:
		yield Finding("no_price", plan.name)
	if plan.quantity < 1:
		yield Finding("no_quantity", plan.name)


def _periods(standard: Standard) -> list[tuple[date, date]]:
	"""Invoiced days as half-open periods, in order of time."""
	return sorted(
		(invoice.first, invoice.last + ONE_DAY)
		for invoice in standard.invoices
		if not invoice.is_return and invoice.first and invoice.last
	)


def _begins(standard: Standard) -> date:
	"""The first day ERPNext bills: the one after the trial, else the start."""
	if standard.trial_end and standard.trial_end > standard.start:
		return standard.trial_end + ONE_DAY
	return standard.start


def _billed_through(standard: Standard) -> date:
	return max((end for _start, end in _periods(standard)), default=_begins(standard))


def _anchor_day(standard: Standard, billed_through: date) -> int:
	"""The day of the month on which ERPNext would have gone on; the original one where a short month has only bent it.

	start 31 Jan, invoiced until 27 Feb: it would go on each 28th, we do on 28 Feb and on 31 Mar.
	"""
	if standard.calendar_months:
		return 1
	wanted = _begins(standard).day
	bent = clamped(billed_through.year * 12 + billed_through.month - 1, wanted)
	return wanted if bent == billed_through else billed_through.day


def _activated_on(standard: Standard, billed_through: date, anchor_day: int, months: int) -> date:
	"""A first day of service from which the periods come to a boundary on `billed_through`.

	The true start when it does, else the period ERPNext invoiced last or the one that ends there.
	"""
	last = [start for start, end in _periods(standard) if end == billed_through]
	before = clamped(billed_through.year * 12 + billed_through.month - 1 - months, anchor_day)
	for day in (standard.start, _begins(standard), *last, before):
		if day <= billed_through and _meets(Grid(day, anchor_day, months), billed_through):
			return day
	return billed_through


def _meets(grid: Grid, day: date) -> bool:
	return any(period.start == day for period in grid.periods(day, day))


def _end(standard: Standard) -> date | None:
	if standard.cancel_at_period_end and standard.current_end:
		last = min(standard.current_end, standard.end or standard.current_end)
		return last + ONE_DAY
	return standard.end + ONE_DAY if standard.end else None


def _remarks(standard: Standard, billed_through: date, today: date) -> Iterator[Finding]:
	"""What whoever imports should look at although it hinders nothing."""
	for (_start, before_end), (after_start, _end) in itertools.pairwise(_periods(standard)):
		if before_end < after_start:
			yield Finding("never_invoiced", first=before_end, last=after_start - ONE_DAY)
	if billed_through < today:
		yield Finding("catch_up", first=billed_through, last=today)
	for invoice in standard.invoices:
		if invoice.is_return:
			yield Finding("credited", invoice.name)
		elif not (invoice.first and invoice.last):
			yield Finding("no_period", invoice.name)
	yield from _remarks_of_plans(standard.plans)
	if standard.generate_at == DAYS_BEFORE:
		yield Finding("days_before")


def _remarks_of_plans(plans: Sequence[Plan]) -> Iterator[Finding]:
	for plan in plans:
		if plan.determination == MONTHLY_RATE and plan.months > 12:
			yield Finding("monthly_rate", plan.name)
		if plan.determination == PRICE_LIST:
			yield Finding("price_list", plan.name)
