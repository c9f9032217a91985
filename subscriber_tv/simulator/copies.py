"""A fleet in which some TVs have a copy: what their counts give away, and whom the points of suspicion accuse.

Days of switching on, asking and power cuts, played without sockets against the product's own rule of counts and its own
points. Everything random comes from one seed, so a run can be repeated to the last number.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from subscriber_tv.core.activation import counter
from subscriber_tv.core.devices import clones
from subscriber_tv.core.devices.clones import DAY, Evidence

# Seconds between two heartbeats of a TV that is on.
HEARTBEAT = 900
# Two sets that ask at once are seen at networks far apart within these seconds.
FAR_APART = clones.RETURN_SECONDS


@dataclass(frozen=True)
class Habits:
	"""How the fleet lives; shares and chances lie between 0 and 1.

	:param tvs: genuine TVs, of which `copied` have a copy elsewhere
	:param shared: share of copies behind the same address as their original, as in a hotel
	:param lost: chance that a reply gets lost on its way
	:param restores: times a year that a TV's memory falls back to what it was some days ago
	:param worn: share of TVs whose memory falls back at three of ten starts
	:param uplinks: share of TVs whose site goes out by two addresses in turn
	"""

	tvs: int = 10_000
	days: int = 14
	copied: float = 0.01
	shared: float = 0.5
	lost: float = 0.02
	restores: float = 1.5
	worn: float = 0.0005
	uplinks: float = 0.01


@dataclass
class Outcome:
	"""What a drill found.

	:param found_at: at which start of the copy its TV was first acted on, one number per copy that was found. Starts
		count that follow a use of the original: before it is used again, one TV that moved looks the same
	:param found_at_any: the same, with every start of the copy counted
	:param denied: repeated questions that were refused though the first was taken: must stay 0
	"""

	copies: int = 0
	found_at: list[int] = field(default_factory=list)
	found_at_any: list[int] = field(default_factory=list)
	tv_days: int = 0
	accused: int = 0
	watched: int = 0
	resyncs: int = 0
	repeats: int = 0
	denied: int = 0

	def found_by(self, start: int) -> float:
		"""Share of the copies that were acted on at or before this start after a use of the original."""
		return sum(at <= start for at in self.found_at) / max(1, self.copies)

	def found_by_any(self, start: int) -> float:
		"""Share of the copies that were acted on at or before this start."""
		return sum(at <= start for at in self.found_at_any) / max(1, self.copies)

	@property
	def false_alarms(self) -> float:
		"""Genuine TVs acted on, per 10,000 TV-days."""
		return self.accused * 10_000 / max(1, self.tv_days)


class Node:
	"""The counts of one node, and the evidence of one TV."""

	def __init__(self) -> None:
		self.seen = counter.Seen()
		self.evidence: list[Evidence] = []
		self.last: tuple[str, int] = ("", -DAY)
		self.level = clones.NONE

	def take(self, number: int, nonce: str, *, proven: bool = False) -> counter.Verdict:
		"""Judge a number and remember it."""
		verdict = counter.judge(self.seen, number, nonce, proven=proven)
		if verdict.kind == counter.ACCEPTED:
			self.seen = counter.Seen(number, nonce)
		return verdict

	def note(self, kind: str, at: int, network: str) -> None:
		"""Keep a sign, and judge the TV by all of them."""
		self.evidence.append(Evidence(kind, at, network))
		self.level = clones.judge(self.evidence, now=at, current=self.level).level

	def sight(self, network: str, at: int) -> None:
		"""A TV back at a network within minutes was at two places at once."""
		before, when = self.last
		if before and before != network and at - when < FAR_APART:
			self.note(clones.NETWORKS, at, network)
		self.last = (network, at)


class Set:
	"""A TV as its own flash knows it: a count that is written down before each question."""

	def __init__(self, network: str, chance: random.Random, habits: Habits, number: int = 0):
		self.network = network
		self.number = number
		self._older = number
		self._chance = chance
		self._habits = habits

	def ask(self, node: Node, at: int, outcome: Outcome) -> None:
		"""Ask once, again when the reply gets lost, and the slow way when the count does not fit."""
		self.number += 1
		verdict = self._send(node, self.number, outcome)
		node.sight(self.network, at)
		if not verdict.taken:
			self.number = verdict.base + 1
			verdict = self._send(node, self.number, outcome, proven=True)
			node.note(clones.RESYNC, at, self.network)
			outcome.resyncs += 1

	def falls_back(self) -> None:
		"""The memory is again what it was when it was last kept."""
		self.number = self._older

	def keeps(self) -> None:
		"""What a later fall goes back to."""
		self._older = self.number

	def _send(self, node: Node, number: int, outcome: Outcome, *, proven: bool = False) -> counter.Verdict:
		nonce = str(self._chance.getrandbits(64))
		verdict = node.take(number, nonce, proven=proven)
		while self._chance.random() < self._habits.lost:
			outcome.repeats += 1
			again = node.take(number, nonce, proven=proven)
			outcome.denied += verdict.taken and not again.taken
		return verdict


def drill(habits: Habits, seed: int) -> Outcome:
	"""Play the fleet's days; every TV of its own."""
	chance = random.Random(seed)
	outcome = Outcome()
	copied = round(habits.tvs * habits.copied)
	for index in range(habits.tvs):
		if index < copied:
			_play_copied(chance, habits, outcome)
		else:
			_play_genuine(chance, habits, outcome)
	return outcome


