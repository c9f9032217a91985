"""Takes ERPNext's own Subscriptions over: each becomes a TV Subscription that goes on where ERPNext stopped billing.

One unit of work a Subscription: the new contract is opened and the old one stopped in the same transaction, so that
at no moment both or none of them bills. What is there already is left alone; the import may be repeated.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import frappe
from frappe import _
from frappe.utils import getdate, strip_html

from subscriber_tv.core.imports.takeover import Finding, Standard, TakeOver, take_over
from subscriber_tv.flows.billing.bill_payer import decide_for
from subscriber_tv.flows.contracts import double_billing
from subscriber_tv.flows.contracts.change_state import change_state
from subscriber_tv.flows.contracts.open_subscription import open_subscription
from subscriber_tv.flows.imports import offer_for_plan
from subscriber_tv.flows.imports.read_standard import OVER, active_subscriptions, read_standard
from subscriber_tv.flows.imports.takeover_words import worded

TAKEN, THERE, REFUSED = "taken over", "there already", "refused"
TO_ACTIVATION = ("request_documents", "complete_documents", "finish_installation")
OUTLET_TYPE = "Room"


class NotTaken(Exception):
	"""The reasons why a Subscription stays where it is."""

	def __init__(self, *findings: Finding):
		super().__init__(", ".join(finding.code for finding in findings))
		self.findings = findings


@dataclass(frozen=True)
class FirstBill:
	"""What the next run bills of the new contract: net amounts by first and last day (not included)."""

	rows: tuple[tuple[date, date, Decimal], ...] = ()

	@property
	def begins(self) -> date | None:
		return min((start for start, _end, _amount in self.rows), default=None)

	@property
	def net(self) -> Decimal:
		return sum((amount for _start, _end, amount in self.rows), Decimal(0))


@dataclass(frozen=True)
class Row:
	"""What became of one Subscription: `notes` are reasons of a refusal, else remarks, in the user's language.

	`first_bill` is the compulsory preview: what the first run will bill, as far as it is decided today.
	"""

	standard: str
	party: str
	outcome: str
	subscription: str | None = None
	billed_through: date | None = None
	first_bill: FirstBill = FirstBill()
	notes: tuple[str, ...] = ()


def import_subscriptions(
	*,
	company: str | None = None,
	bouquets: Sequence[str] = (),
	dry_run: bool = False,
	today: date | None = None,
	progress: Callable[[int, int], None] | None = None,
) -> list[Row]:
	"""Take over every active standard Subscription, of one company or of all; a row for each.

	`bouquets` are what offers hold that have to be made, `today` the day of the cut-over (default today). Commits after
	each; a `dry_run` does the same and takes it back. Errors of one Subscription are its row and hold up no other.
	"""
	names = active_subscriptions(company)
	rows = []
	for number, name in enumerate(names, start=1):
		rows.append(_one(name, tuple(bouquets), getdate(today)))
		if dry_run:
			frappe.db.rollback()
		else:
			# One Subscription is one unit of work of a long-running import.
			frappe.db.commit()  # nosemgrep
		if progress:
			progress(number, len(names))
	return rows


def _one(name: str, bouquets: Sequence[str], today: date) -> Row:
	# The nightly job of ERPNext waits for us, and we for it: what it has just invoiced counts.
	doc = frappe.get_doc("Subscription", name, for_update=True)
	try:
		if there := frappe.db.get_value("TV Subscription", {"external_reference": name}):
			raise NotTaken(Finding("restarted", there))
		if doc.status in OVER:
			return Row(name, doc.party, THERE)
		return _take(doc, bouquets, today)
	except NotTaken as refusal:
		frappe.db.rollback()
		return Row(name, doc.party, REFUSED, notes=tuple(worded(found) for found in refusal.findings))
	except Exception as error:
		frappe.db.rollback()
		return Row(name, doc.party, REFUSED, notes=(_said(error),))


def _take(doc, bouquets: Sequence[str], today: date) -> Row:
	standard = read_standard(doc)
	_refuse_billed_here(doc)
	found = take_over(standard, today)
	if isinstance(found, list):
		raise NotTaken(*found)
	subscription = _open(doc, standard, found, bouquets, today)
	_stop(doc, subscription, today)
	return Row(
		doc.name,
		doc.party,
		TAKEN,
		subscription,
		found.billed_through,
		_first_bill(subscription, doc.party, standard.company, max(today, found.billed_through)),
		tuple(worded(remark) for remark in found.remarks),
	)


def _refuse_billed_here(doc) -> None:
	"""A contract opened by hand for the same item may be this very one; those that were taken over are others."""
	taken = {
		found: frappe.db.get_value("TV Subscription", found.subscription, "external_reference")
		for found in double_billing.of_standard(doc)
	}
	by_hand = [
		found for found, name in taken.items() if not (name and frappe.db.exists("Subscription", name))
	]
	if by_hand:
		raise NotTaken(*(Finding("billed_here", found.subscription) for found in by_hand))


def _open(doc, standard: Standard, found: TakeOver, bouquets: Sequence[str], today: date) -> str:
	name = open_subscription(
		customer=doc.party,
		site=_site(doc, sum(line.quantity for line in found.lines)),
		company=standard.company,
		anchor_day=found.anchor_day,
		billed_through=found.billed_through,
		start_on=found.start,
		lines=_lines(standard, found, bouquets, today),
		terms={"trial_days": found.trial_days, "external_reference": doc.name},
	)
	for event in TO_ACTIVATION:
		change_state(subscription=name, event=event, effective_date=found.start)
	change_state(subscription=name, event="activate", effective_date=found.activated_on)
	if found.end and found.end <= today:
		change_state(subscription=name, event="end", effective_date=found.end)
	elif found.end:
		change_state(subscription=name, event="cancel_at_date", effective_date=today, end_date=found.end)
	return name


def _lines(standard: Standard, found: TakeOver, bouquets: Sequence[str], today: date) -> list[dict]:
	terms = {"company": standard.company, "currency": found.currency, "arrears": found.arrears}
	lines = []
	for line in found.lines:
		version = offer_for_plan.find_version(line, **terms)
		if not version:
			if not bouquets:
				raise NotTaken(Finding("no_bouquet", line.plan))
			version = offer_for_plan.make_version(line, bouquets=bouquets, valid_from=today, **terms)
		lines.append({"offer_version": version, "quantity": line.quantity})
	return lines


def _site(doc, outlets: int) -> str:
	"""The customer's only site, else a new one of his name."""
	sites = frappe.get_all("TV Site", {"customer": doc.party, "disabled": 0}, pluck="name", limit=2)
	if len(sites) > 1:
		raise NotTaken(Finding("several_sites", doc.party))
	if sites:
		return sites[0]
	site = frappe.get_doc(
		{
			"doctype": "TV Site",
			"site_name": frappe.get_cached_value("Customer", doc.party, "customer_name"),
			"customer": doc.party,
			"outlet_type": OUTLET_TYPE,
			"outlets_installed": outlets,
		}
	)
	# Whoever imports works on the server; the rules of the document still apply.
	site.flags.ignore_permissions = True
	return site.insert().name


