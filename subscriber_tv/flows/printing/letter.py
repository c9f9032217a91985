"""What a letter to a customer needs around its text: who writes, who reads, in which language."""

from typing import Any

import frappe
from frappe.utils import getdate, nowdate

from subscriber_tv.flows.printing.parties import buyer_of, seller_of
from subscriber_tv.flows.printing.words import words_for


def tv_letter(company: str, customer: str, day: str | None = None) -> dict[str, Any]:
	"""Seller, buyer and words for a template that uses `letter` of templates/print/document.html; `day` is its date."""
	document = frappe._dict(company=company, customer=customer)
	words = words_for(document)
	return {
		"words": words,
		"seller": seller_of(document),
		"buyer": buyer_of(document),
		"day": words.day(getdate(day or nowdate())),
	}
