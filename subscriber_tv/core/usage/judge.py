"""Whose usage a record is: the subscription, line and charge it counts for, or why it counts for none.

The day decides. It is the day at the site: a film rented at 23:30 UTC on 30 June belongs to 1 July in Paris. A TV's usage
belongs to the subscription it was bound to at that moment; of a day without time, to the one it was bound to last.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from subscriber_tv.core.billing.agreement import terms_of
from subscriber_tv.core.billing.limits import NO_AGE_LIMIT, months_between
from subscriber_tv.core.billing.price import Offers
from subscriber_tv.core.billing.usage import period_of
from subscriber_tv.core.contracts.lines import Line
from subscriber_tv.core.contracts.timeline import Contract
from subscriber_tv.core.usage.problem import Bad, Problem, problem
from subscriber_tv.core.usage.record import Record

DEFAULT_ZONE = "Europe/Paris"


@dataclass(frozen=True)
class Binding:
	"""A TV was bound to a line from `start` up to `end` (None: still), both aware of their time zone."""

	start: datetime
	end: datetime | None
	subscription: str
	line_id: str


@dataclass(frozen=True)
class Facts:
	"""What a batch of records is judged by.

	`names` finds a subscription by its name or external reference, `bindings` a TV by its serial (a known TV that was
	never bound has an empty history), `charges` the usage charges of an offer version, `zones` the time zone of a
	subscription's site, `companies` its company. `now` is aware of its time zone. `offers` and `max_months` tell what is
	too old to be charged.
	"""

	contracts: Mapping[str, Contract]
	names: Mapping[str, str]
	bindings: Mapping[str, tuple[Binding, ...]]
	charges: Mapping[str, frozenset[str]]
	zones: Mapping[str, str]
	now: datetime
	companies: Mapping[str, str] = field(default_factory=dict)
	offers: Offers = field(default_factory=dict)
	max_months: int = NO_AGE_LIMIT


@dataclass(frozen=True)
class Place:
	"""Where a record counts; `held` says why it is not charged for the time being."""

	subscription: str
	line_id: str
	charge: str
	day: date
	held: Problem | None = None


def judge(record: Record, facts: Facts) -> Place | Problem:
	"""The place of a record that was read, or the problem it has."""
	try:
		return _judge(record, facts)
	except Bad as bad:
		return bad.problem


def day_of(record: Record, zone: str) -> date:
	"""The contract's day of a record, in the time zone of the site."""
	if record.day:
		return record.day
	if record.at.tzinfo is None:
		return record.at.date()
	return record.at.astimezone(ZoneInfo(zone)).date()


def _judge(record: Record, facts: Facts) -> Place:
	if record.quantity is None or record.quantity <= 0:
		raise Bad("not_positive", value=record.quantity)
	subscription, line_id = _subject(record, facts)
	contract = facts.contracts.get(subscription)
	if contract is None:
		raise Bad("unknown_subscription", subscription=subscription)
	zone = facts.zones.get(subscription, DEFAULT_ZONE)
	day = day_of(record, zone)
	today = facts.now.astimezone(ZoneInfo(zone)).date()
	if day > today:
		raise Bad("future", day=day, today=today)
	_check_served(contract, day)
	place = Place(subscription, _line(record, contract, line_id, day, facts), record.charge, day)
	return replace(place, held=_too_old(place, contract, today, facts))


def _too_old(place: Place, contract: Contract, today: date, facts: Facts) -> Problem | None:
	"""Why a bill of today would not charge it, decided as the bill does: by the end of its period."""
	if months_between(place.day, today) <= facts.max_months:
		return None
	period = period_of(contract, facts.offers, terms_of(contract), place.line_id, place.charge, place.day)
	if period is None:
		return None
	months = months_between(period.end, today)
	if months <= facts.max_months:
		return None
	return too_old(place.subscription, place.day, period.end, months, facts.max_months)


