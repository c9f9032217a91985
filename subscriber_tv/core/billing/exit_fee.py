"""What leaving before the end of a term costs: a part of the recurring charges that would have come until then.

	term      |--------------- 24 months ---------------|
	served    |==========|
	remains              |--- 100 % ---|----- 20 % -----|
	         start      exit       month 12          term ends

The fee is expected like any other row, so a withdrawn cancellation credits it and a later end makes it smaller. So does
coming back within the term: days served again are charged as such, and nothing remains of them. Who leaves the same term
again owes for what remains then, but the flat part only once, and no more than the cap for all his leavings of it together.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal

from subscriber_tv.core.billing.periods import Span, later
from subscriber_tv.core.billing.price import EXIT_FEE, FAR, FLAT, RECURRING, Expected, Price, line_key
from subscriber_tv.core.contracts.commitment import Bound, ExitRule, bound_on
from subscriber_tv.core.contracts.states import ACTIVE, CANCELLED, billable
from subscriber_tv.core.contracts.timeline import Change, Contract, StateSpan
from subscriber_tv.core.money import ZERO, plain, round_money

#: Stands in the place of a line and of a charge in the name of the row.
EXIT = "EXIT"

#: The rows of a contract up to a day, as the engine expects them.
Charged = Callable[[Contract, date], Iterable[Expected]]


def exit_rows(contract: Contract, places: int, charged: Charged) -> list[Expected]:
	"""One row for each time the contract was, or will be, left before the end of a term. See `ExitRule`."""
	commitment = contract.agreed.commitment
	if commitment is None or commitment.exit_rule is None:
		return []
	rule = commitment.exit_rule
	found: list[Expected] = []
	owed: dict[Bound, Decimal] = {}
	for day, free in _ends(contract):
		bound = bound_on(contract.bounds(), day)
		if bound is None or free or (bound.renewed and not rule.renewed):
			continue
		if row := _row(contract, _left_of(rule, owed.get(bound)), day, bound, places, charged):
			owed[bound] = owed.get(bound, ZERO) + row.price.unit_price
			found.append(row)
	return found


def _left_of(rule: ExitRule, owed: Decimal | None) -> ExitRule:
	"""The rule for one more leaving of a term, of which `owed` is due for earlier ones; None: this is the first."""
	if owed is None:
		return rule
	return replace(rule, flat=ZERO, cap=None if rule.cap is None else max(rule.cap - owed, ZERO))


def _ends(contract: Contract) -> Iterator[tuple[date, bool]]:
	"""The first day no longer served of each service, with whether leaving then is free."""
	free = _free_days(contract)
	before = None
	for span in contract.spans:
		if span.state == CANCELLED and before and billable(before.state):
			yield span.start, span.start in free
		before = span


def _free_days(contract: Contract) -> set[date]:
	"""The ends that cost nothing, as agreed when they were asked for; the last word on a day counts."""
	free: dict[date, bool] = {}
	asked: Change | None = None
	for change in contract.changes:
		if change.event == "cancel_at_date" and change.end:
			asked = change
			free[change.end] = change.free
		elif change.event == "end":
			agreed = asked is not None and asked.end == change.effective and asked.free
			free[change.effective] = change.free or agreed
			asked = None
	return {day for day, is_free in free.items() if is_free}


def _row(
	contract: Contract, rule: ExitRule, day: date, bound: Bound, places: int, charged: Charged
) -> Expected | None:
	"""The fee for leaving on `day`; None where nothing remains to be charged."""
	start = contract.activated_on
	assert start is not None
	counted = later(start, rule.most_months) if rule.most_months else bound.end
	until = min(bound.end, _back_on(contract, day))
	rest = Span(day, min(until, counted))
	rows = [row for row in charged(_going_on(contract, day), rest.end) if row.kind == RECURRING]
	full = later(start, rule.first_months)
	within = _value(rows, Span(day, min(full, rest.end)), places)
	after = _value(rows, Span(max(day, full), rest.end), places)
	fee = round_money(
		(within * rule.percent_within + after * rule.percent_after) / 100
		+ (rule.flat if rest.days else ZERO),
		places,
	)
	if rule.cap is not None:
		fee = min(fee, rule.cap)
	if fee <= 0:
		return None
	span = Span(day, until)
	why = {
		"rule": rule.name,
		"term_from": bound.start.isoformat(),
		"term_to": bound.end.isoformat(),
		"rest_within": plain(within),
		"percent_within": plain(rule.percent_within),
		"first_months": str(rule.first_months),
		"rest_after": plain(after),
		"percent_after": plain(rule.percent_after),
		"flat": plain(rule.flat),
		"cap": plain(rule.cap) if rule.cap is not None else "",
	}
	price = Price(
		offer_version=contract.lines[0].offer_version,
		charge_code=EXIT,
		item=rule.item,
		model=FLAT,
		unit_price=fee,
		quantity=1,
		interval_months=0,
		period=span,
		description=rule.description,
		prorate=False,
		why=tuple(why.items()),
	)
	key = line_key(contract.subscription, EXIT, EXIT)
	return Expected(contract.subscription, key, EXIT_FEE, span, price, due=day, closes=span.end)


def _back_on(contract: Contract, day: date) -> date:
	"""The first day served again after leaving on `day`."""
	return next((start for start, _ in contract.served() if start > day), FAR)


def _going_on(contract: Contract, day: date) -> Contract:
	"""The same contract, had nobody left: served from `day` on, and bound to nothing."""
	spans = [span for span in contract.spans if span.start < day]
	return replace(
		contract,
		spans=(*spans, StateSpan(ACTIVE, day)),
		end_date=None,
		agreed=replace(contract.agreed, commitment=None),
	)


def _value(rows: Iterable[Expected], days: Span, places: int) -> Decimal:
	if not days.days:
		return ZERO
	met = ((row, row.span.meet(days)) for row in rows)
	return sum((row.price.value_of(span.days, places) for row, span in met if span), ZERO)
