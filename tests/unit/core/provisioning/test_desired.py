"""What a platform shall hold, from rights and contracts."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from subscriber_tv.core.activation.projection import (
	BouquetFacts,
	ContractFacts,
	LineSpan,
	OfferFacts,
	Span,
)
from subscriber_tv.core.provisioning.compare import agrees, sequence_after
from subscriber_tv.core.provisioning.desired import (
	ACCOUNT,
	DEVICE,
	NOTHING,
	Desired,
	account_id,
	codes_of,
	of_account,
	of_tv,
)
from subscriber_tv.core.provisioning.message import Holding

CODES = {"HOTEL-1": ("BASE", "NEWS"), "SPORT-1": ("SPORT", "NEWS"), "FREE-1": ()}


def at(day: str, zone: str = "Europe/Paris") -> int:
	return int(datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)).timestamp())


def contract(*spans: Span, lines: tuple[LineSpan, ...] = ()) -> ContractFacts:
	return ContractFacts(
		"S-1", "Europe/Paris", spans, lines or (LineSpan("L1", "HOTEL-1", date(2026, 1, 1)),)
	)


RUNNING = (
	Span("Draft", date(2026, 1, 1), date(2026, 2, 1)),
	Span("Active", date(2026, 2, 1), date(2026, 3, 1)),
	Span("Suspended", date(2026, 3, 1), date(2026, 4, 1)),
	Span("Active", date(2026, 4, 1), date(2026, 5, 1)),
	Span("Cancelled", date(2026, 5, 1)),
)


def test_the_codes_of_an_offer_are_those_of_its_bouquets():
	def bouquet(code: str, entitlement: str) -> BouquetFacts:
		return BouquetFacts(code, code, entitlement, ())

	offer = OfferFacts(
		"V1", "V", (bouquet("A", "Z9"), bouquet("B", ""), bouquet("C", "A1"), bouquet("D", "Z9")), 1
	)
	assert codes_of([offer]) == {"V1": ("A1", "Z9")}


@pytest.mark.parametrize(
	("state", "removed", "offers", "desired"),
	[
		("Active", False, ("HOTEL-1",), Desired(True, ("BASE", "NEWS"))),
		("Active", False, ("HOTEL-1", "SPORT-1"), Desired(True, ("BASE", "NEWS", "SPORT"))),
		("Active", False, ("FREE-1",), NOTHING),
		("Active", False, ("UNKNOWN",), NOTHING),
		("Suspended", False, ("HOTEL-1",), NOTHING),
		("Not Started", False, ("HOTEL-1",), NOTHING),
		("Active", True, ("HOTEL-1",), NOTHING),
	],
)
def test_a_tv_holds_what_it_may_watch_now(state, removed, offers, desired):
	assert of_tv(state, removed, offers, CODES) == desired


@pytest.mark.parametrize(
	("day", "desired", "again"),
	[
		("2026-01-15", NOTHING, "2026-02-01"),
		("2026-01-31T23:59:59", NOTHING, "2026-02-01"),
		("2026-02-01", Desired(True, ("BASE", "NEWS")), "2026-03-01"),
		("2026-03-01", Desired(True), "2026-04-01"),
		("2026-04-01", Desired(True, ("BASE", "NEWS")), "2026-05-01"),
		("2026-05-01", NOTHING, None),
	],
)
def test_an_account_is_opened_kept_through_a_suspension_and_closed(day, desired, again):
	assert of_account(contract(*RUNNING), CODES, at(day)) == (desired, at(again) if again else 0)


def test_an_account_holds_all_lines_and_their_options_while_they_run():
	lines = (
		LineSpan("L1", "HOTEL-1", date(2026, 1, 1)),
		LineSpan("L2", "SPORT-1", date(2026, 2, 10), date(2026, 2, 20), option_of="L1"),
	)
	facts = contract(*RUNNING, lines=lines)
	assert of_account(facts, CODES, at("2026-02-09")) == (Desired(True, ("BASE", "NEWS")), at("2026-02-10"))
	assert of_account(facts, CODES, at("2026-02-10"))[0].codes == ("BASE", "NEWS", "SPORT")
	assert of_account(facts, CODES, at("2026-02-20"))[0].codes == ("BASE", "NEWS")


def test_an_account_without_a_running_line_stays_open():
	lines = (LineSpan("L1", "HOTEL-1", date(2026, 1, 1), date(2026, 2, 5)),)
	assert of_account(contract(*RUNNING, lines=lines), CODES, at("2026-02-06"))[0] == Desired(True)


def test_a_contract_suspended_on_its_first_day_keeps_its_account():
	spans = (RUNNING[0], Span("Suspended", date(2026, 2, 1)))
	assert of_account(contract(*spans), CODES, at("2026-02-01"))[0] == Desired(True)


def test_an_account_reopens_with_its_contract():
	spans = (
		*RUNNING[:-1],
		Span("Cancelled", date(2026, 5, 1), date(2026, 6, 1)),
		Span("Active", date(2026, 6, 1)),
	)
	assert of_account(contract(*spans), CODES, at("2026-05-31")) == (NOTHING, at("2026-06-01"))
	assert of_account(contract(*spans), CODES, at("2026-06-01")) == (Desired(True, ("BASE", "NEWS")), 0)


def test_the_account_id_is_a_pseudonym_that_stays():
	assert account_id("SUB-2026-00001") == account_id("SUB-2026-00001") == "8duFfhhUxH5lqynXMIGJ_8"
	assert account_id("SUB-2026-00002") != account_id("SUB-2026-00001")


BASE = Desired(True, ("BASE",))


@pytest.mark.parametrize(
	("kind", "desired", "held", "same"),
	[
		(DEVICE, BASE, ("BASE",), True),
		(DEVICE, BASE, ("BASE", "SPORT"), False),
		(DEVICE, BASE, (), False),
		(DEVICE, BASE, None, False),
		(DEVICE, NOTHING, None, True),
		(DEVICE, NOTHING, (), True),
		(DEVICE, NOTHING, ("BASE",), False),
		(ACCOUNT, NOTHING, (), False),
		(ACCOUNT, Desired(True), (), True),
		(ACCOUNT, Desired(True), None, False),
		(ACCOUNT, Desired(True, ("A", "B")), ("B", "A"), True),
	],
)
def test_what_differs(kind, desired, held, same):
	holding = None if held is None else Holding("X", held)
	assert agrees(kind, desired, holding) is same


def test_numbers_go_on_from_whoever_is_ahead():
	assert sequence_after(7, None) == 7
	assert sequence_after(7, Holding("X", (), 3)) == 7
	assert sequence_after(7, Holding("X", (), 12)) == 12
