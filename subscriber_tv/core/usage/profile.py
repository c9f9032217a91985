"""How one source writes its records: the format of its files, and where in a row each field stands."""

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

CSV = "CSV"
JSON_LINES = "JSON Lines"
XLSX = "XLSX"
FORMATS = (CSV, JSON_LINES, XLSX)

ISO = "ISO 8601"
EPOCH = "Epoch seconds"
EPOCH_MS = "Epoch milliseconds"

#: Fields of a record that a file can hold, in the order of the example file.
FIELDS = (
	"key",
	"version",
	"cancelled",
	"serial",
	"subscription",
	"line",
	"charge",
	"quantity",
	"at",
	"day",
)
#: Fields that may stand in several columns, and what joins them.
JOINED = {"key": "|", "at": " "}

DELIMITERS = {"Comma": ",", "Semicolon": ";", "Tab": "\t", "Pipe": "|"}
ENCODINGS = {
	"UTF-8": "utf-8-sig",
	"Windows-1252": "cp1252",
	"ISO-8859-1": "iso-8859-1",
	"ISO-8859-15": "iso-8859-15",
	"UTF-16": "utf-16",
}

TOKENS = {
	"YYYY": r"(?P<year>\d{4})",
	"YY": r"(?P<short>\d{2})",
	"MM": r"(?P<month>\d{1,2})",
	"DD": r"(?P<day>\d{1,2})",
	"HH": r"(?P<hour>\d{1,2})",
	"mm": r"(?P<minute>\d{2})",
	"ss": r"(?P<second>\d{2})",
}
_TOKEN = re.compile("|".join(TOKENS))


@dataclass(frozen=True)
class Column:
	"""Where a field stands: `name` is the heading of its column, or the number of it (1 = the first) without headings.

	With a `fixed` value the field is the same in every row and has no column.
	"""

	field: str
	name: str = ""
	fixed: str = ""


@dataclass(frozen=True)
class Profile:
	"""How to read one source. No columns at all: each field stands under its own name.

	A time without time zone is one of `time_zone` or, where that is empty, of the site. A quantity read is multiplied by
	`multiply` and divided by `divide`: seconds become minutes with `divide` 60. The last of `header_rows` names the
	columns; what is above is not read.
	"""

	source: str
	format: str = CSV
	columns: tuple[Column, ...] = ()
	delimiter: str = ","
	encoding: str = "utf-8-sig"
	decimal: str = "."
	header_rows: int = 1
	date_format: str = ISO
	time_zone: str = ""
	multiply: Decimal = Decimal(1)
	divide: Decimal = Decimal(1)
	sheet: str = ""

	@cached_property
	def places(self) -> tuple[Column, ...]:
		"""The columns, or the standard ones when none are given."""
		return self.columns or tuple(Column(field, field) for field in FIELDS)

	@cached_property
	def places_of(self) -> Mapping[str, tuple[Column, ...]]:
		"""The columns of each field."""
		found: dict[str, tuple[Column, ...]] = {}
		for column in self.places:
			found[column.field] = (*found.get(column.field, ()), column)
		return found

	@property
	def by_number(self) -> bool:
		"""Whether columns are named by their number."""
		return self.format != JSON_LINES and self.header_rows == 0


@dataclass(frozen=True)
class Fault:
	"""What is wrong with a profile: `code`, the number of its column row (0: the profile), and the value that offends.

	Codes: field_twice, field_empty, both, fixed_key, no_key, no_charge, no_quantity, no_subject, no_time, date_format,
	time_zone, conversion, header_rows, column_number, encoding.
	"""

	code: str
	row: int = 0
	value: str = ""


def faults_of(profile: Profile) -> list[Fault]:
	"""Everything that would keep every row of every file from being read; empty when all is well."""
	faults = [
		fault
		for number, column in enumerate(profile.columns, 1)
		for fault in _of_column(profile, number, column)
	]
	faults += _of_fields(profile)
	faults += _of_values(profile)
	return faults


def _of_column(profile: Profile, number: int, column: Column) -> list[Fault]:
	if bool(column.name) == bool(column.fixed):
		return [Fault("both" if column.name else "field_empty", number, column.field)]
	if column.fixed and column.field == "key":
		return [Fault("fixed_key", number, column.field)]
	if column.name and profile.by_number and not re.fullmatch(r"[1-9]\d{0,3}", column.name):
		return [Fault("column_number", number, column.name)]
	before = [other.field for other in profile.columns[: number - 1]]
	if column.field in before and column.field not in JOINED:
		return [Fault("field_twice", number, column.field)]
	return []


def _of_fields(profile: Profile) -> list[Fault]:
	if not profile.columns:
		return [Fault("column_number", 0, "key")] if profile.by_number else []
	given = {column.field for column in profile.columns}
	faults = [Fault(f"no_{field}") for field in ("key", "charge", "quantity") if field not in given]
	if not given & {"serial", "subscription"}:
		faults.append(Fault("no_subject"))
	if not given & {"at", "day"}:
		faults.append(Fault("no_time"))
	return faults


def _of_values(profile: Profile) -> list[Fault]:
	faults = []
	if profile.multiply <= 0 or profile.divide <= 0:
		faults.append(Fault("conversion"))
	if not 0 <= profile.header_rows <= 100:
		faults.append(Fault("header_rows", value=str(profile.header_rows)))
	if date_pattern(profile.date_format) is None:
		faults.append(Fault("date_format", value=profile.date_format))
	if profile.time_zone and not _zone_exists(profile.time_zone):
		faults.append(Fault("time_zone", value=profile.time_zone))
	if not _codec_exists(profile.encoding):
		faults.append(Fault("encoding", value=profile.encoding))
	return faults


def date_pattern(date_format: str) -> re.Pattern | None:
	"""The pattern of a date format made of YYYY or YY, MM, DD, HH, mm and ss; None when it cannot tell a day.

	For the formats that have names the pattern is one that matches nothing.
	"""
	if date_format in (ISO, EPOCH, EPOCH_MS):
		return re.compile(r"(?!)")
	found = _TOKEN.findall(date_format)
	years = [token for token in found if token in ("YYYY", "YY")]
	if len(years) != 1 or len(found) != len(set(found)) or not {"MM", "DD"} <= set(found):
		return None
	parts, end = [], 0
	for match in _TOKEN.finditer(date_format):
		parts += [re.escape(date_format[end : match.start()]), TOKENS[match.group()]]
		end = match.end()
	return re.compile("".join(parts) + re.escape(date_format[end:]))


def spelt(date_format: str, values: Mapping[str, int]) -> str:
	"""A moment in such a format; `values` are year, month, day, hour, minute and second."""
	names = {"YYYY": "year", "MM": "month", "DD": "day", "HH": "hour", "mm": "minute", "ss": "second"}

	def one(match: re.Match) -> str:
		if match.group() == "YY":
			return f"{values['year'] % 100:02}"
		return f"{values[names[match.group()]]:0{len(match.group())}}"

	return _TOKEN.sub(one, date_format)


def _zone_exists(name: str) -> bool:
	try:
		ZoneInfo(name)
	except (ZoneInfoNotFoundError, ValueError, OSError):
		return False
	return True


def _codec_exists(name: str) -> bool:
	try:
		codecs.lookup(name)
	except LookupError:
		return False
	return True