def _play_genuine(chance: random.Random, habits: Habits, outcome: Outcome) -> None:
	node, tv = Node(), Set("home", chance, habits)
	worn = chance.random() < habits.worn
	alternates = chance.random() < habits.uplinks
	outcome.tv_days += habits.days
	for start, kept in _starts(chance, habits.days):
		if kept:
			tv.keeps()
		if chance.random() < (0.3 if worn else habits.restores / 365 / 2):
			tv.falls_back()
		tv.ask(node, start, outcome)
		if alternates:
			tv.network = "other" if tv.network == "home" else "home"
			tv.ask(node, start + HEARTBEAT, outcome)
	_count_alarm(node, outcome)


def _count_alarm(node: Node, outcome: Outcome) -> None:
	levels = _levels_reached(node.evidence)
	outcome.accused += bool({clones.RESTRICTED, clones.QUARANTINED} & levels)
	outcome.watched += bool(levels - {clones.NONE})


def _levels_reached(evidence: list[Evidence]) -> set[str]:
	return {clones.judge(evidence[: number + 1], now=sign.at).level for number, sign in enumerate(evidence)}


def _play_copied(chance: random.Random, habits: Habits, outcome: Outcome) -> None:
	"""An original and its copy, each used as people use TVs; both know the keys, each only its own count."""
	node = Node()
	original = Set("home", chance, habits)
	for at in range(chance.randrange(1, 50)):
		original.ask(node, at - 90 * DAY, outcome)
	node.evidence.clear()
	node.level, node.last = clones.NONE, ("", -DAY)
	elsewhere = "home" if chance.random() < habits.shared else "elsewhere"
	copy = Set(elsewhere, chance, habits, number=original.number)
	outcome.copies += 1
	asks = sorted(
		[(at, 0, original) for at in _questions(chance, habits.days)]
		+ [(at, first, copy) for at, first in _marked(chance, habits.days)],
		key=lambda ask: ask[:2],
	)
	_watch_pair(node, copy, asks, outcome)


def _watch_pair(node: Node, copy: Set, asks: list, outcome: Outcome) -> None:
	starts = starts_after_use = 0
	original_used = True
	for at, first, tv in asks:
		starts += first
		starts_after_use += first and original_used
		original_used = tv is not copy or (original_used and not first)
		tv.ask(node, at, outcome)
		if node.level in (clones.RESTRICTED, clones.QUARANTINED):
			outcome.found_at.append(starts_after_use)
			outcome.found_at_any.append(starts)
			return


def _starts(chance: random.Random, days: int) -> Iterator[tuple[int, bool]]:
	"""Moments of being switched on, one to three a day; True: the memory is kept by then, about twice a week."""
	for day in range(days):
		for moment in sorted(chance.randrange(DAY - 6 * 3600) for _ in range(chance.choice((1, 2, 2, 3)))):
			yield day * DAY + moment, chance.random() < 0.15


def _questions(chance: random.Random, days: int) -> Iterator[int]:
	"""Moments at which a TV asks: when it is switched on, then with each heartbeat while it is on."""
	for at, _first in _marked(chance, days):
		yield at


def _marked(chance: random.Random, days: int) -> Iterator[tuple[int, int]]:
	"""The same, with 1 for being switched on and 0 for a heartbeat."""
	for start, _kept in _starts(chance, days):
		yield start, 1
		for beat in range(1, chance.randrange(2, 20)):
			yield start + beat * HEARTBEAT, 0


def figures(outcome: Outcome) -> list[str]:
	"""What a drill found, line by line."""
	starts = range(1, 6)
	return [
		f"copies: {outcome.copies}",
		"found by the nth start after a use of the original: "
		+ ", ".join(f"{start}: {outcome.found_by(start):.1%}" for start in starts),
		"found by the nth start of the copy, whoever was used: "
		+ ", ".join(f"{start}: {outcome.found_by_any(start):.1%}" for start in starts),
		f"genuine: {outcome.tv_days} TV-days, acted on {outcome.accused} "
		f"({outcome.false_alarms:.2f} per 10,000 TV-days), watched {outcome.watched}",
		f"resyncs: {outcome.resyncs}, repeated questions: {outcome.repeats}, of these refused: {outcome.denied}",
	]
