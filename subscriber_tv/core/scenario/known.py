"""What a run knows on its day: the contract and its prices, folded from the events known by then.

Events take effect in the order of their days, whatever the order in which they became known. The result is what
every bill is decided from, the same plain values that a site loads from its database.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from subscriber_tv.core.billing.base import Counted, with_base_of_payer
from subscriber_tv.core.billing.bill import ContractFacts
from subscriber_tv.core.billing.chain import PERIODIC
from subscriber_tv.core.billing.periods import Span, intersect
from subscriber_tv.core.billing.price import FAR, OfferCharge
from subscriber_tv.core.billing.terms import Terms
from subscriber_tv.core.billing.usage import Usage
from subscriber_tv.core.contracts.states import ACTIVE, CANCELLED
from subscriber_tv.core.contracts.timeline import Contract, Line, StateSpan
from subscriber_tv.core.money import ZERO, places_of
from subscriber_tv.core.pricing.offered import GROUP
from subscriber_tv.core.scenario.model import (
	ANCHOR,
	CANCEL,
	INTERVAL,
	PAUSE,
	PRICE,
	QUANTITY,
	RESUME,
	START,
	ContractTerms,
	Event,
	GroupStep,
	LineTerms,
	Scenario,
)

#: The one charge of a line of a scenario.
CHARGE = "PRICE"

Steps = Sequence[tuple[date, Any]]


def facts_on(scenario: Scenario, terms: ContractTerms, day: date) -> ContractFacts:
	"""The facts of one contract as a run on `day` knows them, nothing invoiced."""
	events = [event for event in scenario.timeline if event.contract == terms.id and event.known <= day]
	whole = [event for event in events if event.line is None]
	served = _on_spans(terms.start, terms.end, whole)
	lines, offers = [], {}
	for line in terms.lines:
		for one, charge in _parts(line, terms, events, served, scenario.timeline):
			lines.append(one)
			offers[one.offer_version] = (charge,)
	return ContractFacts(
		contract=_contract(terms, served, tuple(lines)),
		offers=offers,
		currency=scenario.currency,
		places=places_of(scenario.currency),
		terms=_terms(terms, served, whole),
		usage=tuple(
			Usage(one.line, CHARGE, one.day, one.quantity)
			for one in scenario.usage
			if one.contract == terms.id and one.known <= day
		),
		base=tuple(_base_of_group(scenario.group, day)),
	)


def all_facts_on(scenario: Scenario, contracts: Iterable[ContractTerms], day: date) -> list[ContractFacts]:
	"""The facts of these contracts, each with what the others add to the base of its tiers."""
	return with_base_of_payer([facts_on(scenario, terms, day) for terms in contracts])


def _base_of_group(steps: Iterable[GroupStep], day: date) -> Iterable[Counted]:
	known = sorted((step for step in steps if step.known <= day), key=lambda step: (step.counts, step.start))
	for number, step in enumerate(known):
		later = known[number + 1] if number + 1 < len(known) else None
		end = later.start if later and later.counts == step.counts else FAR
		yield Counted(step.counts, Span(step.start, end), Decimal(step.quantity), GROUP)


def _contract(terms: ContractTerms, served: Sequence[Span], lines: tuple[Line, ...]) -> Contract:
	spans = []
	for span in served:
		end = None if span.end == FAR else span.end
		spans.append(StateSpan(ACTIVE, span.start, end))
		if end:
			spans.append(StateSpan(CANCELLED, end))
	first = served[0].start if served else None
	return Contract(
		subscription=terms.id,
		lines=lines,
		spans=tuple(spans),
		activated_on=first,
		end_date=spans[-1].start if spans and spans[-1].state == CANCELLED else None,
		anchor_day=terms.anchor_day or (first.day if first else None),
		billed_through=terms.billed_through,
		state=spans[-1].state if spans else "",
	)


def _terms(terms: ContractTerms, served: Sequence[Span], whole: Sequence[Event]) -> Terms:
	unbilled = list(_pauses(whole))
	if served and terms.trial_days:
		first = served[0].start
		unbilled.append(Span(first, first + timedelta(terms.trial_days)))
	return Terms(
		anchors=tuple((event.effective, event.value) for event in whole if event.kind == ANCHOR),
		intervals=tuple(_steps(terms.interval_months, whole, INTERVAL)),
		unbilled=tuple(unbilled),
		calendar=terms.calendar_aligned,
		discounts=terms.discounts,
		minimum=terms.minimum,
	)


def _on_spans(start: date | None, end: date | None, events: Iterable[Event]) -> list[Span]:
	"""The days from each start to the next cancel; `start` and `end` are what was agreed."""
	marks = [(event.place, event.kind == START) for event in events if event.kind in (START, CANCEL)]
	marks += [((day, -1), on) for day, on in ((start, True), (end, False)) if day]
	return _spans(marks)


def _pauses(whole: Iterable[Event]) -> list[Span]:
	"""The days from each pause to the next resume; an end of the contract ends its pause."""
	return _spans(
		[(event.place, event.kind == PAUSE) for event in whole if event.kind in (PAUSE, RESUME, CANCEL)]
	)


def _spans(marks: Iterable[tuple[tuple[date, int], bool]]) -> list[Span]:
	spans: list[Span] = []
	since = None
	for (day, _), on in sorted(marks, key=lambda mark: mark[0]):
		if on and since is None:
			since = day
		elif not on and since is not None:
			if day > since:
				spans.append(Span(since, day))
			since = None
	return spans + ([Span(since, FAR)] if since else [])


def _parts(
	line: LineTerms,
	terms: ContractTerms,
	events: Sequence[Event],
	served: Sequence[Span],
	timeline: Sequence[Event],
) -> Iterable[tuple[Line, OfferCharge]]:
	"""The line in parts of one price, quantity and interval each."""
	own = [event for event in events if event.line == line.id]
	steps: list[Steps] = [
		_steps(line.price, own, PRICE),
		_steps(line.quantity, own, QUANTITY),
		_steps(terms.interval_months, events, INTERVAL),
	]
	changes = sorted({day for values in steps for day, _ in values})
	for span in intersect(_own_spans(line, own, timeline), served):
		starts = [span.start, *(day for day in changes if span.start < day < span.end)]
		for start, end in zip(starts, [*starts[1:], span.end], strict=True):
			price, quantity, interval = (_holding(values, start) for values in steps)
			version = f"{line.id}@{start}"
			yield (
				Line(line.id, version, quantity, start, None if end == FAR else end),
				OfferCharge(
					code=CHARGE,
					kind=line.kind,
					item=line.counts or line.id,
					model="",
					unit_price=ZERO,
					interval_months=interval if line.kind in PERIODIC else 0,
					scheme=price,
					arrears=line.arrears,
					prorate=line.prorate,
					discounts=line.discounts,
					minimum=line.minimum,
					of=tuple(f"{name}/{CHARGE}" for name in line.of),
					counts_over=line.counts_over,
				),
			)


def _own_spans(line: LineTerms, own: Sequence[Event], timeline: Sequence[Event]) -> list[Span]:
	"""A line waits for its own start when its first event, known or not yet, is one; else it begins with the contract."""
	first = next((e.kind for e in timeline if e.line == line.id and e.kind in (START, CANCEL)), None)
	start = line.start or (None if first == START else date.min)
	return _on_spans(start, line.end, own)


def _steps(first: Any, events: Iterable[Event], kind: str) -> Steps:
	"""The values with the day each begins to hold; a change that changes nothing is none."""
	steps = [(date.min, first)]
	for event in events:
		if event.kind == kind and event.value != steps[-1][1]:
			steps.append((event.effective, event.value))
	return steps


def _holding(steps: Steps, day: date) -> Any:
	return next(value for start, value in reversed(steps) if start <= day)
