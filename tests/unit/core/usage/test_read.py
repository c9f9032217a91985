"""Files of several formats, row by row: what is read, what is refused, and that what is written reads the same."""

from dataclasses import replace
from datetime import date, datetime, timezone
from decimal import Decimal

import pytest

from subscriber_tv.core.usage.problem import Unreadable
from subscriber_tv.core.usage.profile import (
	JSON_LINES,
	XLSX,
	Column,
	Profile,
	faults_of,
)
from subscriber_tv.core.usage.read import cells_of_raw, read, read_row, rows_of_table
from subscriber_tv.core.usage.record import Record
from subscriber_tv.core.usage.values import moment_of, quantity_of, text_of
from subscriber_tv.core.usage.write import table_of, write

UTC = timezone.utc
VOD = Profile(
	source="vod",
	columns=(
		Column("key", "Réf."),
		Column("serial", "Poste"),
		Column("charge", fixed="vod"),
		Column("quantity", "Durée (s)"),
		Column("at", "Date"),
		Column("at", "Heure"),
	),
	delimiter=";",
	encoding="cp1252",
	decimal=",",
	header_rows=2,
	date_format="DD/MM/YYYY HH:mm",
	time_zone="Europe/Paris",
	divide=Decimal(60),
)
FILE = "Relevé du mois;;;;\nRéf.;Poste;Durée (s);Date;Heure\nA-1;tv-01;5400,5;03/11/2026;00:30\n"


def codes(data: bytes, profile: Profile) -> list[str]:
	return [one.problem.code if one.problem else "" for one in read(data, profile)]


def only(data: bytes, profile: Profile) -> Record:
	(one,) = read(data, profile)
	assert one.problem is None, one.problem
	return one.record


def test_a_file_of_another_system_is_read_by_its_profile():
	record = only(FILE.encode("cp1252"), VOD)
	assert record == Record(
		key="A-1",
		serial="tv-01",
		charge="VOD",
		quantity=Decimal("90.008333333"),
		at=datetime(2026, 11, 2, 23, 30, tzinfo=UTC),
	)


def test_without_a_profile_of_columns_each_field_has_its_own_name():
	profile = Profile(source="x")
	record = only(b"key,subscription,charge,quantity,day\n7,TVS-1,event,2,2026-11-03\n", profile)
	assert record == Record(
		key="7", subscription="TVS-1", charge="EVENT", quantity=Decimal(2), day=date(2026, 11, 3)
	)


def test_columns_by_number():
	places = (
		Column("key", "3"),
		Column("key", "1"),
		Column("serial", "1"),
		Column("charge", "4"),
		Column("quantity", fixed="1"),
		Column("day", "2"),
	)
	profile = Profile(source="x", columns=places, header_rows=0, delimiter="\t")
	record = only(b"tv-1\t2026-11-03\t42\tVOD\tmore\n", profile)
	assert (record.key, record.quantity, record.day) == ("42|tv-1", 1, date(2026, 11, 3))


def test_json_lines_keep_their_numbers():
	profile = Profile(source="x", format=JSON_LINES)
	line = (
		'{"key": 12, "serial": "TV-1", "charge": "VOD", "quantity": 0.1, "at": "2026-11-03T10:00:00+01:00"}\n'
	)
	record = only(line.encode(), profile)
	assert (record.key, record.quantity, record.at) == (
		"12",
		Decimal("0.1"),
		datetime(2026, 11, 3, 9, tzinfo=UTC),
	)


def test_a_sheet_knows_its_kinds_and_ends_its_rows_early():
	profile = Profile(source="x", format=XLSX)
	table = [
		(1, ["key", "serial", "charge", "quantity", "at", "line"]),
		(2, ["k", 4711, "VOD", Decimal("1.5"), datetime(2026, 11, 3, 10)]),
	]
	(one,) = [read_row(row, profile) for row in rows_of_table(table, profile)]
	assert one.problem is None
	assert (one.record.serial, one.record.quantity, one.record.at) == (
		"4711",
		Decimal("1.5"),
		datetime(2026, 11, 3, 10),
	)
	# What was kept is read again as it was: a number stays one, whatever the format of dates says.
	assert cells_of_raw(one.raw) == dict(one.cells)


