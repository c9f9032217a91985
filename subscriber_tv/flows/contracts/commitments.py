"""Reads what binds a contract: the term of its opening and its TV Exit Rule, which a submitted one never changes."""

import frappe
from frappe import _
from frappe.utils import cint, flt

from subscriber_tv.core.contracts.commitment import (
	CONSUMER_MONTHS,
	Commitment,
	ExitRule,
	Term,
	fair_to_consumers,
	problems_of_commitment,
)
from subscriber_tv.core.money import money

#: What of a TV Subscription binds it.
FIELDS = ("commitment_months", "renewal", "renewal_months", "notice_months", "exit_rule")

#: A longer notice than a year is a slip.
LONGEST_NOTICE = 12


def commitment_of(facts: dict) -> Commitment | None:
	"""The term and exit rule in the fields of a TV Subscription; None where nothing binds."""
	months = cint(facts.get("commitment_months"))
	if not months:
		return None
	tacit = facts.get("renewal") == "Tacit"
	renewal = (cint(facts.get("renewal_months")) or months) if tacit else None
	rule = facts.get("exit_rule")
	return Commitment(
		Term(months, renewal, cint(facts.get("notice_months"))), rule_of(_rule(rule)) if rule else None
	)


def _rule(name: str):
	return frappe.get_cached_doc("TV Exit Rule", name)


def rule_of(doc) -> ExitRule:
	"""A TV Exit Rule for the core."""
	return ExitRule(
		name=doc.name or doc.rule_name,
		item=doc.item,
		percent_within=money(flt(doc.percent_within)),
		first_months=cint(doc.first_months),
		percent_after=money(flt(doc.percent_after)),
		flat=money(flt(doc.flat_amount)),
		cap=money(flt(doc.cap_amount)) if doc.has_cap else None,
		most_months=cint(doc.most_months) or None,
		renewed=bool(doc.renewed_terms),
		description=doc.description,
	)


def is_consumer(customer: str) -> bool:
	"""Whether the law protects the customer as a consumer: ERPNext's customer type Individual."""
	return frappe.get_cached_value("Customer", customer, "customer_type") == "Individual"


def check_commitment(doc) -> None:
	"""Refuse a term that is none, or binds a consumer beyond the law; empty what means nothing without one.

	`doc` is a new TV Subscription, or its FIELDS, currency and customer (empty for a prospect, of whom nothing is known).
	"""
	_clear_what_means_nothing(doc)
	if not doc.commitment_months:
		return
	rule = _rule(doc.exit_rule) if doc.exit_rule else None
	if rule and (rule.docstatus != 1 or rule.currency != doc.currency):
		frappe.throw(
			_("Exit rule {0} must be submitted and in {1}.").format(frappe.bold(doc.exit_rule), doc.currency),
			title=_("Exit Rule"),
		)
	if cint(doc.notice_months) > LONGEST_NOTICE:
		frappe.throw(
			_("A notice of more than {0} months is a slip.").format(LONGEST_NOTICE), title=_("Commitment")
		)
	problems = problems_of_commitment(
		cint(doc.commitment_months),
		cint(doc.renewal_months),
		rule_of(rule) if rule else None,
		consumer=bool(doc.customer) and is_consumer(doc.customer),
	)
	if problems:
		frappe.throw([_sentence(code, doc) for code in problems], title=_("Commitment"), as_list=True)


def check_rule(doc) -> None:
	"""Refuse a TV Exit Rule that cannot be meant, and note whether a consumer may be held to it."""
	for field in ("percent_within", "percent_after"):
		if not 0 <= flt(doc.get(field)) <= 100:
			frappe.throw(
				_("{0} must lie between 0 and 100.").format(frappe.bold(_(doc.meta.get_label(field)))),
				title=_("Exit Rule"),
			)
	if not (flt(doc.percent_within) or flt(doc.percent_after) or flt(doc.flat_amount)):
		frappe.throw(
			_("The rule costs nothing. Leave the exit rule of the subscription empty instead."),
			title=_("Exit Rule"),
		)
	doc.fit_for_consumers = int(fair_to_consumers(rule_of(doc)))


def refuse_cancel_while_used(doc) -> None:
	"""A rule that contracts were opened with stands for ever: their fees rest on it."""
	used = frappe.get_all("TV Subscription", {"exit_rule": doc.name}, pluck="name", limit=3)
	if used:
		frappe.throw(
			_("Subscriptions such as {0} were opened with {1}. Make another rule for new ones.").format(
				", ".join(used), frappe.bold(doc.name)
			),
			title=_("Rule in Use"),
		)


def _clear_what_means_nothing(doc) -> None:
	if not doc.commitment_months:
		doc.renewal, doc.renewal_months, doc.notice_months, doc.exit_rule = "None", 0, 0, None
	elif doc.renewal != "Tacit":
		doc.renewal_months = 0


def _sentence(code: str, doc) -> str:
	sentences = {
		"months": _("The commitment must be 1 to 60 months."),
		"renewal": _("A renewal must be for 1 to 60 months."),
		"consumer_months": _("{0} is a consumer, who may be bound for {1} months at most."),
		"consumer_fee": _("{0} is a consumer: exit rule {2} asks more than the law allows."),
	}
	return sentences[code].format(
		frappe.bold(doc.customer), CONSUMER_MONTHS, frappe.bold(doc.exit_rule or "")
	)
