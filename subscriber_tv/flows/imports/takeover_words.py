"""Sentences for what cannot be taken over from a standard Subscription, with the next step, and for remarks."""

from frappe import _
from frappe.utils import formatdate

from subscriber_tv.core.imports.takeover import Finding


def worded(finding: Finding) -> str:
	"""One sentence or two: what is the matter, what to do."""
	sentence = (_reasons() | _remarks())[finding.code]
	first, last = (formatdate(day) if day else "" for day in (finding.first, finding.last))
	return sentence.format(finding.value, first, last)


def _reasons() -> dict[str, str]:
	return {
		"party_type": _("It bills a {0}; only subscriptions of customers are taken over."),
		"no_company": _("It has no company. Set its company, then import again."),
		"no_start": _("It has no start date. Set it, then import again."),
		"not_started": _("It begins on {1}. Import it on that day or later."),
		"additional_discount": _(
			"It has an additional discount on the whole invoice. Open the subscription by hand and grant the discount there."
		),
		"tax_included": _(
			"Its prices include tax. Open the subscription by hand with an offer whose prices are net."
		),
		"no_plans": _("It has no plans. Cancel it."),
		"interval": _(
			"Plan {0} is billed by days or weeks; an offer is billed by months. Agree on another interval with the customer."
		),
		"long_interval": _("The period of plan {0} is longer than five years."),
		"no_price": _("Plan {0} has no price. Enter it in the plan or in its price list, then import again."),
		"no_quantity": _("The quantity of plan {0} is zero. Correct it, then import again."),
		"mixed_intervals": _("Its plans have different intervals. Split it, then import again."),
		"mixed_currencies": _("Its plans have different currencies. Split it, then import again."),
		"draft_invoice": _("Invoice {0} is a draft. Submit or delete it, then import again."),
		"trial_running": _("Its trial is running. Import it on {1}, when the trial is over."),
		"several_sites": _(
			"Customer {0} has several sites. Open the subscription by hand at the right one, with its opening position."
		),
		"no_bouquet": _(
			"No offer sells plan {0} at its price. Name a bouquet for new offers with --bouquet, or make the offer first."
		),
		"billed_here": _(
			"{0} bills the same item to this customer. If it is the same contract, cancel this Subscription; else open its contract by hand."
		),
		"restarted": _(
			"It is taken over as {0} but was restarted: the customer is billed twice. Cancel one of the two."
		),
	}


def _remarks() -> dict[str, str]:
	return {
		"never_invoiced": _(
			"{1} to {2} was never invoiced and is not billed by the new subscription either."
		),
		"catch_up": _("ERPNext has not invoiced from {1} on: the first bill begins there."),
		"credited": _("Credit note {0} is left as it is."),
		"no_period": _("Invoice {0} names no period and does not count."),
		"monthly_rate": _(
			"ERPNext bills plan {0} at twelve months at most; the new price is that of all its months."
		),
		"price_list": _("The price of plan {0} came from a price list and is fixed from now on."),
		"days_before": _(
			"It was invoiced some days before each period. Set the days billed ahead in TV Settings."
		),
	}
