"""Gives promotions: by code or by themselves when a contract is opened, and by button later.

How often one was given is counted from the discounts on record, those taken back left out. Whoever gives one holds the
lock of its row, so that of two at once the second sees what the first gave.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date

import frappe
from frappe import _
from frappe.query_builder import DocType
from frappe.utils import cint, flt, formatdate, getdate
from frappe.utils.nestedset import get_descendants_of

from subscriber_tv.core.contracts.states import WITHDRAW
from subscriber_tv.core.money import ZERO, money
from subscriber_tv.core.pricing.discount import Discount
from subscriber_tv.core.promotions.eligible import (
	Case,
	PromotedLine,
	Promotion,
	Refusal,
	Used,
	combined,
	discounts_of,
	refusals,
)
from subscriber_tv.flows.catalogue.facts import segment_path

DOCTYPE = "TV Promotion"
BY_CODE, AUTOMATICALLY = "By Code", "Automatically"


class NotEligible(frappe.ValidationError):
	"""The contract may not have the promotion; the message says why."""


def promotions_at_opening(doc, day: date) -> tuple[Discount, ...]:
	"""The discounts of a new TV Subscription: that of its code, and those given automatically.

	A contract made from a quotation, or taken over from another system, is billed as was agreed there: it gets none by
	itself, and that of its code as the quotation showed it (`doc.flags.promised`), if it still may have it.
	NotEligible for a code that is unknown or not for this contract, with every reason.
	"""
	case = _case_of_opening(doc, day)
	given: list[Promotion] = []
	if doc.promotion_code:
		promotion = promotion_of(_locked(name_of_code(doc.promotion_code)))
		_require(promotion, case, _used(promotion.name, doc.customer, doc.name))
		given.append(promotion)
	if not (doc.get("quotation") or doc.billed_through):
		given += combined(given, _fitting(doc, case))
	if doc.flags.promised:
		return doc.flags.promised
	return tuple(discount for promotion in given for discount in discounts_of(promotion, case))


def discounts_quoted(code: str, contract, lines: Iterable, day: date, before: int) -> tuple[Discount, ...]:
	"""What the promotion of a code would take off a contract that is only quoted; nothing is locked or given.

	`contract` has the fields of a TV Subscription, site and customer may be empty; `before` are the contracts of the same
	quotation that would have it already. NotEligible with every reason.
	"""
	promotion = promotion_of(frappe.get_cached_doc(DOCTYPE, name_of_code(code)))
	used = _used(promotion.name, contract.customer, "", locked=False)
	customers = before if contract.customer else 0
	used = replace(used, times=used.times + before, by_customer=used.by_customer + customers)
	case = _case(contract, lines, day)
	_require(promotion, case, used)
	return discounts_of(promotion, case)


def _fitting(doc, case: Case) -> list[Promotion]:
	"""The automatic promotions the contract may have, the first of them first."""
	names = frappe.get_all(
		DOCTYPE,
		{"given": AUTOMATICALLY, "disabled": 0, "company": doc.company},
		pluck="name",
		order_by="priority desc, name",
	)
	automatic = [promotion_of(frappe.get_cached_doc(DOCTYPE, name)) for name in names]
	return [one for one in automatic if not refusals(one, case, _used_if_limited(one, doc))]


def choices(subscription: str, day: date) -> list[dict]:
	"""Every promotion that may be given by hand or code, with the reasons why not; those possible first."""
	case, customer = case_of(subscription, day)
	found = []
	for name in frappe.get_all(
		DOCTYPE, {"disabled": 0, "company": case.company}, pluck="name", order_by="name"
	):
		doc = frappe.get_cached_doc(DOCTYPE, name)
		promotion = promotion_of(doc)
		reasons = [
			why_refused(promotion, refusal)
			for refusal in refusals(promotion, case, _used(name, customer, subscription, locked=False))
		]
		found.append({"promotion": name, "label": doc.label, "given": doc.given, "reasons": reasons})
	return sorted(found, key=lambda one: (bool(one["reasons"]), one["promotion"]))


def discounts_for(promotion_name: str, subscription: str, day: date) -> tuple[Discount, ...]:
	"""The discounts of a promotion given now, under the lock of its row. NotEligible with every reason."""
	promotion = promotion_of(_locked(promotion_name))
	case, customer = case_of(subscription, day)
	_require(promotion, case, _used(promotion.name, customer, subscription))
	beside = [promotion_of(frappe.get_cached_doc(DOCTYPE, name)) for name in _standing(subscription)]
	if beside and not combined(beside, [promotion]):
		frappe.throw(
			_("{0} is not given beside {1}.").format(
				frappe.bold(promotion.name), frappe.bold(", ".join(one.name for one in beside))
			),
			NotEligible,
			title=_("Promotion"),
		)
	return discounts_of(promotion, case)


def name_of_code(code: str) -> str:
	"""The promotion with this code, whatever its case. NotEligible for an unknown one."""
	name = frappe.db.get_value(DOCTYPE, {"code": code.strip().upper(), "given": BY_CODE})
	if not name:
		frappe.throw(
			_("There is no promotion with the code {0}.").format(frappe.bold(code)),
			NotEligible,
			title=_("Promotion"),
		)
	return name


def uses(promotion: str) -> int:
	"""How often the promotion was given."""
	return _used(promotion, "", "", locked=False).times


def case_of(subscription: str, day: date) -> tuple[Case, str]:
	"""The contract as a promotion sees it on that day, and its customer."""
	doc = frappe.get_doc("TV Subscription", subscription)
	lines = [row for row in doc.lines if not row.to_date or getdate(row.to_date) > day]
	return _case(doc, lines, day), doc.customer


def promotion_of(doc) -> Promotion:
	"""A TV Promotion for the core."""
	periods = {"One Period": 1, "Periods": cint(doc.periods)}.get(doc.duration)
	by_percent = doc.discount_kind == "Percent"
	return Promotion(
		name=doc.name,
		label=doc.label,
		currency=doc.currency,
		company=doc.company,
		percent=money(flt(doc.percent)) if by_percent else ZERO,
		amount=ZERO if by_percent else money(flt(doc.amount)),
		periods=periods,
		until=getdate(doc.until) if doc.duration == "Until a Date" else None,
		of_lines=doc.scope == "Lines of These Offers",
		offers=frozenset(row.offer for row in doc.offers),
		segments=frozenset(_below(row.segment for row in doc.segments)),
		channels=frozenset(row.sales_channel for row in doc.sales_channels),
		valid_from=getdate(doc.valid_from),
		valid_upto=getdate(doc.valid_upto) if doc.valid_upto else None,
		minimum_quantity=cint(doc.minimum_quantity),
		minimum_commitment=cint(doc.minimum_commitment),
		max_uses=cint(doc.max_uses) or None,
		once_per_customer=bool(doc.once_per_customer),
		combinable=bool(doc.combinable),
		disabled=bool(doc.disabled),
	)


def why_refused(promotion: Promotion, refusal: Refusal) -> str:
	"""One sentence in the user's language."""
	sentences = {
		"disabled": _("It is disabled."),
		"not_yet": _("It begins on {0}."),
		"over": _("It was on offer until {0}."),
		"other_company": _("It is for contracts of {0}."),
		"other_currency": _("It is for contracts in {0}."),
		"no_offer": _("It needs a line of {0}."),
		"segment": _("It is for the segment {0}."),
		"channel": _("It is for the sales channel {0}."),
		"quantity": _("It needs at least {0} outlets."),
		"commitment": _("It needs a commitment of at least {0} months."),
		"used_up": _("It is used up (uses: {0})."),
		"customer_had_it": _("The customer has had it before."),
		"contract_has_it": _("The contract has it already."),
	}
	value = formatdate(refusal.value) if refusal.code in ("not_yet", "over") else refusal.value
	return sentences[refusal.code].format(value)


