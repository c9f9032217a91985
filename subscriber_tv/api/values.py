"""Values of a request that are more than one word: read, checked, and refused by name."""

from datetime import date
from typing import Any

import frappe
from frappe import _
from frappe.utils import cint, getdate

from subscriber_tv.core.json_values import BadValue
from subscriber_tv.core.pricing.models import PriceModel
from subscriber_tv.core.pricing.read import read_model

MOST_STEPS = 50
FIRST_YEAR, LAST_YEAR = 1900, 2999

_FIELDS = ("line_id", "offer_version", "quantity", "option_of", "ends", "prices")


def parsed(value: Any) -> Any:
	"""A value that may have come as JSON text; None for text that is no JSON."""
	try:
		return frappe.parse_json(value)
	except (ValueError, RecursionError):
		return None


def day_of(value: str) -> date:
	"""An ISO day. ValidationError for what is none, or so far away that nobody means it."""
	day = getdate(value)
	if not day or not FIRST_YEAR <= day.year <= LAST_YEAR:
		frappe.throw(
			_("{0} is no day between {1} and {2}.").format(
				frappe.utils.escape_html(value), FIRST_YEAR, LAST_YEAR
			),
			title=_("Date"),
		)
	return day


def steps_of(value: list | str | None) -> list[dict[str, Any]]:
	"""Steps of a change of lines: {line_id, offer_version, quantity, option_of, ends, prices}; all may be left out.

	`prices` are price models of docs/pricing.md by charge code, null for the price of the offer. ValidationError names
	the step and the field.
	"""
	rows = parsed(value) if value else []
	if not isinstance(rows, list) or len(rows) > MOST_STEPS:
		frappe.throw(_("Steps must be a list of at most {0}.").format(MOST_STEPS), title=_("Steps"))
	return [_step(row, number) for number, row in enumerate(rows, start=1)]


def _step(row: Any, number: int) -> dict[str, Any]:
	unknown = set(row) - set(_FIELDS) if isinstance(row, dict) else {str(row)}
	if unknown:
		frappe.throw(
			_("Step {0}: unknown {1}. Known are: {2}.").format(
				number, ", ".join(sorted(unknown)), ", ".join(_FIELDS)
			),
			title=_("Steps"),
		)
	step = {name: row[name] for name in ("line_id", "offer_version", "option_of") if row.get(name)}
	for name, text in step.items():
		if not isinstance(text, str):
			frappe.throw(_("Step {0}: {1} must be text.").format(number, name), title=_("Steps"))
	if row.get("quantity") not in (None, ""):
		step["quantity"] = cint(row["quantity"])
	if row.get("ends"):
		step["ends"] = bool(cint(row["ends"]))
	if row.get("prices"):
		if not isinstance(row["prices"], dict):
			frappe.throw(
				_("Step {0}: prices are an object with a price model by charge code.").format(number),
				title=_("Steps"),
			)
		step["prices"] = {code: _price(model, number, code) for code, model in row["prices"].items()}
	return step


def _price(value: Any, number: int, code: str) -> PriceModel | None:
	if value is None:
		return None
	try:
		return read_model(value)
	except BadValue as wrong:
		frappe.throw(
			_("Step {0}: the price of {1} cannot be read: {2}").format(number, frappe.bold(code), str(wrong)),
			title=_("Price"),
		)
