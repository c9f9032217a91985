"""The value of one field from the cell it stands in, by the rules of a profile. Strict: no guesses.

A cell is text, or what a workbook and JSON know to be a number, a moment or a truth.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

from subscriber_tv.core.money import EXACT, plain
from subscriber_tv.core.usage.problem import Bad
from subscriber_tv.core.usage.profile import EPOCH, EPOCH_MS, ISO, Profile, date_pattern
from subscriber_tv.core.usage.record import MAX_TEXT, QUANTITY_LIMIT, rounded

Cell = str | int | Decimal | bool | datetime | date | time | None

YES = frozenset(("1", "true", "yes", "oui", "vrai", "x"))
NO = frozenset(("", "0", "false", "no", "non", "faux"))
MAX_VERSION = 2**31 - 1
MAX_DIGITS = 30
NO_MARKUP = str.maketrans({"<": "‹", ">": "›"})

_ISO = re.compile(
	r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,6})\d*)?)?\s?(Z|[+-]\d{2}:?\d{2})?)?"
)
_NUMBERS = {
	".": re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?"),
	",": re.compile(r"[+-]?\d{1,30}(,\d{1,30})?"),
}


def text_of(cell: Cell) -> str:
	"""A cell as one would write it, without the signs that make markup: no desk ever runs what a source sent."""
	return written(cell).translate(NO_MARKUP)


def written(cell: Cell) -> str:
	"""A cell as one would write it, letter by letter: for headings, which a profile names."""
	if cell is None:
		return ""
	if isinstance(cell, bool):
		return str(int(cell))
	if isinstance(cell, int | Decimal):
		return _spelt_out(Decimal(cell))
	if isinstance(cell, datetime):
		return cell.isoformat(sep=" ")
	if isinstance(cell, date | time):
		return cell.isoformat()
	return cell.strip()


def _spelt_out(number: Decimal) -> str:
	"""The digits of a number; one of a thousand million digits keeps its short form."""
	if not number.is_finite() or abs(number.adjusted()) > MAX_TEXT:
		return str(number)
	return plain(number)


def short(cell: Cell, field: str) -> str:
	"""Text of at most 140 characters."""
	text = text_of(cell)
	if len(text) > MAX_TEXT:
		raise Bad("too_long", field=field)
	return text


def quantity_of(cell: Cell, profile: Profile) -> Decimal | None:
	"""The quantity in the unit of the charge, rounded to nine decimals; None when the cell is empty."""
	number = _number(cell, profile.decimal)
	if number is None:
		return None
	# Looked at before it is reckoned with: JSON can spell a number of a thousand million digits in twelve characters.
	if number.adjusted() > MAX_DIGITS:
		raise Bad("too_large", value=text_of(cell))
	converted = EXACT.divide(EXACT.multiply(number, profile.multiply), profile.divide)
	if abs(converted) >= QUANTITY_LIMIT:
		raise Bad("too_large", value=text_of(cell))
	return rounded(converted)


def _number(cell: Cell, sign: str) -> Decimal | None:
	if isinstance(cell, int | Decimal) and not isinstance(cell, bool):
		number = Decimal(cell)
		if not number.is_finite():
			raise Bad("number", field="quantity", value=text_of(str(cell)))
		return number
	text = text_of(cell)
	if not text:
		return None
	if isinstance(cell, bool) or not _NUMBERS[sign].fullmatch(text):
		raise Bad("number", field="quantity", value=text)
	return Decimal(text.replace(",", "."))


def version_of(cell: Cell) -> int:
	"""A version number; 1 when the cell is empty."""
	text = text_of(cell)
	if not text:
		return 1
	if not re.fullmatch(r"\d{1,10}", text) or not 1 <= int(text) <= MAX_VERSION:
		raise Bad("version", value=text[:MAX_TEXT])
	return int(text)


def flag_of(cell: Cell) -> bool:
	"""Whether the record is cancelled; an empty cell says no."""
	text = text_of(cell).lower()
	if text not in YES | NO:
		raise Bad("flag", value=text[:MAX_TEXT])
	return text in YES


def moment_of(cells: Sequence[Cell], field: str, profile: Profile) -> datetime | date | None:
	"""The moment that these cells say together; a date when they say a day only, None when they are empty.

	In UTC when the time zone is known, else without one: a time of the site. Of an hour that the clocks show twice, the
	first is meant.
	"""
	moment = _written(cells, field, profile)
	if not isinstance(moment, datetime):
		return moment
	if moment.tzinfo is None and profile.time_zone:
		moment = moment.replace(tzinfo=ZoneInfo(profile.time_zone))
	try:
		return moment.astimezone(timezone.utc) if moment.tzinfo else moment
	except OverflowError:
		raise Bad("time", field=field, value=moment.isoformat(), format=profile.date_format) from None


def day_of(cells: Sequence[Cell], field: str, profile: Profile) -> date | None:
	"""The day that these cells say, as it is written whatever the time beside it; None when they are empty."""
	moment = _written(cells, field, profile)
	if not isinstance(moment, datetime):
		return moment
	if profile.date_format in (EPOCH, EPOCH_MS) and profile.time_zone:
		moment = moment.astimezone(ZoneInfo(profile.time_zone))
	return moment.date()


def _written(cells: Sequence[Cell], field: str, profile: Profile) -> datetime | date | None:
	cells = [cell for cell in cells if text_of(cell)]
	if len(cells) == 1 and isinstance(cells[0], date):
		return cells[0]
	text = " ".join(text_of(cell) for cell in cells)
	if not text:
		return None
	# Kinds of a workbook are spelt in one way only.
	typed = any(isinstance(cell, date | time) for cell in cells)
	date_format = ISO if typed else profile.date_format
	try:
		return _read(text, date_format)
	except (ValueError, OverflowError):
		raise Bad("time", field=field, value=text[:MAX_TEXT], format=date_format) from None


def _read(text: str, date_format: str) -> datetime | date:
	if date_format == ISO:
		return _iso(text)
	if date_format in (EPOCH, EPOCH_MS):
		return _epoch(text, 1000 if date_format == EPOCH_MS else 1)
	match = date_pattern(date_format).fullmatch(text)
	if not match:
		raise ValueError(text)
	parts = {name: int(value) for name, value in match.groupdict().items()}
	day = date(parts.get("year", 2000 + parts.get("short", 0)), parts["month"], parts["day"])
	if "hour" not in parts:
		return day
	return datetime.combine(day, time(parts["hour"], parts.get("minute", 0), parts.get("second", 0)))


def _iso(text: str) -> datetime | date:
	match = _ISO.fullmatch(text)
	if not match:
		raise ValueError(text)
	year, month, day, hour, minute, second, fraction, zone = match.groups()
	found = date(int(year), int(month), int(day))
	if hour is None:
		return found
	clock = time(int(hour), int(minute), int(second or 0), int((fraction or "").ljust(6, "0")))
	return datetime.combine(found, clock, tzinfo=_offset(zone) if zone else None)


def _offset(zone: str) -> timezone:
	if zone == "Z":
		return timezone.utc
	sign = -1 if zone[0] == "-" else 1
	return timezone(sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:])))


def _epoch(text: str, units: int) -> datetime:
	if not re.fullmatch(r"\d{1,15}(\.0+)?", text):
		raise ValueError(text)
	count = int(text.partition(".")[0])
	return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=count * (1_000_000 // units))
