"""Sentences for what is wrong with an offer version or a sale."""

import frappe
from frappe import _
from frappe.utils import formatdate

from subscriber_tv.core.catalogue.offer import MAX_INTERVAL_MONTHS, Problem


def why_not_valid(problem: Problem) -> str:
	"""Sentence for a problem of a version; names the row of the table and what to do."""
	sentence = {**_version_sentences(), **_charge_sentences()}[problem.code]
	value = problem.value
	if problem.code == "unused_field":
		value = _(frappe.get_meta("TV Offer Charge Line").get_label(value))
	return sentence.format(problem.row, frappe.bold(value), MAX_INTERVAL_MONTHS)


def why_not_sold(version: str, problem: Problem) -> str:
	"""Sentence for a problem of selling this version."""
	value = problem.value
	if problem.code in ("not_yet_on_sale", "no_longer_on_sale"):
		value = formatdate(value)
	return _sale_sentences()[problem.code].format(frappe.bold(version), frappe.bold(value))


def _version_sentences() -> dict[str, str]:
	return {
		"dates_reversed": _("On Sale Until must not be before On Sale From."),
		"no_bouquets": _("Add at least one bouquet: without one there is nothing to watch."),
		"duplicate_bouquet": _("Bouquets, row {0}: {1} is there twice."),
		"empty_bouquet": _("Bouquets, row {0}: {1} holds no channel."),
		"bouquet_disabled": _("Bouquets, row {0}: {1} is disabled."),
		"no_charges": _("Add at least one charge. For an offer that costs nothing add one marked Free."),
		"no_tiers": _("Charges, row {0}: {1} has no tiers. Add one without an upper bound at least."),
		"tier_charge": _("Tiers, row {0}: no charge has the code {1}."),
		"tier_unused": _(
			"Tiers, row {0}: {1} is not priced in tiers. Remove the row, or change its price model."
		),
		"tier_order": _("Tiers, row {0}: the bounds of {1} must rise from row to row."),
		"tier_open": _("Tiers, row {0}: only the last tier of {1} is without an upper bound."),
		"last_tier_bound": _("Tiers, row {0}: the last tier of {1} must be without an upper bound."),
		"tier_negative": _("Tiers, row {0}: a price of {1} is below zero."),
		"tier_no_price": _("Tiers, row {0}: this tier of {1} has no price. Enter one, or mark the row Free."),
		"tier_free_priced": _("Tiers, row {0}: this tier of {1} is marked Free but has a price."),
	}


def _charge_sentences() -> dict[str, str]:
	return {
		"charge_code": _(
			"Charges, row {0}: {1} is not a charge code. Use 1 to 20 capital letters, digits, hyphens or underscores."
		),
		"duplicate_charge": _("Charges, row {0}: the code {1} is there twice."),
		"negative_price": _("Charges, row {0}: the price of {1} is below zero."),
		"zero_price": _("Charges, row {0}: {1} has no price. Enter one, or mark the row Free."),
		"priced_but_free": _("Charges, row {0}: {1} is marked Free but has a price."),
		"priced_in_tiers": _(
			"Charges, row {0}: the price of {1} stands in the tiers. Empty its unit price, or choose another price model."
		),
		"block_size": _("Charges, row {0}: {1} is sold by blocks. Enter how many units a block holds."),
		"free_units": _("Charges, row {0}: the free units of {1} are below zero."),
		"blocks_unused": _(
			"Charges, row {0}: block size and free units of {1} are for the price model Package only. Empty them."
		),
		"interval": _("Charges, row {0}: the interval must be between 1 and {2} months, not {1}."),
		"model_of_kind": _(
			"Charges, row {0}: the price model of {1} is not for this kind of charge. Choose another kind or price model."
		),
		"unused_field": _(
			"Charges, row {0}: {1} is not read for this kind of charge and price model. Empty it."
		),
		"no_percent": _("Charges, row {0}: {1} has no percentage. Enter one, or mark the row Free."),
		"bounds_reversed": _("Charges, row {0}: the maximum of {1} is below its minimum."),
		"below_zero": _("Charges, row {0}: allowance, minimum and maximum of {1} are not below zero."),
		"of_missing": _("Charges, row {0}: enter the codes of the charges that {1} is a percentage of."),
		"of_unknown": _("Charges, row {0}: no charge has the code {1}, here or in a submitted version."),
		"of_kind": _(
			"Charges, row {0}: {1} is charged once or held as a deposit. A percentage is taken of recurring charges and usage."
		),
		"of_itself": _(
			"Charges, row {0}: {1} would be a percentage of itself. Remove it from the charges named."
		),
		"of_intervals": _(
			"Charges, row {0}: the charges that {1} is a percentage of have different intervals. Make a percentage for each interval."
		),
	}


def _sale_sentences() -> dict[str, str]:
	return {
		"not_submitted": _("offer version {0} is not submitted."),
		"other_company": _("offer version {0} is sold by {1}, not by the company of this subscription."),
		"other_currency": _("offer version {0} is priced in {1}; a subscription has one currency."),
		"other_segment": _("offer version {0} is not sold to the segment {1}."),
		"offer_disabled": _("the offer of version {0} is disabled."),
		"not_yet_on_sale": _("offer version {0} is on sale only from {1}."),
		"no_longer_on_sale": _("offer version {0} was on sale until {1} only."),
	}
