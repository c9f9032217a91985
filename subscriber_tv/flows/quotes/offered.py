"""The contracts that a Quotation offers: one for each site it names, in the order of its lines."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import frappe
from frappe import _
from frappe.utils import cint, flt, getdate

from subscriber_tv.core.contracts.lines import Line
from subscriber_tv.core.contracts.timeline import Agreed
from subscriber_tv.core.money import money
from subscriber_tv.core.pricing.discount import Discount
from subscriber_tv.core.pricing.models import Flat, PerUnit, PriceModel
from subscriber_tv.flows.billing.upcoming import Buyer, OfferedContract
from subscriber_tv.flows.contracts.commitments import FIELDS as COMMITMENT
from subscriber_tv.flows.contracts.commitments import check_commitment, commitment_of
from subscriber_tv.flows.contracts.open_subscription import MOST_TRIAL_DAYS
from subscriber_tv.flows.quotes.promised import promised_of
from subscriber_tv.flows.quotes.sites import rows_by_site

PRICE_MODELS = {"Per Unit": PerUnit, "Flat": Flat}

NEVER_BELOW_ZERO = (
	"tv_anchor_day",
	"tv_trial_days",
	"tv_minimum",
	"tv_discount_percent",
	"tv_discount_periods",
	"tv_commitment_months",
	"tv_renewal_months",
	"tv_notice_months",
)


@dataclass(frozen=True)
class QuotedContract:
	"""One contract of a quote: its site (may still be empty), the rows of the quote it is made of, and its offer."""

	site: str
	rows: tuple
	offered: OfferedContract


def contracts_of(doc, start_on: date | None = None) -> list[QuotedContract]:
	"""What a Quotation offers, begun on its day or on `start_on`. ValidationError naming row and next step."""
	_check_rows(doc)
	_check_terms(doc)
	day = start_on or getdate(doc.tv_start_on)
	return [_contract(doc, site, rows, day) for site, rows in rows_by_site(doc).items()]


def _contract(doc, site: str, rows: list, start_on: date) -> QuotedContract:
	lines = tuple(
		Line(
			f"L{number}",
			row.offer_version,
			cint(row.quantity),
			prices=tuple(prices_of(row).items()),
			option_of=row.option_of or "",
		)
		for number, row in enumerate(rows, start=1)
	)
	customer = doc.party_name if doc.quotation_to == "Customer" else ""
	offered = OfferedContract(
		buyer=Buyer(doc.company, customer),
		currency=doc.currency,
		start_on=start_on,
		lines=lines,
		agreed=_agreed(doc),
		discounts=(*discounts_of(doc), *promised_of(doc, site)),
	)
	return QuotedContract(site, tuple(rows), offered)


def _agreed(doc) -> Agreed:
	return Agreed(
		anchor_day=cint(doc.tv_anchor_day) or None,
		trial_days=cint(doc.tv_trial_days),
		calendar_aligned=bool(doc.tv_calendar_aligned),
		minimum=money(doc.tv_minimum) or None,
		commitment=commitment_of(commitment_terms(doc)),
	)


def commitment_terms(doc) -> frappe._dict:
	"""What binds the contracts of a Quotation, as fields of a TV Subscription."""
	return frappe._dict({field: doc.get(f"tv_{field}") for field in COMMITMENT})


def check_binding(doc) -> None:
	"""ValidationError when the contracts of a Quotation could not be bound as it says."""
	_check_terms(doc)
	customer = doc.party_name if doc.quotation_to == "Customer" else ""
	check_commitment(frappe._dict(commitment_terms(doc), currency=doc.currency, customer=customer))


def discounts_of(doc) -> tuple[Discount, ...]:
	"""The discount a quote grants on the recurring charges, if any; that of a promotion is beside it."""
	if not flt(doc.tv_discount_percent):
		return ()
	percent = Decimal(str(flt(doc.tv_discount_percent)))
	return (Discount(percent=percent, periods=cint(doc.tv_discount_periods) or None, label=_("Discount")),)


def prices_of(row) -> dict[str, PriceModel]:
	"""The negotiated price of a row by charge code: of its one recurring charge that has a single price."""
	charge = negotiated_charge(row)
	if charge is None:
		return {}
	return {charge.charge_code: PRICE_MODELS[charge.price_model](money(row.negotiated_price))}


def negotiated_charge(row):
	"""The charge of the offer whose price the row negotiates; None for a row without a price of its own.

	ValidationError when the offer has several charges, or none, that could be meant.
	"""
	if not flt(row.negotiated_price):
		return None
	charges = [
		charge
		for charge in frappe.get_cached_doc("TV Offer Version", row.offer_version).charges
		if charge.charge_kind == "Recurring" and charge.price_model in PRICE_MODELS
	]
	if len(charges) != 1:
		frappe.throw(
			_(
				"TV lines, row {0}: {1} has {2} recurring charges with a single price, so a negotiated price has no place. Empty it, and change the price on the subscription."
			).format(row.idx, frappe.bold(row.offer_version), len(charges)),
			title=_("Negotiated Price"),
		)
	return charges[0]


def _check_rows(doc) -> None:
	for row in doc.tv_lines:
		version = frappe.db.get_value(
			"TV Offer Version", row.offer_version, ["docstatus", "company", "currency"], as_dict=True
		)
		if not version or version.docstatus != 1:
			_refuse(row, _("choose a submitted offer version."))
		if (version.company, version.currency) != (doc.company, doc.currency):
			_refuse(
				row,
				_("offer version {0} is sold by {1} in {2}, this quotation is of {3} in {4}.").format(
					row.offer_version, version.company, version.currency, doc.company, doc.currency
				),
			)
		if cint(row.quantity) < 1:
			_refuse(row, _("the number of outlets must be at least 1."))
		if flt(row.negotiated_price) < 0:
			_refuse(row, _("a price cannot be below zero."))


def _check_terms(doc) -> None:
	"""What a form without these columns would have refused: they are custom fields."""
	for field in NEVER_BELOW_ZERO:
		if flt(doc.get(field)) < 0:
			frappe.throw(
				_("{0} cannot be below zero.").format(frappe.bold(_(doc.meta.get_label(field)))),
				title=_("Terms of the Contract"),
			)
	if flt(doc.tv_discount_percent) > 100:
		frappe.throw(_("A discount lies between 0 and 100 percent."), title=_("Discount"))
	if cint(doc.tv_anchor_day) > 31:
		frappe.throw(_("The billing day must be between 1 and 31, or empty."), title=_("Billing Day"))
	if cint(doc.tv_trial_days) > MOST_TRIAL_DAYS:
		frappe.throw(_("Trial days or minimum are too large to be meant."), title=_("Terms"))


def _refuse(row, why: str) -> None:
	frappe.throw(_("TV lines, row {0}: {1}").format(row.idx, why), title=_("TV Lines"))


def subscriptions_of(quotation: str) -> Iterable[dict]:
	"""The subscriptions opened from a quotation: name, site, activated_on."""
	return frappe.get_all(
		"TV Subscription",
		{"quotation": quotation},
		["name", "site", "activated_on", "payer"],
		order_by="name",
	)
