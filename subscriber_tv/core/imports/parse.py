"""Read the bytes of a CSV file into typed rows. Strict: what is not understood is a problem, never a guess.

UTF-8 with or without byte order mark; comma or semicolon; days as 2026-03-31 or 31/03/2026; decimals with point or
comma, no thousands separator. A bad row is reported and left out, the good ones are kept.
"""

import csv
import io
import re
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from subscriber_tv.core.imports.rows import KINDS, Kind

MAX_BYTES = 20_000_000
MAX_CELL = 500
"""Longer than any name or address: a cell that swallowed the rest of the file is caught here."""

_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_FRENCH = re.compile(r"(\d{2})/(\d{2})/(\d{4})")
_DECIMAL = re.compile(r"-?\d{1,12}([.,]\d{1,6})?")
_INTEGER = re.compile(r"-?\d{1,9}")


def _(text: str) -> str:
	return text


MESSAGES: Mapping[str, tuple[str, str]] = {
	"encoding": (_("The file is not UTF-8 text."), _("Save it as CSV UTF-8 and load it again.")),
	"too_big": (_("The file is larger than 20 MB."), _("Split it into smaller files.")),
	"empty": (_("The file has no header line."), _("Start from the example file of this kind.")),
	"missing_column": (_("The column is missing."), _("Add the column to the header line.")),
	"unknown_column": (
		_("This kind of file has no such column."),
		_("Remove the column or correct its name."),
	),
	"repeated_column": (_("The column stands twice in the header."), _("Keep one of the two columns.")),
	"cells": (_("The row has not as many cells as the header."), _("Look for a stray separator or quote.")),
	"too_long": (_("The text is longer than 500 characters."), _("Look for a missing closing quote.")),
	"required": (_("The cell is empty."), _("Fill it in.")),
	"date": (_("{0} is not a day."), _("Write it as 2026-03-31 or 31/03/2026.")),
	"decimal": (_("{0} is not an amount."), _("Write digits with a point or comma, no spaces.")),
	"integer": (_("{0} is not a whole number."), _("Write digits only.")),
	"minimum": (_("{0} is too small."), _("Write a larger number.")),
	"choice": (_("{0} is not possible here."), _("Take one of: {1}")),
	"pattern": (
		_("{0} is not written as it must be."),
		_("Use the characters that the documentation lists."),
	),
	"tier": (
		_("{0} is not a tier."),
		_(
			"Write each tier as its last unit, a colon and the price, the last one with a star: 50:6.50|200:5.80|*:5.00. A fee for entering it follows as +20.00."
		),
	),
	"repeated": (_("{0} stands already in line {1}."), _("Keep one of the two rows.")),
	"incomplete": (
		_("Another row of the same document is wrong."),
		_("Correct that row, then load the same file again."),
	),
	"refused": ("{0}", _("Correct the row or what it refers to, then load the same file again.")),
}
"""Code -> (reason, next step), in English; flows translate them. {0} is the value, {1} more of it."""


@dataclass(frozen=True)
class Problem:
	"""What is wrong in one place of a file. `line` 1 is the header, 0 the whole file."""

	file: str
	line: int
	column: str
	code: str
	value: str = ""
	more: str = ""

	def reason(self, translate=_) -> str:
		"""The sentence that says what is wrong."""
		return translate(MESSAGES[self.code][0]).format(self.value, self.more)

	def next_step(self, translate=_) -> str:
		"""The sentence that says what to do."""
		return translate(MESSAGES[self.code][1]).format(self.value, self.more)


@dataclass(frozen=True)
class Parsed:
	"""The good rows of a file and the problems of the others, both in the order of the file.

	A good row whose document (see `Kind`) has a bad row is a problem itself, `incomplete`.
	"""

	kind: Kind
	file: str
	rows: tuple[Any, ...]
	problems: tuple[Problem, ...]


class _Bad(Exception):
	def __init__(self, code: str, value: str = "", more: str = ""):
		super().__init__(code)
		self.args_of_problem = (code, value, more)


def parse(kind: str, data: bytes, file: str) -> Parsed:
	"""Parse a file of this kind; KeyError when there is no such kind. Never raises for what the file holds."""
	found = KINDS[kind]
	problems: list[Problem] = []
	rows: list[Any] = []
	broken: set[tuple] = set()
	try:
		reader = _reader(data)
		header = next(reader, [])
		problems += [Problem(file, 1, column, code) for column, code in _problems_of_header(found, header)]
		if not problems:
			_read_rows(found, header, reader, file, rows, problems, broken)
	except _Bad as bad:
		problems.append(Problem(file, 0, "", *bad.args_of_problem))
	except csv.Error as error:
		problems.append(Problem(file, 0, "", "refused", str(error)))
	whole = [row for row in rows if _document(found, row) not in broken]
	incomplete = [
		Problem(file, row.line, "", "incomplete") for row in rows if _document(found, row) in broken
	]
	problems = sorted([*problems, *incomplete], key=lambda problem: problem.line)
	return Parsed(found, file, tuple(whole), tuple(problems))


