"""Opens a subscription: by a flow, an import or the form, always through the same three steps.

The controller of TV Subscription calls `prepare` before and `record_opening` after its row is written.
"""

from collections.abc import Sequence
from datetime import date

import frappe
from frappe import _
from frappe.utils import add_months, formatdate, getdate

from subscriber_tv.core.catalogue.offer import MAX_INTERVAL_MONTHS
from subscriber_tv.core.contracts.lines import Line
from subscriber_tv.core.contracts.states import CREATE, DRAFT
from subscriber_tv.core.contracts.timeline import Change, fold
from subscriber_tv.core.pricing.discount import Discount
from subscriber_tv.flows.catalogue.facts import segment_path
from subscriber_tv.flows.contracts.check_line import check_line, check_option, check_prices
from subscriber_tv.flows.contracts.commitments import check_commitment
from subscriber_tv.flows.contracts.record_change import record_change, refresh_cache
from subscriber_tv.flows.contracts.sales_limits import require_trial_within
from subscriber_tv.flows.contracts.timeline import agreed_of
from subscriber_tv.flows.contracts.today import site_today
from subscriber_tv.flows.promotions.give import promotions_at_opening
from subscriber_tv.flows.settings import require_phase

#: Ten years; more is a slip of the keyboard.
MOST_TRIAL_DAYS = 3660


def open_subscription(
	*,
	customer: str,
	site: str,
	lines: list[dict],
	company: str | None = None,
	payer: str | None = None,
	anchor_day: int | None = None,
	billed_through: date | str | None = None,
	start_on: date | str | None = None,
	terms: dict | None = None,
	discounts: Sequence[Discount] = (),
	promised: Sequence[Discount] = (),
) -> str:
	"""Open a Draft with lines of {offer_version, quantity, option_of, prices}; return its name.

	`prices` of a line are negotiated ones by charge code, `option_of` the id of the line it widens (the first is L1).
	`terms` are further fields of the subscription: trial_days, calendar_aligned, minimum, commitment_months, renewal,
	renewal_months, notice_months, exit_rule, sales_channel, promotion_code, mode_of_payment, po_no, separate_invoice.
	`discounts` hold from the first day, `promised` are those that the promotion of the code was quoted to take off.
	`start_on` is the day of the order at the site (default today), `billed_through` the day before which another
	system has billed: such a contract is not held to the dates on which its offer is on sale.
	Errors: ValidationError naming what is wrong with site, lines or offer; PhaseOff when orders are off.
	"""
	doc = frappe.get_doc(
		{
			"doctype": "TV Subscription",
			"customer": customer,
			"site": site,
			"payer": payer,
			"company": company,
			"anchor_day": anchor_day,
			"billed_through": billed_through,
			"lines": [
				{
					"offer_version": line["offer_version"],
					"quantity": line.get("quantity", 1),
					"option_of": line.get("option_of"),
				}
				for line in lines
			],
			**(terms or {}),
		}
	)
	doc.flags.start_on = start_on
	doc.flags.prices = {f"L{no}": line.get("prices") or {} for no, line in enumerate(lines, start=1)}
	doc.flags.discounts = tuple(discounts)
	doc.flags.promised = tuple(promised)
	# The caller, an endpoint or an import, has checked who may open a subscription.
	doc.flags.ignore_permissions = True
	return doc.insert().name


def prepare(doc) -> None:
	"""Fill what the user may leave out of a new TV Subscription and refuse what cannot be sold."""
	require_phase("orders")
	_require(doc)
	_fill(doc)
	_check_site(doc)
	_check_days(doc)
	check_commitment(doc)
	_check_lines(doc)
	if not doc.flags.ignore_permissions:
		# A user's own document. One that a flow writes has terms that somebody has agreed to before.
		require_trial_within(doc)


