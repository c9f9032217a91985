"""CSV files are read strictly: what is not understood is reported with its line, never guessed."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from subscriber_tv.core.activation.projection import compile
from subscriber_tv.core.contracts.states import STATES
from subscriber_tv.core.devices.wire import key_fingerprint
from subscriber_tv.core.imports import facts, parse, rows
from subscriber_tv.core.imports.demo_keys import demo_credential

DEMO = Path(__file__).resolve().parents[3] / "fixtures" / "demo"
TODAY = date(2026, 11, 22)
HEADER = "serial,model,warehouse,supplier,received_on,unit_cost\n"
GOOD = "AB43H-026001,AB43H,Paris,Nord,2026-01-08,189.00\n"


def read(kind: str, text: str) -> parse.Parsed:
	return parse.parse(kind, text.encode(), f"{kind}.csv")


def codes(parsed: parse.Parsed) -> list[tuple[int, str, str]]:
	return [(problem.line, problem.column, problem.code) for problem in parsed.problems]


@pytest.fixture(scope="module")
def demo() -> dict:
	return {
		kind: parse.parse(kind, (DEMO / f"{kind}.csv").read_bytes(), f"{kind}.csv") for kind in rows.KINDS
	}


def test_a_row_is_typed():
	(row,) = read("receipts", HEADER + GOOD).rows
	assert (row.line, row.serial, row.received_on, row.unit_cost) == (
		2,
		"AB43H-026001",
		date(2026, 1, 8),
		Decimal("189.00"),
	)


@pytest.mark.parametrize("text", ["2026-03-31", "31/03/2026"])
def test_a_day_is_written_in_two_ways(text):
	(row,) = read("changes", f"subscription,event,effective_date\nS1,activate,{text}\n").rows
	assert row.effective_date == date(2026, 3, 31)


def test_a_french_spreadsheet_is_read():
	data = "\ufeff" + HEADER.replace(",", ";") + GOOD.replace(",", ";").replace("189.00", "189,50")
	(row,) = read("receipts", data).rows
	assert row.unit_cost == Decimal("189.50")


@pytest.mark.parametrize(
	("cells", "problem"),
	[
		("short,AB43H,Paris,Nord,2026-01-08,189", ("serial", "pattern")),
		("'; drop table tabItem; --,AB43H,Paris,Nord,2026-01-08,189", ("serial", "pattern")),
		("AB43H-1,,Paris,Nord,2026-01-08,189", ("model", "required")),
		("AB43H-1,AB43H,Paris,Nord,2026-02-30,189", ("received_on", "date")),
		("AB43H-1,AB43H,Paris,Nord,01-02-2026,189", ("received_on", "date")),
		("AB43H-1,AB43H,Paris,Nord,2026-01-08,1 890", ("unit_cost", "decimal")),
		("AB43H-1,AB43H,Paris,Nord,2026-01-08,NaN", ("unit_cost", "decimal")),
		("AB43H-1,AB43H,Paris,Nord,2026-01-08,1e9", ("unit_cost", "decimal")),
		(f"AB43H-1,{'x' * 501},Paris,Nord,2026-01-08,1", ("model", "too_long")),
		("AB43H-1,AB43H,Paris,Nord,2026-01-08", ("", "cells")),
	],
)
def test_a_bad_row_is_reported_and_the_good_ones_are_kept(cells, problem):
	parsed = read("receipts", f"{HEADER}{GOOD}{cells}\n{GOOD.replace('26001', '26002')}")
	assert codes(parsed) == [(3, *problem)]
	assert [row.line for row in parsed.rows] == [2, 4]


def test_a_row_that_stands_twice_is_reported():
	parsed = read("receipts", HEADER + GOOD + GOOD)
	assert codes(parsed) == [(3, "serial", "repeated")]
	assert len(parsed.rows) == 1


@pytest.mark.parametrize(
	("header", "problem"),
	[
		("channel_code,channel_name,colour\n", ("colour", "unknown_column")),
		("channel_code,number\n", ("channel_name", "missing_column")),
		("channel_code,channel_name,channel_name\n", ("channel_name", "repeated_column")),
	],
)
def test_a_wrong_header_refuses_the_file(header, problem):
	parsed = read("channels", header + "C1,One,x\n")
	assert codes(parsed) == [(1, *problem)]
	assert not parsed.rows


@pytest.mark.parametrize(
	("data", "code"),
	[
		(b"", "empty"),
		(b"\xff\xfe\x00", "encoding"),
		(b"a,b\x00\n", "encoding"),
		(b"x" * 20_000_001, "too_big"),
	],
)
def test_what_is_no_csv_is_said_so(data, code):
	assert [problem.code for problem in parse.parse("channels", data, "f").problems] == [code]


def test_a_quote_that_never_ends_is_a_problem_of_the_file():
	parsed = read("channels", 'channel_code,channel_name\nC1,"One\nC2,Two\n')
	assert [problem.code for problem in parsed.problems] == ["refused"]


def test_a_document_with_a_bad_row_is_not_loaded_in_part():
	header = "offer_code,offer_name,version,valid_from,bouquets,charge_code,item,unit_price\n"
	parsed = read(
		"offers",
		header
		+ "O1,One,1,2026-01-01,B,BASE,I,10\n"
		+ "O1,One,1,2026-01-01,B,FEE,I,ten\n"
		+ "O2,Two,1,2026-01-01,B,BASE,I,10\n",
	)
	assert codes(parsed) == [(2, "", "incomplete"), (3, "unit_price", "decimal")]
	assert [row.offer_code for row in parsed.rows] == ["O2"]


def test_every_problem_has_words_and_a_next_step():
	for code in parse.MESSAGES:
		problem = parse.Problem("f.csv", 3, "c", code, "value", "more")
		assert problem.reason().endswith((".", "value"))
		assert problem.next_step()
		assert "{" not in problem.reason() + problem.next_step()


def test_the_demo_is_read_without_a_problem(demo):
	assert not [problem for parsed in demo.values() for problem in parsed.problems]
	assert len(demo["receipts"].rows) == 300
	assert len({row.reference for row in demo["subscriptions"].rows}) == 60
	assert 30 <= len(demo["channels"].rows) <= 40


def test_hotels_dominate_as_in_the_trade(demo):
	segments = [row.segment for row in demo["customers"].rows]
	assert segments.count("Hotel") > len(segments) / 2
	assert {"Hotel", "Clinic", "Prison", "Care Home", "Home"} <= set(segments)


def test_the_demo_has_subscriptions_in_every_state_and_their_rights(demo):
	known = facts.facts_of({kind: parsed.rows for kind, parsed in demo.items()}, TODAY)
	states = {contract.spans[-1].state for contract in known.contracts}
	cancelling = [
		contract for contract in known.contracts if any(span.state == "Cancelling" for span in contract.spans)
	]
	assert states | {"Cancelling"} == set(STATES)
	assert cancelling
	compiled = compile(known, 1_795_000_000)
	devices = [row for row in compiled if row.kind == "Device"]
	assert {row.state for row in devices} == {"Active", "Suspended"}
	assert len(devices) == len(demo["bindings"].rows)


def test_the_demo_tvs_prove_themselves_with_keys_made_from_their_serials(demo):
	for row in demo["bindings"].rows:
		assert row.key == key_fingerprint(demo_credential(row.serial))