HEADING = b"key,serial,charge,quantity,day,version,cancelled\n"


@pytest.mark.parametrize(
	("row", "code"),
	(
		("k,TV-1,VOD,1,2026-11-03,,", ""),
		(",TV-1,VOD,1,2026-11-03,,", "no_key"),
		("k,TV-1,VOD,,2026-11-03,,", "required"),
		("k,TV-1,,1,2026-11-03,,", "required"),
		("k,TV-1,VOD,1,,,", "no_time"),
		("k,TV-1,VOD,one,2026-11-03,,", "number"),
		('k,TV-1,VOD,"1,5",2026-11-03,,', "number"),
		("k,TV-1,VOD,1e3,2026-11-03,,", "number"),
		("k,TV-1,VOD,1 000,2026-11-03,,", "number"),
		("k,TV-1,VOD,1000000000,2026-11-03,,", "too_large"),
		("k,TV-1,VOD,1,03/11/2026,,", "time"),
		("k,TV-1,VOD,1,2026-02-30,,", "time"),
		("k,TV-1,VOD,1,2026-11-03,0,", "version"),
		("k,TV-1,VOD,1,2026-11-03,1.5,", "version"),
		("k,TV-1,VOD,1,2026-11-03,,perhaps", "flag"),
		("k,,,,,2,yes", ""),
		("k,TV-1,VOD,1", "cells"),
		("k,TV-1,VOD,1,2026-11-03,,,x", "cells"),
		("k" * 141 + ",TV-1,VOD,1,2026-11-03,,", "too_long"),
		("k," + "T" * 141 + ",VOD,1,2026-11-03,,", "too_long"),
	),
)
def test_a_bad_row_is_a_problem_and_the_next_goes_on(row, code):
	data = HEADING + row.encode() + b"\nlast,TV-1,VOD,1,2026-11-03,,\n"
	assert codes(data, Profile(source="x")) == [code, ""]


@pytest.mark.parametrize(
	("line", "code"),
	(
		("[1]", "not_an_object"),
		("{", "not_an_object"),
		(
			'{"key": "k", "serial": "TV-1", "charge": "VOD", "quantity": NaN, "day": "2026-11-03"}',
			"not_an_object",
		),
		('{"key": "k", "serial": "TV-1", "charge": "VOD", "quantity": true, "day": "2026-11-03"}', "number"),
		('{"key": "k", "serial": "TV-1", "charge": "VOD", "quantity": [1], "day": "2026-11-03"}', "number"),
		(
			'{"key": "k", "serial": "TV-1", "charge": "VOD", "quantity": 1e40, "day": "2026-11-03"}',
			"too_large",
		),
	),
)
def test_a_bad_line_of_json(line, code):
	assert codes(line.encode(), Profile(source="x", format=JSON_LINES)) == [code]


@pytest.mark.parametrize(
	("data", "profile", "code"),
	(
		(b"", VOD, "empty"),
		("Réf.;Poste\n".encode(), Profile(source="x"), "missing_column"),
		(FILE.encode("cp1252"), Profile(source="x"), "encoding"),
		(b"key,key,charge,quantity,day\n", Profile(source="x"), "repeated_column"),
		(b'key,serial\n"k,TV\n', Profile(source="x"), "csv"),
		(b"key\x00", Profile(source="x"), "encoding"),
	),
)
def test_a_file_that_is_not_read_at_all(data, profile, code):
	with pytest.raises(Unreadable) as unreadable:
		list(read(data, profile))
	assert unreadable.value.problem.code == code


def test_an_input_without_a_key_is_told_by_its_content():
	first, again = (
		next(read(HEADING + b",TV-1,VOD,1,2026-11-03,,\n", Profile(source="x"))) for _ in range(2)
	)
	other = next(read(HEADING + b",TV-2,VOD,1,2026-11-03,,\n", Profile(source="x")))
	assert first.record.key == again.record.key != other.record.key


