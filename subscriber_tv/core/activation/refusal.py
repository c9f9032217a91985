"""Why is this TV refused? The checks of the decision in their order, each with what it found, for a person to read.

It decides nothing: where the decision itself judges (state, rights, lease), that very function is asked. What only the
TV can show, its key and its count, is inferred from what it was answered lately.
"""

from __future__ import annotations

from dataclasses import dataclass

from subscriber_tv.core.activation.decide import ALLOW, BINDING_MISMATCH, DENY, Row, judge
from subscriber_tv.core.devices import movements

OK, FAILED, UNCLEAR, SKIPPED = "ok", "failed", "unclear", "skipped"

KNOWN, PAIRED, PUBLISHED, PROVEN, COUNTED = "known", "paired", "published", "proven", "counted"
RIGHTS, BOUND, PROVISIONED, FRESH, CONNECTED = "rights", "bound", "provisioned", "fresh", "connected"
ORDER = (KNOWN, PAIRED, PUBLISHED, PROVEN, COUNTED, RIGHTS, BOUND, PROVISIONED, FRESH, CONNECTED)

SUSPENDED, RESYNC, ROTATING = "Suspended", "Resync", "Rotating"
"""States that nobody keeps: they follow from the rights, the last answers and the newest epoch. The others are the credential's."""

# An edge whose data is older than this (seconds) may still say what was true before.
LATE = 300
# A TV that is switched on is connected to the broker within so many seconds of its question.
CONNECTS = 900
# A TV that was paired before there was a broker learns of it within a day, when its lease is signed anew.
LEARNS = 86_400
# A TV that was refused for its count so often in a day is stuck, or has a copy.
MANY_RESYNCS = 2


@dataclass(frozen=True)
class PlatformOrder:
	"""An order to a CAS, DRM or streaming platform that is not done; `refused`: the platform will not do it as it is."""

	name: str
	platform: str
	refused: bool
	text: str = ""


@dataclass(frozen=True)
class Case:
	"""All that the desk knows of a TV. Times are epoch seconds UTC, 0: never.

	:param credential: its TV Device's credential state; "" for a serial that no TV has
	:param key_hash: the key it was paired with
	:param row: its row of the projection, None when there is none
	:param waiting_since: since when a change of its rights waits to be published
	:param paired_at: since when it is bound to its line
	:param answered_at: last moment at which it proved itself, whatever it was told
	:param strangers: attempts from its network that proved nothing, in the last day
	:param resyncs: how often it lost its count in the last day
	:param mismatch_at: when it was last refused for its parts; `allowed_at`: when it was last allowed
	:param conflict_at: when its number last did not fit; `settled_at`: when it last got another answer than that
	:param rotated_at: since when there is a newer epoch than the first
	:param orders: what platforms were told of it and have not done: name, platform, whether they refused it, and why
	:param has_broker: whether the operator uses one; `at_broker`, `broker_since`: its last word about the TV, and when
	:param edges: name and age of data (seconds) of each edge
	"""

	serial: str
	credential: str = ""
	paired: bool = False
	key_hash: str = ""
	row: Row | None = None
	waiting_since: int = 0
	paired_at: int = 0
	answered_at: int = 0
	strangers: int = 0
	resyncs: int = 0
	mismatch_at: int = 0
	allowed_at: int = 0
	conflict_at: int = 0
	settled_at: int = 0
	rotated_at: int = 0
	orders: tuple[PlatformOrder, ...] = ()
	has_broker: bool = False
	at_broker: bool = False
	broker_since: int = 0
	edges: tuple[tuple[str, int], ...] = ()

	@property
	def lost_count(self) -> bool:
		"""Whether it was last told that its number does not fit, and has not proved itself since."""
		return self.conflict_at > self.settled_at


@dataclass(frozen=True)
class Check:
	"""One check: its name, what it found, and the code of the finding."""

	name: str
	outcome: str
	code: str = ""


