"""Checks the form of a campaign: what could not mean anything is refused with the field named."""

import frappe
from frappe import _
from frappe.utils import add_days, date_diff, flt, formatdate, getdate, nowdate

from subscriber_tv.core.campaigns.plan import ANNIVERSARY

#: More is a slip of the keyboard.
FARTHEST_RISE = 100
LONGEST_WINDOW = 366


def check_revision(doc) -> None:
	"""Refuse a TV Price Revision whose rule or dates cannot be meant."""
	_forget_what_was_sent_along(doc)
	_check_days(doc)
	if doc.revision_rule == "Index":
		_check_index(doc)
	elif not flt(doc.percent):
		_refuse(_("Enter the percentage by which prices rise."))
	if not doc.rounding_step:
		_refuse(_("Enter what prices are rounded to, such as 0.01."))
	if abs(flt(doc.percent)) > FARTHEST_RISE:
		_refuse(
			_("A rise of {0} % is more than {1} %: enter 3 for three percent.").format(
				doc.percent, FARTHEST_RISE
			)
		)
	if doc.has_cap and doc.has_floor and flt(doc.cap_percent) < flt(doc.floor_percent):
		_refuse(_("The cap ({0} %) is below the floor ({1} %).").format(doc.cap_percent, doc.floor_percent))


def check_notice(doc) -> None:
	"""Refuse a first day nearer than the notice, unless it says why."""
	first_possible = add_days(nowdate(), doc.notice_days or 0)
	if getdate(doc.effective_date) >= getdate(first_possible) or (doc.short_notice_reason or "").strip():
		return
	_refuse(
		_(
			"A notice of {0} days makes {1} the first possible day. Choose a later day, or say in {2} why it may be shorter."
		).format(doc.notice_days, formatdate(first_possible), frappe.bold(_("Why the Notice Is Shorter")))
	)


def check_migration(doc) -> None:
	"""Refuse a TV Migration whose mapping or dates cannot be meant."""
	_forget_what_was_sent_along(doc)
	_check_days(doc)
	seen = set()
	for row in doc.versions:
		if row.from_version in seen:
			_refuse(_("Row {0}: version {1} stands twice.").format(row.idx, frappe.bold(row.from_version)))
		seen.add(row.from_version)
		_check_pair(doc, row)
	for row in doc.charges:
		_check_charge(doc, row)


def _forget_what_was_sent_along(doc) -> None:
	"""Status and figures are written by the flow that applies the campaign, once it is submitted."""
	doc.status = "Draft"
	for field in doc.meta.fields:
		if field.read_only and field.fieldtype in ("Int", "Currency"):
			doc.set(field.fieldname, 0)


def _check_days(doc) -> None:
	if doc.effective_rule != ANNIVERSARY:
		doc.last_date = None
		return
	if not doc.last_date or getdate(doc.last_date) < getdate(doc.effective_date):
		_refuse(_("The last day must not lie before the first."))
	if date_diff(doc.last_date, doc.effective_date) >= LONGEST_WINDOW:
		_refuse(
			_("From the first to the last day is more than a year: a contract would have two anniversaries.")
		)


def _check_index(doc) -> None:
	if not (flt(doc.base_index) > 0 and flt(doc.new_index) > 0):
		_refuse(_("Enter the index S0 and S1: the price becomes P0 × S1 / S0."))
	if (
		doc.base_index_date
		and doc.new_index_date
		and getdate(doc.new_index_date) <= getdate(doc.base_index_date)
	):
		_refuse(_("S1 must be published after S0."))
	doc.percent = 0


def _check_pair(doc, row) -> None:
	for version in (row.from_version, row.to_version):
		facts = frappe.db.get_value(
			"TV Offer Version", version, ["docstatus", "company", "currency"], as_dict=True
		)
		if facts.docstatus != 1:
			_refuse(_("Row {0}: submit version {1} first.").format(row.idx, frappe.bold(version)))
		if (facts.company, facts.currency) != (doc.company, doc.currency):
			_refuse(
				_("Row {0}: version {1} is of {2} in {3}.").format(
					row.idx, frappe.bold(version), facts.company, facts.currency
				)
			)
	if row.from_version == row.to_version:
		_refuse(_("Row {0}: both versions are the same.").format(row.idx))


def _check_charge(doc, row) -> None:
	pairs = {pair.from_version: pair.to_version for pair in doc.versions}
	if row.from_version not in pairs:
		_refuse(_("Charges, row {0}: version {1} is none that moves.").format(row.idx, row.from_version))
	for version, code in ((row.from_version, row.from_charge), (pairs[row.from_version], row.to_charge)):
		charges = [
			charge.charge_code for charge in frappe.get_cached_doc("TV Offer Version", version).charges
		]
		if code not in charges:
			_refuse(
				_("Charges, row {0}: version {1} has no charge {2}. It has: {3}.").format(
					row.idx, version, frappe.bold(code), ", ".join(charges)
				)
			)


def _refuse(message: str) -> None:
	frappe.throw(message, title=_("Please Check"))
