"""What the print formats of invoices and credit notes show: read from the posted document, formatted by words.py."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import frappe
from frappe import _
from frappe.utils import cint, getdate

from subscriber_tv.core.billing.periods import Span
from subscriber_tv.core.billing.printout import Made, PrintRow, Section, made_of, sections, vat_summary
from subscriber_tv.core.money import ZERO, money, places_of
from subscriber_tv.flows.printing.parties import buyer_of, late_terms, plain_text, seller_of
from subscriber_tv.flows.printing.settled import settled_by
from subscriber_tv.flows.printing.words import Words, words_for


def tv_invoice(doc) -> dict[str, Any]:
	"""Everything a template shows of a Sales Invoice or credit note; texts are in the language of the document."""
	words = words_for(doc)
	places = _places({item.get("tv_subscription") for item in doc.items})
	originals = _originals(doc)
	rows = [_row(item, doc, places, originals) for item in doc.items]
	settled = settled_by(doc)
	return {
		"words": words,
		"seller": seller_of(doc),
		"buyer": buyer_of(doc),
		"sections": [_section(section, places, words) for section in sections(rows)],
		"vat": _vat(doc, rows, words),
		"net": words.amount(doc.net_total),
		"tax": words.amount(doc.total_taxes_and_charges),
		"rounding": words.amount(doc.rounding_adjustment)
		if doc.rounded_total and doc.rounding_adjustment
		else "",
		"gross": words.total(_gross(doc)),
		"tax_at_home": _tax_at_home(doc, words),
		"untaxed": _why_untaxed(doc, rows, words.lang),
		"settled": [
			(_(text, words.lang).format(name), words.day(day), words.total(amount))
			for text, name, day, amount in settled
		],
		"open": words.total(_open(doc, settled)),
		"is_open": bool(_open(doc, settled)),
		"due": [(words.day(row.due_date), words.total(row.payment_amount)) for row in doc.payment_schedule]
		or [(words.day(doc.due_date), words.total(_gross(doc)))],
		"terms": [
			_(text, words.lang)
			for row in doc.payment_schedule
			if (text := row.description or row.payment_term)
		],
		"late_terms": late_terms(doc, words.lang),
		"operation": _operation(doc, words.lang),
		"period": _period(rows, words),
		"corrects": _corrected(doc, words),
	}


def _vat(doc, rows: list[PrintRow], words: Words) -> list[tuple[str, str, str]]:
	posted: dict[str, Decimal] = {}
	for tax in doc.taxes:
		amount = money(tax.tax_amount_after_discount_amount)
		posted[tax.account_head] = posted.get(tax.account_head, ZERO) + amount
	return [
		(words.number(line.percent), words.amount(line.base), words.amount(line.tax))
		for line in vat_summary(rows, posted, places_of(doc.currency))
	]


def _tax_at_home(doc, words: Words) -> str:
	"""The VAT in the company's currency, which an invoice in another one must tell as well."""
	currency = frappe.get_cached_value("Company", doc.company, "default_currency")
	if currency == doc.currency:
		return ""
	return Words(words.lang, currency).total(doc.base_total_taxes_and_charges)


def _why_untaxed(doc, rows: list[PrintRow], language: str) -> str:
	"""What the Item Tax Templates and the tax category call the rows that bear no VAT: their reason must be told."""
	items = [item for item, row in zip(doc.items, rows, strict=True) if not row.percent]
	if not items:
		return ""
	titles = {
		frappe.get_cached_value("Item Tax Template", item.item_tax_template, "title")
		for item in items
		if item.item_tax_template
	}
	return ", ".join(_(title, language) for title in [*sorted(titles), *filter(None, [doc.tax_category])])


def _places(subscriptions: set[str | None]) -> dict[str, dict]:
	"""Site and address of each subscription on the document."""
	contract, site, address = (frappe.qb.DocType(name) for name in ("TV Subscription", "TV Site", "Address"))
	rows = (
		frappe.qb.from_(contract)
		.left_join(site)
		.on(contract.site == site.name)
		.left_join(address)
		.on(site.address == address.name)
		.select(contract.name, site.site_name, address.address_line1, address.pincode, address.city)
		.where(contract.name.isin([name for name in subscriptions if name] or [""]))
		.run(as_dict=True)
	)
	return {row.name: row for row in rows}


def _originals(doc) -> dict[str, dict]:
	"""The rows that a credit note corrects, by name."""
	names = [item.get("tv_corrects") or item.get("sales_invoice_item") for item in doc.items]
	if not doc.is_return or not any(names):
		return {}
	found = frappe.get_all(
		"Sales Invoice Item",
		{"name": ("in", [name for name in names if name])},
		["name", "idx", "parent", "description"],
		limit=0,
	)
	return {row.name: row for row in found}


def _gross(doc) -> Decimal:
	return money(doc.rounded_total or doc.grand_total)


