"""Read the bytes of a file, or the objects of an API call, into records. A bad row is a problem, the others go on."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from subscriber_tv.core.usage.problem import Bad, Problem, Unreadable, problem
from subscriber_tv.core.usage.profile import CSV, JOINED, JSON_LINES, Profile
from subscriber_tv.core.usage.record import MAX_KEY, Record, unreadable_key
from subscriber_tv.core.usage.values import (
	Cell,
	day_of,
	flag_of,
	moment_of,
	quantity_of,
	short,
	text_of,
	version_of,
	written,
)

MAX_BYTES = 50_000_000
MEGABYTE = 1_000_000

#: What a spreadsheet would run as a formula is written behind a quote, and read without it.
RUNNABLE = re.compile(r"'*[=+\-@\t]")


@dataclass(frozen=True)
class Row:
	"""One row of a file: its line, and its cells by the heading or number of their column."""

	number: int
	cells: Mapping[str, Cell]
	problem: Problem | None = None


@dataclass(frozen=True)
class Read:
	"""A row with the record found in it, or the problem that kept one from being found.

	`record.key` is never empty: an input without a key gets one that stands for its content.
	"""

	number: int
	cells: Mapping[str, Cell]
	record: Record
	problem: Problem | None = None

	@property
	def raw(self) -> str:
		"""The input as it came, as text that `cells_of_raw` reads again."""
		return raw_of(self.cells)


def read(data: bytes, profile: Profile) -> Iterator[Read]:
	"""The records of a CSV or JSON Lines file, row by row. Unreadable when the file as a whole cannot be read."""
	for row in rows_of(data, profile):
		yield read_row(row, profile)


def rows_of(data: bytes, profile: Profile) -> Iterator[Row]:
	"""The rows of a CSV or JSON Lines file."""
	if len(data) > MAX_BYTES:
		raise Unreadable("too_big", limit=MAX_BYTES // MEGABYTE)
	try:
		text = data.decode(profile.encoding)
	except UnicodeError:
		raise Unreadable("encoding", encoding=profile.encoding) from None
	if profile.format == JSON_LINES:
		yield from _json_rows(text)
	elif profile.format == CSV:
		yield from rows_of_table(_csv_rows(text, profile), profile)
	else:
		raise ValueError(f"{profile.format} is no text")


def rows_of_table(table: Iterable[tuple[int, Sequence[Cell]]], profile: Profile) -> Iterator[Row]:
	"""The rows of a table of (line, cells), as a CSV file or a sheet of a workbook holds it."""
	heading: list[str] = []
	for seen, (line, cells) in enumerate(table):
		if seen < profile.header_rows:
			if seen == profile.header_rows - 1:
				heading = [written(cell) for cell in cells]
				_check_heading(heading, profile)
			continue
		if any(text_of(cell) for cell in cells):
			yield _row(line, cells, heading, profile)
	if profile.header_rows and not heading:
		raise Unreadable("empty")


def read_row(row: Row, profile: Profile) -> Read:
	"""The record that a row holds. Never raises for what the row holds."""
	cells = dict(row.cells)
	if row.problem:
		return Read(row.number, cells, Record(_stand_in(cells, profile)), row.problem)
	values = _Values(cells, profile)
	try:
		key = _key(values)
	except Bad as bad:
		return Read(row.number, cells, _record(_stand_in(cells, profile), values)[0], bad.problem)
	return Read(row.number, cells, *_record(key, values))


def raw_of(cells: Mapping[str, Cell]) -> str:
	"""Cells as JSON; what is no text keeps its kind."""
	return json.dumps(
		{name: _tagged(cell) for name, cell in cells.items()}, ensure_ascii=False, sort_keys=True
	)


def cells_of_raw(raw: str) -> dict[str, Cell]:
	"""The cells that `raw_of` wrote. ValueError when the text is damaged."""
	found = json.loads(raw)
	if not isinstance(found, dict):
		raise ValueError("no cells")
	return {name: _untagged(cell) for name, cell in found.items()}


class _Values:
	"""The cells of each field, by the columns of the profile."""

	def __init__(self, cells: Mapping[str, Cell], profile: Profile):
		self._cells = cells
		self.profile = profile

	def all(self, field: str) -> list[Cell]:
		columns = self.profile.places_of.get(field, ())
		return [column.fixed if column.fixed else self._cells.get(column.name) for column in columns]

	def one(self, field: str) -> Cell:
		return next(iter(self.all(field)), None)


def _key(values: _Values) -> str:
	key = JOINED["key"].join(filter(None, (text_of(cell) for cell in values.all("key"))))
	if not key:
		raise Bad("no_key")
	if len(key) > MAX_KEY:
		raise Bad("too_long", field="key")
	return key


def _record(key: str, values: _Values) -> tuple[Record, Problem | None]:
	"""The record, and the first problem that one of its fields has; fields that can be read are kept."""
	found: dict[str, Any] = {}
	problems = []
	for field, value in _READERS.items():
		try:
			found[field] = value(values)
		except Bad as bad:
			problems.append(bad.problem)
	if not isinstance(found.get("at"), datetime):
		found["day"] = found.get("day") or found.get("at")
		found["at"] = None
	record = Record(key=key, **found)
	if not problems and not record.cancelled and (lacking := _lacking(record)):
		problems.append(lacking)
	return record, next(iter(problems), None)


_READERS: Mapping[str, Callable[[_Values], Any]] = {
	"version": lambda values: version_of(values.one("version")),
	"cancelled": lambda values: flag_of(values.one("cancelled")),
	"serial": lambda values: short(values.one("serial"), "serial"),
	"subscription": lambda values: short(values.one("subscription"), "subscription"),
	"line": lambda values: short(values.one("line"), "line"),
	"charge": lambda values: short(values.one("charge"), "charge").upper(),
	"quantity": lambda values: quantity_of(values.one("quantity"), values.profile),
	"at": lambda values: moment_of(values.all("at"), "at", values.profile),
	"day": lambda values: day_of(values.all("day"), "day", values.profile),
}


def _lacking(record: Record) -> Problem | None:
	if not record.charge:
		return problem("required", field="charge")
	if record.quantity is None:
		return problem("required", field="quantity")
	return None if record.at or record.day else problem("no_time")


def _stand_in(cells: Mapping[str, Cell], profile: Profile) -> str:
	return unreadable_key(profile.source, raw_of(cells))


def _csv_rows(text: str, profile: Profile) -> Iterator[tuple[int, list[str]]]:
	if "\x00" in text:
		raise Unreadable("encoding", encoding=profile.encoding)
	reader = csv.reader(io.StringIO(text, newline=""), delimiter=profile.delimiter, strict=True)
	try:
		for cells in reader:
			yield reader.line_num, cells
	except csv.Error as error:
		raise Unreadable("csv", error=error) from None


def _check_heading(heading: list[str], profile: Profile) -> None:
	wanted = {column.name for column in profile.columns if column.name}
	for name in sorted(wanted - set(heading)):
		raise Unreadable("missing_column", column=name, found=", ".join(filter(None, heading))[:500])
	if not profile.columns and "key" not in heading:
		raise Unreadable("missing_column", column="key", found=", ".join(filter(None, heading))[:500])
	for name in sorted(wanted or set(heading)):
		if name and heading.count(name) > 1:
			raise Unreadable("repeated_column", column=name)


def _row(line: int, cells: Sequence[Cell], heading: list[str], profile: Profile) -> Row:
	cells = [_plain(cell) for cell in cells]
	names = heading if heading else [str(number) for number in range(1, len(cells) + 1)]
	width = len(names) if heading else _last_column(profile)
	wrong = len(cells) != width if heading else len(cells) < width
	# Sheets of a workbook end each row where its last cell is.
	if wrong and (profile.format == CSV or len(cells) > width):
		numbered = {str(number): cell for number, cell in enumerate(cells, 1)}
		return Row(line, numbered, problem("cells", found=len(cells), expected=width))
	return Row(line, {name: cell for name, cell in zip(names, cells, strict=False) if name})


def _last_column(profile: Profile) -> int:
	return max((int(column.name) for column in profile.columns if column.name), default=0)


def _json_rows(text: str) -> Iterator[Row]:
	# Only a line feed ends a line: JSON may hold other separators within a text.
	for number, line in enumerate(text.split("\n"), 1):
		if line.strip():
			yield _json_row(number, line)


def _json_row(number: int, line: str) -> Row:
	try:
		found = json.loads(line, parse_float=Decimal, parse_constant=_refuse_constant)
	except (ValueError, RecursionError, ArithmeticError):
		found = None
	if not isinstance(found, dict):
		return Row(number, {"1": _valid(line[:2000])}, problem("not_an_object"))
	return row_of_object(number, found)


def row_of_object(number: int, found: Mapping[str, Any]) -> Row:
	"""A JSON object as a row. Lists and objects within it are kept as text, so that no field takes them for a value."""
	return Row(number, {_valid(str(name)): _cell(value) for name, value in found.items()})


def _cell(value: Any) -> Cell:
	if isinstance(value, float):
		return Decimal(repr(value))
	if isinstance(value, str):
		return _valid(value)
	if value is None or isinstance(value, int | Decimal | bool):
		return value
	return _valid(json.dumps(value, ensure_ascii=False, default=str))


def _valid(text: str) -> str:
	"""JSON can spell halves of characters, which no file and no database can hold."""
	return text.encode("utf-8", "replace").decode("utf-8")


def _refuse_constant(name: str) -> None:
	raise ValueError(name)


def _plain(cell: Cell) -> Cell:
	"""A text as it was before somebody kept a spreadsheet from running it."""
	return cell[1:] if isinstance(cell, str) and cell[:1] == "'" and RUNNABLE.match(cell) else cell


def _tagged(cell: Cell) -> Any:
	if cell is None or isinstance(cell, bool | str):
		return cell
	if isinstance(cell, int | Decimal):
		return {"number": str(cell)}
	return {type(cell).__name__: cell.isoformat()}


_KINDS = {
	"number": Decimal,
	"datetime": datetime.fromisoformat,
	"date": date.fromisoformat,
	"time": time.fromisoformat,
}


def _untagged(cell: Any) -> Cell:
	if isinstance(cell, dict):
		((kind, text),) = cell.items()
		return _KINDS[kind](text)
	return cell
