"""What stands behind an invoice row, for staff: the event that caused it, its run and claim, what was done to it."""

from collections.abc import Iterable

import frappe
from frappe import _
from frappe.utils import format_datetime, formatdate, get_fullname

from subscriber_tv.core.billing.price import CORRECTION
from subscriber_tv.core.money import money, plain
from subscriber_tv.flows.billing.explain_facts import price_on, row_corrected, row_named
from subscriber_tv.flows.billing.offers import offers_of
from subscriber_tv.flows.contracts.words import event_label

CHANGE_FIELDS = (
	"name",
	"event",
	"effective_date",
	"known_on",
	"author",
	"reason",
	"source_doctype",
	"source_name",
)


def trail_of_row(row: str) -> dict:
	"""Records behind a row of ours: `price`, `cause`, `run`, `claim`, `corrects`, `corrected_by`, `concessions`, `disputes`.

	Each is a list of `{text, doctype, name, row?}`; `row` is a row that can be explained in turn.
	"""
	found = row_named(row)
	return {
		"price": _price(found),
		"cause": list(_causes(found)),
		"run": [_link(_("Bill run"), "TV Bill Run", found.tv_bill_run)] if found.tv_bill_run else [],
		"claim": [
			_link(_("Claim on the period"), "TV Billed Period", name)
			for name in frappe.get_all("TV Billed Period", {"invoice_row": found.name}, pluck="name")
		],
		"corrects": _corrects(found),
		**_given_back(found),
		"disputes": _disputes(found),
	}


def _price(row: dict) -> list[dict]:
	"""The offer version that prices the row, and whether its price was agreed in the contract instead."""
	if not row.tv_facts:
		return []
	price = price_on(row)
	charges = offers_of([price.offer_version]).get(price.offer_version, ())
	offered = next((charge.pricing for charge in charges if charge.code == price.charge_code), None)
	text = _("Charge {0}").format(price.charge_code)
	if offered is not None and offered != price.pricing:
		text = _("Charge {0}, at a price agreed in the contract instead of that of the offer").format(
			price.charge_code
		)
	return [_link(text, "TV Offer Version", price.offer_version)]


def _causes(row: dict) -> Iterable[dict]:
	if row.tv_dispute:
		yield _link(_("Granted on a dispute"), "TV Dispute", row.tv_dispute)
	if row.tv_kind == CORRECTION:
		changes = _recorded_between(row)
	else:
		changes = _before_charge(row)
	for change in changes:
		yield _link(_change_text(change), "TV Subscription Change", change.name)
		if change.source_name:
			yield _link(_(change.source_doctype), change.source_doctype, change.source_name)


def _before_charge(row: dict) -> list[dict]:
	"""The change since which the line is as it is; else what began on the first day charged, such as the activation."""
	if not row.tv_facts:
		return []
	if number := price_on(row).change:
		return _changes({"subscription": row.tv_subscription, "change_no": number})
	return _changes({"subscription": row.tv_subscription, "effective_date": row.tv_from})[-1:]


def _recorded_between(row: dict) -> list[dict]:
	"""Changes that came to be known after the row was billed and before it was corrected.

	One that takes effect on the first day given back is the cause alone.
	"""
	billed = row_corrected(row).creation
	changes = _changes({"subscription": row.tv_subscription, "known_on": ("between", (billed, row.creation))})
	exact = [change for change in changes if row.tv_from in (change.effective_date, change.end_date)]
	return exact or changes


def _changes(filters: dict) -> list[dict]:
	return frappe.get_all(
		"TV Subscription Change",
		{"docstatus": 1, **filters},
		[*CHANGE_FIELDS, "end_date"],
		order_by="change_no",
		limit=20,
	)


def _change_text(change: dict) -> str:
	text = _("{0}, effective {1}, recorded {2} by {3}").format(
		event_label(change.event),
		formatdate(change.end_date or change.effective_date),
		format_datetime(change.known_on),
		get_fullname(change.author),
	)
	return f"{text}: {change.reason}" if change.reason else text


def _corrects(row: dict) -> list[dict]:
	if not row.tv_corrects:
		return []
	corrected = (
		row_named(row.tv_corrects) if frappe.db.exists("Sales Invoice Item", row.tv_corrects) else None
	)
	return [_row_link(corrected)] if corrected else []


def _given_back(row: dict) -> dict[str, list[dict]]:
	"""Corrections of the row and concessions on it that stand."""
	item, parent = frappe.qb.DocType("Sales Invoice Item"), frappe.qb.DocType("Sales Invoice")
	rows = (
		frappe.qb.from_(item)
		.join(parent)
		.on(item.parent == parent.name)
		.select(
			item.name,
			item.parent,
			item.net_amount,
			item.tv_kind,
			item.tv_from,
			item.tv_to,
			parent.currency,
			parent.posting_date,
		)
		.where((item.tv_corrects == row.name) | (item.sales_invoice_item == row.name))
		.where((parent.docstatus == 1) & (parent.is_return == 1) & (parent.return_against == row.parent))
		.orderby(parent.creation)
		.orderby(item.idx)
		.run(as_dict=True)
	)
	return {
		"corrected_by": [_row_link(one) for one in rows if one.tv_kind == CORRECTION],
		"concessions": [_row_link(one) for one in rows if one.tv_kind != CORRECTION],
	}


def _disputes(row: dict) -> list[dict]:
	line, dispute = frappe.qb.DocType("TV Dispute Line"), frappe.qb.DocType("TV Dispute")
	rows = (
		frappe.qb.from_(line)
		.join(dispute)
		.on(line.parent == dispute.name)
		.select(dispute.name, dispute.state, dispute.currency, line.amount)
		.where(line.invoice_row == row.name)
		.orderby(dispute.name)
		.run(as_dict=True)
	)
	return [
		_link(_("{0}: {1}").format(_(one.state), _money(one.amount, one.currency)), "TV Dispute", one.name)
		for one in rows
	]


def _row_link(row: dict) -> dict:
	text = _("{0} on {1}").format(_money(row.net_amount, row.currency), formatdate(row.posting_date))
	explained = {"row": row.name} if row.tv_kind else {}
	return _link(text, "Sales Invoice", row.parent) | explained


def _link(text: str, doctype: str, name: str) -> dict:
	return {"text": text, "doctype": doctype, "name": name}


def _money(amount: float, currency: str) -> str:
	return frappe.utils.fmt_money(float(plain(money(amount))), currency=currency)
