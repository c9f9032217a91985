"""To which subscription a TV belonged when, read off its history."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from subscriber_tv.core.devices.movements import IN_STOCK, OUT_OF_STOCK
from subscriber_tv.core.usage.judge import Binding

BOUND = "Bound"
ENDING = ("Unbound", "Revoked")


@dataclass(frozen=True)
class Event:
	"""One line of a TV's history. `note` is the line of a binding; `state` and `subscription` are those after it."""

	at: datetime
	event: str
	state: str = ""
	subscription: str = ""
	note: str = ""
	moved: bool = False


def bindings(events: Iterable[Event]) -> tuple[Binding, ...]:
	"""The bindings in order of time; `events` come in the order they were recorded."""
	found: list[Binding] = []
	for event in events:
		open_now = bool(found) and found[-1].end is None
		if open_now and (event.event == BOUND or _ends(event, found[-1])):
			found[-1] = replace(found[-1], end=event.at)
		if event.event == BOUND:
			found.append(Binding(event.at, None, event.subscription, event.note))
	return tuple(found)


def _ends(event: Event, binding: Binding) -> bool:
	"""A TV that goes back to stock, or to another subscriber, leaves its subscription: the rule of the movements."""
	if event.event in ENDING:
		return True
	return event.moved and (
		event.state in (IN_STOCK, OUT_OF_STOCK) or event.subscription != binding.subscription
	)