def _stop(doc, subscription: str, today: date) -> None:
	"""Cancel the standard Subscription without ERPNext's own cancelling, which would invoice what we bill."""
	doc.db_set({"status": "Cancelled", "cancelation_date": today, "cancel_at_period_end": 0})
	doc.add_comment(
		"Comment", _("Taken over as TV Subscription {0}, which bills from now on.").format(subscription)
	)
	frappe.get_doc("TV Subscription", subscription).add_comment(
		"Comment", _("Taken over from the standard Subscription {0}.").format(doc.name)
	)


def _first_bill(subscription: str, payer: str, company: str, until: date) -> FirstBill:
	charges = [
		charge
		for bill in decide_for(payer, company, until).bills
		for charge in bill.charges
		if charge.subscription == subscription
	]
	return FirstBill(tuple((charge.claim.start, charge.claim.end, charge.amount) for charge in charges))


def _said(error: Exception) -> str:
	"""What a flow or ERPNext said, as one line; an unforeseen error is logged for the administrator."""
	frappe.clear_messages()
	if isinstance(error, frappe.ValidationError | frappe.DoesNotExistError | frappe.PermissionError):
		return strip_html(str(error)).replace("\n", " ").strip() or type(error).__name__
	log = frappe.log_error(title="Import of Subscriptions")
	return _("Unforeseen error, see Error Log {0}").format(log.name if log else "")
