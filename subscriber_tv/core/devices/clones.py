"""Is this TV one of several with the same keys? Points for dated evidence, and what an offer's policy makes of them.

A TV's keys can be copied with its flash memory. Two sets then share one counter, one identity at the broker and one
name for streams, and cannot help showing it. No single sign proves a copy, a restored flash or a lost reply looks like
a part of one, so signs add up and fade: see `docs/clones.md`. Addresses alone never accuse: a hotel is one address.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

DAY = 86_400

RESYNC, RESTORED, FORKED = "resync", "restored", "forked"
FINGERPRINT, STREAMS = "fingerprint", "streams"
TAKEOVER, NETWORKS, MOVED = "takeover", "networks", "moved"

NONE, WATCHED, RESTRICTED, QUARANTINED = "", "Watched", "Restricted", "Quarantined"
WATCH, RESTRICT, QUARANTINE = "Watch", "Restrict", "Quarantine"

# Levels from the mildest, with the points from which they hold.
LEVELS = ((WATCHED, 60), (RESTRICTED, 80), (QUARANTINED, 100))
_HARSHEST = {WATCH: WATCHED, RESTRICT: RESTRICTED, QUARANTINE: QUARANTINED}

# An identity taken over fewer times within its hour is a TV that lost its own connection.
TAKEOVERS_AN_HOUR = 3
# TVs of another site at one network from which on it counts as that site's own.
NEIGHBOURS = 3
# Back at the first network within so many seconds: nobody carries a TV there and back.
RETURN_SECONDS = 1800
# A sign that more than this share of all TVs shows within one hour is ours to explain, not theirs.
CROWD = 0.02


@dataclass(frozen=True)
class Weight:
	"""What signs of one kind are worth.

	`points` each, `most` together; full for `days`, then less every second until after as many days again nothing is
	left. Signs of one kind and network less than `apart` seconds after one that counted are its repetition.
	"""

	points: int
	most: int
	days: int
	apart: int
	by_address: bool = False


WEIGHTS = {
	FORKED: Weight(80, 160, 30, 3600),
	RESTORED: Weight(15, 40, 7, 300),
	RESYNC: Weight(35, 140, 7, 300),
	FINGERPRINT: Weight(50, 100, 30, DAY),
	STREAMS: Weight(60, 120, 7, 3600),
	TAKEOVER: Weight(30, 60, 7, 3600),
	NETWORKS: Weight(20, 20, 2, 3600, by_address=True),
	MOVED: Weight(20, 20, 14, DAY, by_address=True),
}


@dataclass(frozen=True)
class Evidence:
	"""One sign, seen at `at` (epoch seconds UTC).

	:param counter: of a count that did not fit the number that was refused, 0 when nobody noted it; the same number again is a
		memory that forgets, not a second set
	:param count: how often within its slot; matters for take-overs only
	"""

	kind: str
	at: int
	network: str = ""
	fingerprint: str = ""
	counter: int = 0
	count: int = 1


@dataclass(frozen=True)
class Reason:
	"""What one kind of sign adds: how many counted, and their points today."""

	kind: str
	signs: int
	points: int


@dataclass(frozen=True)
class Verdict:
	"""Points, the level they call for within the policy, and why."""

	score: int
	level: str
	reasons: tuple[Reason, ...]


def judge(
	evidence: Iterable[Evidence],
	*,
	now: int,
	since: int = 0,
	policy: str = QUARANTINE,
	current: str = NONE,
	crowded: frozenset[tuple[str, int]] = frozenset(),
) -> Verdict:
	"""What the evidence says at `now` (epoch seconds UTC).

	:param since: signs before this moment are void: the TV was paired anew, or somebody looked and cleared it
	:param policy: the harshest step the TV's offer takes by itself
	:param current: the level in force; a quarantine ends by a person, never by waiting
	:param crowded: (kind, hour) that too many TVs share to mean anything about one
	"""
	valid = sorted(
		(
			sign
			for sign in evidence
			if sign.kind in WEIGHTS and since < sign.at <= now and (sign.kind, sign.at // 3600) not in crowded
		),
		key=lambda sign: sign.at,
	)
	reasons = tuple(
		reason
		for reason in (_reason(kind, [sign for sign in valid if sign.kind == kind], now) for kind in WEIGHTS)
		if reason.points
	)
	accused = any(not WEIGHTS[reason.kind].by_address for reason in reasons)
	score = sum(reason.points for reason in reasons)
	if not accused:
		score = min(score, LEVELS[0][1] - 1)
	level = QUARANTINED if current == QUARANTINED else _level(score, policy)
	return Verdict(score, level, reasons)


def is_harsher(level: str, than: str) -> bool:
	"""Whether one level goes further than another."""
	order = [NONE, *(name for name, _ in LEVELS)]
	return order.index(level or NONE) > order.index(than or NONE)


def is_crowd(tvs_with_sign: int, tvs: int) -> bool:
	"""Whether so many TVs showed a sign within an hour that its cause must be common: a lost edge file, a faulty firmware."""
	return tvs_with_sign >= 50 and tvs_with_sign > CROWD * tvs


def has_moved(site: str, sites_at_network: dict[str, int]) -> bool:
	"""Whether a TV booked at `site` asks from another site's own network.

	:param sites_at_network: how many other TVs of each site ask from that network
	"""
	if sites_at_network.get(site):
		return False
	return any(count >= NEIGHBOURS for other, count in sites_at_network.items() if other != site)


def slot(sign: Evidence) -> int:
	"""The number of the time slot in which signs of this kind are kept as one row."""
	return sign.at // WEIGHTS[sign.kind].apart


def _level(score: int, policy: str) -> str:
	harshest = _HARSHEST[policy]
	level = NONE
	for name, points in LEVELS:
		if score < points or is_harsher(name, harshest):
			break
		level = name
	return level


def _reason(kind: str, signs: Sequence[Evidence], now: int) -> Reason:
	weight = WEIGHTS[kind]
	counted = _counted(kind, signs, weight)
	points = sum(weight.points * _left(now - sign.at, weight.days * DAY) for sign in counted)
	return Reason(kind, len(counted), min(int(points), weight.most))


def _left(age: int, full: int) -> float:
	return 1.0 if age <= full else max(0.0, 2.0 - age / full)


def _counted(kind: str, signs: Sequence[Evidence], weight: Weight) -> list[Evidence]:
	"""The signs that count, oldest first: repetitions, stuck memories and too few take-overs are left out."""
	counted: list[Evidence] = []
	latest: dict[tuple[str, str], int] = {}
	refused: set[int] = set()
	for sign in signs:
		if kind == TAKEOVER and sign.count < TAKEOVERS_AN_HOUR:
			continue
		if sign.counter and sign.counter in refused:
			continue
		source = (sign.network, sign.fingerprint)
		if sign.at - latest.get(source, -weight.apart) < weight.apart:
			continue
		latest[source] = sign.at
		refused.add(sign.counter)
		counted.append(sign)
	return counted
