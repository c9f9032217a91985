"""A TV that knows several nodes: it sticks to one of them and asks the next when that one gives no answer.

The order of the nodes follows from the serial, so that a fleet spreads over them evenly and each TV comes back to where
its count is known; a node that is taken off the list moves only its own TVs.
"""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from subscriber_tv.simulator.http import Service
from subscriber_tv.simulator.tv import Screen, Tv

# Seconds between which a TV waits at random when nobody answered, and how long it leaves a silent node alone.
FIRST_WAIT, LONGEST_WAIT = 16.0, 300.0
AWAY = 300.0
TRIES = 6


@dataclass(frozen=True)
class Asked:
	"""How one power-on went: the last screen, how many times the TV asked, who answered ("" for nobody)."""

	screen: Screen
	tries: int
	node: str


def order(serial: str, names: Sequence[str]) -> list[str]:
	"""The nodes as this TV prefers them. `desk` comes last: it is the slowest."""

	def rank(name: str) -> tuple[bool, bytes]:
		return name == "desk", hashlib.sha256(f"{name}\n{serial}".encode()).digest()

	return sorted(names, key=rank)


class Roaming:
	"""A TV and the nodes that it may ask, by name. `hurry` shortens all waits, so that a test need not wait for hours.

	`sleep` and `draws` are there for those who hold time or chance in their hands.
	"""

	def __init__(
		self,
		tv: Tv,
		nodes: Mapping[str, Service],
		*,
		hurry: float = 1.0,
		sleep: Callable[[float], object] = time.sleep,
		clock: Callable[[], float] = time.monotonic,
		draws: random.Random | None = None,
	):
		self.tv = tv
		self._nodes = nodes
		self._order = order(tv.serial, list(nodes))
		self._hurry = hurry
		self._sleep = sleep
		self._clock = clock
		self._draws = draws or random.Random()
		# Until when a node that gave no answer is left alone.
		self._away: dict[str, float] = {}
		self._at = ""

	def power_on(self, tries: int = TRIES) -> Asked:
		"""Ask until somebody answers, at most so many times in all."""
		asked, waits = 0, 0
		while True:
			for name in self._preferred():
				asked += 1
				screen = self._ask(name)
				if _is_answer(screen):
					self._away.pop(name, None)
					return Asked(screen, asked, name)
				if asked >= tries:
					return Asked(screen, asked, "")
				if screen.code == "overloaded":
					# It has a place in this node's queue: elsewhere it would only lengthen another.
					break
				self._away[name] = self._clock() + AWAY / self._hurry
			self._pause(screen, waits)
			waits += 1

	def _preferred(self) -> list[str]:
		"""Nodes that are not known to be silent, in order; when all are, all."""
		now = self._clock()
		here = [name for name in self._order if self._away.get(name, 0.0) <= now]
		return here or self._order

	def _ask(self, name: str) -> Screen:
		if name != self._at:
			self.tv.move_to(self._nodes[name], name)
			self._at = name
		return self.tv.power_on()

	def _pause(self, screen: Screen, waits: int) -> None:
		full_jitter = self._draws.uniform(0, min(LONGEST_WAIT, FIRST_WAIT * 2**waits))
		self._sleep((screen.wait or full_jitter) / self._hurry)


def _is_answer(screen: Screen) -> bool:
	return screen.status not in (0, 429) and screen.status < 500
