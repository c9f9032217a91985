"""Which TVs of the operator are with which subscriber when, read off their histories.

A rented TV is there from the day it went into service for a subscription until it moves anywhere else. A sold one is the
subscriber's own.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from subscriber_tv.core.devices.movements import IN_SERVICE

BOUND = "Bound"


@dataclass(frozen=True)
class Event:
	"""One line of a TV's history, in the order recorded. `state` and `subscription` are those after it.

	`note` of a binding is the line; `moved` tells that a stock voucher wrote it.
	"""

	day: date
	event: str
	state: str = ""
	subscription: str = ""
	note: str = ""
	moved: bool = False


@dataclass(frozen=True)
class Stay:
	"""Days `[start, end)` at a subscription, `end` None while there; `line_id` is the line it was bound to last, or ""."""

	subscription: str
	start: date
	end: date | None = None
	line_id: str = ""


def stays(events: Iterable[Event]) -> tuple[Stay, ...]:
	"""The stays of one TV, in order of time; one that began and ended on the same day is none."""
	found: list[Stay] = []
	for event in events:
		there = found[-1] if found and found[-1].end is None else None
		if event.event == BOUND and there and event.subscription == there.subscription:
			found[-1] = replace(there, line_id=event.note)
		if not event.moved or (there and _goes_on(there, event)):
			continue
		if there:
			found[-1] = replace(there, end=event.day)
		if event.state == IN_SERVICE and event.subscription:
			found.append(Stay(event.subscription, event.day))
	return tuple(stay for stay in found if stay.end != stay.start)


def _goes_on(stay: Stay, event: Event) -> bool:
	return event.state == IN_SERVICE and event.subscription == stay.subscription
