"""A promotion given by hand is a favour of who gives it: sales are held to their limits.

One with a code belongs to whom the code was given, and an automatic one to all: who made them has agreed to them.
"""

import frappe
from frappe import _
from frappe.utils import flt

from subscriber_tv.core.contracts.sales_limits import beyond
from subscriber_tv.core.money import money
from subscriber_tv.flows.contracts.sales_limits import (
	BeyondLimits,
	keeps_terms,
	limits,
	number,
	roles_of_keepers,
)

DOCTYPE, BY_HAND = "TV Promotion", "By Hand"


def why_not_by_hand(name: str) -> str:
	"""The sentence that refuses the promotion to the session's user; empty when he may give it.

	An amount has no percentage before it is billed, so with limits it is no favour of sales.
	"""
	found = limits()
	promotion = frappe.get_cached_doc(DOCTYPE, name)
	if found is None or keeps_terms() or promotion.given != BY_HAND:
		return ""
	if promotion.discount_kind == "Percent" and not beyond(found, percent=money(flt(promotion.percent))):
		return ""
	return _(
		"It is given by hand, and sales may grant up to {0}%. Only these roles may give it: {1}."
	).format(number(found.percent), roles_of_keepers())


def require_by_hand(name: str) -> None:
	"""BeyondLimits when the session's user may not give this promotion by hand."""
	if reason := why_not_by_hand(name):
		frappe.throw(
			_("{0} cannot be given: {1}").format(frappe.bold(name), reason),
			BeyondLimits,
			title=_("Beyond the Limits of Sales"),
		)
