"""Opens a subscription: by a flow, an import or the form, always through the same three steps.

The controller of TV Subscription calls `prepare` before and `record_opening` after its row is written.
"""

from datetime import date

import frappe
from frappe import _
from frappe.utils import add_months, formatdate, getdate

from subscriber_tv.core.catalogue.offer import MAX_INTERVAL_MONTHS, problems_of_sale
from subscriber_tv.core.contracts.states import CREATE, DRAFT
from subscriber_tv.core.contracts.timeline import Change, Line, fold
from subscriber_tv.flows.catalogue.facts import sale_of, segment_path
from subscriber_tv.flows.catalogue.words import why_not_sold
from subscriber_tv.flows.contracts.record_change import record_change, refresh_cache
from subscriber_tv.flows.contracts.today import site_today
from subscriber_tv.flows.settings import require_phase


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
) -> str:
	"""Open a Draft with lines of {offer_version, quantity}; return its name.

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
				{"offer_version": line["offer_version"], "quantity": line.get("quantity", 1)}
				for line in lines
			],
		}
	)
	doc.flags.start_on = start_on
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
	_check_lines(doc)


def record_opening(doc) -> None:
	"""Write change no. 1 of a TV Subscription that was just inserted."""
	change = Change(
		no=1,
		event=CREATE,
		from_state=None,
		to_state=DRAFT,
		effective=_start(doc),
		lines=tuple(Line(row.line_id, row.offer_version, row.quantity) for row in doc.lines),
	)
	name = record_change(doc.name, change)
	contract = fold(
		[change],
		subscription=doc.name,
		anchor_day=doc.anchor_day or None,
		billed_through=getdate(doc.billed_through) if doc.billed_through else None,
	)
	refresh_cache(doc, contract, change.no, name)


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
	if doc.anchor_day and not 1 <= doc.anchor_day <= 31:
		frappe.throw(_("The billing day must be between 1 and 31, or empty."), title=_("Billing Day"))
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
		if row.quantity < 1:
			frappe.throw(
				_("Line {0}: the number of outlets must be at least 1.").format(row.idx), title=_("Outlets")
			)
		problems = problems_of_sale(
			sale_of(row.offer_version),
			company=doc.company,
			currency=doc.currency,
			segment_path=segments,
			day=day,
		)
		if problems:
			reasons = [
				_("Line {0}: {1}").format(row.idx, why_not_sold(row.offer_version, problem))
				for problem in problems
			]
			frappe.throw(
				reasons if len(reasons) > 1 else reasons[0],
				title=_("Offer Cannot Be Sold Here"),
				as_list=len(reasons) > 1,
			)
