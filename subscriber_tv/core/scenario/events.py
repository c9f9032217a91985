"""Reads the timeline of a scenario, and refuses one that leaves open what happens first."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from subscriber_tv.core.billing.price import ONE_OFF, RECURRING, USAGE
from subscriber_tv.core.catalogue.offer import MAX_INTERVAL_MONTHS
from subscriber_tv.core.json_values import BadValue, Fields, a_list, an_object, only
from subscriber_tv.core.pricing.models import PercentOf, PriceModel
from subscriber_tv.core.scenario.fields import a_day, a_whole, day_or_none, needed, one_of, whole_or
from subscriber_tv.core.scenario.lines import price_of_line
from subscriber_tv.core.scenario.model import (
	ANCHOR,
	CANCEL,
	INTERVAL,
	PAUSE,
	PRICE,
	QUANTITY,
	RESUME,
	SERVICE,
	START,
	ContractTerms,
	Event,
	LineTerms,
)
from subscriber_tv.core.scenario.quantities import the_contract

EVENT = ("contract", "line", "event", "effective", "known", "order")
#: In the place of the day of a cancellation: the next end of the term that its notice reaches.
TERM_END = "term_end"
#: The field that holds the new value of each event.
VALUES = {PRICE: "price", QUANTITY: "quantity", INTERVAL: "interval_months", ANCHOR: "anchor_day"}
KINDS = (START, PRICE, QUANTITY, INTERVAL, ANCHOR, PAUSE, RESUME, CANCEL)
OF_A_LINE = (PRICE, QUANTITY)
OF_EITHER = (START, CANCEL)


def read_timeline(value: Any, path: str, contracts: Sequence[ContractTerms]) -> tuple[Event, ...]:
	"""The events in their order of time; the order in which they stand means nothing."""
	events: list[Event] = []
	for index, item in enumerate(a_list([] if value is None else value, path)):
		event = _event(item, f"{path}[{index}]", contracts)
		if any(_clash(event, other) for other in events):
			raise BadValue(
				f"{path}[{index}].order", "another event of that day changes the same: say which is first"
			)
		events.append(event)
	for index, terms in enumerate(contracts):
		if not terms.start and not any(_begins(event, terms) for event in events):
			raise BadValue(f"$.contracts[{index}].start", "missing, and no event starts the contract")
	return tuple(sorted(events, key=lambda event: event.place))


def _begins(event: Event, terms: ContractTerms) -> bool:
	return (event.contract, event.line, event.kind) == (terms.id, None, START)


def _clash(event: Event, other: Event) -> bool:
	return (event.contract, event.line, event.place, _slot(event)) == (
		other.contract,
		other.line,
		other.place,
		_slot(other),
	)


def _slot(event: Event) -> str:
	return "service" if event.kind in SERVICE else event.kind


def _event(value: Any, path: str, contracts: Sequence[ContractTerms]) -> Event:
	fields = an_object(value, path)
	kind = one_of(needed(fields, "event", path), f"{path}.event", KINDS)
	name = VALUES.get(kind)
	only(fields, (*EVENT, name) if name else EVENT, path)
	contract = the_contract(fields, path, contracts)
	effective = _effective(fields, path, contract, kind)
	if kind == ANCHOR and contract.calendar_aligned:
		raise BadValue(f"{path}.event", "the periods of this contract are aligned to the calendar")
	line = _line(fields, path, contract, kind)
	return Event(
		contract=contract.id,
		line=line.id if line else None,
		kind=kind,
		effective=effective,
		known=day_or_none(fields, "known", path) or effective,
		order=whole_or(fields, "order", path, 0, 0, 1_000_000),
		value=_value(kind, line, needed(fields, name, path), f"{path}.{name}") if name else None,
	)


def _effective(fields: Fields, path: str, contract: ContractTerms, kind: str) -> date:
	value = needed(fields, "effective", path)
	if value != TERM_END:
		return a_day(value, f"{path}.effective")
	if kind != CANCEL or fields.get("line") is not None or not contract.term or not contract.start:
		raise BadValue(f"{path}.effective", "only the cancellation of a contract with a term reaches its end")
	known = a_day(needed(fields, "known", path), f"{path}.known")
	return contract.term.end_reached(contract.start, known)


def _line(fields: Fields, path: str, contract: ContractTerms, kind: str) -> LineTerms | None:
	"""The line meant; a price or quantity may leave it out when there is only one."""
	lines = {line.id: line for line in contract.lines}
	if fields.get("line") is None:
		if kind not in OF_A_LINE:
			return None
		if len(lines) > 1:
			raise BadValue(f"{path}.line", "missing; the contract has several")
	elif kind not in OF_A_LINE + OF_EITHER:
		raise BadValue(f"{path}.line", f"{kind} concerns the whole contract")
	line = lines[one_of(fields.get("line") or contract.lines[0].id, f"{path}.line", lines)]
	if line.kind == ONE_OFF and kind != START:
		raise BadValue(f"{path}.line", "a one-off line is charged once and never changes")
	if kind == QUANTITY and (line.kind == USAGE or line.of):
		raise BadValue(f"{path}.line", "the line has no quantity: it is priced by usage or by other lines")
	return line


def _value(kind: str, line: LineTerms | None, value: Any, path: str) -> PriceModel | int:
	if kind == PRICE and line:
		return _new_price(line, value, path)
	least, most = {QUANTITY: (0, 10_000_000), INTERVAL: (1, MAX_INTERVAL_MONTHS), ANCHOR: (1, 31)}[kind]
	return a_whole(value, path, least, most)


def _new_price(line: LineTerms, value: Any, path: str) -> PriceModel:
	"""A line that is a percentage of others stays one, and no other becomes one."""
	model = price_of_line(value, path, line.kind)
	if line.kind == RECURRING and isinstance(model, PercentOf) != bool(line.of):
		raise BadValue(f"{path}.kind", "a percentage of other lines stays one, and no other line becomes one")
	return model
