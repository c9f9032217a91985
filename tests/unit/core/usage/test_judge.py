"""Whose usage a record is, by the day at the site, and every reason why it is nobody's."""

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from subscriber_tv.core.billing.bill import ContractFacts, bill_contract
from subscriber_tv.core.billing.price import OfferCharge
from subscriber_tv.core.billing.usage import Usage
from subscriber_tv.core.contracts.lines import Line, LineStep
from subscriber_tv.core.contracts.timeline import Agreed, Change, fold
from subscriber_tv.core.usage.bindings import Event, bindings
from subscriber_tv.core.usage.judge import Binding, Facts, Place, judge
from subscriber_tv.core.usage.record import Record

UTC = timezone.utc
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PARIS, MARTINIQUE = "Europe/Paris", "America/Martinique"


def contract(name: str, lines: tuple[Line, ...], *changes: Change, billed_through: date | None = None):
	opening = Change(1, "create", None, "Draft", date(2026, 1, 5), lines=lines)
	served = Change(2, "activate", "Awaiting Activation", "Active", date(2026, 2, 1))
	return fold((opening, served, *changes), subscription=name, agreed=Agreed(billed_through=billed_through))


HOTEL = contract(
	"TVS-1",
	(Line("L1", "HOTEL-V1", 10), Line("L2", "SPORT-V1", 10)),
	Change(3, "change_lines", "Active", "Active", date(2026, 6, 1), steps=(LineStep("L2", ends=True),)),
	Change(4, "cancel_at_date", "Active", "Cancelling", date(2026, 10, 1), end=date(2026, 11, 20)),
)
CLINIC = contract(
	"TVS-2", (Line("L1", "HOTEL-V1", 5), Line("L2", "HOTEL-V1", 5)), billed_through=date(2026, 9, 1)
)
DRAFT = fold(
	(Change(1, "create", None, "Draft", date(2026, 1, 5), lines=(Line("L1", "HOTEL-V1", 1),)),),
	subscription="TVS-3",
)


def moment(text: str, zone: timezone | None = UTC) -> datetime:
	return datetime.fromisoformat(text).replace(tzinfo=zone)


FACTS = Facts(
	contracts={"TVS-1": HOTEL, "TVS-2": CLINIC, "TVS-3": DRAFT},
	names={"TVS-1": "TVS-1", "TVS-2": "TVS-2", "C26-002": "TVS-2", "TVS-3": "TVS-3"},
	bindings={
		"TV-A": (
			Binding(moment("2026-02-01T09:00"), moment("2026-07-01T10:00"), "TVS-1", "L1"),
			Binding(moment("2026-07-01T11:00"), None, "TVS-2", "L2"),
		),
		"TV-NEW": (),
	},
	charges={"HOTEL-V1": frozenset({"VOD"}), "SPORT-V1": frozenset({"MATCH"})},
	zones={"TVS-1": PARIS, "TVS-2": MARTINIQUE},
	now=NOW,
)


def record(**values) -> Record:
	base = {"key": "k", "charge": "VOD", "quantity": Decimal(1), "day": date(2026, 10, 5)}
	return Record(**{**base, **values})


@pytest.mark.parametrize(
	("values", "place"),
	(
		({"subscription": "TVS-1"}, ("TVS-1", "L1", "2026-10-05")),
		({"subscription": "TVS-2", "line": "L1"}, ("TVS-2", "L1", "2026-10-05")),
		({"subscription": "C26-002", "line": "L2"}, ("TVS-2", "L2", "2026-10-05")),
		# The TV belonged to one, then to the other; late records still find the first.
		({"serial": "TV-A", "day": date(2026, 6, 30)}, ("TVS-1", "L1", "2026-06-30")),
		({"serial": "TV-A"}, ("TVS-2", "L2", "2026-10-05")),
		({"serial": "TV-A", "subscription": "C26-002"}, ("TVS-2", "L2", "2026-10-05")),
		# A TV in stock is told for information when the contract is named.
		({"serial": "TV-NEW", "subscription": "TVS-1"}, ("TVS-1", "L1", "2026-10-05")),
		# A line of a TV that has not the charge gives way to the one that has it.
		({"serial": "TV-A", "charge": "MATCH", "day": date(2026, 5, 31)}, ("TVS-1", "L2", "2026-05-31")),
		# The day is that of the site, not of the server, nor of Greenwich.
		(
			{"subscription": "TVS-1", "day": None, "at": moment("2026-06-30T22:30")},
			("TVS-1", "L1", "2026-07-01"),
		),
		(
			{"subscription": "TVS-2", "line": "L1", "day": None, "at": moment("2026-11-01T02:00")},
			("TVS-2", "L1", "2026-10-31"),
		),
		(
			{"subscription": "TVS-1", "day": None, "at": moment("2026-06-30T22:30", None)},
			("TVS-1", "L1", "2026-06-30"),
		),
		({"subscription": "TVS-1", "day": date(2026, 2, 1)}, ("TVS-1", "L1", "2026-02-01")),
		({"subscription": "TVS-1", "day": date(2026, 11, 19)}, ("TVS-1", "L1", "2026-11-19")),
	),
)
def test_the_place_of_a_record(values, place):
	found = judge(record(**values), FACTS)
	assert isinstance(found, Place), found
	assert (found.subscription, found.line_id, found.day.isoformat()) == place