def _open(doc, settled: list[tuple]) -> Decimal:
	"""What remains to pay (or of a credit note to be used), in the currency of the document."""
	used = sum((amount for _text, _name, _day, amount in settled), ZERO)
	return abs(_gross(doc)) - used


def _row(item, doc, places: dict[str, dict], originals: dict[str, dict]) -> PrintRow:
	ours = bool(item.get("tv_line") and item.tv_from and item.tv_to)
	own_rates = json.loads(item.item_tax_rate or "{}")
	rates = tuple(
		(tax.account_head, money(own_rates.get(tax.account_head, tax.rate)))
		for tax in doc.taxes
		if tax.charge_type == "On Net Total"
	)
	original = originals.get(item.get("tv_corrects") or item.get("sales_invoice_item"))
	place = places.get(item.get("tv_subscription"), {})
	return PrintRow(
		text=_text((original or item).description or item.item_name, item, place),
		amount=money(item.net_amount),
		rates=rates,
		subscription=item.get("tv_subscription") or "",
		kind=item.get("tv_kind") or "",
		span=Span(getdate(item.tv_from), getdate(item.tv_to)) if ours else None,
		made=_made(item) if ours else _standard(item),
		corrects=str(original.idx) if original else "",
	)


def _text(description: str, item, place: dict) -> str:
	"""Our descriptions name site, days and units for the ledgers; on paper a section and columns show them."""
	text = plain_text(description)
	for name in (place.get("site_name"), item.get("tv_subscription")):
		if name and f", {name}, " in text:
			text = text.rpartition(f", {name}, ")[0]
			units, times, rest = text.partition(" × ")
			return rest if times and units.replace(".", "", 1).isdigit() else text
	return text


def _made(item) -> Made | None:
	try:
		return made_of(json.loads(item.tv_facts or "{}"))
	except ValueError:
		return None


def _standard(item) -> Made:
	return Made(money(item.qty), money(item.net_rate), money(item.net_amount), 1, 1)


def _section(section: Section, places: dict[str, dict], words: Words) -> dict[str, Any]:
	return {
		**_head(section.subscription, places.get(section.subscription, {}), words),
		"rows": [_cells(row, words) for row in section.rows],
		"subtotal": words.amount(section.subtotal),
	}


def _head(subscription: str, place: dict, words: Words) -> dict[str, str]:
	if not subscription:
		return {"title": _("Other items", words.lang), "place": "", "reference": ""}
	town = " ".join(filter(None, (place.get("pincode"), place.get("city"))))
	return {
		"title": place.get("site_name") or subscription,
		"place": ", ".join(filter(None, (place.get("address_line1"), town))),
		"reference": _("Subscription {0}", words.lang).format(subscription),
	}


def _cells(row: PrintRow, words: Words) -> dict[str, Any]:
	made = row.made
	return {
		"text": row.text,
		"span": words.span(row.span) if row.span else "",
		"quantity": words.number(made.quantity) if made else "",
		"unit_price": words.price(made.unit_price) if made and made.unit_price is not None else "",
		"days": f"{made.days}/{made.whole_days}" if made and made.in_part else "",
		"percent": words.number(row.percent),
		"amount": words.amount(row.amount),
		"corrects": row.corrects,
		"notes": list(_notes(made, words)) if made and row.span else [],
	}


def _notes(made: Made, words: Words) -> Iterator[str]:
	"""What a reader needs to follow the amount, under the text of the row."""
	lang = words.lang
	if made.discounts or (made.in_part and made.unit_price is None):
		yield _("Price of the whole period: {0}", lang).format(words.price(made.whole))
	for label, amount in made.discounts:
		text = (
			_("Discount {0}: −{1} on the whole period", lang)
			if label
			else _("Discount: −{1} on the whole period", lang)
		)
		yield text.format(label, words.price(amount))
	if made.in_part:
		yield _("{0} of {1} days", lang).format(made.days, made.whole_days)


def _operation(doc, language: str) -> str:
	"""The kind of operation that a French invoice names: services, goods or both."""
	goods = [
		bool(cint(frappe.get_cached_value("Item", item.item_code, "is_stock_item"))) for item in doc.items
	]
	if all(goods):
		return _("Supply of goods", language)
	return _("Supply of goods and services", language) if any(goods) else _("Supply of services", language)


def _period(rows: list[PrintRow], words: Words) -> str:
	"""From the first to the last day that the rows bill."""
	spans = [row.span for row in rows if row.span]
	if not spans:
		return ""
	return words.span(Span(min(span.start for span in spans), max(span.end for span in spans)))


def _corrected(doc, words: Words) -> dict[str, str] | None:
	"""The invoice a credit note corrects."""
	if not cint(doc.is_return) or not doc.return_against:
		return None
	day = frappe.db.get_value("Sales Invoice", doc.return_against, "posting_date")
	return {"name": doc.return_against, "day": words.day(day)}
