"""Take a batch of usage records into the inbox: each counts once, whatever comes twice, late, at once or contradicts.

The first to insert a source's key holds it until he commits; whoever comes with the same key waits, then sees what is there
and decides by `core.usage.inbox`. Keys are always taken in the same order, so two batches never wait for each other.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import frappe

from subscriber_tv.core.usage import inbox
from subscriber_tv.core.usage.judge import Facts, Place, judge
from subscriber_tv.core.usage.problem import Problem, problem
from subscriber_tv.core.usage.read import Read
from subscriber_tv.core.usage.record import name_of, name_of_side
from subscriber_tv.flows.settings import phase_on
from subscriber_tv.flows.usage import rows
from subscriber_tv.flows.usage.load_facts import load_facts
from subscriber_tv.flows.usage.words import stored

AT_ONCE = 1000
"""Records of one batch."""

STATUSES = ("accepted", "held", "known", "rejected", "conflict", "cancelled", "superseded", "received")


@dataclass(frozen=True)
class Origin:
	"""Where a batch comes from."""

	source: str
	profile: str | None = None
	tv_import: str | None = None


@dataclass(frozen=True)
class Outcome:
	"""What became of one record: one of STATUSES, the record that was written, and the problem when there is one."""

	key: str
	status: str
	name: str
	problem: Problem | None = None


@dataclass(frozen=True)
class _Judged:
	read: Read
	name: str
	found: Place | Problem | None

	@property
	def state(self) -> str:
		if self.read.problem is None and self.read.record.cancelled:
			return inbox.CANCELLED
		if isinstance(self.found, Problem):
			return inbox.REJECTED
		if self.found is None:
			return inbox.RECEIVED
		return inbox.HELD if self.found.held else inbox.ACCEPTED

	@property
	def problem(self) -> Problem | None:
		"""What it was rejected or is held for."""
		return self.found.held if isinstance(self.found, Place) else self.found


def take(reads: Sequence[Read], origin: Origin) -> list[Outcome]:
	"""Write at most 1,000 records in this transaction and commit nothing; the outcomes come in the order of the input.

	While billing is switched off records are kept as Received, to be judged later. Errors: QueryDeadlockError when
	another batch brings the same keys in new versions at the same time; the whole batch is then taken again.
	"""
	facts = load_facts(read.record for read in reads if read.problem is None)
	judged = [_judged(read, facts, origin) for read in reads]
	outcomes: dict[int, Outcome] = {}
	for wave in _waves(judged):
		_Wave(origin, facts).take(wave, outcomes)
	return [outcomes[number] for number in range(len(judged))]


def _judged(read: Read, facts: Facts, origin: Origin) -> _Judged:
	found: Place | Problem | None = read.problem
	if found is None and not read.record.cancelled and phase_on("billing"):
		found = judge(read.record, facts)
	return _Judged(read, name_of(origin.source, read.record.key), found)


def _waves(judged: Sequence[_Judged]) -> Iterator[dict[int, _Judged]]:
	"""Groups in which no key stands twice, in the order of the input."""
	left = dict(enumerate(judged))
	while left:
		first: dict[str, int] = {}
		for number, one in left.items():
			first.setdefault(one.name, number)
		yield {number: left.pop(number) for number in first.values()}


class _Wave:
	"""One record a key."""

	def __init__(self, origin: Origin, facts: Facts):
		self._origin = origin
		self._facts = facts
		self._batch = frappe.generate_hash(length=16)

	def take(self, wave: dict[int, _Judged], outcomes: dict[int, Outcome]) -> None:
		rows.insert(self._row(one) for one in wave.values())
		standing = rows.lock_others([one.name for one in wave.values()], self._batch)
		for number, one in sorted(wave.items(), key=lambda item: item[1].name):
			row = standing.get(one.name)
			outcomes[number] = self.meet(row, one) if row else _new(one)

	def meet(self, row: frappe._dict, one: _Judged) -> Outcome:
		"""Settle a record with the one that stands for its key, which is locked."""
		decision = inbox.decide(rows.kept(row), one.read.record)
		if decision == inbox.KNOWN:
			return Outcome(one.read.record.key, "known", row.name)
		if decision == inbox.RETRY:
			return self._retry(row, one)
		if decision == inbox.CANCEL:
			return self.cancel(row, one)
		if decision == inbox.REPLACE:
			return self.replace(row, one)
		if decision == inbox.SUPERSEDED:
			return self._aside(row, one, inbox.REPLACED)
		# What cannot be read contradicts nothing yet.
		return self._aside(row, one, inbox.REJECTED if one.read.problem else inbox.CONFLICT)

	def replace(self, row: frappe._dict, one: _Judged) -> Outcome:
		"""A new version counts from now on. One with a problem waits beside what counts."""
		if one.state not in inbox.COUNTED:
			return self._aside(row, one, one.state)
		rows.keep_aside(row)
		rows.update(row.name, self._content(one))
		waited = self._side_name(one)
		if frappe.db.exists(rows.DOCTYPE, waited):
			rows.update(waited, {"state": inbox.REPLACED})
		return _new(one)

	def cancel(self, row: frappe._dict, one: _Judged) -> Outcome:
		"""What counted counts no longer, and is credited if it was billed; its content stays readable."""
		rows.keep_aside(row)
		rows.update(
			row.name,
			{
				"state": inbox.CANCELLED,
				"version": one.read.record.version,
				"raw": one.read.raw,
				"batch": self._batch,
				"invoice": None,
				"invoice_row": None,
				"problem": None,
				"problem_values": None,
				"reason": None,
			},
		)
		return Outcome(one.read.record.key, "cancelled", row.name)

	def _retry(self, row: frappe._dict, one: _Judged) -> Outcome:
		if row.raw != one.read.raw:
			rows.keep_aside(row)
		values = self._content(one)
		if row.corrected_by:
			# What the source sends again is known by what it sent, not by what was made of it here.
			del values["fingerprint"]
		rows.update(row.name, values)
		return _new(one)

	def _aside(self, row: frappe._dict, one: _Judged, state: str) -> Outcome:
		"""Keep what does not count, once."""
		name = self._side_name(one)
		found = self._problem(one, state)
		filed = {"name": name, "state": state, "current_record": row.name, **stored(found)}
		rows.insert([self._row(one) | filed])
		standing = rows.lock([name])[name]
		if standing.state == inbox.DISMISSED:
			return Outcome(one.read.record.key, "known", name)
		if standing.state == inbox.REJECTED and isinstance(found, Problem):
			rows.update(name, stored(found))
		status = "superseded" if state == inbox.REPLACED else state.lower()
		return Outcome(one.read.record.key, status, name, found)

	def _problem(self, one: _Judged, state: str) -> Problem | None:
		if state == inbox.CONFLICT:
			return problem("contradicts", key=one.read.record.key, version=one.read.record.version)
		return one.found if isinstance(one.found, Problem) and state == inbox.REJECTED else None

	def _side_name(self, one: _Judged) -> str:
		record = one.read.record
		fingerprint = record.fingerprint
		return name_of_side(self._origin.source, record.key, record.version, fingerprint, record.cancelled)

	def _row(self, one: _Judged) -> dict:
		key = {"name": one.name, "source": self._origin.source, "source_key": one.read.record.key}
		return key | self._content(one)

	def _content(self, one: _Judged) -> dict:
		return rows.content(one.read, one.found, self._facts) | {
			"state": one.state,
			"batch": self._batch,
			"profile": self._origin.profile,
			"tv_import": self._origin.tv_import,
		}


def _new(one: _Judged) -> Outcome:
	return Outcome(one.read.record.key, one.state.lower(), one.name, one.problem)
