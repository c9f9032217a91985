"""Prices one model for a list of quantities: what `python -m subscriber_tv price` answers (docs/pricing.md)."""

import re
from decimal import Decimal
from typing import Any

from subscriber_tv.core.json_values import BadValue, a_list, an_object, only
from subscriber_tv.core.money import places_of, plain, round_money
from subscriber_tv.core.pricing.models import PriceModel
from subscriber_tv.core.pricing.price import Part, price_of
from subscriber_tv.core.pricing.read import read_given, read_model

CURRENCY = re.compile(r"[A-Z]{3}")


def price_sheet(document: Any) -> dict[str, Any]:
	"""The answer to {currency, model, quantities}, amounts as decimal strings. BadValue names what is wrong."""
	fields = an_object(document, "$")
	only(fields, ("currency", "model", "quantities"), "$")
	for name in ("currency", "model", "quantities"):
		if name not in fields:
			raise BadValue(f"$.{name}", "missing")
	currency = fields["currency"]
	if not (isinstance(currency, str) and CURRENCY.fullmatch(currency)):
		raise BadValue("$.currency", 'a currency code of three capital letters is needed, such as "EUR"')
	model = read_model(fields["model"], "$.model")
	quantities = a_list(fields["quantities"], "$.quantities")
	if not quantities:
		raise BadValue("$.quantities", "at least one quantity is needed")
	return {
		"currency": currency,
		"prices": [
			_row(model, value, f"$.quantities[{index}]", places_of(currency))
			for index, value in enumerate(quantities)
		],
	}


def _row(model: PriceModel, value: Any, path: str, places: int) -> dict[str, Any]:
	given = read_given(model, value, path)
	try:
		priced = price_of(model, given)
	except ValueError as error:
		raise BadValue(path, str(error)) from None
	return {
		"quantity": plain(given) if isinstance(given, Decimal) else [plain(amount) for amount in given],
		"amount": f"{round_money(priced.amount, places):f}",
		"exact": plain(priced.amount),
		"parts": [_part(part) for part in priced.parts],
	}


def _part(part: Part) -> dict[str, str | int]:
	shown: dict[str, str | int] = {
		"what": part.what,
		"quantity": plain(part.quantity),
		"unit_price": plain(part.unit_price),
		"amount": plain(part.amount),
	}
	if part.tier:
		shown["tier"] = part.tier
	if part.event:
		shown["event"] = part.event
	return shown
