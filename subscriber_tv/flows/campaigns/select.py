"""Selects the contracts a campaign concerns, by one query; what each of them gets is decided by the core."""

import frappe
from frappe.query_builder import DocType
from frappe.query_builder.functions import Coalesce
from frappe.utils.nestedset import get_descendants_of

from subscriber_tv.core.contracts.states import ACTIVE, CANCELLING, CREATE, SUSPENDED

#: States with prices to come.
RUNNING = (ACTIVE, SUSPENDED, CANCELLING)


def subscriptions_of(doc) -> list[str]:
	"""Names of the running contracts that the selection of a TV Price Revision or TV Migration holds, sorted."""
	subscription, site, customer = DocType("TV Subscription"), DocType("TV Site"), DocType("Customer")
	query = (
		frappe.qb.from_(subscription)
		.join(site)
		.on(subscription.site == site.name)
		.join(customer)
		.on(subscription.customer == customer.name)
		.select(subscription.name)
		.where((subscription.company == doc.company) & (subscription.currency == doc.currency))
		.where(subscription.state.isin(RUNNING))
		.orderby(subscription.name)
	)
	segments = _below("Customer Group", [row.segment for row in doc.segments])
	if segments:
		query = query.where(Coalesce(site.segment, customer.customer_group).isin(segments))
	territories = _below("Territory", [row.territory for row in doc.territories])
	if territories:
		query = query.where(Coalesce(site.territory, customer.territory).isin(territories))
	versions = versions_of(doc)
	if versions is not None:
		query = query.where(subscription.name.isin(_ever_sold(versions)))
	if doc.signed_before:
		query = query.where(subscription.name.isin(_opened_before(doc.signed_before)))
	return [name for (name,) in query.run()]


def versions_of(doc) -> set[str] | None:
	"""The offer versions concerned; None: all of them."""
	if doc.doctype == "TV Migration":
		return {row.from_version for row in doc.versions}
	if not doc.offers:
		return None
	offers = [row.offer for row in doc.offers]
	return set(frappe.get_all("TV Offer Version", {"offer": ("in", offers), "docstatus": 1}, pluck="name"))


def _below(tree: str, names: list[str]) -> list[str]:
	"""These nodes of a tree and all below them."""
	return sorted({node for name in names for node in (name, *get_descendants_of(tree, name))})


def _ever_sold(versions: set[str]):
	"""Contracts a line of which had one of these versions at some time: the core looks at the day itself."""
	line, change = DocType("TV Subscription Change Line"), DocType("TV Subscription Change")
	return (
		frappe.qb.from_(line)
		.join(change)
		.on(line.parent == change.name)
		.select(change.subscription)
		.where(line.offer_version.isin(sorted(versions) or [""]) & (change.docstatus == 1))
	)


def _opened_before(day):
	change = DocType("TV Subscription Change")
	return (
		frappe.qb.from_(change)
		.select(change.subscription)
		.where((change.event == CREATE) & (change.effective_date < day) & (change.docstatus == 1))
	)
