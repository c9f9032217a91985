"""Write records as a profile reads them: example files, and rejected rows for somebody to put right and load again."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timezone
from zoneinfo import ZoneInfo

from subscriber_tv.core.money import EXACT, plain
from subscriber_tv.core.usage.profile import EPOCH, EPOCH_MS, ISO, JSON_LINES, Profile, spelt
from subscriber_tv.core.usage.read import RUNNABLE
from subscriber_tv.core.usage.record import Record
from subscriber_tv.core.usage.values import Cell, text_of

Cells = Mapping[str, Cell]


def cells_of(record: Record, profile: Profile) -> dict[str, str]:
	"""A record as the cells of a row, by column. A field that stands in several columns is written in the first."""
	values = _values(record, profile)
	cells: dict[str, str] = {}
	for column in profile.places:
		if column.name:
			cells[column.name] = values.pop(column.field, "")
	return cells


def table_of(rows: Sequence[Cells], profile: Profile, extra: Sequence[str] = ()) -> list[list[Cell]]:
	"""Heading and rows of a CSV file or sheet; `extra` columns come last, whatever the profile says of them."""
	names = _names(rows, profile, extra)
	table: list[list[Cell]] = [[] for _ in range(profile.header_rows - 1)]
	if profile.header_rows:
		table.append(list(names))
	return table + [[_harmless(row.get(name)) for name in names] for row in rows]


def write(rows: Sequence[Cells], profile: Profile, extra: Sequence[str] = ()) -> bytes:
	"""The rows as a CSV or JSON Lines file of this profile. A character that the encoding lacks becomes a question mark."""
	if profile.format == JSON_LINES:
		text = "".join(json.dumps(_object(row), ensure_ascii=False) + "\n" for row in rows)
	else:
		text = _csv(table_of(rows, profile, extra), profile)
	return text.encode(profile.encoding, "replace")


def write_records(records: Iterable[Record], profile: Profile) -> bytes:
	"""The records as a file that reads back the same."""
	return write([cells_of(record, profile) for record in records], profile)


def _csv(table: list[list[Cell]], profile: Profile) -> str:
	buffer = io.StringIO(newline="")
	writer = csv.writer(buffer, delimiter=profile.delimiter)
	writer.writerows([text_of(cell) for cell in row] for row in table)
	return buffer.getvalue()


def _names(rows: Sequence[Cells], profile: Profile, extra: Sequence[str]) -> list[str]:
	"""The columns of the profile, and what else the rows hold, in the order it came."""
	given = [column.name for column in profile.places if column.name]
	if profile.by_number:
		width = max([int(name) for name in given] + [len(row) - len(extra) for row in rows], default=0)
		return [str(number) for number in range(1, width + 1)] + list(extra)
	names = dict.fromkeys(given)
	for row in rows:
		names.update(dict.fromkeys(name for name in row if name not in extra))
	return [*names, *extra]


def _values(record: Record, profile: Profile) -> dict[str, str]:
	return {
		"key": record.key,
		"version": str(record.version),
		"cancelled": "1" if record.cancelled else "0",
		"serial": record.serial,
		"subscription": record.subscription,
		"line": record.line,
		"charge": record.charge,
		"quantity": _quantity(record, profile),
		"at": _moment(record.at, profile) if record.at else "",
		"day": _moment(record.day, profile) if record.day else "",
	}


def _quantity(record: Record, profile: Profile) -> str:
	if record.quantity is None:
		return ""
	number = EXACT.divide(EXACT.multiply(record.quantity, profile.divide), profile.multiply)
	return plain(number).replace(".", profile.decimal)


def _moment(found: datetime | date, profile: Profile) -> str:
	if profile.date_format in (EPOCH, EPOCH_MS):
		moment = found if isinstance(found, datetime) else datetime(found.year, found.month, found.day)
		since = moment.replace(tzinfo=moment.tzinfo or timezone.utc) - datetime(
			1970, 1, 1, tzinfo=timezone.utc
		)
		seconds = since.days * 86400 + since.seconds
		return str(seconds * (1000 if profile.date_format == EPOCH_MS else 1))
	if profile.date_format == ISO:
		return found.isoformat()
	if isinstance(found, datetime) and found.tzinfo and profile.time_zone:
		found = found.astimezone(ZoneInfo(profile.time_zone))
	names = ("year", "month", "day", "hour", "minute", "second")
	return spelt(profile.date_format, {name: getattr(found, name, 0) for name in names})


def _object(row: Cells) -> dict:
	"""Cells as JSON values: what is no number or truth is written as text, empty ones are left out."""
	plain_kinds = (str, bool, int)
	return {
		name: cell if isinstance(cell, plain_kinds) else text_of(cell)
		for name, cell in row.items()
		if text_of(cell)
	}


def _harmless(cell: Cell) -> Cell:
	"""Keep a spreadsheet from running what somebody wrote into a cell; `read` takes the quote off again."""
	return f"'{cell}" if isinstance(cell, str) and RUNNABLE.match(cell) else cell
