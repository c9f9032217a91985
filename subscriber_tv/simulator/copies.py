"""A fleet in which some TVs have a copy: what their counts and lines give away, and whom the points of suspicion accuse.

Days of switching on, asking and power cuts, played without sockets and signatures, but against the product's own rules: the
count (core.activation.counter), the lines (core.activation.lineage), what a node reports (core.activation.telemetry), what
an address tells (core.devices.heartbeats) and the points (core.devices.clones); each TV counts by its own memory
(simulator.memory). All that is random comes from one seed, so a run can be repeated to the last number.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field

from subscriber_tv.core.activation import counter, lineage, telemetry
from subscriber_tv.core.activation.decide import ALLOW, Decision
from subscriber_tv.core.activation.node import Answered
from subscriber_tv.core.devices import clones, wire
from subscriber_tv.core.devices.clones import DAY, Evidence
from subscriber_tv.core.devices.heartbeats import Hours
from subscriber_tv.simulator.memory import Memory

ACTED_ON = (clones.RESTRICTED, clones.QUARANTINED)
# Seconds between two heartbeats of a TV that is on.
HEARTBEAT = 900
SERIAL = "DRILL-000001"
# The node of a TV, and the one that stands in for it.
NODES = ("south", "north")
HOME, ELSEWHERE, UPLINK = "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"
# How often a TV repeats a question whose answer does not come, before it gives up.
REPEATS = 3
YEAR = 365


@dataclass(frozen=True)
class Habits:
	"""How the fleet lives; shares and chances lie between 0 and 1.

	:param tvs: TVs, of which `copied` have a copy elsewhere
	:param starts: how often a set is switched on in a day, one of these at random
	:param awake: hours of the day between which the copy is switched on
	:param away: days for which the original stays off once it was copied
	:param shared: share of copies behind the same address as their original, as in a hotel
	:param silent: share of copies that leave out of their proofs what they asked last
	:param lost: chance that a question or its answer gets lost on its way
	:param offline: chance that a TV is switched on without a network and asks in vain
	:param restores: times a year that a TV's memory falls back to what it was some days ago
	:param undone: share of those after which somebody puts back what was there before
	:param resets: times a year that a TV forgets its counts altogether
	:param cuts: times a year that a power cut takes along what a TV wrote last, though it had asked by then
	:param worn: share of TVs whose memory falls back at three of ten starts
	:param uplinks: share of TVs whose site goes out by two addresses in turn
	:param moving: chance that a home has a new address at a start
	:param outages: chance that a TV's node is away for a day, and another stands in
	:param telling: whether TVs say which line they go on from
	"""

	tvs: int = 20_000
	days: int = 20
	copied: float = 0.01
	starts: tuple[int, ...] = (1, 2, 2, 3)
	awake: tuple[int, int] = (0, 18)
	away: float = 0.0
	shared: float = 0.5
	silent: float = 0.0
	lost: float = 0.02
	offline: float = 0.01
	restores: float = 1.5
	undone: float = 0.01
	resets: float = 0.1
	cuts: float = 4
	worn: float = 0.0005
	uplinks: float = 0.01
	moving: float = 0.05
	outages: float = 0.005
	telling: bool = True


@dataclass
class Copy:
	"""What became of one copy: the number of its boot, counted from the copying on, or 0 for never.

	:param found: at or after which boot, and before the next one, its TV was first acted on
	:param two: the same for the first moment at which two sets had shown: each of them asked before and after the other
	:param waited: seconds from that moment until it was acted on
	"""

	found: int = 0
	two: int = 0
	waited: int = 0


@dataclass
class Outcome:
	"""What a drill found. `accused`: genuine TVs that were acted on. `denied`: repeated questions refused, must stay 0."""

	copies: list[Copy] = field(default_factory=list)
	tv_days: int = 0
	accused: int = 0
	watched: int = 0
	signs: int = 0
	repeats: int = 0
	denied: int = 0

	def by(self, what: str, boot: int) -> int:
		"""How many copies came to this (a field of Copy) at this boot or before."""
		return sum(0 < getattr(copy, what) <= boot for copy in self.copies)

	def found_of_two(self, boot: int) -> float:
		"""Of the copies that had shown as two sets by this boot, the share that was acted on by then."""
		return sum(0 < copy.found <= boot for copy in self.copies if 0 < copy.two <= boot) / max(
			1, self.by("two", boot)
		)

	@property
	def false_alarms(self) -> float:
		"""Genuine TVs acted on, per 10,000 TV-days."""
		return self.accused * 10_000 / max(1, self.tv_days)

	def __add__(self, other: Outcome) -> Outcome:
		return Outcome(
			self.copies + other.copies,
			*(
				getattr(self, name) + getattr(other, name)
				for name in ("tv_days", "accused", "watched", "signs", "repeats", "denied")
			),
		)


class Server:
	"""All nodes as one TV meets them, and the evidence that they report of it."""

	def __init__(self):
		self.level = clones.NONE
		self.reached: set[str] = set()
		self.evidence: list[Evidence] = []
		self._seen = dict.fromkeys(NODES, counter.Seen())
		self._overtaken: dict[str, tuple[str, ...]] = dict.fromkeys(NODES, ())
		self._hours = Hours()
		self._network = ""

	def count(self, node: str, number: int, nonce: str, proven: bool = False) -> counter.Verdict:
		"""Judge a number and remember it."""
		verdict = counter.judge(self._seen[node], number, nonce, proven=proven)
		if verdict.kind == counter.ACCEPTED:
			self._seen[node] = counter.Seen(number, nonce)
		return verdict

	def prove(self, node: str, number: int, nonce: str, told: tuple[str, ...]) -> str:
		"""Take a proof: which line the TV goes on from."""
		line = lineage.Line(self._seen[node].nonce, self._overtaken[node])
		self.count(node, number, nonce, proven=True)
		found = lineage.judge(told, line)
		self._overtaken[node] = found.overtaken
		return found.kind

	def hear(self, at: int, network: str, line: str | None = None, refused: int = 0) -> None:
		"""Note from where a TV asked and, when it proved itself, what that is a sign of; then judge it."""
		kinds = []
		if line is not None:
			kinds = telemetry.kinds(
				Answered(wire.HEARD, Decision(ALLOW), proven=True, line=line), refused, False
			)
		if network != self._network:
			# Nothing else can come of a heartbeat here: a TV that stays where it is never comes back.
			self._network = network
			self._hours.hear(SERIAL, {}, at=at, network=network)
			kinds += [clones.NETWORKS for hour in self._hours.take() if hour.returns]
		for kind in kinds:
			self.evidence.append(
				Evidence(kind, at, network, counter=refused if kind != clones.NETWORKS else 0)
			)
			self.level = clones.judge(self.evidence, now=at, current=self.level).level
			self.reached.add(self.level)


class Set:
	"""A TV with its flash, as people use it."""

	def __init__(self, habits: Habits, chance: random.Random, network: str, memory: Memory | None = None):
		self.network = network
		self.memory = memory or Memory()
		self.tells = habits.telling
		self._habits, self._chance = habits, chance
		self._kept = self._image()
		self._before: tuple | None = None
		self._is_cut = False
		self._worn = chance.random() < habits.worn

	def starts(self, node: str) -> None:
		"""What may have happened to its memory since it was on, and to its network; its state is kept about twice a week."""
		draw, habits = self._chance.random, self._habits
		often = sum(habits.starts) / len(habits.starts) * YEAR
		self._is_cut = draw() < habits.cuts / often
		if self._before and draw() < 0.5:
			self._restore(self._before)
			self._before = None
		if draw() < 0.15:
			self._kept = self._image()
		if draw() < (0.3 if self._worn else habits.restores / often):
			self._before = self._image() if draw() < habits.undone else None
			self._restore(self._kept)
		if draw() < habits.resets / often:
			self._restore(({}, {}))
		if draw() < habits.moving and self.network.endswith(".0/24"):
			self.network = f"10.{self._chance.randrange(256)}.{self._chance.randrange(256)}.0/24"
		if draw() < habits.offline:
			# Asked in vain, five times, each time anew.
			for _ in range(5):
				self.memory.count(node)

	def ask(self, server: Server, at: int, node: str, outcome: Outcome) -> None:
		"""Ask once, again when no answer comes, and the slow way when the count does not fit."""
		written = self._image() if self._is_cut else None
		number, nonce = self.memory.count(node)
		verdict, answered = self._send(server, node, int(number), nonce, outcome)
		if not answered:
			server.hear(at, self.network)
		elif verdict.taken:
			self.memory.settle(node, nonce, True)
			server.hear(at, self.network)
		else:
			self.memory.settle(node, nonce, False)
			self.memory.count_from(node, verdict.base)
			self._prove(server, at, node, int(number), outcome)
		if written:
			self._is_cut = False
			self._restore(written)

	def _prove(self, server: Server, at: int, node: str, refused: int, outcome: Outcome) -> None:
		told = tuple(self.memory.lines.get(node, ())) if self.tells else ()
		number, nonce = self.memory.count(node)
		line = server.prove(node, int(number), nonce, told)
		if self._chance.random() >= self._habits.lost**REPEATS:
			self.memory.settle(node, nonce, True)
		server.hear(at, self.network, line, refused)
		outcome.signs += 1

	def _send(
		self, server: Server, node: str, number: int, nonce: str, outcome: Outcome
	) -> tuple[counter.Verdict, bool]:
		"""What the node says, and whether the TV ever hears it."""
		verdict = server.count(node, number, nonce)
		for _ in range(REPEATS):
			if self._chance.random() >= self._habits.lost:
				return verdict, True
			outcome.repeats += 1
			again = server.count(node, number, nonce)
			outcome.denied += verdict.taken and not again.taken
		return verdict, False

	def _image(self) -> tuple:
		return deepcopy((self.memory.counts, self.memory.lines))

	def _restore(self, image: tuple) -> None:
		self.memory.counts, self.memory.lines = deepcopy(image)


def drill(habits: Habits, seed: int, tick: Callable[[int], None] | None = None) -> Outcome:
	"""Play the fleet's days, every TV for itself. `tick` hears how many TVs are done."""
	chance = random.Random(seed)
	outcome = Outcome()
	copied = round(habits.tvs * habits.copied)
	for index in range(habits.tvs):
		play = _play_copied if index < copied else _play_genuine
		play(chance, habits, outcome)
		if tick:
			tick(index + 1)
	return outcome


