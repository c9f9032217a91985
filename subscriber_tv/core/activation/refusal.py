"""Why is this TV refused? The checks of the decision in their order, each with what it found, for a person to read.

It decides nothing: where the decision itself judges (state, rights, lease), that very function is asked. What only the
TV can show, its key and its count, is inferred from what it was answered lately.
"""

from __future__ import annotations

from dataclasses import dataclass

from subscriber_tv.core.activation.decide import ALLOW, BINDING_MISMATCH, Row, judge
from subscriber_tv.core.devices import movements

OK, FAILED, UNCLEAR, SKIPPED = "ok", "failed", "unclear", "skipped"

KNOWN, PAIRED, PUBLISHED, PROVEN, COUNTED, RIGHTS, BOUND, FRESH = (
	"known",
	"paired",
	"published",
	"proven",
	"counted",
	"rights",
	"bound",
	"fresh",
)
ORDER = (KNOWN, PAIRED, PUBLISHED, PROVEN, COUNTED, RIGHTS, BOUND, FRESH)

# An edge whose data is older than this (seconds) may still say what was true before.
LATE = 300
# A TV that was refused for its count so often in a day is stuck, or has a copy.
MANY_RESYNCS = 2


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
	edges: tuple[tuple[str, int], ...] = ()


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
		FRESH: _fresh,
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
	return (UNCLEAR, "resync") if case.resyncs >= MANY_RESYNCS else (OK, "")


def _rights(case: Case, now: int) -> _Found:
	if case.row is None:
		return FAILED, "not_published"
	decision = judge(case.row, now)
	return (OK, "") if decision.kind == ALLOW else (FAILED, decision.code)


def _bound(case: Case, now: int) -> _Found:
	refused = case.row is not None and case.row.fp and case.mismatch_at > case.allowed_at
	return (FAILED, BINDING_MISMATCH) if refused else (OK, "")


def _fresh(case: Case, now: int) -> _Found:
	return (UNCLEAR, "edge_late") if any(age > LATE for _, age in case.edges) else (OK, "")
