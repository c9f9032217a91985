"""The offer simulator: what a contract or a change would be billed. Nothing is written."""

from decimal import Decimal
from typing import Any

import frappe
from frappe import _

from subscriber_tv.api.contracts import require_subscription
from subscriber_tv.api.guards import only_for, require_company
from subscriber_tv.api.values import day_of, parsed, steps_of
from subscriber_tv.core.contracts.lines import Line
from subscriber_tv.core.contracts.timeline import Agreed
from subscriber_tv.core.money import money
from subscriber_tv.core.pricing.discount import Discount
from subscriber_tv.flows.billing import upcoming
from subscriber_tv.flows.contracts.open_subscription import MOST_TRIAL_DAYS

STAFF = (
	"TV Sales",
	"TV Back Office",
	"TV Billing",
	"TV Support",
	"TV Marketing",
	"TV Management",
	"System Manager",
)

MOST_LINES = 50
MOST_AMOUNT = 10**12


@frappe.whitelist(methods=["POST"])
def change(
	subscription: str, steps: list | str | None = None, effective_date: str | None = None, months: int = 12
) -> dict:
	"""The next bills of a subscription the user may read: `before`, and `after` the steps when any are given.

	A step is {line_id, offer_version, quantity, ends}; days are ISO. ValidationError as for the change itself.
	"""
	only_for(*STAFF)
	require_subscription(subscription)
	return upcoming.of_subscription(
		subscription, steps=steps_of(steps), effective_date=effective_date or None, months=months
	)


@frappe.whitelist(methods=["POST"])
def offer(
	lines: list | str,
	start_on: str,
	company: str | None = None,
	customer: str | None = None,
	anchor_day: int = 0,
	calendar_aligned: int = 0,
	trial_days: int = 0,
	minimum: float = 0,
	discount_percent: float = 0,
	discount_periods: int = 0,
	months: int = 12,
) -> dict:
	"""The first bills of a contract with these lines, activated on `start_on` (ISO); amounts are net.

	A line is {offer_version, quantity}. ValidationError for what is no offer, no day or no amount.
	"""
	only_for(*STAFF)
	if customer:
		frappe.has_permission("Customer", doc=customer, throw=True)
	sold = _lines(lines)
	version = frappe.db.get_value(
		"TV Offer Version", sold[0].offer_version, ["company", "currency"], as_dict=True
	)
	require_company(company or version.company)
	offered = upcoming.OfferedContract(
		buyer=upcoming.Buyer(company or version.company, customer or ""),
		currency=version.currency,
		start_on=day_of(start_on),
		lines=sold,
		agreed=_agreed(anchor_day, calendar_aligned, trial_days, minimum),
		discounts=_discounts(discount_percent, discount_periods),
	)
	return upcoming.of_offer(offered, months=months)


def _lines(lines: list | str) -> tuple[Line, ...]:
	rows = parsed(lines)
	if not isinstance(rows, list) or not 1 <= len(rows) <= MOST_LINES:
		frappe.throw(_("Give between 1 and {0} lines.").format(MOST_LINES), title=_("Lines"))
	sold = []
	for number, row in enumerate(rows, start=1):
		version, quantity = _line(row, number)
		sold.append(Line(f"L{number}", version, quantity))
	currencies = {frappe.db.get_value("TV Offer Version", line.offer_version, "currency") for line in sold}
	if len(currencies) > 1:
		frappe.throw(
			_("The offers are priced in several currencies; a contract has one."), title=_("Currency")
		)
	return tuple(sold)


def _line(row: Any, number: int) -> tuple[str, int]:
	version = row.get("offer_version") if isinstance(row, dict) else None
	if not isinstance(version, str) or frappe.db.get_value("TV Offer Version", version, "docstatus") != 1:
		frappe.throw(
			_("Line {0}: choose a submitted offer version.").format(number), title=_("Offer Version")
		)
	frappe.has_permission("TV Offer Version", doc=version, throw=True)
	quantity = frappe.utils.cint(row.get("quantity") or 1)
	if quantity < 1:
		frappe.throw(
			_("Line {0}: the number of outlets must be at least 1.").format(number), title=_("Outlets")
		)
	return version, quantity


def _agreed(anchor_day: int, calendar_aligned: int, trial_days: int, minimum: float) -> Agreed:
	if not 0 <= anchor_day <= 31:
		frappe.throw(_("The billing day must be between 1 and 31, or empty."), title=_("Billing Day"))
	if trial_days < 0 or minimum < 0:
		frappe.throw(_("Trial days and minimum cannot be below zero."), title=_("Terms"))
	# Written so that what is no number at all is refused too.
	if trial_days > MOST_TRIAL_DAYS or not minimum < MOST_AMOUNT:
		frappe.throw(_("Trial days or minimum are too large to be meant."), title=_("Terms"))
	return Agreed(
		anchor_day=anchor_day or None,
		trial_days=trial_days,
		calendar_aligned=bool(calendar_aligned),
		minimum=money(minimum) or None,
	)


def _discounts(percent: float, periods: int) -> tuple[Discount, ...]:
	if not 0 <= percent <= 100:
		frappe.throw(_("A discount lies between 0 and 100 percent."), title=_("Discount"))
	if periods < 0:
		frappe.throw(_("Discounted periods cannot be below zero."), title=_("Discount"))
	if not percent:
		return ()
	return (Discount(percent=Decimal(str(percent)), periods=periods or None, label=_("Discount")),)
