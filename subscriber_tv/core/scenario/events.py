"""Reads the timeline of a scenario, and refuses one that leaves open what happens first."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from subscriber_tv.core.billing.price import ONE_OFF
from subscriber_tv.core.catalogue.offer import MAX_INTERVAL_MONTHS
from subscriber_tv.core.json_values import BadValue, Fields, a_list, an_object, only
from subscriber_tv.core.pricing.models import PriceModel
from subscriber_tv.core.pricing.read import read_model
from subscriber_tv.core.scenario.fields import a_day, a_whole, day_or_none, needed, one_of, whole_or
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
)

EVENT = ("contract", "line", "event", "effective", "known", "order")
#: In the place of the day of a cancellation: the next end of the term that its notice reaches.
TERM_END = "term_end"
#: The field that holds the new value of each event.
VALUES = {PRICE: "price", QUANTITY: "quantity", INTERVAL: "interval_months", ANCHOR: "anchor_day"}
KINDS = (START, PRICE, QUANTITY, INTERVAL, ANCHOR, PAUSE, RESUME, CANCEL)
OF_A_LINE = (PRICE, QUANTITY)
OF_EITHER = (START, CANCEL)
#: Price models that say what a quantity costs in a period.
PERIODIC = ("flat", "per_unit", "graduated", "volume", "package")


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


def a_price(value: Any, path: str) -> PriceModel:
	"""A price model that says what a quantity costs in a period."""
	model = read_model(value, path)
	if not value.get("free"):
		one_of(value["kind"], f"{path}.kind", PERIODIC)
	return model


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
	contract = _contract(fields, path, contracts)
	effective = _effective(fields, path, contract, kind)
	if kind == ANCHOR and contract.calendar_aligned:
		raise BadValue(f"{path}.event", "the periods of this contract are aligned to the calendar")
	return Event(
		contract=contract.id,
		line=_line(fields, path, contract, kind),
		kind=kind,
		effective=effective,
		known=day_or_none(fields, "known", path) or effective,
		order=whole_or(fields, "order", path, 0, 0, 1_000_000),
		value=_value(kind, needed(fields, name, path), f"{path}.{name}") if name else None,
	)


def _effective(fields: Fields, path: str, contract: ContractTerms, kind: str) -> date:
	value = needed(fields, "effective", path)
	if value != TERM_END:
		return a_day(value, f"{path}.effective")
	if kind != CANCEL or fields.get("line") is not None or not contract.term or not contract.start:
		raise BadValue(f"{path}.effective", "only the cancellation of a contract with a term reaches its end")
	known = a_day(needed(fields, "known", path), f"{path}.known")
	return contract.term.end_reached(contract.start, known)


def _contract(fields: Fields, path: str, contracts: Sequence[ContractTerms]) -> ContractTerms:
	if fields.get("contract") is None and len(contracts) == 1:
		return contracts[0]
	known = {terms.id: terms for terms in contracts}
	return known[one_of(needed(fields, "contract", path), f"{path}.contract", known)]


def _line(fields: Fields, path: str, contract: ContractTerms, kind: str) -> str | None:
	"""The line meant; a price or quantity may leave it out when there is only one."""
	lines = {line.id: line for line in contract.lines}
	if fields.get("line") is None:
		if kind not in OF_A_LINE:
			return None
		if len(lines) > 1:
			raise BadValue(f"{path}.line", "missing; the contract has several")
		return contract.lines[0].id
	if kind not in OF_A_LINE + OF_EITHER:
		raise BadValue(f"{path}.line", f"{kind} concerns the whole contract")
	line = lines[one_of(fields["line"], f"{path}.line", lines)]
	if line.kind == ONE_OFF and kind != START:
		raise BadValue(f"{path}.line", "a one-off line is charged once and never changes")
	return line.id


def _value(kind: str, value: Any, path: str) -> PriceModel | int:
	if kind == PRICE:
		return a_price(value, path)
	least, most = {QUANTITY: (0, 10_000_000), INTERVAL: (1, MAX_INTERVAL_MONTHS), ANCHOR: (1, 31)}[kind]
	return a_whole(value, path, least, most)