def _require(promotion: Promotion, case: Case, used: Used) -> None:
	reasons = [why_refused(promotion, refusal) for refusal in refusals(promotion, case, used)]
	if reasons:
		frappe.throw(
			_("{0} cannot be given: {1}").format(frappe.bold(promotion.name), " ".join(reasons)),
			NotEligible,
			title=_("Promotion"),
		)


def _locked(name: str):
	"""The promotion under the lock of its row: whoever counts its uses is alone."""
	return frappe.get_doc(DOCTYPE, name, for_update=True)


def _used_if_limited(promotion: Promotion, doc) -> Used:
	"""Automatic promotions without a limit of uses are given without a lock: many contracts open at once."""
	if promotion.max_uses is None and not promotion.once_per_customer:
		return Used()
	_locked(promotion.name)
	return _used(promotion.name, doc.customer, doc.name)


def _used(promotion: str, customer: str, subscription: str, *, locked: bool = True) -> Used:
	"""Counted from the discounts on record; `locked` reads past the transaction's snapshot."""
	given = _given(promotion, locked)
	return Used(
		times=len(given),
		by_customer=sum(row.customer == customer for row in given),
		by_contract=sum(row.subscription == subscription for row in given),
	)


def _given(promotion: str, locked: bool) -> list[dict]:
	"""One row a change that gave it and was not taken back: subscription and customer.

	Only the discounts themselves are read with a lock. A change committed after our snapshot is not seen by the second
	query: it was given a moment ago, and its customer is read for itself.
	"""
	line = DocType("TV Subscription Discount Line")
	query = frappe.qb.from_(line).select(line.parent).where(line.promotion == promotion)
	changes = {name for (name,) in (query.for_update() if locked else query).run()}
	seen = {row.name: row for row in _changes(changes)}
	return [
		*(row for row in seen.values() if not row.taken_back),
		*(_just_given(name) for name in changes - seen.keys()),
	]


