"""Loads what a bill is decided from: contracts, their prices, and the invoice rows that stand.

Amounts are read from Sales Invoice Item rows and their returns alone, never from the claims.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import date

import frappe
from frappe.model.meta import get_field_precision
from frappe.utils import get_number_format_info

from subscriber_tv.core.billing.agreement import terms_of
from subscriber_tv.core.billing.bill import ContractFacts, Correction, InvoicedRow
from subscriber_tv.core.billing.groups import separate_key
from subscriber_tv.core.billing.periods import Span
from subscriber_tv.core.billing.price import Price, Refused
from subscriber_tv.core.money import money
from subscriber_tv.flows.billing.group_base import base_of_group
from subscriber_tv.flows.billing.held_tvs import held_tvs
from subscriber_tv.flows.billing.offers import offers_of
from subscriber_tv.flows.billing.posted_rows import posted_rows
from subscriber_tv.flows.billing.returns import returns_of
from subscriber_tv.flows.billing.shared_contracts import payers_of_shared, shared_with
from subscriber_tv.flows.contracts.timeline import load_many
from subscriber_tv.flows.usage.facts import usage_of


def payers(company: str, payer: str | None = None) -> list[str]:
	"""Customers who pay, paid or are going to pay for a subscription of `company` that was ever served, sorted."""
	found = {row.payer for row in _subscriptions(company, payer=payer)}
	found |= payers_of_shared(company)
	return sorted(found if payer is None else found & {payer})


def _subscriptions(company: str, *, payer: str | None = None, names: Iterable[str] = ()) -> list[dict]:
	"""Subscriptions that were ever served: those of a payer or all, and those of `names`."""
	subscription = frappe.qb.DocType("TV Subscription")
	query = frappe.qb.from_(subscription).select(
		*(subscription[field] for field in ("name", "payer", "currency", "site", *_INVOICING))
	)
	query = query.where((subscription.company == company) & subscription.activated_on.notnull())
	if payer:
		query = query.where((subscription.payer == payer) | subscription.name.isin([*names, ""]))
	return query.orderby(subscription.name).run(as_dict=True)


def load(payer: str, company: str) -> list[ContractFacts]:
	"""The facts of every subscription this payer ever pays for. Call it under the payer's lock before writing.

	Refused (`facts_lost`) when an invoice row of ours has lost its facts.
	"""
	subscriptions = _subscriptions(company, payer=payer, names=shared_with(company, [payer]))
	choice = frappe.db.get_value("Customer", payer, "tv_invoicing") or ""
	contracts = load_many(row.name for row in subscriptions)
	offers = offers_of({line.offer_version for contract in contracts.values() for line in contract.lines})
	invoiced = invoiced_rows(row.name for row in subscriptions)
	usage = usage_of(row.name for row in subscriptions)
	group = base_of_group(payer, company, contracts.values(), offers)
	held = held_tvs(contracts.values(), offers)
	return [
		ContractFacts(
			contract=contracts[row.name],
			offers=offers,
			invoiced=tuple(invoiced.get(row.name, ())),
			currency=row.currency,
			places=places_of(row.currency),
			terms=terms_of(contracts[row.name]),
			usage=usage.get(row.name, ()),
			base=group,
			payer=payer,
			held=held.get(row.name, ()),
			**_invoicing(row, choice),
		)
		for row in subscriptions
		if row.name in contracts
	]


#: Fields of a subscription that say which invoice it stands on.
_INVOICING = ("mode_of_payment", "po_no", "separate_invoice")


def _invoicing(row: dict, choice: str) -> dict[str, str]:
	"""What decides which invoice the contract stands on; `choice` is the payer's."""
	alone = bool(row.separate_invoice)
	return {
		"mode_of_payment": row.mode_of_payment or "",
		"po_no": (row.po_no or "").strip(),
		"separate": separate_key(choice, subscription=row.name, site=row.site, alone=alone),
	}


def places_of(currency: str) -> int:
	"""Decimals of an amount in this currency: as its number format has them, at most those posted on this site.

	ERPNext's own precision is one for all currencies; half a yen would be posted without a word.
	"""
	field = frappe.get_meta("Sales Invoice Item").get_field("amount")
	posted = int(get_field_precision(field, currency=currency))
	written = frappe.get_cached_value("Currency", currency, "number_format")
	return min(posted, get_number_format_info(written)[2]) if written else posted


def invoiced_rows(subscriptions: Iterable[str]) -> dict[str, list[InvoicedRow]]:
	"""Standing invoice rows by subscription, each with its corrections and concessions."""
	rows = _invoice_rows(list(subscriptions))
	returned = returns_of({row.parent for row in rows})
	returned.share_loose([(row.name, row.parent, row.item_code, money(row.net_amount)) for row in rows])
	found: dict[str, list[InvoicedRow]] = defaultdict(list)
	for row in rows:
		built = _row(row, returned.corrections.get(row.name, []), returned.concessions[row.name])
		found[built.subscription].append(built)
	return found


def _invoice_rows(subscriptions: list[str]) -> list[dict]:
	if not subscriptions:
		return []
	query, item, invoice = posted_rows(
		returns=False, columns=("name", "parent", "tv_subscription", "tv_line", "tv_facts")
	)
	query = query.select(invoice.customer.as_("payer")).where(
		item.tv_subscription.isin(subscriptions) & item.tv_line.notnull()
	)
	return query.run(as_dict=True)


def _row(row: dict, corrections: list[Correction], conceded) -> InvoicedRow:
	return InvoicedRow(
		name=row.name,
		invoice=row.parent,
		subscription=row.tv_subscription,
		line=row.tv_line,
		kind=row.tv_kind,
		span=_span(row),
		revision=row.tv_revision or 0,
		amount=money(row.net_amount),
		price=_price(row),
		corrections=tuple(corrections),
		conceded=conceded,
		payer=row.payer,
	)


def _span(row: dict) -> Span:
	if not (isinstance(row.tv_from, date) and isinstance(row.tv_to, date)):
		raise _lost(row)
	return Span(row.tv_from, row.tv_to)


def _price(row: dict) -> Price:
	try:
		return Price.from_snapshot(json.loads(row.tv_facts), row.item_code)
	except (KeyError, TypeError, ValueError, ArithmeticError):
		raise _lost(row) from None


def _lost(row: dict) -> Refused:
	return Refused("facts_lost", subscription=row.tv_subscription, invoice=row.parent, line=row.tv_line)
