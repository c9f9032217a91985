"""Reads JSON texts and the values in them; whatever is wrong is told with its JSON path.

Numbers become Decimal, never float, so that nothing is lost; amounts and quantities may also be written as strings.
"""

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from subscriber_tv.core.money import ZERO

#: Beyond these a value is a typing error; within them every product is exact.
MOST = Decimal(10) ** 12
MOST_DECIMALS = 9
MOST_ITEMS = 10_000

#: How a decimal is written as a string: no sign but minus, no exponent, no blanks.
DECIMAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")

Fields = Mapping[str, Any]


class BadValue(ValueError):
	"""A value that cannot be used: `path` is its JSON path ("$.model.tiers[1].up_to"), `reason` one sentence."""

	def __init__(self, path: str, reason: str):
		super().__init__(f"{path}: {reason}")
		self.path = path
		self.reason = reason


def parse(text: str) -> Any:
	"""The value of a JSON text. BadValue at "$" when it is not JSON, or names a field twice."""
	try:
		return json.loads(text, parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_once)
	except json.JSONDecodeError as error:
		raise BadValue("$", f"not JSON: {error}") from None
	except RecursionError:
		raise BadValue("$", "nested too deep") from None
	except BadValue:
		raise
	except (ValueError, ArithmeticError) as error:
		raise BadValue("$", f"a number is out of range: {error}") from None


def _no_constant(name: str) -> None:
	raise BadValue("$", f"{name} is no JSON number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
	fields = dict(pairs)
	if len(fields) < len(pairs):
		names = [name for name, _ in pairs]
		twice = next(name for name in names if names.count(name) > 1)
		raise BadValue("$", f"the field {twice} stands twice in one object")
	return fields


def an_object(value: Any, path: str) -> Fields:
	if not isinstance(value, dict):
		raise BadValue(path, "an object is needed")
	return value


def a_list(value: Any, path: str) -> Sequence[Any]:
	if not isinstance(value, list):
		raise BadValue(path, "a list is needed")
	if len(value) > MOST_ITEMS:
		raise BadValue(path, f"at most {MOST_ITEMS} items")
	return value


def only(fields: Fields, known: Sequence[str], path: str, reason: str = "") -> None:
	"""Refuse a field that nobody reads: most often a slip of the pen, and never without effect on the price."""
	for name in fields:
		if name not in known:
			raise BadValue(f"{path}.{name}", reason or "unknown here; known are " + ", ".join(known))


def a_flag(fields: Fields, name: str, path: str) -> bool:
	value = fields.get(name, False)
	if not isinstance(value, bool):
		raise BadValue(f"{path}.{name}", "true or false is needed")
	return value


def a_number(value: Any, path: str, *, least: Decimal = ZERO) -> Decimal:
	"""A finite decimal of at least `least`, below the limits above."""
	number = _decimal(value, path)
	if number < least:
		raise BadValue(path, f"at least {least} is needed")
	if abs(number) >= MOST or number.as_tuple().exponent < -MOST_DECIMALS:
		raise BadValue(path, f"less than {MOST:f} with at most {MOST_DECIMALS} decimals is needed")
	return number


def _decimal(value: Any, path: str) -> Decimal:
	if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
		raise BadValue(path, 'a decimal is needed, such as "7.42"')
	if isinstance(value, str) and not DECIMAL.fullmatch(value):
		raise BadValue(path, 'a decimal is needed, such as "7.42"')
	number = Decimal(value)
	if not number.is_finite():
		raise BadValue(path, "a finite decimal is needed")
	return number