@pytest.mark.parametrize(
	("text", "date_format", "zone", "moment"),
	(
		("2026-11-03", "ISO 8601", "", date(2026, 11, 3)),
		("2026-11-03 10:05", "ISO 8601", "", datetime(2026, 11, 3, 10, 5)),
		("2026-11-03T10:05:06.5Z", "ISO 8601", "", datetime(2026, 11, 3, 10, 5, 6, 500000, tzinfo=UTC)),
		("2026-11-03T10:05:06+0130", "ISO 8601", "", datetime(2026, 11, 3, 8, 35, 6, tzinfo=UTC)),
		("2026-07-01T00:10", "ISO 8601", "Europe/Paris", datetime(2026, 6, 30, 22, 10, tzinfo=UTC)),
		("1793700000", "Epoch seconds", "", datetime(2026, 11, 3, 10, tzinfo=UTC)),
		("1793700000250", "Epoch milliseconds", "", datetime(2026, 11, 3, 10, 0, 0, 250000, tzinfo=UTC)),
		("3.11.26", "DD.MM.YY", "", date(2026, 11, 3)),
		("20261103101530", "YYYYMMDDHHmmss", "", datetime(2026, 11, 3, 10, 15, 30)),
		# Clocks show 2:30 twice that night: the first is meant.
		("2026-10-25T02:30", "ISO 8601", "Europe/Paris", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
	),
)
def test_moments(text, date_format, zone, moment):
	profile = Profile(source="x", date_format=date_format, time_zone=zone)
	assert moment_of([text], "at", profile) == moment


@pytest.mark.parametrize(
	("text", "sign", "multiply", "divide", "quantity"),
	(
		("90", ".", 1, 60, "1.5"),
		("100", ".", 1, 3, "33.333333333"),
		("200", ".", 1, 3, "66.666666667"),
		("1,5", ",", 1024, 1, "1536"),
		("-2", ".", 1, 1, "-2"),
		("0.0000000004", ".", 1, 1, "0"),
	),
)
def test_quantities_are_converted_and_rounded_once(text, sign, multiply, divide, quantity):
	profile = Profile(source="x", decimal=sign, multiply=Decimal(multiply), divide=Decimal(divide))
	assert quantity_of(text, profile) == Decimal(quantity)


@pytest.mark.parametrize(
	("change", "code"),
	(
		({"columns": (Column("key", "a"), Column("serial", "b"))}, "no_charge"),
		({"columns": (Column("key", fixed="a"),)}, "fixed_key"),
		({"columns": (Column("key"),)}, "field_empty"),
		({"columns": (Column("serial", "a"), Column("serial", "b"))}, "field_twice"),
		({"header_rows": 0, "columns": (Column("key", "first"),)}, "column_number"),
		({"header_rows": 0, "columns": ()}, "column_number"),
		({"date_format": "DD/MM"}, "date_format"),
		({"date_format": "YYYY-MM-DD DD"}, "date_format"),
		({"time_zone": "Paris"}, "time_zone"),
		({"divide": Decimal(0)}, "conversion"),
		({"encoding": "ebcdic-zz"}, "encoding"),
	),
)
def test_a_profile_that_reads_nothing_is_refused(change, code):
	profile = replace(VOD, **change)
	assert code in {fault.code for fault in faults_of(profile)}
	assert not faults_of(VOD)


def test_rejected_rows_are_loaded_again_with_their_reasons():
	(one,) = read(FILE.replace("5400,5", "=1+1").encode("cp1252"), VOD)
	assert one.problem.code == "number"
	data = write([dict(one.cells) | {"Motif": "n'est pas un nombre"}], VOD, ("Motif",))
	assert "'=1+1" in data.decode("cp1252")
	(again,) = read(data, VOD)
	assert again.cells["Durée (s)"] == "=1+1"
	assert [cells for cells in table_of([one.cells], VOD)][1] == [
		"Réf.",
		"Poste",
		"Durée (s)",
		"Date",
		"Heure",
	]


def test_markup_of_a_source_reaches_no_desk():
	assert text_of(' <img src=x onerror="alert(1)"> ') == '‹img src=x onerror="alert(1)"›'
	assert text_of(text_of("a<b")) == "a‹b"
