"""Seller and buyer on a printed document, with what French law wants there as far as ERPNext knows it."""

import html
import re
from typing import Any

import frappe
from frappe import _
from frappe.contacts.doctype.address.address import get_address_display, get_default_address

#: A French VAT number ends with the SIREN.
FRENCH_VAT = re.compile(r"^FR[0-9A-Z]{2}(\d{9})$")


def seller_of(doc) -> dict[str, Any]:
	"""Name, address and registration of the company."""
	company = frappe.get_cached_doc("Company", doc.company)
	address = doc.get("company_address") or get_default_address("Company", company.name)
	return {
		"name": company.company_name,
		"address": _lines(address),
		"tax_id": company.tax_id or "",
		"siren": siren_of(company.tax_id),
		"registration": [
			text for line in (company.registration_details or "").splitlines() if (text := plain_text(line))
		],
		"contact": " · ".join(filter(None, (company.phone_no, company.email, company.website))),
	}


def buyer_of(doc) -> dict[str, Any]:
	"""Name, address and numbers of the customer who pays."""
	customer = frappe.get_cached_doc("Customer", doc.customer)
	address = doc.get("customer_address") or get_default_address("Customer", doc.customer)
	tax_id = doc.get("tax_id") or customer.tax_id
	return {
		"name": doc.get("customer_name") or customer.customer_name,
		"address": _lines(address),
		"number": doc.customer,
		"tax_id": tax_id or "",
		"siren": siren_of(tax_id),
		"is_company": customer.customer_type != "Individual",
	}


def siren_of(tax_id: str | None) -> str:
	"""The SIREN in a French VAT number, as it is written (three groups of three); empty for any other."""
	found = FRENCH_VAT.match(re.sub(r"[\s.]", "", tax_id or "").upper())
	return " ".join(re.findall(r"\d{3}", found[1])) if found else ""


def late_terms(doc, language: str) -> str:
	"""The sentence on late payment that an invoice to a company must bear (code de commerce, L441-9 and D441-5)."""
	if doc.is_return or frappe.get_cached_value("Customer", doc.customer, "customer_type") == "Individual":
		return ""
	own = frappe.get_cached_doc("TV Settings").get("late_payment_terms")
	if own:
		return _(own, language)
	return _(
		"Late payment bears interest at the refinancing rate of the European Central Bank plus 10 points, and a fixed recovery charge of 40 €. No discount for early payment.",
		language,
	)


def _lines(address: str | None) -> list[str]:
	"""The lines of an address as its country writes them."""
	if not address:
		return []
	shown = get_address_display(frappe.get_doc("Address", address).as_dict()) or ""
	return [text for line in re.split(r"<br\s*/?>|\n", shown) if (text := plain_text(line))]


def plain_text(value: str | None) -> str:
	"""The text of an HTML value; the template escapes it again."""
	return html.unescape(frappe.utils.strip_html(value or "")).strip()
