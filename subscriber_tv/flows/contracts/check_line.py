"""Checks of a line, at the opening of a contract and when it is changed: what cannot be sold is refused by name."""

from collections.abc import Mapping, Sequence
from datetime import date

import frappe
from frappe import _

from subscriber_tv.core.billing.chain import at_price, fits
from subscriber_tv.core.catalogue.offer import problems_of_sale
from subscriber_tv.core.pricing.models import PriceModel, is_priced
from subscriber_tv.flows.billing.offers import offers_of
from subscriber_tv.flows.catalogue.facts import sale_of
from subscriber_tv.flows.catalogue.words import why_not_sold


def check_line(
	line_id: str,
	offer_version: str,
	quantity: int,
	*,
	company: str,
	currency: str,
	segments: Sequence[str],
	day: date | None,
) -> None:
	"""Refuse a line whose offer cannot be sold to this buyer on `day` (None: whatever the day)."""
	if quantity < 1:
		frappe.throw(
			_("Line {0}: the number of outlets must be at least 1.").format(line_id), title=_("Outlets")
		)
	problems = problems_of_sale(
		sale_of(offer_version), company=company, currency=currency, segment_path=segments, day=day
	)
	if problems:
		reasons = [
			_("Line {0}: {1}").format(line_id, why_not_sold(offer_version, problem)) for problem in problems
		]
		frappe.throw(
			reasons if len(reasons) > 1 else reasons[0],
			title=_("Offer Cannot Be Sold Here"),
			as_list=len(reasons) > 1,
		)


def check_option(line_id: str, option_of: str | None, lines: Sequence[str]) -> None:
	"""Refuse an option of a line that is none of `lines`, the contract's lines that are no options themselves."""
	if option_of and (option_of not in lines or option_of == line_id):
		frappe.throw(
			_("Line {0} is an option of {1}, which is no line of this contract. Choose one of: {2}.").format(
				frappe.bold(line_id), frappe.bold(option_of), ", ".join(lines)
			),
			title=_("Option"),
		)


def check_prices(line_id: str, offer_version: str, prices: Mapping[str, PriceModel | None]) -> None:
	"""Refuse a negotiated price that is zero without saying free, or that no charge of the offer takes."""
	if not prices:
		return
	charges = {charge.code: charge for charge in offers_of([offer_version]).get(offer_version, ())}
	for code, model in prices.items():
		if code not in charges:
			frappe.throw(
				_("Line {0}: offer version {1} has no charge {2}. It has: {3}.").format(
					frappe.bold(line_id), frappe.bold(offer_version), frappe.bold(code), ", ".join(charges)
				),
				title=_("Unknown Charge"),
			)
		if model is not None and not is_priced(model):
			frappe.throw(
				_("Line {0}: the price of {1} is missing or zero. Enter one, or mark it free.").format(
					frappe.bold(line_id), frappe.bold(code)
				),
				title=_("Zero Price"),
			)
		if model is not None and not fits(at_price(charges[code], model)):
			frappe.throw(
				_(
					"Line {0}: {1} is another kind of charge than this price is for. Choose another price model."
				).format(frappe.bold(line_id), frappe.bold(code)),
				title=_("Price Model"),
			)
