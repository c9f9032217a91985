"""Says in the user's language why a contract was not billed, and what to do next."""

from frappe import _
from frappe.utils import formatdate

from subscriber_tv.core.billing.price import Refused

DAYS = ("day", "first")


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
			"{subscription}: charge {charge} of {offer_version} has the unknown price model {model}. Make a new version."
		),
		"overlap": _(
			"{subscription}: two rows of {line} would bill {day}. Two charges or lines share one code; give each its own."
		),
		"too_long_ago": _(
			"{subscription}: the first unbilled day is {first}, {months} months back, the limit is {limit}. Raise the limit in TV Settings; a contract that another system has billed must be opened with its opening position."
		),
		"facts_lost": _(
			"{subscription}: a row of {line} on invoice {invoice} has lost its billing facts. Cancel that invoice; the next run bills its periods again."
		),
	}
	values = {key: formatdate(value) if key in DAYS else value for key, value in refusal.values.items()}
	return sentences[refusal.code].format(**values)
