"""Checks the form of a promotion."""

import frappe
from frappe import _
from frappe.utils import flt, getdate


def check_promotion(doc) -> None:
	"""Refuse a TV Promotion that takes nothing off, or ends before it begins."""
	doc.code = (doc.code or "").strip().upper() or None if doc.given == "By Code" else None
	if doc.given == "By Code" and not doc.code:
		_refuse(_("Enter the code that customers give."))
	if doc.discount_kind == "Percent":
		doc.amount = 0
		if not 0 < flt(doc.percent) <= 100:
			_refuse(_("The percentage must lie above 0 and be 100 at most."))
	else:
		doc.percent = 0
		if flt(doc.amount) <= 0:
			_refuse(_("Enter the amount that is taken off."))
	if doc.scope == "Lines of These Offers" and not doc.offers:
		_refuse(_("Choose the offers whose lines become cheaper."))
	_check_days(doc)


def refuse_deletion_while_used(doc) -> None:
	"""Contracts that have it name it in their changes."""
	if doc.uses:
		frappe.throw(
			_("{0} was given already (uses: {1}). Disable it instead.").format(
				frappe.bold(doc.name), doc.uses
			),
			title=_("Promotion"),
		)


def _check_days(doc) -> None:
	if doc.valid_upto and getdate(doc.valid_upto) < getdate(doc.valid_from):
		_refuse(_("The last day must not lie before the first."))
	if doc.duration == "Until a Date" and not doc.until:
		_refuse(_("Enter the first day without the discount."))
	if doc.duration == "Until a Date" and getdate(doc.until) <= getdate(doc.valid_from):
		_refuse(_("The first day without the discount must lie after the first day of the promotion."))
	if doc.duration == "Periods" and not doc.periods:
		_refuse(_("Enter the number of periods."))


def _refuse(message: str) -> None:
	frappe.throw(message, title=_("Please Check"))
