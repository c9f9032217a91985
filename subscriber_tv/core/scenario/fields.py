"""Values of a scenario that are more than numbers: days, whole numbers, words out of a list, names."""

import re
from collections.abc import Collection, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from subscriber_tv.core.json_values import BadValue, Fields, a_number

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
#: Contracts outside these years are typing errors.
FIRST, LAST = date(1970, 1, 1), date(2200, 1, 1)


def needed(fields: Fields, name: str, path: str) -> Any:
	if fields.get(name) is None:
		raise BadValue(f"{path}.{name}", "missing")
	return fields[name]


def a_day(value: Any, path: str) -> date:
	try:
		day = date.fromisoformat(value) if isinstance(value, str) and DAY.fullmatch(value) else None
	except ValueError:
		day = None
	if day is None:
		raise BadValue(path, 'a day is needed, such as "2026-01-31"')
	if not FIRST <= day < LAST:
		raise BadValue(path, f"a day from {FIRST} to before {LAST} is needed")
	return day


def day_or_none(fields: Fields, name: str, path: str) -> date | None:
	return None if fields.get(name) is None else a_day(fields[name], f"{path}.{name}")


def a_whole(value: Any, path: str, least: int, most: int) -> int:
	number = a_number(value, path, least=Decimal(-1))
	if number != int(number) or not least <= number <= most:
		raise BadValue(path, f"a whole number from {least} to {most} is needed")
	return int(number)


def whole_or(fields: Fields, name: str, path: str, default: int, least: int, most: int) -> int:
	if fields.get(name) is None:
		return default
	return a_whole(fields[name], f"{path}.{name}", least, most)


def one_of(value: Any, path: str, words: Collection[str]) -> str:
	if not isinstance(value, str) or value not in words:
		raise BadValue(path, "one of " + ", ".join(words))
	return value


def word_or(fields: Fields, name: str, path: str, words: Sequence[str]) -> str:
	"""The word given, else the first of `words`."""
	return one_of(fields[name], f"{path}.{name}", words) if fields.get(name) is not None else words[0]


def a_name(fields: Fields, path: str) -> str:
	return is_name(needed(fields, "id", path), f"{path}.id")


def is_name(value: Any, path: str) -> str:
	if not isinstance(value, str) or not NAME.fullmatch(value):
		raise BadValue(path, "a name of at most 40 letters, digits, dots, dashes and underscores is needed")
	return value


def percent_or(fields: Fields, name: str, path: str, default: Decimal) -> Decimal:
	if fields.get(name) is None:
		return default
	return a_percent(fields[name], f"{path}.{name}")


def a_percent(value: Any, path: str) -> Decimal:
	percent = a_number(value, path)
	if percent > 100:
		raise BadValue(path, "at most 100 is needed")
	return percent


def amount_or_none(fields: Fields, name: str, path: str, places: int) -> Decimal | None:
	return None if fields.get(name) is None else an_amount(fields[name], f"{path}.{name}", places)


def an_amount(value: Any, path: str, places: int) -> Decimal:
	"""An amount of money as it can be posted."""
	amount = a_number(value, path)
	if amount != round(amount, places):
		raise BadValue(path, f"an amount with at most {places} decimals is needed")
	return amount


def in_order(start: date | None, end: date | None, path: str) -> None:
	if start and end and end <= start:
		raise BadValue(path, "must be after the start: it is the first day no longer served")