def _play_genuine(chance: random.Random, habits: Habits, outcome: Outcome) -> None:
	server, tv = Server(), Set(habits, chance, HOME)
	alternates = chance.random() < habits.uplinks
	outcome.tv_days += habits.days
	# How often it asks while it is on cannot accuse it: a few heartbeats stand for all.
	for at, boots, node in _asks(chance, habits, beats=2):
		if boots:
			tv.starts(node)
		tv.ask(server, at, node, outcome)
		if alternates:
			tv.network = UPLINK if tv.network != UPLINK else HOME
	outcome.accused += bool(server.reached & set(ACTED_ON))
	outcome.watched += bool(server.reached - {clones.NONE})


def _play_copied(chance: random.Random, habits: Habits, outcome: Outcome) -> None:
	"""An original and its copy, each used as people use TVs; both know the keys, each only its own count and line."""
	server, original = Server(), Set(habits, chance, HOME)
	for at in range(chance.randrange(2, 50)):
		original.ask(server, at - 90 * DAY, NODES[at % 2], outcome)
	# What went before does not matter here: the drill begins with the copying.
	server.evidence.clear()
	server.level = clones.NONE
	copied_at = chance.randrange(DAY)
	network = original.network if chance.random() < habits.shared else ELSEWHERE
	copy = Set(habits, chance, network, deepcopy(original.memory))
	copy.tells = habits.telling and chance.random() >= habits.silent
	first = copied_at + chance.randrange(2 * DAY)
	back = copied_at + int(habits.away * DAY)
	outages = [chance.random() < habits.outages for _ in range(habits.days)]
	asks = [(at, boots, original) for at, boots in _from(back, _asks(chance, habits))]
	asks += [(at, boots, copy) for at, boots in _from(first, _asks(chance, habits, habits.awake))]
	outcome.copies.append(_watch(server, copy, sorted(asks, key=lambda ask: ask[0]), outages, outcome))


