"""A power cut ends: a discrete-event model of one edge worker and of the TVs that ask it, each by its own retry rule.

Requests wait in line for a processor that gives `capacity` answers a second; a refusal costs a part of that. Who waits
longer than a TV's patience is lost: the TV hears nothing, the work is not done. Times are seconds.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from subscriber_tv.core.activation.admission import Gate, Rank

PATIENCE = 5.0
GIVE_UP = 3600.0


@dataclass
class Tv:
	"""One TV: how often it asked, when it was answered; and the slot it was given."""

	rank: Rank = Rank.NO_LEASE
	requests: int = 0
	answered: float = 0.0
	slot: float = 0.0


# How long a TV waits before it asks again: its random numbers, the requests it made, and what the edge said (0: nothing).
Retry = Callable[[random.Random, int, float], float]


def full_jitter(draws: random.Random, requests: int, _said: float) -> float:
	"""Uniform over a span that doubles from 16 s to 300 s."""
	return draws.uniform(0, min(300.0, 16.0 * 2 ** (requests - 1)))


def exponential(_draws: random.Random, requests: int, _said: float) -> float:
	"""Doubles from 16 s to 300 s, all TVs alike."""
	return min(300.0, 16.0 * 2 ** (requests - 1))


def fixed(_draws: random.Random, _requests: int, _said: float) -> float:
	"""Always 30 s."""
	return 30.0


def assigned(draws: random.Random, requests: int, said: float) -> float:
	"""What the edge said; full jitter when it said nothing."""
	return said or full_jitter(draws, requests, said)


@dataclass
class Outcome:
	"""What came of it."""

	tvs: list[Tv]
	ideal: float
	most_remembered: int = 0
	hostile: int = 0
	times: list[float] = field(init=False)

	def __post_init__(self):
		self.times = sorted(tv.answered or GIVE_UP for tv in self.tvs)

	def percentile(self, share: float) -> float:
		return self.times[min(len(self.times) - 1, int(share * len(self.times)))]

	@property
	def never(self) -> int:
		return sum(not tv.answered for tv in self.tvs)

	@property
	def requests(self) -> float:
		"""Requests a TV, on average."""
		return sum(tv.requests for tv in self.tvs) / len(self.tvs)


def storm(
	retry: Retry,
	*,
	capacity: float = 400.0,
	times_capacity: float = 50.0,
	within: float = 5.0,
	refusal_cost: float = 0.125,
	ranks: tuple[Rank, ...] = (Rank.NO_LEASE,),
	seed: int = 1,
) -> Outcome:
	"""Switch `times_capacity` x `capacity` TVs on within so many seconds and follow them for an hour."""
	draws = random.Random(seed)
	tvs = [Tv(draws.choice(ranks)) for _ in range(int(capacity * times_capacity))]
	events = [(draws.uniform(0, within), number) for number in range(len(tvs))]
	heapq.heapify(events)
	gate, free, most = Gate(capacity, 0.0, refusal_cost=refusal_cost), 0.0, 0
	while events and events[0][0] < GIVE_UP:
		at, number = heapq.heappop(events)
		tv = tvs[number]
		tv.requests += 1
		start = max(at, free)
		if start - at > PATIENCE:
			heapq.heappush(events, (at + PATIENCE + retry(draws, tv.requests, 0.0), number))
			continue
		verdict = gate.ask(tv.rank, start, draws.random(), tv.slot if retry is assigned else 0.0, start - at)
		free = start + (1.0 if verdict.admitted else refusal_cost) / capacity
		most = max(most, gate.remembered)
		if verdict.admitted:
			tv.answered = free
			continue
		tv.slot = verdict.slot
		heapq.heappush(events, (free + retry(draws, tv.requests, verdict.wait), number))
	return Outcome(tvs, times_capacity, most)