def _changes(names: Collection[str]) -> list[dict]:
	change, contract = DocType("TV Subscription Change"), DocType("TV Subscription")
	back = DocType("TV Subscription Change").as_("back")
	return (
		frappe.qb.from_(change)
		.join(contract)
		.on(contract.name == change.subscription)
		.left_join(back)
		.on(
			(back.subscription == change.subscription)
			& (back.withdraws == change.change_no)
			& (back.event == WITHDRAW)
		)
		.select(change.name, change.subscription, contract.customer, back.name.as_("taken_back"))
		.where(change.name.isin(sorted(names) or [""]))
		.run(as_dict=True)
	)


def _just_given(change: str) -> dict:
	subscription = change.rpartition("-C")[0]
	customer = frappe.db.get_value("TV Subscription", subscription, "customer", for_update=True)
	return frappe._dict(subscription=subscription, customer=customer)


def _standing(subscription: str) -> list[str]:
	"""The promotions that the contract has and nobody took back."""
	from subscriber_tv.flows.contracts.timeline import load

	found = (discount.promotion for discount in load(subscription).discounts)
	return sorted({name for name in found if name and frappe.db.exists(DOCTYPE, name)})


def _case_of_opening(doc, day: date) -> Case:
	return _case(doc, doc.lines, day)


def _case(doc, lines: Iterable, day: date) -> Case:
	return Case(
		day=day,
		company=doc.company,
		currency=doc.currency,
		lines=tuple(
			PromotedLine(
				row.line_id,
				frappe.get_cached_value("TV Offer Version", row.offer_version, "offer"),
				row.quantity,
			)
			for row in lines
		),
		segments=segment_path(doc.site, doc.customer),
		channel=doc.sales_channel or "",
		commitment_months=cint(doc.commitment_months),
	)


def _below(segments: Iterable[str]) -> set[str]:
	return {node for name in segments for node in (name, *get_descendants_of("Customer Group", name))}
