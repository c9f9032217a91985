"""Gives a promotion to a contract that runs, as a dated change of it."""

from datetime import date

from frappe.utils import getdate

from subscriber_tv.flows.contracts.change_state import lock
from subscriber_tv.flows.contracts.change_terms import grant_discount
from subscriber_tv.flows.contracts.today import site_today
from subscriber_tv.flows.promotions.give import DOCTYPE, discounts_for, name_of_code


def grant_promotion(
	*,
	subscription: str,
	promotion: str | None = None,
	code: str | None = None,
	effective_date: date | str | None = None,
) -> str:
	"""Give a promotion, by name or code, from a day on (default today at the site); return the name of the change.

	Errors: NotEligible with every reason, IllegalChange.
	"""
	name = promotion or name_of_code(code or "")
	facts = lock(subscription)
	day = getdate(effective_date) if effective_date else site_today(facts.site)
	return grant_discount(
		subscription=subscription,
		discounts=discounts_for(name, subscription, day),
		effective_date=day,
		reason=name,
		source=(DOCTYPE, name),
	)
