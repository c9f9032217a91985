"""Loads what a bill is decided from: contracts, their prices, and the invoice rows that stand.

Amounts are read from Sales Invoice Item rows and their returns alone, never from the claims.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain

import frappe
from frappe.model.meta import get_field_precision
from frappe.utils import get_number_format_info

from subscriber_tv.core.billing.agreement import terms_of
from subscriber_tv.core.billing.base import Counted
from subscriber_tv.core.billing.bill import ContractFacts, Correction, InvoicedRow
from subscriber_tv.core.billing.deposits import Held
from subscriber_tv.core.billing.groups import separate_key
from subscriber_tv.core.billing.periods import Span
from subscriber_tv.core.billing.price import Offers, Price, Refused
from subscriber_tv.core.billing.usage import Usage
from subscriber_tv.core.contracts.timeline import Contract
from subscriber_tv.core.money import money
from subscriber_tv.flows.billing.group_base import base_of_group
from subscriber_tv.flows.billing.held_tvs import held_tvs
from subscriber_tv.flows.billing.offers import offers_of
from subscriber_tv.flows.billing.posted_rows import posted_rows
from subscriber_tv.flows.billing.returns import Returned, returns_of
from subscriber_tv.flows.billing.shared_contracts import payers_of_shared, shared_with
from subscriber_tv.flows.contracts.timeline import load_many
from subscriber_tv.flows.usage.facts import usage_of

Loaded = list[ContractFacts]
"""The facts of every contract a payer ever pays for."""


def payers(company: str, payer: str | None = None) -> list[str]:
	"""Customers who pay, paid or are going to pay for a subscription of `company` that was ever served, sorted."""
	subscription = frappe.qb.DocType("TV Subscription")
	query = frappe.qb.from_(subscription).select(subscription.payer).distinct()
	query = query.where((subscription.company == company) & subscription.activated_on.notnull())
	found = {row[0] for row in query.run()} | payers_of_shared(company)
	return sorted(found if payer is None else found & {payer})


def load(payer: str, company: str) -> Loaded:
	"""The facts of every subscription this payer ever pays for. Call it under the payer's lock before writing.

	Refused (`facts_lost`) when an invoice row of ours has lost its facts.
	"""
	found = load_all([payer], company)[payer]
	if isinstance(found, Refused):
		raise found
	return found


def load_all(
	payers: Sequence[str], company: str, shared: dict[str, set[str]] | None = None
) -> dict[str, Loaded | Refused]:
	"""The facts of several payers, with as many queries as for one; who would be refused has his refusal.

	:param shared: what `shared_with` says of these payers, for a caller who asked already
	"""
	shared = shared_with(company, payers) if shared is None else shared
	rows = _subscriptions(company, payers, set(chain.from_iterable(shared.values())))
	contracts = load_many(row.name for row in rows)
	offers = offers_of({line.offer_version for contract in contracts.values() for line in contract.lines})
	read = _Read(
		company=company,
		contracts=contracts,
		offers=offers,
		invoiced=invoiced_rows(row.name for row in rows),
		usage=usage_of(row.name for row in rows),
		held=held_tvs(contracts.values(), offers),
		choices=_choices(payers),
	)
	found = {}
	for payer in payers:
		names = shared.get(payer, ())
		found[payer] = read.of_payer(payer, [row for row in rows if row.payer == payer or row.name in names])
	return found


@dataclass(frozen=True)
class _Read:
	"""What was read of some subscriptions, to be shared out among their payers."""

	company: str
	contracts: dict[str, Contract]
	offers: Offers
	invoiced: dict[str, list[InvoicedRow] | Refused]
	usage: dict[str, tuple[Usage, ...]]
	held: dict[str, tuple[Held, ...]]
	choices: dict[str, str]

	def of_payer(self, payer: str, rows: Sequence[dict]) -> Loaded | Refused:
		"""The facts of his subscriptions, each seen as his."""
		rows = [row for row in rows if row.name in self.contracts]
		lost = (found for row in rows if isinstance(found := self.invoiced.get(row.name), Refused))
		if refusal := next(lost, None):
			return refusal
		mine = [self.contracts[row.name] for row in rows]
		group = base_of_group(payer, self.company, mine, self.offers)
		return [self._facts(payer, row, group) for row in rows]

	def _facts(self, payer: str, row: dict, group: tuple[Counted, ...]) -> ContractFacts:
		contract = self.contracts[row.name]
		return ContractFacts(
			contract=contract,
			offers=self.offers,
			invoiced=tuple(self.invoiced.get(row.name, ())),
			currency=row.currency,
			places=places_of(row.currency),
			terms=terms_of(contract),
			usage=self.usage.get(row.name, ()),
			base=group,
			payer=payer,
			held=self.held.get(row.name, ()),
			**_invoicing(row, self.choices.get(payer, "")),
		)


def _subscriptions(company: str, payers: Sequence[str], names: Collection[str]) -> list[dict]:
	"""Subscriptions that were ever served: those of these payers, and those of `names`."""
	subscription = frappe.qb.DocType("TV Subscription")
	query = frappe.qb.from_(subscription).select(
		*(subscription[field] for field in ("name", "payer", "currency", "site", *_INVOICING))
	)
	query = query.where((subscription.company == company) & subscription.activated_on.notnull())
	theirs = subscription.payer.isin(list(payers))
	query = query.where(theirs | subscription.name.isin(sorted(names)) if names else theirs)
	return query.orderby(subscription.name).run(as_dict=True)


def _choices(payers: Sequence[str]) -> dict[str, str]:
	"""How each payer wants his contracts put together on invoices."""
	customer = frappe.qb.DocType("Customer")
	query = frappe.qb.from_(customer).select(customer.name, customer.tv_invoicing)
	return {name: choice or "" for name, choice in query.where(customer.name.isin(list(payers))).run()}


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


def invoiced_rows(subscriptions: Iterable[str]) -> dict[str, list[InvoicedRow] | Refused]:
	"""Standing invoice rows by subscription, each with its corrections and concessions.

	A subscription with a row that has lost its facts has the refusal instead.
	"""
	rows = _invoice_rows(list(subscriptions))
	returned = returns_of({row.parent for row in rows})
	returned.share_loose([(row.name, row.parent, row.item_code, money(row.net_amount)) for row in rows])
	by_subscription: dict[str, list[dict]] = defaultdict(list)
	for row in rows:
		by_subscription[row.tv_subscription].append(row)
	return {name: _rows_or_refusal(found, returned) for name, found in by_subscription.items()}


def _rows_or_refusal(rows: list[dict], returned: Returned) -> list[InvoicedRow] | Refused:
	try:
		return [
			_row(row, returned.corrections.get(row.name, []), returned.concessions[row.name]) for row in rows
		]
	except Refused as refusal:
		return refusal


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
