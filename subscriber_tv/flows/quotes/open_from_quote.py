"""Opens the subscriptions that a submitted Quotation offers, at exactly the quoted prices; once."""

import frappe
from frappe import _

from subscriber_tv.flows.contracts.open_subscription import open_subscription
from subscriber_tv.flows.promotions.give import NotEligible
from subscriber_tv.flows.quotes.approve_terms import require_approved
from subscriber_tv.flows.quotes.offered import (
	QuotedContract,
	commitment_terms,
	contracts_of,
	discounts_of,
	prices_of,
	subscriptions_of,
)
from subscriber_tv.flows.quotes.promised import promised_of, refuse_order
from subscriber_tv.flows.settings import require_phase


def open_from_quote(quotation: str) -> list[str]:
	"""Open one Draft subscription for each site of the quotation; return their names.

	Of two users at once the second is told the names. Errors: PhaseOff; ValidationError when the quotation is not
	submitted, is for a lead, has no TV lines or a line without a site, or was opened before; BeyondLimits; NotEligible
	when the promotion of its code was used up or ended since.
	"""
	require_phase("orders")
	# Whoever opens it holds its row: two users at once would open two contracts.
	frappe.db.get_value("Quotation", quotation, "name", for_update=True)
	doc = frappe.get_doc("Quotation", quotation)
	_check(doc)
	require_approved(doc)
	try:
		return [_open(doc, one) for one in contracts_of(doc)]
	except NotEligible as refused:
		refuse_order(doc, refused)


def _check(doc) -> None:
	opened = [row.name for row in subscriptions_of(doc.name)]
	if opened:
		_refuse(_("{0} was made a subscription already: {1}.").format(doc.name, ", ".join(opened)))
	if doc.docstatus != 1:
		_refuse(_("Submit quotation {0} first.").format(doc.name))
	if doc.quotation_to != "Customer":
		_refuse(_("Quotation {0} is for {1}. Make a customer of it first.").format(doc.name, doc.party_name))
	if not doc.tv_lines:
		_refuse(_("Quotation {0} has no TV lines.").format(doc.name))
	for row in doc.tv_lines:
		if not row.site:
			_refuse(_("TV lines, row {0}: choose the site.").format(row.idx))


def _open(doc, one: QuotedContract) -> str:
	agreed = one.offered.agreed
	return open_subscription(
		customer=doc.party_name,
		site=one.site,
		company=doc.company,
		anchor_day=agreed.anchor_day,
		lines=[
			{
				"offer_version": row.offer_version,
				"quantity": row.quantity,
				"option_of": row.option_of,
				"prices": prices_of(row),
			}
			for row in one.rows
		],
		terms={
			"trial_days": agreed.trial_days,
			"calendar_aligned": int(agreed.calendar_aligned),
			"minimum": float(agreed.minimum or 0),
			"quotation": doc.name,
			"sales_channel": doc.tv_sales_channel,
			"promotion_code": doc.tv_promotion_code,
			**commitment_terms(doc),
		},
		discounts=discounts_of(doc),
		promised=promised_of(doc, one.site),
	)


def _refuse(why: str) -> None:
	frappe.throw(why, title=_("TV Subscription"))
