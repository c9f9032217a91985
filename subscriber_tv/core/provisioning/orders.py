"""The life of an order: what may be sent, what a newer one replaces, what follows from an answer, when to try again.

**Never out of order.** A subject (a TV or an account at one platform) has its own sequence of orders, each of which says the whole
desired state. At most one is under way; only the lowest open one may be sent. A newer one replaces those that surely have
not arrived. One that *may* have arrived (no answer, 5xx, a worker that died) is first repeated under its own key until the
platform has answered: only then can it no longer be carried out late, over a newer one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

PENDING = "Pending"
SENT = "Sent"
DONE = "Done"
FAILED = "Failed"
SUPERSEDED = "Superseded"

OPEN = (PENDING, SENT)
"""Not yet answered."""

GRANT, REPLACE, REVOKE = "Grant", "Replace", "Revoke"

FIRST_DELAY = 5
LAST_DELAY = 3600
"""Seconds between tries: doubled each time from the first to the last, for ever."""

LONGEST_WISH = 86_400
"""Longest Retry-After that is obeyed; a platform that says more is asked again after a day."""

LAST_PAUSE = 300
"""Longest pause of a platform that answers nobody."""

_MOST_DOUBLINGS = 20


@dataclass(frozen=True)
class Order:
	"""An order as the decision needs it. `in_doubt`: it may have arrived; `due`: epoch second of the next try."""

	key: str
	sequence: int
	state: str
	attempts: int = 0
	in_doubt: bool = False
	due: int = 0


@dataclass(frozen=True)
class Outcome:
	"""What became of one try.

	`result` is one of the four below. `arrived`: the platform may have carried it out although it did not say so.
	`platform`: the fault lies with the platform or with our access to it, not with this order. `retry_after`: seconds the platform
	asks for, or that it may take to acknowledge.
	"""

	result: str
	text: str = ""
	arrived: bool = False
	platform: bool = False
	retry_after: int = 0


OK, REFUSED, RETRY, WAITING = "done", "refused", "retry", "waiting"


@dataclass(frozen=True)
class Step:
	"""What becomes of the order."""

	state: str
	due: int = 0
	in_doubt: bool = False


def next_up(orders: Iterable[Order], now: int) -> Order | None:
	"""The order of one subject to send at `now`: the lowest open one, once it is due. None while another is under way."""
	first = min(
		(order for order in orders if order.state in OPEN), key=lambda order: order.sequence, default=None
	)
	return first if first and first.due <= now else None


def replaced(orders: Iterable[Order]) -> tuple[str, ...]:
	"""Keys of a subject's orders that a newer one replaces: unsent or refused ones, none that may have arrived."""
	return tuple(order.key for order in orders if order.state in (PENDING, FAILED) and not order.in_doubt)


def action(held: bool, known: bool) -> str:
	"""How a desired state reads. `known`: the platform may hold something about the subject."""
	if not held:
		return REVOKE
	return REPLACE if known else GRANT


def follow(order: Order, outcome: Outcome, now: int, jitter: float, newer: bool) -> Step:
	"""What an outcome makes of an order.

	:param order: as it was before this try; `attempts` counts this one
	:param jitter: a random number in [0, 1)
	:param newer: a newer order of the same subject waits
	"""
	if outcome.result == OK:
		return Step(DONE)
	if outcome.result == REFUSED:
		return Step(SUPERSEDED if newer else FAILED)
	if outcome.result == WAITING:
		return Step(SENT, now + outcome.retry_after, True)
	wait = max(delay(order.attempts, jitter), min(outcome.retry_after, LONGEST_WISH))
	in_doubt = order.in_doubt or outcome.arrived
	if newer and not in_doubt:
		return Step(SUPERSEDED)
	return Step(PENDING, now + wait, in_doubt)


def delay(attempts: int, jitter: float) -> int:
	"""Seconds until the next try after so many, spread by ±50 % so that a thousand TVs do not come back at once."""
	base = min(LAST_DELAY, FIRST_DELAY * 2 ** min(max(attempts - 1, 0), _MOST_DOUBLINGS))
	return max(1, round(base * (0.5 + jitter)))


def pause(failures: int, jitter: float) -> int:
	"""Seconds to leave a platform alone after so many fruitless rounds in a row; 0 while it answers."""
	if failures <= 0:
		return 0
	return max(1, round(min(LAST_PAUSE, 2 ** min(failures, _MOST_DOUBLINGS)) * (0.5 + jitter)))


def round_size(failures: int, normal: int) -> int:
	"""How many orders to try in one round: a single one while the platform has not answered."""
	return 1 if failures > 0 else normal


def failures_after(before: int, outcomes: Iterable[Outcome]) -> int:
	"""Fruitless rounds in a row: any answer about an order ends them."""
	outcomes = tuple(outcomes)
	if not outcomes:
		return before
	fruitless = all(outcome.result == RETRY and outcome.platform for outcome in outcomes)
	return before + 1 if fruitless else 0
