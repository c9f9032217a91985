"""Fills a Quotation with TV lines: its items are the first bill, its table of bills the ones that follow.

Both are played with the function that bills, so a quote cannot promise what a bill run would not do.
"""

from dataclasses import replace
from decimal import Decimal

import frappe
from frappe import _
from frappe.utils import cint, flt, nowdate

from subscriber_tv.core.money import ZERO, money
from subscriber_tv.flows.billing import upcoming
from subscriber_tv.flows.billing.upcoming import OfferedContract
from subscriber_tv.flows.printing.words import Words
from subscriber_tv.flows.quotes.offered import QuotedContract, check_binding, contracts_of
from subscriber_tv.flows.quotes.promised import note_promised
from subscriber_tv.flows.quotes.summary import summary, words_of
from subscriber_tv.ledger.party import tax_template

MONTHS = 12


def fill(doc) -> None:
	"""Compute items, bills and sentence of a draft Quotation with TV lines.

	Errors: ValidationError naming the row that is wrong; NotEligible for a promotion code the customer may not have.
	"""
	doc.tv_start_on = doc.tv_start_on or doc.transaction_date or nowdate()
	months = cint(doc.tv_months) or MONTHS
	check_binding(doc)
	note_promised(doc)
	played = [(one, _played(one.offered, months)) for one in contracts_of(doc)]
	_refuse_refused(played)
	_fill_items(doc, played)
	_fill_bills(doc, [bill for _one, bills in played for bill in bills])
	doc.tv_term_net = sum((flt(row.net) for row in doc.tv_bills), 0.0)
	doc.tv_summary = summary(doc, [one for one, _bills in played], _undiscounted_net(played, months))


def check_totals(doc) -> None:
	"""Refuse a Quotation whose totals are not those of the first bill: a discount or rule of ERPNext has touched it."""
	first = doc.tv_bills[0] if doc.tv_bills else None
	expected = (money(first.net), money(first.total)) if first else (ZERO, ZERO)
	found = (money(doc.net_total), money(doc.grand_total))
	if found != expected:
		frappe.throw(
			_(
				"The quotation comes to {0}, the first bill to {1}. Take away discounts, pricing rules and taxes of the quotation; grant them in its TV lines."
			).format(found[1], expected[1]),
			title=_("Quote Is Not the Bill"),
		)


def _played(offered: OfferedContract, months: int) -> list[dict]:
	return upcoming.of_offer(offered, months=months)["after"]


def _undiscounted_net(played: list[tuple[QuotedContract, list[dict]]], months: int) -> Decimal:
	"""What the same months would come to without the promotion of the code."""
	total = ZERO
	for one, bills in played:
		own = tuple(discount for discount in one.offered.discounts if not discount.promotion)
		if own != one.offered.discounts:
			bills = _played(replace(one.offered, discounts=own), months)
		total += sum((Decimal(bill["net"]) for bill in bills), ZERO)
	return total


def _refuse_refused(played: list[tuple[QuotedContract, list[dict]]]) -> None:
	refused = [reason for _one, bills in played for bill in bills for reason in bill["refused"]]
	if refused:
		frappe.throw("<br>".join(refused), title=_("Cannot Be Billed"))


def _fill_items(doc, played: list[tuple[QuotedContract, list[dict]]]) -> None:
	"""The rows of every contract's first bill, if it falls on the first day; others come with their bill."""
	kept = [row for row in doc.items if not row.get("tv_line")]
	doc.set("items", [])
	for row in kept:
		if row.item_code:
			doc.append("items", row.as_dict(no_default_fields=True))
	words = words_of(doc)
	for one, bills in played:
		for row in _rows_of_first_day(one, bills):
			doc.append("items", _item(one, row, words))
	doc.ignore_pricing_rule = 1
	if not doc.taxes:
		customer = doc.party_name if doc.quotation_to == "Customer" else None
		doc.taxes_and_charges = tax_template(doc.company, customer, doc.transaction_date)
		doc.append_taxes_from_master()


def _rows_of_first_day(one: QuotedContract, bills: list[dict]) -> list[dict]:
	first = one.offered.start_on.isoformat()
	return [row for bill in bills if bill["day"] == first for row in bill["rows"]]


def _item(one: QuotedContract, row: dict, words: Words) -> dict:
	site = frappe.db.get_value("TV Site", one.site, "site_name") if one.site else ""
	days = _("{0} to {1}", words.lang).format(words.day(row["from"]), words.day(row["last"]))
	parts = [row["text"], site, days if row["last"] > row["from"] else ""]
	return {
		"item_code": row["item"],
		"qty": 1,
		"rate": flt(row["amount"]),
		"price_list_rate": flt(row["amount"]),
		"description": ", ".join(part for part in parts if part),
		"tv_line": row["line"],
	}


def _fill_bills(doc, bills: list[dict]) -> None:
	"""One row a day, of all contracts of the quote together."""
	by_day: dict[str, list[Decimal]] = {}
	for bill in bills:
		sums = by_day.setdefault(bill["day"], [ZERO, ZERO, ZERO])
		for index, field in enumerate(("net", "tax", "total")):
			sums[index] += Decimal(bill[field])
	doc.set("tv_bills", [])
	for day in sorted(by_day):
		net, tax, total = by_day[day]
		doc.append("tv_bills", {"day": day, "net": float(net), "tax": float(tax), "total": float(total)})
