"""The rows below a TV Subscription Change, as the core takes them and as they are stored: lines, prices, discounts."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import frappe
from frappe.utils import getdate

from subscriber_tv.core.contracts.lines import Line, LineStep
from subscriber_tv.core.contracts.states import CREATE
from subscriber_tv.core.contracts.timeline import Change
from subscriber_tv.core.money import money, plain
from subscriber_tv.core.pricing.discount import Discount
from subscriber_tv.core.pricing.models import PriceModel
from subscriber_tv.core.pricing.offered import name_of
from subscriber_tv.core.pricing.read import read_model
from subscriber_tv.core.pricing.write import write_model

LINE, PRICE, DISCOUNT = (
	"TV Subscription Change Line",
	"TV Subscription Price Line",
	"TV Subscription Discount Line",
)

_COLUMNS = {
	LINE: ("parent", "line_id", "offer_version", "quantity", "option_of", "ends"),
	PRICE: ("parent", "line_id", "charge_code", "of_offer", "price_json"),
	DISCOUNT: ("parent", "label", "line_id", "percent", "amount", "periods", "until", "promotion"),
}

#: Names in one `in (…)`.
CHUNK = 500


class Rows:
	"""The rows of many changes, by the name of their change."""

	def __init__(self, found: dict[str, dict[str, list[dict]]]):
		self._found = found

	def lines_of(self, change: dict) -> tuple[Line, ...]:
		"""The lines a contract was opened with."""
		if change.event != CREATE:
			return ()
		prices = self._prices(change)
		return tuple(
			Line(
				row.line_id,
				row.offer_version,
				row.quantity,
				prices=tuple(sorted(prices[row.line_id].items(), key=lambda item: item[0])),
				option_of=row.option_of or "",
			)
			for row in self._of(LINE, change)
		)

	def steps_of(self, change: dict) -> tuple[LineStep, ...]:
		"""What a later change does to the lines."""
		if change.event == CREATE:
			return ()
		prices = self._prices(change)
		return tuple(
			LineStep(
				row.line_id,
				offer_version=row.offer_version or None,
				quantity=row.quantity or None,
				prices=tuple(prices[row.line_id].items()),
				option_of=row.option_of or None,
				ends=bool(row.ends),
			)
			for row in self._of(LINE, change)
		)

	def discounts_of(self, change: dict) -> tuple[Discount, ...]:
		"""Those granted, from the day of the change on; those of the opening from the first day."""
		since = None if change.event == CREATE else change.effective_date
		return tuple(discount_of(row, since) for row in self._of(DISCOUNT, change))

	def _prices(self, change: dict) -> dict[str, dict[str, PriceModel | None]]:
		prices: dict[str, dict[str, PriceModel | None]] = defaultdict(dict)
		for row in self._of(PRICE, change):
			prices[row.line_id][row.charge_code] = (
				None if row.of_offer else read_model(json.loads(row.price_json))
			)
		return prices

	def _of(self, doctype: str, change: dict) -> Sequence[dict]:
		return self._found[doctype].get(change.name, ())


def load_rows(
	changes: Iterable[dict], locked: bool = False, of: Sequence[str] = (LINE, PRICE, DISCOUNT)
) -> Rows:
	"""The rows of these changes; `locked` reads past the transaction's snapshot, `of` names the tables that matter."""
	changes = list(changes)
	opened_or_changed = [change.name for change in changes if change.event in (CREATE, "change_lines")]
	granted = [change.name for change in changes if change.event in (CREATE, "grant_discount")]
	parents = {LINE: opened_or_changed, PRICE: opened_or_changed, DISCOUNT: granted}
	return Rows({table: _load(table, parents[table] if table in of else [], locked) for table in parents})


def rows_of(change: Change) -> dict[str, list[dict]]:
	"""The child rows to store with a change, by table."""
	lines = [
		{
			"line_id": line.line_id,
			"offer_version": line.offer_version,
			"quantity": line.quantity,
			"option_of": line.option_of or None,
		}
		for line in change.lines
	]
	steps = [
		{
			"line_id": step.line_id,
			"offer_version": step.offer_version,
			"quantity": step.quantity or 0,
			"option_of": step.option_of,
			"ends": int(step.ends),
		}
		for step in change.steps
	]
	prices = [
		_price_row(line.line_id, code, model)
		for line in (*change.lines, *change.steps)
		for code, model in line.prices
	]
	return {
		"lines": lines + steps,
		"prices": prices,
		"discounts": [discount_row(d) for d in change.discounts],
	}


def discount_of(row: Mapping[str, Any], since: date | None = None) -> Discount:
	"""The discount of a row as `discount_row` makes it, in force since that day."""
	return Discount(
		percent=money(row["percent"]),
		amount=money(row["amount"]),
		periods=row["periods"] or None,
		until=getdate(row["until"]) if row["until"] else None,
		since=since,
		line=row["line_id"] or None,
		label=row["label"],
		promotion=row["promotion"] or "",
	)


def discount_row(discount: Discount) -> dict:
	"""A discount as it is stored, without the day since which it is in force."""
	return {
		"label": discount.label,
		"line_id": discount.line,
		"percent": plain(discount.percent),
		"amount": plain(discount.amount),
		"periods": discount.periods or 0,
		"until": discount.until,
		"promotion": discount.promotion or None,
	}


def _price_row(line_id: str, code: str, model: PriceModel | None) -> dict:
	row = {"line_id": line_id, "charge_code": code}
	if model is None:
		return row | {"of_offer": 1}
	name, unit_price = name_of(model)
	full = json.dumps(write_model(model), sort_keys=True)
	return row | {"price_model": name, "unit_price": plain(unit_price), "price_json": full}


def _load(doctype: str, parents: list[str], locked: bool) -> dict[str, list[dict]]:
	found: dict[str, list[dict]] = defaultdict(list)
	table = frappe.qb.DocType(doctype)
	for start in range(0, len(parents), CHUNK):
		query = frappe.qb.from_(table).select(*_COLUMNS[doctype])
		query = query.where(table.parent.isin(parents[start : start + CHUNK]))
		query = query.where(table.parenttype == "TV Subscription Change").orderby(table.parent, table.idx)
		for row in (query.for_update() if locked else query).run(as_dict=True):
			found[row.parent].append(row)
	return found