def columns(kind: Kind) -> tuple[str, ...]:
	"""The columns of a kind, in the order of the example file."""
	return tuple(column.name for column in fields(kind.row) if column.name != "line")


def _reader(data: bytes):
	if len(data) > MAX_BYTES:
		raise _Bad("too_big")
	try:
		text = data.decode("utf-8-sig")
	except UnicodeDecodeError:
		raise _Bad("encoding") from None
	first = text.partition("\n")[0]
	if "\x00" in text or not first.strip():
		raise _Bad("encoding" if "\x00" in text else "empty")
	delimiter = ";" if first.count(";") > first.count(",") else ","
	return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)


def _problems_of_header(kind: Kind, header: list[str]) -> Iterable[tuple[str, str]]:
	names = [name.strip() for name in header]
	known = columns(kind)
	for name in dict.fromkeys(names):
		if name not in known:
			yield name, "unknown_column"
		elif names.count(name) > 1:
			yield name, "repeated_column"
	for column in fields(kind.row):
		if column.name in known and column.name not in names and _required(column):
			yield column.name, "missing_column"


def _read_rows(
	kind: Kind, header: list[str], reader, file: str, rows: list, problems: list, broken: set
) -> None:
	names = [name.strip() for name in header]
	seen: dict[tuple, int] = {}
	for cells in reader:
		line = reader.line_num
		if not any(cell.strip() for cell in cells):
			continue
		if len(cells) != len(names):
			problems.append(Problem(file, line, "", "cells"))
			continue
		values, bad = _values(kind, dict(zip(names, cells, strict=True)))
		problems += [Problem(file, line, column, *args) for column, args in bad]
		if bad:
			broken.add(_keys(kind, kind.document, values))
			continue
		key = _keys(kind, kind.key, values)
		if key and key in seen:
			problems.append(Problem(file, line, kind.key[0], "repeated", str(key[0]), str(seen[key])))
			broken.add(_keys(kind, kind.document, values))
			continue
		seen[key] = line
		rows.append(kind.row(line=line, **values))


def _values(kind: Kind, cells: Mapping[str, str]) -> tuple[dict, list[tuple[str, tuple]]]:
	values: dict[str, Any] = {}
	bad = []
	for column in fields(kind.row):
		if column.name not in cells:
			continue
		text = cells[column.name].strip()
		try:
			if not text and _required(column):
				raise _Bad("required")
			if text:
				values[column.name] = _value(column, _types(kind.row)[column.name], text)
		except _Bad as problem:
			bad.append((column.name, problem.args_of_problem))
	return values, bad


def _keys(kind: Kind, names: tuple[str, ...], values: Mapping[str, Any]) -> tuple:
	defaults = {column.name: column.default for column in fields(kind.row)}
	return tuple(values.get(name, defaults[name]) for name in names)


def _document(kind: Kind, row: Any) -> tuple | None:
	return tuple(getattr(row, column) for column in kind.document) if kind.document else None


def _value(column: Field, wanted: Any, text: str) -> Any:
	if len(text) > MAX_CELL:
		raise _Bad("too_long")
	value = _convert(wanted, text)
	if "minimum" in column.metadata and value < column.metadata["minimum"]:
		raise _Bad("minimum", text)
	choices = column.metadata.get("choices")
	if choices and value not in choices:
		raise _Bad("choice", text, ", ".join(choices))
	pattern = column.metadata.get("pattern")
	if pattern and not re.fullmatch(pattern, text):
		raise _Bad("pattern", text)
	_check_parts(column, value)
	return value


def _check_parts(column: Field, value: Any) -> None:
	pattern, code = column.metadata.get("parts", ("", ""))
	if pattern:
		for part in value:
			if not re.fullmatch(pattern, part):
				raise _Bad(code, part)


def _convert(wanted: Any, text: str) -> Any:
	if wanted is int:
		if not _INTEGER.fullmatch(text):
			raise _Bad("integer", text)
		return int(text)
	if wanted is Decimal:
		if not _DECIMAL.fullmatch(text):
			raise _Bad("decimal", text)
		return Decimal(text.replace(",", "."))
	if wanted is date:
		return _day(text)
	if wanted is tuple:
		return tuple(part.strip() for part in text.split("|") if part.strip())
	return text


def _day(text: str) -> date:
	iso, french = _ISO.fullmatch(text), _FRENCH.fullmatch(text)
	try:
		if iso:
			return date(*(int(part) for part in iso.groups()))
		if french:
			day, month, year = (int(part) for part in french.groups())
			return date(year, month, day)
	except ValueError:
		pass
	raise _Bad("date", text)


def _required(column: Field) -> bool:
	return column.default is MISSING


@cache
def _types(row: type) -> dict[str, Any]:
	"""Column -> str, int, Decimal, date or tuple."""
	return {name: _plain(hint) for name, hint in typing.get_type_hints(row).items()}


def _plain(hint: Any) -> Any:
	if isinstance(hint, types.UnionType):
		hint = next(part for part in typing.get_args(hint) if part is not type(None))
	return typing.get_origin(hint) or hint