def _watch(server: Server, copy: Set, asks: list, outages: list[bool], outcome: Outcome) -> Copy:
	"""Play until the TV is acted on."""
	found, boot, runs, last, since = Copy(), 0, 0, None, 0
	for at, boots, tv in asks:
		node = NODES[outages[at // DAY % len(outages)]]
		if boots:
			tv.starts(node)
			boot += tv is copy
		tv.ask(server, at, node, outcome)
		runs, last = runs + (tv is not last), tv
		# Here, there and here again: before that, one TV that moved once looks the same.
		if runs >= 3 and not found.two:
			found.two, since = boot, at
		if server.level in ACTED_ON:
			found.found, found.waited = boot, at - since if found.two else 0
			break
	return found


def _from(moment: int, asks: Iterator[tuple[int, bool, str]]) -> Iterator[tuple[int, bool]]:
	"""What a set asks from the first time on that it is switched on after this moment."""
	is_on = False
	for at, boots, _node in asks:
		is_on = is_on or (boots and at >= moment)
		if is_on:
			yield at, boots


def _asks(
	chance: random.Random, habits: Habits, awake: tuple[int, int] = (0, 18), beats: int = 19
) -> Iterator[tuple[int, bool, str]]:
	"""Moments at which a set asks, whether it was just switched on, and which node: when it is on, each quarter of an hour."""
	begins, ends = (hour * 3600 for hour in awake)
	for day in range(habits.days):
		node = NODES[chance.random() < habits.outages]
		moments = sorted(chance.randrange(begins, ends) for _ in range(chance.choice(habits.starts)))
		for moment in moments:
			yield day * DAY + moment, True, node
			for beat in range(1, chance.randrange(1, beats) + 1):
				yield day * DAY + moment + beat * HEARTBEAT, False, node
