"""The promotion of a quotation's code: what it takes off is noted when the quotation is saved, and billed as noted.

Whether the customer may have it is asked again when the contract is made: it may be over or used up by then.
"""

import json

import frappe
from frappe import _
from frappe.utils import cint, nowdate

from subscriber_tv.core.pricing.discount import Discount
from subscriber_tv.flows.contracts.change_rows import discount_of, discount_row
from subscriber_tv.flows.promotions.give import NotEligible, discounts_quoted
from subscriber_tv.flows.quotes.sites import rows_by_site


def note_promised(doc) -> None:
	"""Note on a draft Quotation what the promotion of its code takes off each contract. NotEligible with the reasons."""
	doc.tv_promotion_code = (doc.tv_promotion_code or "").strip().upper()
	doc.tv_promised = None
	if not doc.tv_promotion_code:
		return
	promised = {
		site: [discount_row(discount) for discount in _quoted(doc, site, rows, before)]
		for before, (site, rows) in enumerate(rows_by_site(doc).items())
	}
	doc.tv_promised = json.dumps(promised, default=str, sort_keys=True)


def promised_of(doc, site: str) -> tuple[Discount, ...]:
	"""What the promotion takes off the contract of a site, as noted."""
	noted = json.loads(doc.get("tv_promised") or "{}")
	return tuple(discount_of(row) for row in noted.get(site, ()))


def _quoted(doc, site: str, rows: list, before: int) -> tuple[Discount, ...]:
	contract = frappe._dict(
		company=doc.company,
		currency=doc.currency,
		site=site,
		customer=doc.party_name if doc.quotation_to == "Customer" else "",
		sales_channel=doc.tv_sales_channel,
		commitment_months=doc.tv_commitment_months,
	)
	lines = [
		frappe._dict(line_id=f"L{number}", offer_version=row.offer_version, quantity=cint(row.quantity))
		for number, row in enumerate(rows, start=1)
	]
	return discounts_quoted(doc.tv_promotion_code, contract, lines, frappe.utils.getdate(nowdate()), before)


def refuse_order(doc, refused: NotEligible) -> None:
	"""NotEligible for a quotation whose promotion the customer may no longer have."""
	frappe.clear_last_message()
	frappe.throw(
		_("Quotation {0} cannot become a contract: {1} Amend it without the promotion code.").format(
			frappe.bold(doc.name), str(refused)
		),
		NotEligible,
		title=_("Promotion"),
	)
