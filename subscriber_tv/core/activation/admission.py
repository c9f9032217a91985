"""Who is answered now and who is asked back when, as more TVs ask than a worker can answer.

A worker spends its measured capacity C from two buckets: half is kept for answers, the rest serves answers and refusals
alike. Who finds too little is refused with a *slot*: his place in a virtual queue that drains at 0.7 C, plus up to a
second. He comes back at his slot with the ticket for it and goes before everybody who has none; so nearly everybody
asks twice, and the queue is nearly as long as the work itself. Those who can wait longest are let in only while
there is much left, and get their slots behind the others.

Times are seconds of one clock that never goes back; `draw` is a random number in [0, 1). Memory does not grow with the
number of TVs.
"""

from __future__ import annotations

import hashlib
import hmac
from enum import IntEnum
from functools import lru_cache

import msgspec

from subscriber_tv.core.activation.capacity import REFUSAL_COST
from subscriber_tv.core.activation.limits import Limiter
from subscriber_tv.core.devices.jws import b64url

# Seconds beyond which nobody is given a slot: he asks again as one more newcomer.
HORIZON = 300.0
_QUEUE_SHARE = 0.7
_RESERVED = 0.5
# A measure is never exact: while nobody waits, so much more than it says may come in.
_HEADROOM = 0.3
# Seconds of capacity that an idle worker has saved up; and the debt at most that those whose slot has come leave behind.
_SAVED = 0.25
_DEBT = 0.5
# How long before and after its moment a slot holds good.
_EARLY, _LATE = 0.5, 30.0
# Not at once: the queue needs a moment to form.
_SOONEST = 1.0
# Requests that wait so long (seconds) before they are looked at are a sign that more come than can be looked at.
_CROWDED = 0.2


class Rank(IntEnum):
	"""What a request is about, the most urgent first."""

	NO_LEASE = 0
	ENDING = 1
	RENEWAL = 2
	HEARTBEAT = 3
	POLL = 4


# Of what an idle worker has saved up, the part that newcomers of each rank must leave.
_FLOORS = (0.1, 0.25, 0.4, 0.6, 0.8)
_QUEUED = (Rank.NO_LEASE, Rank.ENDING, Rank.RENEWAL)

# Who has no lease must ask; a document belongs to an answer that was given already.
_RANKS = {"/v1/heartbeat": Rank.HEARTBEAT, "/v1/enrol": Rank.POLL, "/v1/token": Rank.POLL}
_BY_URGENCY = {"u=0": Rank.NO_LEASE, "u=1": Rank.ENDING, "u=2": Rank.ENDING}


@lru_cache(maxsize=1024)
def rank_of(path: str, priority: str = "") -> Rank:
	"""The rank of a request for this path with this Priority header (RFC 9218).

	A TV without a lease says `u=0`, one whose lease ends within ten minutes `u=1`; nothing means a renewal. What a TV
	says never lifts a heartbeat or a poll.
	"""
	if path in _RANKS:
		return _RANKS[path]
	if path.startswith("/v1/offer/"):
		return Rank.ENDING
	if not path.startswith("/v1/"):
		return Rank.POLL
	return _BY_URGENCY.get(priority.partition(",")[0].strip(), Rank.RENEWAL)


class Verdict(msgspec.Struct, frozen=True):
	"""Come in, or come back in `wait` seconds; `slot` is the moment to put into the ticket, 0 for none."""

	admitted: bool
	wait: float = 0.0
	slot: float = 0.0


ADMITTED = Verdict(True)