def walk(case: Case, now: int) -> tuple[Check, ...]:
	"""Every check in the order of the decision. After the first that failed, the others are `skipped`."""
	steps = {
		KNOWN: _known,
		PAIRED: _paired,
		PUBLISHED: _published,
		PROVEN: _proven,
		COUNTED: _counted,
		RIGHTS: _rights,
		BOUND: _bound,
		PROVISIONED: _provisioned,
		FRESH: _fresh,
		CONNECTED: _connected,
	}
	checks: list[Check] = []
	for name in ORDER:
		if any(check.outcome == FAILED for check in checks):
			checks.append(Check(name, SKIPPED))
			continue
		outcome, code = steps[name](case, now)
		checks.append(Check(name, outcome, code))
	return tuple(checks)


def verdict(checks: tuple[Check, ...]) -> Check | None:
	"""The check that explains a refusal: the first that failed, else the first that is unclear; None: all is well."""
	for outcome in (FAILED, UNCLEAR):
		for check in checks:
			if check.outcome == outcome:
				return check
	return None


def standing(case: Case, now: int) -> str:
	"""The TV's credential state as it stands now; "" for a serial that no TV has."""
	if case.credential != movements.ACTIVE or case.row is None:
		return case.credential
	if judge(case.row, now).kind == DENY:
		return SUSPENDED
	if case.lost_count:
		return RESYNC
	return ROTATING if case.rotated_at > case.answered_at else movements.ACTIVE


_Found = tuple[str, str]


def _known(case: Case, now: int) -> _Found:
	return (OK, "") if case.credential else (FAILED, "unknown_serial")


def _paired(case: Case, now: int) -> _Found:
	codes = {
		movements.STOCKED: "not_paired",
		movements.PENDING: "pairing",
		movements.RETIRED: "retired",
		movements.REVOKED: "revoked",
	}
	if case.credential in codes:
		return FAILED, codes[case.credential]
	return (OK, "") if case.paired and case.key_hash else (FAILED, "not_paired")


def _published(case: Case, now: int) -> _Found:
	if case.row is None or case.row.key_hash != case.key_hash:
		return FAILED, "waits" if case.waiting_since else "not_published"
	if case.waiting_since and now - case.waiting_since > 5:
		return UNCLEAR, "waits"
	return OK, ""


def _proven(case: Case, now: int) -> _Found:
	if case.answered_at >= case.paired_at > 0:
		return OK, ""
	return UNCLEAR, "wrong_key" if case.strangers else "never_asked"


def _counted(case: Case, now: int) -> _Found:
	if case.resyncs >= MANY_RESYNCS:
		return UNCLEAR, "resync"
	return (UNCLEAR, "lost_count") if case.lost_count else (OK, "")


def _rights(case: Case, now: int) -> _Found:
	if case.row is None:
		return FAILED, "not_published"
	decision = judge(case.row, now)
	return (OK, "") if decision.kind == ALLOW else (FAILED, decision.code)


def _bound(case: Case, now: int) -> _Found:
	refused = case.row is not None and case.row.fp and case.mismatch_at > case.allowed_at
	return (FAILED, BINDING_MISMATCH) if refused else (OK, "")


def _provisioned(case: Case, now: int) -> _Found:
	if any(order.refused for order in case.orders):
		return FAILED, "provisioning_failed"
	return (UNCLEAR, "provisioning_waits") if case.orders else (OK, "")


def _connected(case: Case, now: int) -> _Found:
	"""Nothing on the broker grants a right: a TV that is not there plays, but hears of no change before it asks."""
	if not case.has_broker:
		return OK, "no_broker"
	if case.at_broker:
		return OK, ""
	since = case.broker_since + CONNECTS if case.broker_since else case.paired_at + LEARNS
	return (UNCLEAR, "mqtt_silent") if case.answered_at > since else (OK, "off")


def _fresh(case: Case, now: int) -> _Found:
	return (UNCLEAR, "edge_late") if any(age > LATE for _, age in case.edges) else (OK, "")
