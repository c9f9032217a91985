"""What the next bills come to, for a running contract as it is and as it would be, or for one that is only offered.

The facts of a bill, the decision of a bill and the tax of an invoice; nothing is written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

import frappe
from frappe import _
from frappe.utils import add_months, getdate

from subscriber_tv.core.billing.agreement import terms_of
from subscriber_tv.core.billing.bill import Bill, ContractFacts
from subscriber_tv.core.billing.price import CORRECTION, ONE_DAY, Price, Refused
from subscriber_tv.core.billing.upcoming import Upcoming, upcoming
from subscriber_tv.core.contracts.lines import Line
from subscriber_tv.core.contracts.states import ACTIVE, AWAITING_ACTIVATION, CREATE, DRAFT
from subscriber_tv.core.contracts.timeline import Agreed, Change, Contract, extend, fold
from subscriber_tv.core.money import ZERO, plain
from subscriber_tv.core.pricing.discount import Discount
from subscriber_tv.flows.billing import facts
from subscriber_tv.flows.billing.offers import offers_of
from subscriber_tv.flows.billing.tax import tax_of
from subscriber_tv.flows.billing.words import why_refused
from subscriber_tv.flows.contracts import timeline
from subscriber_tv.flows.contracts.change_lines import completion_of
from subscriber_tv.flows.contracts.change_terms import bare_change
from subscriber_tv.flows.contracts.today import site_today
from subscriber_tv.flows.settings import max_months

#: Name of a contract that does not exist yet.
OFFERED = "OFFER"
MOST_MONTHS = 60

NOTHING_AGREED = Agreed()


@dataclass(frozen=True)
class Buyer:
	"""Who would be invoiced; `payer` is empty for a prospect who is no customer yet."""

	company: str
	payer: str = ""


@dataclass(frozen=True)
class OfferedContract:
	"""A contract as it would be opened and activated on `start_on`. Amounts are net, in `currency`."""

	buyer: Buyer
	currency: str
	start_on: date
	lines: tuple[Line, ...]
	agreed: Agreed = NOTHING_AGREED
	discounts: tuple[Discount, ...] = ()


def of_subscription(
	subscription: str,
	*,
	steps: Sequence[Mapping[str, Any]] = (),
	effective_date: date | str | None = None,
	months: int = 12,
) -> dict[str, Any]:
	"""The bills of the next `months` of one contract: `before`, as it is, and `after` the steps, when there are any.

	Each bill is {day, net, tax, total, rows, refused}; amounts are decimal strings, days ISO, those of the site. The
	steps are checked like a change that is recorded, with its errors.
	"""
	held = frappe.db.get_value(
		"TV Subscription",
		subscription,
		["site", "customer", "payer", "company", "currency", "state"],
		as_dict=True,
	)
	today = site_today(held.site)
	buyer, until = Buyer(held.company, held.payer), _until(today, months)
	contract = timeline.load(subscription)
	base = _loaded(contract, held)
	found = {
		"subscription": subscription,
		"currency": held.currency,
		"today": today.isoformat(),
		"before": played(_with(base, contract, today), buyer, today, until),
	}
	if steps:
		change = bare_change(contract, held, "change_lines", effective_date)
		after = extend(contract, completion_of(steps)(contract, held, change))
		found["after"] = played(_with(base, after, today), buyer, today, until)
	return found


def of_offer(offered: OfferedContract, *, months: int = 12) -> dict[str, Any]:
	"""The bills of the first `months` of a contract that is only offered; each as in `of_subscription`."""
	facts_of_it = offered_facts(offered)
	return {
		"currency": offered.currency,
		"today": offered.start_on.isoformat(),
		"after": played(facts_of_it, offered.buyer, offered.start_on, _until(offered.start_on, months)),
	}


def offered_facts(offered: OfferedContract, name: str = OFFERED) -> ContractFacts:
	"""The facts a run would load on the day the contract is activated."""
	opening = Change(
		1, CREATE, None, DRAFT, offered.start_on, lines=offered.lines, discounts=offered.discounts
	)
	activation = Change(2, "activate", AWAITING_ACTIVATION, ACTIVE, offered.start_on)
	contract = fold((opening, activation), subscription=name, agreed=offered.agreed)
	return ContractFacts(
		contract=contract,
		offers=offers_of({line.offer_version for line in offered.lines}),
		currency=offered.currency,
		places=facts.places_of(offered.currency),
		terms=terms_of(contract),
	)


def played(contract: ContractFacts, buyer: Buyer, today: date, until: date) -> list[dict[str, Any]]:
	"""The bills from `today` to `until` as plain values, with their tax; on `until` only what bills days before it."""
	ahead = upcoming([contract], today=today, until=until, max_months=max_months())
	bills = (_shown(one, buyer) for one in ahead)
	return [bill for bill in bills if _within(bill, until.isoformat())]


def _within(bill: Mapping[str, Any], until: str) -> bool:
	"""Twelve months are twelve bills in advance: the thirteenth bills the next year. In arrears it belongs to this one."""
	return bill["day"] < until or any(row["from"] < until for row in bill["rows"]) or bool(bill["refused"])


def _until(start: date, months: int) -> date:
	if not 1 <= months <= MOST_MONTHS:
		frappe.throw(_("Choose between 1 and {0} months.").format(MOST_MONTHS), title=_("Months"))
	return getdate(add_months(start, months))


def _loaded(contract: Contract, held: frappe._dict) -> ContractFacts:
	"""As a run would load them; a contract that was never active is not among those."""
	try:
		loaded = facts.load(held.payer, held.company)
	except Refused as refusal:
		frappe.throw(why_refused(refusal), title=_("Cannot Be Billed"))
	bare = ContractFacts(contract, {}, currency=held.currency, places=facts.places_of(held.currency))
	return next((one for one in loaded if one.contract.subscription == contract.subscription), bare)


def _with(base: ContractFacts, contract: Contract, today: date) -> ContractFacts:
	"""The same facts with another contract; one that was never active is shown as if it became so today."""
	if not contract.activated_on:
		contract = extend(
			contract, Change(len(contract.changes) + 1, "activate", contract.state, ACTIVE, today)
		)
	offers = offers_of({line.offer_version for line in contract.lines})
	return replace(base, contract=contract, offers=offers, terms=terms_of(contract))


def _shown(one: Upcoming, buyer: Buyer) -> dict[str, Any]:
	rows, net, tax = [], ZERO, ZERO
	for bill in one.bills:
		taxed = tax_of(bill, payer=buyer.payer, company=buyer.company, posting_date=one.day)
		rows += _rows(bill, taxed)
		net += bill.net
		tax += taxed.total
	return {
		"day": one.day.isoformat(),
		"net": str(net),
		"tax": str(tax),
		"total": str(net + tax),
		"rows": rows,
		"refused": [why_refused(refusal) for refusal in one.refused],
	}


def _rows(bill: Bill, taxed) -> list[dict[str, Any]]:
	charges = [
		_row(charge.claim, charge.price, charge.amount, tax)
		for charge, tax in zip(bill.charges, taxed.charges, strict=True)
	]
	credits = [
		_row(credit.claim, credit.row.price, -credit.amount, tax)
		for credit, tax in zip(bill.credits, taxed.credits, strict=True)
	]
	return charges + credits


def _row(claim, price: Price, amount: Decimal, tax: Decimal) -> dict[str, Any]:
	text = price.description or frappe.get_cached_value("Item", price.item, "item_name")
	return {
		"line": claim.line,
		"item": price.item,
		"text": _("Credit: {0}").format(text) if claim.kind == CORRECTION else text,
		"kind": claim.kind,
		"from": claim.start.isoformat(),
		"to": claim.end.isoformat(),
		"last": (claim.end - ONE_DAY).isoformat(),
		"quantity": plain(Decimal(price.quantity)),
		"amount": str(amount),
		"tax": str(tax),
	}