def record_opening(doc) -> None:
	"""Write change no. 1 of a TV Subscription that was just inserted."""
	prices = doc.flags.prices or {}
	doc.flags.discounts = (*(doc.flags.discounts or ()), *promotions_at_opening(doc, _start(doc)))
	change = Change(
		no=1,
		event=CREATE,
		from_state=None,
		to_state=DRAFT,
		effective=_start(doc),
		lines=tuple(
			Line(
				row.line_id,
				row.offer_version,
				row.quantity,
				prices=tuple(sorted(prices.get(row.line_id, {}).items(), key=lambda item: item[0])),
				option_of=row.option_of or "",
			)
			for row in doc.lines
		),
		discounts=doc.flags.discounts or (),
		payer=doc.payer,
	)
	name = record_change(doc.name, change)
	contract = fold([change], subscription=doc.name, agreed=agreed_of(doc))
	refresh_cache(doc, contract, name, site_today(doc.site))


def _fill(doc) -> None:
	doc.company = doc.company or frappe.get_cached_doc("TV Settings").company
	doc.payer = doc.payer or doc.customer
	doc.state = DRAFT
	for number, row in enumerate(doc.lines, start=1):
		row.line_id = f"L{number}"
		row.bound = 0
	if doc.lines:
		doc.currency = frappe.db.get_value("TV Offer Version", doc.lines[0].offer_version, "currency")


def _require(doc) -> None:
	"""What the checks below rest on; Frappe asks for mandatory fields only after them."""
	missing = [_(doc.meta.get_label(field)) for field in ("customer", "site", "lines") if not doc.get(field)]
	missing += [
		_("Line {0}: {1}").format(row.idx, _("Offer Version")) for row in doc.lines if not row.offer_version
	]
	if missing:
		frappe.throw(
			_("Missing in the new subscription: {0}.").format(", ".join(missing)),
			frappe.MandatoryError,
			title=_("Missing Fields"),
		)


def _start(doc) -> date:
	return getdate(doc.flags.start_on) if doc.flags.start_on else site_today(doc.site)


def _check_site(doc) -> None:
	site = frappe.db.get_value("TV Site", doc.site, ["customer", "disabled"], as_dict=True)
	if site.customer != doc.customer:
		frappe.throw(
			_("Site {0} belongs to customer {1}, not to {2}. Choose a site of {2} or create one.").format(
				frappe.bold(doc.site), frappe.bold(site.customer), frappe.bold(doc.customer)
			),
			title=_("Other Customer's Site"),
		)
	if site.disabled:
		frappe.throw(_("Site {0} is disabled.").format(frappe.bold(doc.site)), title=_("Site Disabled"))


def _check_days(doc) -> None:
	if (doc.trial_days or 0) > MOST_TRIAL_DAYS:
		frappe.throw(_("Trial days or minimum are too large to be meant."), title=_("Terms"))
	if doc.anchor_day and not 1 <= doc.anchor_day <= 31:
		frappe.throw(_("The billing day must be between 1 and 31, or empty."), title=_("Billing Day"))
	if doc.calendar_aligned and doc.anchor_day not in (None, 0, 1):
		frappe.throw(
			_("Periods that follow the calendar begin on day 1: leave the billing day empty."),
			title=_("Billing Day"),
		)
	today = site_today(doc.site)
	furthest = add_months(today, MAX_INTERVAL_MONTHS)
	if doc.billed_through and getdate(doc.billed_through) > furthest:
		frappe.throw(
			_(
				"Nothing would be billed before {0}. The opening position must not lie after {1}, the longest interval of an offer."
			).format(formatdate(doc.billed_through), formatdate(furthest)),
			title=_("Opening Position"),
		)
	if _start(doc) > today:
		frappe.throw(
			_("A subscription cannot be opened for a day after today ({0}).").format(frappe.format(today)),
			title=_("Day in the Future"),
		)


def _check_lines(doc) -> None:
	day = None if doc.billed_through else _start(doc)
	segments = segment_path(doc.site, doc.customer)
	for row in doc.lines:
		check_line(
			row.line_id,
			row.offer_version,
			row.quantity,
			company=doc.company,
			currency=doc.currency,
			segments=segments,
			day=day,
		)
		check_option(
			row.line_id, row.option_of, [other.line_id for other in doc.lines if not other.option_of]
		)
		check_prices(row.line_id, row.offer_version, (doc.flags.prices or {}).get(row.line_id, {}))
