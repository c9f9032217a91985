"""Loads contracts as a campaign decides on them: what billing knows of them, and whose they are."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import frappe
from frappe.query_builder import DocType
from frappe.query_builder.functions import Coalesce

from subscriber_tv.core.billing.agreement import terms_of
from subscriber_tv.core.billing.bill import ContractFacts
from subscriber_tv.core.campaigns.plan import Plan
from subscriber_tv.flows.billing.facts import offers_of, places_of
from subscriber_tv.flows.contracts.timeline import load_many


@dataclass(frozen=True)
class Candidate:
	"""One contract; `consumer` tells a private person from a business, as ERPNext's customer type does."""

	facts: ContractFacts
	customer: str
	payer: str
	segment: str
	consumer: bool

	@property
	def subscription(self) -> str:
		return self.facts.contract.subscription


#: What a campaign does to a contract. Refused when its prices are in no order.
Decision = Callable[[Candidate], Plan]


def load(subscriptions: Iterable[str], versions: Iterable[str] = ()) -> list[Candidate]:
	"""The contracts in the order of their names; `versions` are further ones whose prices will be needed."""
	rows = _rows(list(subscriptions))
	contracts = load_many(row.name for row in rows)
	named = {line.offer_version for contract in contracts.values() for line in contract.lines}
	offers = offers_of({*named, *versions})
	return [
		Candidate(
			ContractFacts(
				contract=contracts[row.name],
				offers=offers,
				currency=row.currency,
				places=places_of(row.currency),
				terms=terms_of(contracts[row.name]),
			),
			row.customer,
			row.payer,
			row.segment or "",
			row.customer_type == "Individual",
		)
		for row in rows
		if row.name in contracts
	]


def _rows(names: list[str]) -> list[dict]:
	subscription, site, customer = DocType("TV Subscription"), DocType("TV Site"), DocType("Customer")
	return (
		frappe.qb.from_(subscription)
		.join(site)
		.on(subscription.site == site.name)
		.join(customer)
		.on(subscription.customer == customer.name)
		.select(
			subscription.name,
			subscription.currency,
			subscription.customer,
			subscription.payer,
			customer.customer_type,
			Coalesce(site.segment, customer.customer_group).as_("segment"),
		)
		.where(subscription.name.isin(names or [""]))
		.orderby(subscription.name)
		.run(as_dict=True)
	)