@pytest.mark.parametrize(
	("values", "code", "named"),
	(
		({}, "no_subject", ""),
		({"subscription": "TVS-9"}, "unknown_subscription", "TVS-9"),
		({"serial": "TV-Z"}, "unknown_serial", "TV-Z"),
		({"serial": "TV-NEW"}, "not_bound", "2026-10-05"),
		({"serial": "TV-A", "day": date(2026, 1, 31)}, "not_bound", "TV-A"),
		# Between two bindings it belonged to nobody.
		({"serial": "TV-A", "day": None, "at": moment("2026-07-01T10:30")}, "not_bound", "TV-A"),
		({"serial": "TV-A", "subscription": "TVS-1"}, "other_subscription", "TVS-2"),
		({"subscription": "TVS-3"}, "never_activated", "TVS-3"),
		({"subscription": "TVS-1", "day": date(2026, 1, 31)}, "before_activation", "2026-02-01"),
		({"subscription": "TVS-1", "day": date(2026, 11, 20)}, "not_served", "2026-11-20"),
		({"subscription": "TVS-2", "day": date(2026, 8, 31)}, "before_opening", "2026-09-01"),
		({"subscription": "TVS-1", "day": date(2026, 11, 23)}, "future", "2026-11-22"),
		({"subscription": "TVS-1", "line": "L7"}, "unknown_line", "L7"),
		# An option that is over charges nothing, whoever names it.
		({"subscription": "TVS-1", "line": "L2", "charge": "MATCH"}, "unknown_line", "L2"),
		({"subscription": "TVS-1", "charge": "MATCH"}, "no_charge", "VOD"),
		(
			{"subscription": "TVS-1", "line": "L1", "charge": "MATCH", "day": date(2026, 5, 1)},
			"no_charge",
			"VOD",
		),
		({"subscription": "TVS-2"}, "several_lines", "L1, L2"),
		({"subscription": "TVS-1", "quantity": Decimal(0)}, "not_positive", "0"),
		({"subscription": "TVS-1", "quantity": Decimal(-1)}, "not_positive", "-1"),
	),
)
def test_why_a_record_counts_for_nobody(values, code, named):
	found = judge(record(**values), FACTS)
	assert getattr(found, "code", found) == code
	assert named in found.reason()
	assert found.next_step() and "{" not in found.reason() + found.next_step()


def test_at_midnight_it_is_tomorrow_in_paris_and_today_in_martinique():
	late = Facts(**{**vars(FACTS), "now": moment("2026-11-18T23:30")})
	tomorrow = {"day": date(2026, 11, 19)}
	assert isinstance(judge(record(subscription="TVS-1", **tomorrow), late), Place)
	assert judge(record(subscription="TVS-2", line="L1", **tomorrow), late).code == "future"


def test_bindings_follow_the_history_of_the_tv():
	"""Bound, moved within the subscription, taken back by stock; bound again over another; revoked."""
	day = datetime(2026, 3, 1, tzinfo=UTC)
	lines = (
		("Delivered", "In Service", "TVS-1", "", True),
		("Bound", "In Service", "TVS-1", "L1", False),
		("Moved", "In Service", "TVS-1", "", True),
		("Returned", "In Stock", "", "", True),
		("Bound", "In Service", "TVS-2", "L1", False),
		("Bound", "In Service", "TVS-2", "L3", False),
		("Revoked", "In Service", "TVS-2", "stolen", False),
		("Bound", "In Service", "TVS-1", "L1", False),
		("Delivered", "In Service", "TVS-2", "", True),
	)
	events = [Event(day + timedelta(days=number), *line) for number, line in enumerate(lines)]
	found = [
		(one.subscription, one.line_id, (one.start - day).days, (one.end - day).days if one.end else None)
		for one in bindings(events)
	]
	assert found == [
		("TVS-1", "L1", 1, 3),
		("TVS-2", "L1", 4, 5),
		("TVS-2", "L3", 5, 6),
		("TVS-1", "L1", 7, 8),
	]
	assert bindings(events[:3])[-1].end is None


def usage_offer(months: int) -> dict:
	films = OfferCharge("VOD", "usage", "TV-VOD", "Per Unit", Decimal(2), months)
	return {"HOTEL-V1": (films,)}


@pytest.mark.parametrize(
	("day", "months", "limit", "held"),
	(
		(date(2026, 8, 20), 1, 2, ""),  # billed with August, on 1 September, two months before
		(date(2026, 7, 31), 1, 2, "2026-08-01"),
		(date(2026, 7, 31), 1, 3, ""),
		(date(2026, 7, 31), 3, 2, "2026-08-01"),  # quarters from 1 February
		(date(2026, 5, 2), 3, 2, "2026-08-01"),
		(date(2026, 5, 2), 12, 2, ""),  # the year is not over
	),
)
def test_what_no_bill_would_reach_is_held_by_the_end_of_its_period(day, months, limit, held):
	facts = replace(FACTS, offers=usage_offer(months), max_months=limit)
	place = judge(record(subscription="TVS-1", day=day), facts)
	assert (place.subscription, place.day) == ("TVS-1", day)
	assert (dict(place.held.values)["ended"] if place.held else "") == held
	if held:
		assert place.held.code == "too_old"
		assert "TVS-1" in place.held.reason() and "Most Months Billed at Once" in place.held.next_step()


@pytest.mark.parametrize("limit", range(1, 8))
def test_a_record_is_held_exactly_when_a_bill_of_that_day_leaves_its_charge_out(limit):
	offers = usage_offer(1)
	facts = replace(FACTS, offers=offers, max_months=limit)
	for month in range(2, 10):
		day = date(2026, month, 12)
		place = judge(record(subscription="TVS-1", day=day), facts)
		used = (Usage("L1", "VOD", day, Decimal(1)),)
		known = ContractFacts(HOTEL, offers | {"SPORT-V1": ()}, usage=used)
		bill = bill_contract(known, until=NOW.date(), max_months=limit)
		assert bool(place.held) == bool(bill.late)
		assert len(bill.late) + len(bill.charges) == 1