def too_old(subscription: str, day: date, ended: date, months: int, limit: int) -> Problem:
	"""What a record says whose period ended more than `limit` months before a bill, on `ended`."""
	return problem("too_old", subscription=subscription, day=day, ended=ended, months=months, limit=limit)


def _subject(record: Record, facts: Facts) -> tuple[str, str]:
	"""Subscription and line (empty: to be found)."""
	if not (record.serial or record.subscription):
		raise Bad("no_subject")
	given = facts.names.get(record.subscription, "")
	if record.subscription and not given:
		raise Bad("unknown_subscription", subscription=record.subscription)
	if not record.serial:
		return given, record.line
	binding = _binding(record, facts)
	if binding is None:
		if given and record.serial in facts.bindings:
			return given, record.line  # the contract is named; the TV is told for information
		raise Bad("not_bound", serial=record.serial, day=_any_day(record))
	if given and given != binding.subscription:
		raise Bad(
			"other_subscription",
			serial=record.serial,
			found=binding.subscription,
			day=_any_day(record),
			subscription=given,
		)
	return binding.subscription, record.line or binding.line_id


def _binding(record: Record, facts: Facts) -> Binding | None:
	"""The binding in force at the moment, or the last one of the day."""
	if record.serial not in facts.bindings:
		raise Bad("unknown_serial", serial=record.serial)
	for binding in reversed(facts.bindings[record.serial]):
		zone = ZoneInfo(facts.zones.get(binding.subscription, DEFAULT_ZONE))
		first, last = _moments(record, zone)
		if binding.start <= last and (binding.end is None or first < binding.end):
			return binding
	return None


def _moments(record: Record, zone: ZoneInfo) -> tuple[datetime, datetime]:
	"""First and last moment of what the record says, a day or a point in time."""
	if record.at and not record.day:
		at = record.at if record.at.tzinfo else record.at.replace(tzinfo=zone)
		return at, at
	start = datetime.combine(record.day, time(), tzinfo=zone).astimezone(timezone.utc)
	return start, start + timedelta(days=1) - timedelta(microseconds=1)


def _any_day(record: Record) -> date:
	"""The day as the record tells it, before its site is known."""
	return record.day or record.at.date()


def _check_served(contract: Contract, day: date) -> None:
	if contract.activated_on is None:
		raise Bad("never_activated", subscription=contract.subscription)
	if day < contract.activated_on:
		raise Bad(
			"before_activation", subscription=contract.subscription, since=contract.activated_on, day=day
		)
	if not contract.served_on(day):
		raise Bad("not_served", subscription=contract.subscription, day=day)
	if contract.billed_through and day < contract.billed_through:
		raise Bad(
			"before_opening", subscription=contract.subscription, since=contract.billed_through, day=day
		)


def _line(record: Record, contract: Contract, line_id: str, day: date, facts: Facts) -> str:
	"""The line that has the charge on that day. A line that the record names must be the one."""
	lines = contract.lines_on(day)
	if record.line and record.line not in {line.line_id for line in lines}:
		raise Bad("unknown_line", subscription=contract.subscription, line=record.line, day=day)
	if record.line:
		lines = [line for line in lines if line.line_id == record.line]
	charging = [line.line_id for line in lines if record.charge in _charges(line, facts)]
	if not charging:
		possible = sorted(set().union(*(_charges(line, facts) for line in lines)))
		raise Bad(
			"no_charge",
			subscription=contract.subscription,
			charge=record.charge,
			day=day,
			possible=", ".join(possible) or "-",
		)
	if line_id in charging:
		return line_id
	if len(charging) > 1:
		raise Bad(
			"several_lines",
			subscription=contract.subscription,
			charge=record.charge,
			lines=", ".join(sorted(charging)),
		)
	return charging[0]


def _charges(line: Line, facts: Facts) -> frozenset[str]:
	return facts.charges.get(line.offer_version, frozenset())
