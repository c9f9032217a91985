"""Finds customers whom both a standard ERPNext Subscription and a TV Subscription bill the same item."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import frappe
from frappe import _

from subscriber_tv.core.contracts.states import CANCELLED, UNINSTALLED

OVER = ("Cancelled", "Completed")
"""States in which ERPNext bills no longer."""


@dataclass(frozen=True, order=True)
class Twice:
	"""One item that two records bill the same customer."""

	standard: str
	subscription: str
	customer: str
	item: str


def of_customers(customers: Iterable[str]) -> list[Twice]:
	"""What is billed twice to these customers, as subscribers or as payers; sorted."""
	customers = sorted({customer for customer in customers if customer})
	if not customers:
		return []
	return _pairs(_standard_items(customers), customers)


def of_subscription(subscription: str) -> list[Twice]:
	"""What a standard Subscription bills of this TV Subscription too; sorted."""
	facts = frappe.db.get_value("TV Subscription", subscription, ["customer", "payer"])
	return [found for found in of_customers(facts or ()) if found.subscription == subscription]


def of_standard(doc) -> list[Twice]:
	"""What a TV Subscription bills of this standard Subscription too, as the document stands, saved or not; sorted."""
	if doc.party_type != "Customer" or doc.status in OVER:
		return []
	items = {frappe.get_cached_value("Subscription Plan", row.plan, "item") for row in doc.plans if row.plan}
	return _pairs([(doc.name, doc.party, item) for item in items], [doc.party])


def warning(found: Twice) -> str:
	"""One sentence in plain text that names both records, and the next step."""
	return _(
		"Customer {0} is billed for {1} by Subscription {2} and by TV Subscription {3}. Unless both are wanted, cancel the one that should not go on."
	).format(found.customer, found.item, found.standard, found.subscription)


def _pairs(standard: Sequence[tuple[str, str, str]], customers: list[str]) -> list[Twice]:
	ours = _our_items(customers) if standard else []
	return sorted(
		{
			Twice(name, subscription, customer, item)
			for name, customer, item in standard
			for subscription, of_customer, of_item in ours
			if (of_customer, of_item) == (customer, item)
		}
	)


def _standard_items(customers: list[str]) -> list[tuple[str, str, str]]:
	"""Name, customer and item of every plan that ERPNext still bills."""
	doc, row = frappe.qb.DocType("Subscription"), frappe.qb.DocType("Subscription Plan Detail")
	plan = frappe.qb.DocType("Subscription Plan")
	return (
		frappe.qb.from_(doc)
		.join(row)
		.on((row.parent == doc.name) & (row.parenttype == "Subscription"))
		.join(plan)
		.on(plan.name == row.plan)
		.select(doc.name, doc.party, plan.item)
		.distinct()
		.where((doc.party_type == "Customer") & doc.party.isin(customers))
		.where(doc.status.isnull() | doc.status.notin(OVER))
		.run()
	)


def _our_items(customers: list[str]) -> list[tuple[str, str, str]]:
	"""Name, customer and item of every charge of a contract that is not over, for its subscriber and for its payer."""
	contract, line = frappe.qb.DocType("TV Subscription"), frappe.qb.DocType("TV Subscription Line")
	charge = frappe.qb.DocType("TV Offer Charge Line")
	found = []
	for party in (contract.customer, contract.payer):
		found += (
			frappe.qb.from_(contract)
			.join(line)
			.on((line.parent == contract.name) & (line.parenttype == "TV Subscription"))
			.join(charge)
			.on((charge.parent == line.offer_version) & (charge.parenttype == "TV Offer Version"))
			.select(contract.name, party, charge.item)
			.distinct()
			.where(party.isin(customers) & contract.state.notin((CANCELLED, UNINSTALLED)))
			.orderby(contract.name)
			.run()
		)
	return found
