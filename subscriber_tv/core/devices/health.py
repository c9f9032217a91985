"""When does a TV, or a site, need somebody before its viewer calls? Rules over hourly rows, and what they open and close.

A rule names a signal, a threshold and for how many hours in a row it must be passed. Applied to single TVs it opens one
alarm a TV; applied to sites, one a site once enough of its TVs pass it. An alarm opens once, and closes when the
signal has been fine for as long as it took to open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from subscriber_tv.core.devices.heartbeats import Hour

TEMPERATURE, SIGNAL_STRENGTH, ERRORS, RESTARTS, SILENCE = (
	"Temperature",
	"Signal Strength",
	"Errors per Hour",
	"Restarts per Hour",
	"Silence",
)
SIGNALS = (TEMPERATURE, SIGNAL_STRENGTH, ERRORS, RESTARTS, SILENCE)
TV, SITE = "TV", "Site"
OPEN, RECOVER = "open", "recover"


@dataclass(frozen=True)
class Rule:
	"""One rule.

	:param threshold: °C, dBm, errors or restarts an hour from which on (for dBm: down to which) an hour is bad
	:param hours: bad hours in a row; of silence, hours without any heartbeat
	:param scope: TV or Site
	:param tvs: of a site, how many of its TVs must pass the rule
	:param segment: only TVs of sites of this segment; "" is all
	"""

	name: str
	signal: str
	threshold: int
	hours: int
	scope: str = TV
	tvs: int = 1
	segment: str = ""


@dataclass(frozen=True)
class Set:
	"""A TV in service: where it is, when it was last heard (epoch seconds UTC; 0 never), and its latest hours."""

	serial: str
	site: str
	segment: str
	last_heard: int
	hours: tuple[Hour, ...] = ()


@dataclass(frozen=True)
class Step:
	"""An alarm to open, or one that recovered. `value` is the worst reading; `tvs` those of the site that pass the rule."""

	action: str
	rule: str
	subject: str
	value: int = 0
	tvs: tuple[str, ...] = ()


def judge(
	rules: Sequence[Rule],
	sets: Iterable[Set],
	alarms: Mapping[str, frozenset[str]],
	now: int,
) -> tuple[Step, ...]:
	"""What the rules open and close at `now` (epoch seconds UTC).

	:param sets: the TVs to look at; for a rule over sites, every TV of each site among them
	:param alarms: subjects (serials or sites) of the alarms that are open now, by rule
	"""
	sets = list(sets)
	steps: list[Step] = []
	for rule in rules:
		subject_to = [found for found in sets if not rule.segment or found.segment == rule.segment]
		judged = [(found, *_judge_set(rule, found, now)) for found in subject_to]
		by_subject = _by_site(judged) if rule.scope == SITE else _by_tv(judged)
		is_open = alarms.get(rule.name, frozenset())
		for subject, tvs in by_subject.items():
			steps.extend(_step(rule, subject, tvs, is_open))
	return tuple(steps)


GOOD, BAD, UNCLEAR = "good", "bad", "unclear"
_Judged = list[tuple[Set, str, int]]


def _judge_set(rule: Rule, found: Set, now: int) -> tuple[str, int]:
	"""Whether this TV passes the rule, is fine again, or neither; and its worst reading."""
	if rule.signal == SILENCE:
		return _silence(rule, found, now)
	# The current hour is not over and may still get better or worse; it counts as soon as it is bad.
	newest = now // 3600
	rows = {row.hour: row for row in found.hours}
	readings = [_reading(rule.signal, rows.get(newest - back)) for back in range(rule.hours + 1)]
	latest = readings[: rule.hours] if _is_bad(rule, readings[0]) else readings[1:]
	worst = _worst(rule.signal, readings)
	if all(_is_bad(rule, value) for value in latest):
		return BAD, worst
	heard = [value for value in readings if value is not None]
	if heard and not any(_is_bad(rule, value) for value in heard):
		return GOOD, worst
	return UNCLEAR, worst


def _silence(rule: Rule, found: Set, now: int) -> tuple[str, int]:
	"""A TV that was never heard is none that fell silent."""
	if not found.last_heard:
		return UNCLEAR, 0
	hours = max(0, now - found.last_heard) // 3600
	return (BAD, hours) if hours >= rule.hours else (GOOD, hours)


def _reading(signal: str, row: Hour | None) -> int | None:
	if row is None:
		return None
	return {
		TEMPERATURE: row.temp_max,
		SIGNAL_STRENGTH: row.rssi_min,
		ERRORS: row.errors,
		RESTARTS: row.restarts,
	}[signal]


def _is_bad(rule: Rule, value: int | None) -> bool:
	if value is None:
		return False
	return value <= rule.threshold if rule.signal == SIGNAL_STRENGTH else value >= rule.threshold


def _worst(signal: str, readings: Iterable[int | None]) -> int:
	heard = [value for value in readings if value is not None]
	if not heard:
		return 0
	return min(heard) if signal == SIGNAL_STRENGTH else max(heard)


def _by_tv(judged: _Judged) -> dict[str, _Judged]:
	return {found.serial: [(found, state, value)] for found, state, value in judged}


def _by_site(judged: _Judged) -> dict[str, _Judged]:
	sites: dict[str, _Judged] = {}
	for found, state, value in judged:
		if found.site:
			sites.setdefault(found.site, []).append((found, state, value))
	return sites


def _step(rule: Rule, subject: str, tvs: _Judged, is_open: frozenset[str]) -> Iterable[Step]:
	bad = [(found, value) for found, state, value in tvs if state == BAD]
	needed = rule.tvs if rule.scope == SITE else 1
	if subject not in is_open:
		if len(bad) >= needed:
			yield _made(OPEN, rule, subject, bad)
		return
	# Fewer TVs than it takes is not yet recovery: half of them must be fine again, and none may be unclear alone.
	fine = sum(state == GOOD for _, state, _ in tvs)
	if len(bad) * 2 < needed and fine:
		yield Step(RECOVER, rule.name, subject)


def _made(action: str, rule: Rule, subject: str, bad: list[tuple[Set, int]]) -> Step:
	values = [value for _, value in bad]
	worst = min(values) if rule.signal == SIGNAL_STRENGTH else max(values)
	return Step(action, rule.name, subject, worst, tuple(sorted(found.serial for found, _ in bad)))
