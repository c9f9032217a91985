"""Says in the user's language why a contract was not billed or stands out, and what to do next."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import frappe
from frappe import _
from frappe.translate import get_user_lang
from frappe.utils import fmt_money, formatdate

from subscriber_tv.core.billing.price import Refused

DAYS = ("day", "first")
AMOUNTS = ("net", "now", "last")


@contextmanager
def in_users_language() -> Iterator[None]:
	"""Speak as the user reads, for a job: Frappe leaves a worker in English, and what is parked is kept in words."""
	before = frappe.local.lang
	frappe.local.lang = get_user_lang(frappe.session.user)
	try:
		yield
	finally:
		frappe.local.lang = before


def why_refused(refusal: Refused) -> str:
	"""One sentence naming the record and the next step."""
	sentences = {
		"no_offer": _(
			"{subscription}: the offer version {offer_version} has no submitted charges. Submit it or change the line."
		),
		"no_price": _(
			"{subscription}: charge {charge} of {offer_version} has no price. Make a new version with a price, or mark the charge as free."
		),
		"price_model": _(
			"{subscription}: charge {charge} of {offer_version} has the price model {model}, which its kind of charge does not know. Make a new version."
		),
		"percent_cycle": _(
			"{subscription}: {line} is a percentage of itself. Make a new version that names other charges."
		),
		"percent_periods": _(
			"{subscription}: {line} is a percentage of charges with different periods. Make a percentage for each interval in a new version."
		),
		"usage_below_zero": _(
			"{subscription}: the usage reported for {line} has an amount below zero. Reject that TV Usage Record."
		),
		"overlap": _(
			"{subscription}: two rows of {line} would bill {day}. Two charges or lines share one code; give each its own."
		),
		"too_long_ago": _(
			"{subscription}: the first unbilled day is {first}, {months} months back, the limit is {limit}. Raise the limit in TV Settings; a contract that another system has billed must be opened with its opening position."
		),
		"too_many_rows": _(
			"{subscription}: {line} would have {rows} rows for {day}, the limit is {limit}. Look at its changes and credit notes; raise the limit in TV Settings if they are right."
		),
		"first_bill": _(
			"{subscription} was taken over and would be billed for the first time. Preview a bill run with this payer, look at its first bills and confirm them; then retry."
		),
		"facts_lost": _(
			"{subscription}: a row of {line} on invoice {invoice} has lost its billing facts. Cancel that invoice; the next run bills its periods again."
		),
	}
	values = {key: formatdate(value) if key in DAYS else value for key, value in refusal.values.items()}
	return sentences[refusal.code].format(**values)


def why_outlier(code: str, currency: str, values: dict[str, str]) -> str:
	"""One sentence about an outlier of a preview; `values` as the core gave them."""
	sentences = {
		"zero": _("The bill has {rows} rows and comes to nothing: charges and credits cancel out."),
		"credit": _("The bill comes to {net}: more is credited than charged. Look at its changes."),
		"jump": _("The regular part is {now}, last time {last} ({percent}). Look at what changed."),
		"no_tax": _(
			"Nothing taxes {items}. Give each item an Item Tax Template, with rate 0 if it is exempt."
		),
		"no_address": _("The customer has no address. Add one: it must stand on the invoice."),
		"first_bill": _(
			"Taken over and billed for the first time: {subscriptions}. Compare with the last invoice of the other system."
		),
	}
	shown = {
		key: fmt_money(Decimal(value), currency=currency) if key in AMOUNTS else value
		for key, value in values.items()
	}
	if "percent" in values:
		percent = values["percent"]
		shown["percent"] = f"{'' if percent.startswith('-') else '+'}{percent} %" if percent else "–"
	return sentences[code].format(**shown)
