"""Files of usage records: whatever is written reads the same, and no input stops the others."""

from datetime import date, datetime, timezone
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from subscriber_tv.core.usage.profile import (
	DELIMITERS,
	ENCODINGS,
	FIELDS,
	JSON_LINES,
	XLSX,
	Column,
	Profile,
	faults_of,
)
from subscriber_tv.core.usage.read import cells_of_raw, read, read_row, row_of_object, rows_of_table
from subscriber_tv.core.usage.record import Record
from subscriber_tv.core.usage.write import cells_of, table_of, write_records

UTC = timezone.utc
#: Without the signs of markup, which are read as others on purpose.
LATIN = st.characters(
	min_codepoint=33, max_codepoint=255, blacklist_categories=("Cc", "Cf", "Zs"), blacklist_characters="<>"
)
# A y with two dots and a Greek mu leave the encoding when they are written in capitals.
TEXTS = st.text(LATIN, max_size=12).filter(
	lambda text: text.upper() == text.upper().encode("latin-1", "replace").decode("latin-1")
)
ZONES = st.sampled_from(("", "America/Martinique", "Indian/Reunion"))
FORMATS = st.sampled_from(("ISO 8601", "DD/MM/YYYY HH:mm:ss", "YYYYMMDDHHmmss"))


@st.composite
def profiles(draw) -> Profile:
	form = draw(st.sampled_from(("CSV", JSON_LINES, XLSX)))
	columns = ()
	heading = draw(st.integers(1, 3))
	if draw(st.booleans()):
		names = draw(st.permutations([f"Colonne {field}" for field in FIELDS]))
		if form != JSON_LINES and draw(st.booleans()):
			heading, names = 0, draw(st.permutations([str(number) for number in range(1, 11)]))
		columns = tuple(Column(field, name) for field, name in zip(FIELDS, names, strict=True))
	return Profile(
		source="x",
		format=form,
		columns=columns,
		delimiter=draw(st.sampled_from(sorted(DELIMITERS.values()))),
		encoding=draw(
			st.sampled_from([code for code in ENCODINGS.values() if code not in ("cp1252", "iso-8859-15")])
		),
		decimal=draw(st.sampled_from(".,")),
		header_rows=0 if form == JSON_LINES else heading,
		date_format=draw(FORMATS),
		time_zone=draw(ZONES),
		divide=Decimal(draw(st.sampled_from((1, 60, 1024)))),
	)


@st.composite
def records(draw, profile: Profile) -> Record:
	at = day = None
	if draw(st.booleans()):
		at = draw(st.datetimes(datetime(2001, 1, 1), datetime(2098, 1, 1))).replace(microsecond=0)
		at = at.replace(tzinfo=UTC) if profile.time_zone else at
	else:
		day = draw(st.dates(date(2001, 1, 1), date(2098, 1, 1)))
	return Record(
		key=draw(TEXTS.filter(bool)),
		version=draw(st.integers(1, 2**31 - 1)),
		cancelled=draw(st.booleans()),
		serial=draw(TEXTS),
		subscription=draw(TEXTS),
		line=draw(TEXTS),
		charge=draw(TEXTS.filter(bool)).upper(),
		quantity=draw(st.decimals(Decimal("-1e6"), Decimal("1e6"), places=9)),
		at=at,
		day=day,
	)


@given(data=st.data())
def test_what_is_written_reads_the_same(data):
	profile = data.draw(profiles())
	wanted = data.draw(st.lists(records(profile), min_size=1, max_size=3))
	assert not faults_of(profile)
	if profile.format == XLSX:
		table = table_of([cells_of(record, profile) for record in wanted], profile)
		found = [read_row(row, profile) for row in rows_of_table(enumerate(table, 1), profile)]
	else:
		found = list(read(write_records(wanted, profile), profile))
	assert [one.problem for one in found] == [None] * len(wanted)
	assert [one.record for one in found] == wanted


ANY_TEXT = st.text(st.characters(min_codepoint=0, max_codepoint=0x10FFFF))
HUGE = st.sampled_from(("1e999999999", "1e-999999999", "-1e400", "NaN", "Infinity")).map(Decimal)
JSON_VALUES = (
	st.none() | st.booleans() | st.integers() | st.floats() | HUGE | ANY_TEXT | st.lists(ANY_TEXT, max_size=2)
)


@given(found=st.dictionaries(st.sampled_from(FIELDS) | ANY_TEXT, JSON_VALUES))
def test_no_object_stops_the_others(found):
	profile = Profile(source="x", format=JSON_LINES)
	one = read_row(row_of_object(1, found), profile)
	assert one.record.key
	for text in (one.raw, one.record.key, one.record.serial, one.record.charge):
		text.encode("utf-8")
	assert len(one.problem.reason() if one.problem else "") < 1000
	again = read_row(row_of_object(1, cells_of_raw(one.raw)), profile)
	assert again.record == one.record