class Gate:
	"""The buckets and the virtual queue of one worker."""

	def __init__(
		self, capacity: float, now: float, horizon: float = HORIZON, refusal_cost: float = REFUSAL_COST
	):
		self._capacity = capacity
		self._refusal_cost = refusal_cost
		self._horizon = horizon
		self._own = self._shared = 0.0
		self._last = now
		# Where the queue of each rank ends.
		self._ends = [now] * len(_QUEUED)
		self._spent = Limiter(60.0 / (_EARLY + _LATE), 1)
		self._refill(now + _SAVED)
		self._last = now

	def set_capacity(self, capacity: float) -> None:
		"""From now on the worker can give so many answers a second."""
		self._capacity = capacity

	def queue(self, now: float) -> float:
		"""How many seconds the virtual queue is long."""
		return max(0.0, max(self._ends) - now)

	@property
	def remembered(self) -> int:
		"""How many tickets are remembered as used: all that grows, up to a bound."""
		return len(self._spent)

	def ask(self, rank: Rank, now: float, draw: float, slot: float = 0.0, late: float = 0.0) -> Verdict:
		"""May this request come in?

		:param slot: the moment in its ticket, if that is genuine; 0 without one
		:param late: how long requests wait at present before anybody looks at them
		"""
		self._refill(now)
		if slot and now < slot - _EARLY and slot <= now + self._horizon + 1:
			# Too early: he keeps his place.
			return self._refused(slot - now, slot)
		if slot and now <= slot + _LATE and not self._spent.take(slot, now):
			# Never refused: slots are given at a rate that the worker can keep.
			self._spend(late > _CROWDED)
			return ADMITTED
		return self._ask_new(rank, now, draw, late > _CROWDED)

	def _ask_new(self, rank: Rank, now: float, draw: float, crowded: bool) -> Verdict:
		saved = max(1.0, _SAVED * self._capacity)
		# In a crowd what is shared goes to refusals, so that everybody hears of his slot before he loses patience.
		left = self._own if crowded else self._own + self._shared
		if left >= 1 + _FLOORS[rank] * (saved - 1):
			self._spend(crowded)
			return ADMITTED
		if rank not in _QUEUED:
			return self._refused(min(self._horizon, self.queue(now)) + 5 + 25 * draw, 0.0)
		slot = self._book(rank, now)
		if not slot:
			return self._refused(self._horizon * (1 + draw) / 2, 0.0)
		return self._refused(slot + draw - now, slot + draw)

	def _book(self, rank: Rank, now: float) -> float:
		"""The next free moment behind all of this rank and above; 0 when it lies beyond the horizon."""
		step = 1.0 / (_QUEUE_SHARE * self._capacity)
		moment = max(now + _SOONEST, *self._ends[: rank + 1])
		if moment + step > now + self._horizon:
			return 0.0
		self._ends[rank] = moment + step
		for behind in range(rank + 1, len(self._ends)):
			if self._ends[behind] > moment:
				self._ends[behind] += step
		return moment

	def _refused(self, wait: float, slot: float) -> Verdict:
		self._shared -= self._refusal_cost
		return Verdict(False, wait, slot)

	def _spend(self, crowded: bool) -> None:
		"""First what is everybody's, then what is kept for answers; in a crowd the latter alone."""
		from_shared = 0.0 if crowded else min(max(0.0, self._shared), 1.0)
		self._shared -= from_shared
		self._own -= 1.0 - from_shared

	def _refill(self, now: float) -> None:
		passed = max(0.0, now - self._last)
		self._last = max(now, self._last)
		own, shared = _RESERVED * self._capacity, (1 - _RESERVED + _HEADROOM) * self._capacity
		self._own = min(max(1.0, own * _SAVED), max(-_DEBT * own, self._own) + own * passed)
		self._shared = min(shared * _SAVED, max(-_DEBT * shared, self._shared) + shared * passed)


def ticket(secret: bytes, address: str, slot: float) -> str:
	"""The ticket for a slot, good once for whoever asks from this address: nanoseconds, so that no two are alike, and a MAC."""
	moment = str(round(slot * 1e9))
	return f"{moment}.{_mac(secret, address, moment)}"


def slot_in(given: str, secret: bytes, address: str) -> float:
	"""The slot that a genuine ticket of this address is for; 0 for anything else."""
	moment, _, mac = given.partition(".")
	if not (moment.isascii() and moment.isdigit()) or len(moment) > 20:
		return 0.0
	genuine = hmac.compare_digest(mac.encode(), _mac(secret, address, moment).encode())
	return int(moment) / 1e9 if genuine else 0.0


def _mac(secret: bytes, address: str, moment: str) -> str:
	return b64url(hmac.digest(secret, f"tv-slot-1\n{address}\n{moment}".encode(), hashlib.sha256)[:12])
