"""Holds those who only sell to the limits in TV Settings; who answers for the terms of contracts has none."""

from collections.abc import Iterable
from decimal import Decimal

import frappe
from frappe import _
from frappe.utils import cint, flt

from subscriber_tv.core.contracts.sales_limits import DISCOUNT, TRIAL, Excess, SalesLimits, beyond
from subscriber_tv.core.money import money, round_money
from subscriber_tv.flows.printing.words import Words

KEEPERS_OF_TERMS = ("TV Back Office", "TV Billing", "System Manager")
"""Who may agree to any terms: the roles that may also negotiate the price of a contract that runs."""


class BeyondLimits(frappe.PermissionError):
	"""More than the user's roles may grant; the message names the limit and who may."""


def limits() -> SalesLimits | None:
	"""What TV Settings lets sales grant by themselves; None while they are not limited."""
	settings = frappe.get_cached_doc("TV Settings")
	if not settings.limit_sales:
		return None
	return SalesLimits(money(flt(settings.sales_discount_percent)), cint(settings.sales_trial_days))


def keeps_terms() -> bool:
	"""Whether the session's user may agree to any terms."""
	return bool(set(KEEPERS_OF_TERMS) & set(frappe.get_roles()))


def roles_of_keepers() -> str:
	"""The roles that may, in the user's language."""
	return ", ".join(sorted(_(role) for role in KEEPERS_OF_TERMS))


def require_trial_within(doc) -> None:
	"""Refuse a new TV Subscription whose trial is longer than the user may grant. BeyondLimits."""
	found = limits()
	if found is None or keeps_terms():
		return
	refuse(
		_("The new subscription"),
		beyond(found, trial_days=cint(doc.trial_days)),
		_("Only these roles may open it: {0}."),
	)


def refuse(name: str, excesses: Iterable[Excess], who: str) -> None:
	"""BeyondLimits for the document `name`, with each excess; `who` takes the roles that may. Nothing without excesses."""
	sentences = [_worded(excess) for excess in excesses]
	if not sentences:
		return
	found = [_("{0} goes beyond what sales may grant.").format(name), *sentences]
	frappe.throw(
		" ".join([*found, who.format(roles_of_keepers())]),
		BeyondLimits,
		title=_("Beyond the Limits of Sales"),
	)


def number(value: Decimal) -> str:
	"""A percentage or a number of days as the user writes it."""
	return Words(frappe.local.lang, "").number(value)


def _worded(excess: Excess) -> str:
	value, limit = number(round_money(excess.value, 2)), number(excess.limit)
	if excess.code == DISCOUNT:
		return _("The discount is {0}%, the limit {1}%.").format(value, limit)
	if excess.code == TRIAL:
		return _("The trial lasts {0} days, the limit is {1}.").format(value, limit)
	return _("TV lines, row {0}: the price lies {1}% below that of the offer, the limit is {2}%.").format(
		excess.row, value, limit
	)
