"""What the letters show: the new prices of a contract, or its coming renewal, in the language of its customer."""

import json
from decimal import Decimal
from typing import Any

import frappe
from frappe import _

from subscriber_tv.core.money import money
from subscriber_tv.core.pricing.read import read_model
from subscriber_tv.core.pricing.scale import weight
from subscriber_tv.flows.contracts.commitments import is_consumer
from subscriber_tv.flows.printing.letter import tv_letter
from subscriber_tv.flows.printing.words import Words


def tv_price_letter(doc) -> dict[str, Any]:
	"""Everything the template shows of a TV Campaign Target of a price revision."""
	campaign = frappe.get_cached_doc(doc.campaign_doctype, doc.campaign)
	day = doc.letter_sent_on and str(doc.letter_sent_on)[:10]
	around = tv_letter(campaign.company, doc.customer, day)
	words = Words(around["words"].lang, doc.currency)
	return {
		**around,
		"words": words,
		**_contract(doc.subscription),
		"effective": words.day(doc.effective_date),
		"rows": [_row(row, words) for row in json.loads(doc.details or "[]")],
		"before": words.total(doc.monthly_before),
		"after": words.total(doc.monthly_after),
		"index": _index(campaign, json.loads(doc.details or "[]"), words),
		"consumer": is_consumer(doc.customer),
	}


def tv_renewal_letter(doc) -> dict[str, Any]:
	"""Everything the template shows of a TV Renewal Notice."""
	company, currency = frappe.db.get_value("TV Subscription", doc.subscription, ["company", "currency"])
	day = doc.letter_sent_on and str(doc.letter_sent_on)[:10]
	around = tv_letter(company, doc.customer, day)
	words = Words(around["words"].lang, currency)
	return {
		**around,
		"words": words,
		**_contract(doc.subscription),
		"term_end": words.day(doc.term_end),
		"renewed_until": words.day(doc.renewed_until),
		"last_refusal": words.day(doc.last_refusal),
		"consumer": bool(doc.consumer),
	}


def _contract(subscription: str) -> dict[str, str]:
	site = frappe.db.get_value("TV Subscription", subscription, "site")
	return {"contract": subscription, "site": frappe.db.get_value("TV Site", site, "site_name") or ""}


def _row(row: dict, words: Words) -> dict[str, str]:
	before, after = read_model(row["before"]), read_model(row["after"])
	several = not Decimal(row["unit_price_before"])
	return {
		"service": _service(row, words.lang),
		"quantity": words.number(row["quantity"]),
		"interval": row["interval_months"],
		# A table of tiers has no one price: the letter tells by how much all of them rise.
		"before": "" if several else words.price(row["unit_price_before"]),
		"after": "" if several else words.price(row["unit_price_after"]),
		"percent": words.number(round((weight(after) / weight(before) - 1) * 100, 2)),
	}


def _service(row: dict, language: str) -> str:
	"""The charge as the invoice names it."""
	text = frappe.db.get_value(
		"TV Offer Charge Line",
		{"parent": row["offer_version"], "charge_code": row["charge"], "parenttype": "TV Offer Version"},
		"description",
	)
	return _(text or frappe.get_cached_value("Item", row["item"], "item_name"), language)


def _index(campaign, rows: list[dict], words: Words) -> dict[str, str] | None:
	"""The formula with its values; None for a revision by a percentage."""
	found = next((row for row in rows if "base_index" in row), None)
	if found is None:
		return None
	return {
		"name": found["index"],
		"base": words.number(found["base_index"]),
		"new": words.number(money(campaign.new_index)),
	}
