"""A contract as the sum of its changes: what was served when, folded from the change rows.

Days are dates in the time zone of the contract's site; intervals are half-open `[start, end)`, None is open.
The day of a change belongs to the new state. Changes of state fold in the order they were recorded: a later one
replaces the timeline from its effective day on. All others (lines, billing day, discounts) fold by the day they take
effect, and may lie in the future or be taken back.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from subscriber_tv.core.contracts.commitment import Bound, Commitment
from subscriber_tv.core.contracts.lines import DatedStep, Line, LineStep, fold_lines
from subscriber_tv.core.contracts.states import (
	ACTIVE,
	CANCELLED,
	CANCELLING,
	RENEW,
	SUSPENDED,
	UNINSTALLED,
	WITHDRAW,
	WITHDRAWABLE,
	IllegalTransition,
	billable,
	changes_state,
	may_change_terms,
	next_state,
)
from subscriber_tv.core.pricing.discount import Discount


class TimelineError(Exception):
	"""The change does not fit the timeline. `code` says why, `day` is the day that decides.

	Codes: `future` (effective after today), `too_early` (before `day`, when the present state began),
	`end_missing`, `end_too_early` (not after `day`), `already_over` (served until `day` only), `before_opening`
	(before `day`, when the contract was opened), `too_far` (after `day`, the farthest one may plan), `not_yours`
	(no change of that number can be taken back).
	"""

	def __init__(self, code: str, day: date | None = None):
		super().__init__(f"{code} {day or ''}".strip())
		self.code = code
		self.day = day


@dataclass(frozen=True)
class Change:
	"""One recorded change. `lines` are those of the opening, `steps` what a later change does to them.

	A suspension that is not `billed` stops charging too, and an end that is `free` costs no fee however early it is.
	`anchor_day` is the new billing day, `discounts` those granted by this change; `withdraws` is the number of the
	change it takes back.
	"""

	no: int
	event: str
	from_state: str | None
	to_state: str
	effective: date
	end: date | None = None
	lines: tuple[Line, ...] = ()
	steps: tuple[LineStep, ...] = ()
	billed: bool = True
	free: bool = False
	anchor_day: int | None = None
	discounts: tuple[Discount, ...] = ()
	withdraws: int | None = None
	payer: str | None = None


@dataclass(frozen=True)
class StateSpan:
	"""The contract was, is or will be in `state` during `[start, end)`; days not `billed` are served without charge.

	While a cancellation runs that was asked in a suspension the span says Suspended: the date of the end
	gives nobody the right to watch back.
	"""

	state: str
	start: date
	end: date | None = None
	billed: bool = True


@dataclass(frozen=True)
class Agreed:
	"""What was agreed at the opening and never changes by itself. Amounts are net, in the contract's currency.

	Periods begin on `anchor_day` (None: the day of activation), or with the year when aligned to the calendar. The
	first `trial_days` served are free. Nothing before `billed_through` is billed or credited. `minimum` is the least
	that the recurring charges come to in a whole period. `commitment` is the term that binds, counted from the activation.
	"""

	anchor_day: int | None = None
	billed_through: date | None = None
	trial_days: int = 0
	calendar_aligned: bool = False
	minimum: Decimal | None = None
	commitment: Commitment | None = None


@dataclass(frozen=True)
class Contract:
	"""What billing and rights know of a subscription.

	`state` is where its changes led; `spans` never overlap and include the end that a cancellation has set
	for the future. `activated_on` is the day of the first activation, and stays when that was undone the same day;
	`end_date` is the first day no longer served, None while open. `anchor_day` is None until known: the given one, else the day of activation.
	Nothing before `billed_through` is billed or credited. Bill the intervals of `served()`. `anchors` are the later
	billing days with the day each takes effect, `payers` who pays from which day on, `changes` all that was recorded.
	"""

	subscription: str
	lines: tuple[Line, ...]
	spans: tuple[StateSpan, ...]
	activated_on: date | None
	end_date: date | None
	anchor_day: int | None
	billed_through: date | None
	state: str
	before_cancelling: str = ACTIVE
	agreed: Agreed = Agreed()
	anchors: tuple[tuple[date, int], ...] = ()
	discounts: tuple[Discount, ...] = ()
	payers: tuple[tuple[date, str], ...] = ()
	changes: tuple[Change, ...] = field(default=(), compare=False, repr=False)

	def state_on(self, day: date) -> str | None:
		"""State on that day; None before the contract began."""
		found = None
		for span in self.spans:
			if span.start <= day:
				found = span.state
		return found

	def served_on(self, day: date) -> bool:
		"""Whether that day is charged."""
		return any(start <= day and (end is None or day < end) for start, end in self.served())

	def lines_on(self, day: date) -> list[Line]:
		"""The pieces of its lines in force on that day."""
		return [line for line in self.lines if line.in_force_on(day)]

	@property
	def ever_payers(self) -> frozenset[str]:
		"""Everybody named as payer in any change, taken back or not."""
		return frozenset(change.payer for change in self.changes if change.payer)

	def payer_on(self, day: date) -> str:
		"""Who pays for that day; "" when nobody was ever named."""
		return next((payer for start, payer in reversed(self.payers) if start <= day), "")

	def state_since(self) -> date:
		"""Effective day of the change that led to the present state."""
		if self.state == CANCELLING and self.spans[-1].state == CANCELLED:
			return self.spans[-2].start
		return self.spans[-1].start

	def bounds(self) -> tuple[Bound, ...]:
		"""The terms that bind: the one agreed, then each renewal on record, in order of time."""
		if not (self.agreed.commitment and self.activated_on):
			return ()
		first = Bound(self.activated_on, self.agreed.commitment.term.first_end(self.activated_on))
		renewals = (change for change in in_force(self.changes) if change.event == RENEW and change.end)
		return (first, *(Bound(change.effective, change.end, renewed=True) for change in renewals))

	def served(self) -> tuple[tuple[date, date | None], ...]:
		"""Intervals in which days are charged, neighbours merged; gaps lie between end and reactivation."""
		merged: list[tuple[date, date | None]] = []
		for span in self.spans:
			if not billable(span.state):
				continue
			if merged and merged[-1][1] == span.start:
				merged[-1] = (merged[-1][0], span.end)
			else:
				merged.append((span.start, span.end))
		return tuple(merged)


def fold(changes: Iterable[Change], *, subscription: str = "", agreed: Agreed = Agreed()) -> Contract:
	"""Fold recorded changes, in any order given, into the contract they make. ValueError without changes."""
	ordered = tuple(sorted(changes, key=lambda change: change.no))
	if not ordered:
		raise ValueError("a contract without changes")
	contract = Contract(
		subscription=subscription,
		lines=(),
		spans=(),
		activated_on=None,
		end_date=None,
		anchor_day=agreed.anchor_day,
		billed_through=agreed.billed_through,
		state="",
		agreed=agreed,
		changes=ordered,
	)
	for change in ordered:
		if changes_state(change.event):
			contract = _follow(contract, change)
	return _with_terms(contract, ordered)


def extend(contract: Contract, change: Change) -> Contract:
	"""The contract after one more change."""
	return fold((*contract.changes, change), subscription=contract.subscription, agreed=contract.agreed)


def in_force(changes: Iterable[Change]) -> list[Change]:
	"""The changes beside those of state that nobody has taken back, by the day they take effect."""
	changes = list(changes)
	withdrawn = {change.withdraws for change in changes if change.event == WITHDRAW}
	kept = [change for change in changes if change.no not in withdrawn and not changes_state(change.event)]
	return sorted(kept, key=lambda change: (change.effective, change.no))


def _follow(contract: Contract, change: Change) -> Contract:
	"""The contract after one more change of its state."""
	spans = _add_spans(contract.spans, change)
	served_from = next((span.start for span in spans if billable(span.state)), None)
	activated_on = contract.activated_on or served_from
	cancelling = change.event == "cancel_at_date"
	return replace(
		contract,
		spans=spans,
		activated_on=activated_on,
		end_date=_end_date(spans),
		anchor_day=contract.agreed.anchor_day or (activated_on.day if activated_on else None),
		state=change.to_state,
		before_cancelling=(change.from_state or ACTIVE) if cancelling else contract.before_cancelling,
	)


def _with_terms(contract: Contract, changes: Sequence[Change]) -> Contract:
	later = in_force(changes)
	steps = [DatedStep(change.effective, change.no, step) for change in later for step in change.steps]
	return replace(
		contract,
		lines=fold_lines(changes[0].lines, steps),
		anchors=tuple((change.effective, change.anchor_day) for change in later if change.anchor_day),
		discounts=tuple(discount for change in (changes[0], *later) for discount in change.discounts),
		payers=_payers(changes[0], later),
	)


def _payers(opening: Change, later: Iterable[Change]) -> tuple[tuple[date, str], ...]:
	"""Who pays from which day on, in order of time; two names in a row are never the same."""
	payers = [(date.min, opening.payer or "")]
	for change in later:
		if not change.payer:
			continue
		if payers[-1][0] == change.effective:
			payers.pop()
		if not payers or payers[-1][1] != change.payer:
			payers.append((change.effective, change.payer))
	return tuple(payers)


def plan_change(
	contract: Contract,
	event: str,
	*,
	no: int,
	today: date,
	effective: date | None = None,
	end: date | None = None,
	billed: bool = True,
) -> Change:
	"""The change that `event` makes of the contract, checked against its table and its timeline.

	`today` is the day at the site. An effective day left out is today, except for the end of a cancellation
	whose day has come: that one takes effect on the day agreed. `billed` says whether a suspension goes on being
	charged. Errors: IllegalTransition, TimelineError.
	"""
	to_state = next_state(contract.state, event, contract.before_cancelling)
	effective = effective or _default_day(contract, event, today)
	if effective > today:
		raise TimelineError("future", today)
	_check_not_over(contract, event, effective)
	earliest = _earliest(contract)
	if earliest and effective < earliest:
		raise TimelineError("too_early", earliest)
	if event != "cancel_at_date":
		end = None
	elif end is None:
		raise TimelineError("end_missing")
	elif end <= effective:
		raise TimelineError("end_too_early", effective)
	return Change(no, event, contract.state, to_state, effective, end, billed=billed or event != "suspend")


def plan_other(
	contract: Contract, event: str, *, no: int, today: date, farthest: date, effective: date | None = None
) -> Change:
	"""A change beside those of state, still without what it changes; it takes effect on any day up to `farthest`.

	`today` is the day at the site, and the effective day unless one is given. Errors: IllegalTransition for a
	contract that is over, TimelineError.
	"""
	if not may_change_terms(contract.state):
		raise IllegalTransition(contract.state, event, ())
	effective = effective or today
	if effective > farthest:
		raise TimelineError("too_far", farthest)
	if contract.end_date and effective >= contract.end_date:
		raise TimelineError("already_over", contract.end_date)
	opened = min(day for day in (contract.changes[0].effective, contract.activated_on) if day)
	if effective < opened:
		raise TimelineError("before_opening", opened)
	return Change(no, event, contract.state, contract.state, effective)


def plan_withdrawal(contract: Contract, withdraws: int, *, no: int) -> Change:
	"""The change that takes back change number `withdraws`, as if it had never been. Errors: TimelineError.

	It is dated as what it takes back: from that day on the contract is another one.
	"""
	found = next((change for change in in_force(contract.changes) if change.no == withdraws), None)
	if found is None or found.event not in WITHDRAWABLE:
		raise TimelineError("not_yours")
	return Change(no, WITHDRAW, contract.state, contract.state, found.effective, withdraws=withdraws)


def is_due(state: str, end_date: date | None, today: date) -> bool:
	"""Whether a cancellation has reached its end: `today` is the day at the site."""
	return state == CANCELLING and end_date is not None and end_date <= today


def _default_day(contract: Contract, event: str, today: date) -> date:
	if event == "end" and is_due(contract.state, contract.end_date, today):
		return contract.end_date
	return today


def _check_not_over(contract: Contract, event: str, effective: date) -> None:
	"""Past the agreed end nothing but that very end can be recorded."""
	if contract.state != CANCELLING or contract.end_date is None:
		return
	last_possible = contract.end_date if event == "end" else None
	if effective >= contract.end_date and effective != last_possible:
		raise TimelineError("already_over", contract.end_date)


def _earliest(contract: Contract) -> date | None:
	"""First day a next change may take effect.

	Paperwork before a first activation is often recorded after the fact, so it sets no limit. From activation
	on no change reaches back before the state it starts from.
	"""
	if billable(contract.state) or contract.state in (CANCELLED, UNINSTALLED):
		return contract.state_since()
	served = contract.served()
	return served[-1][1] if served else None


def _add_spans(spans: tuple[StateSpan, ...], change: Change) -> tuple[StateSpan, ...]:
	"""Cut the timeline at the effective day and let the new state begin there."""
	kept = [span for span in spans if span.start < change.effective]
	if kept and (kept[-1].end is None or kept[-1].end > change.effective):
		kept[-1] = replace(kept[-1], end=change.effective)
	billed = _stays_billed(spans, change)
	if change.to_state == CANCELLING:
		shown = SUSPENDED if change.from_state == SUSPENDED else CANCELLING
		kept.append(StateSpan(shown, change.effective, change.end, billed))
		kept.append(StateSpan(CANCELLED, change.end))
	else:
		kept.append(StateSpan(change.to_state, change.effective, billed=billed))
	return tuple(kept)


def _stays_billed(spans: Sequence[StateSpan], change: Change) -> bool:
	"""A suspension without charge stays one while a cancellation is asked in it or withdrawn."""
	if change.event not in ("cancel_at_date", "withdraw_cancellation"):
		return change.billed
	return next((span.billed for span in reversed(spans) if span.state != CANCELLED), True)


def _end_date(spans: tuple[StateSpan, ...]) -> date | None:
	"""First day no longer served, None while the contract is open or was reactivated."""
	over_since = None
	for span in spans:
		if span.state not in (CANCELLED, UNINSTALLED):
			over_since = None
		elif over_since is None:
			over_since = span.start
	return over_since
