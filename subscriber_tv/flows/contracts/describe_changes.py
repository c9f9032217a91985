"""Says in a few words what each change did beside its state: for the history on the form of a subscription."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import frappe
from frappe import _
from frappe.utils import fmt_money, formatdate

from subscriber_tv.core.contracts.states import CREATE, OTHER_EVENTS, WITHDRAW

LINES = ("parent", "line_id", "offer_version", "quantity", "option_of", "ends")
PRICES = ("parent", "line_id", "charge_code", "price_model", "unit_price", "of_offer")
DISCOUNTS = ("parent", "label", "line_id", "percent", "amount", "periods", "until")


def describe_changes(changes: Sequence[dict], currency: str) -> dict[str, list[str]]:
	"""Sentences by change, of rows with their fields; three queries in all."""
	names = [change.name for change in changes if change.event in (CREATE, *OTHER_EVENTS)]
	told: dict[str, list[str]] = defaultdict(list)
	for row in _rows("TV Subscription Change Line", LINES, names):
		told[row.parent].append(_line(row))
	for row in _rows("TV Subscription Price Line", PRICES, names):
		told[row.parent].append(_price(row, currency))
	for row in _rows("TV Subscription Discount Line", DISCOUNTS, names):
		told[row.parent].append(_discount(row, currency))
	for change in changes:
		told[change.name] += _of_change(change)
	return told


def _rows(doctype: str, fields: Sequence[str], parents: Iterable[str]) -> list[dict]:
	filters = {"parent": ("in", list(parents) or [""]), "parenttype": "TV Subscription Change"}
	return frappe.get_all(doctype, filters, list(fields), order_by="parent, idx", limit=0)


def _of_change(change: dict) -> list[str]:
	told = []
	if change.anchor_day:
		told.append(_("billing day {0}").format(change.anchor_day))
	if change.payer:
		told.append(_("{0} pays").format(change.payer))
	if change.customer or change.site:
		told.append(_("now {0}").format(change.customer or change.site))
	if change.event == WITHDRAW:
		told.append(_("takes back change no. {0}").format(change.withdraws))
	if change.billing_stops:
		told.append(_("billing stops"))
	return told


def _line(row: dict) -> str:
	if row.ends:
		return _("line {0} ends").format(row.line_id)
	parts = [row.offer_version or "", _outlets(row.quantity) if row.quantity else ""]
	text = f"{row.line_id}: " + ", ".join(part for part in parts if part)
	return text + " (" + _("option of {0}").format(row.option_of) + ")" if row.option_of else text


def _outlets(number: int) -> str:
	return _("1 outlet") if number == 1 else _("{0} outlets").format(number)


def _price(row: dict, currency: str) -> str:
	place = f"{row.line_id}/{row.charge_code}"
	if row.of_offer:
		return _("{0}: price of the offer again").format(place)
	price = fmt_money(row.unit_price, currency=currency) if row.unit_price else _(row.price_model)
	return _("{0}: price {1}").format(place, price)


def _discount(row: dict, currency: str) -> str:
	worth = f"{row.percent:g} %" if row.percent else fmt_money(row.amount, currency=currency)
	text = f"{row.label}: −{worth}"
	if row.periods:
		many = _("for {0} periods").format(row.periods)
		return text + " " + (many if row.periods > 1 else _("for 1 period"))
	return text + " " + _("until {0}").format(formatdate(row.until)) if row.until else text
