"""Holds quotations against the invoices of the subscriptions opened from them: was what was quoted billed?

The quote is played again with the function that bills, on the day the contract was really activated; a change of the
contract beside its state ends the comparison on its day.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

import frappe
from frappe.utils import getdate

from subscriber_tv.core.billing.limits import NO_AGE_LIMIT
from subscriber_tv.core.billing.price import Refused
from subscriber_tv.core.billing.quote import Compared, compare
from subscriber_tv.core.billing.upcoming import upcoming
from subscriber_tv.core.contracts.states import billable
from subscriber_tv.core.contracts.timeline import Contract, in_force
from subscriber_tv.flows.billing import facts
from subscriber_tv.flows.billing.upcoming import offered_facts
from subscriber_tv.flows.contracts import timeline
from subscriber_tv.flows.quotes.offered import QuotedContract, contracts_of, subscriptions_of


@dataclass(frozen=True)
class KeptTerms:
	"""What a quote promised beside its amounts, and what the contract was opened with.

	The ends are the first days after the first term, counted from the activation; None where nothing binds.
	"""

	promotion: str
	quoted_end: date | None
	agreed_end: date | None
	kept: bool


def compare_quotes(quotations: Iterable[str]) -> Iterator[tuple[str, str, KeptTerms, Compared]]:
	"""Quotation, subscription, its terms and compared row, for every activated subscription of these quotations."""
	for quotation in quotations:
		doc = frappe.get_doc("Quotation", quotation)
		opened = [row for row in subscriptions_of(quotation) if row.activated_on]
		for subscription in opened:
			contract = timeline.load(subscription.name)
			quoted = _quoted(contracts_of(doc, contract.activated_on), contract, subscription.site)
			if quoted is None:
				continue
			terms = _terms(doc, quoted, contract)
			for row in _rows(quoted, contract):
				yield quotation, subscription.name, terms, row


def _terms(doc, quoted: QuotedContract, contract: Contract) -> KeptTerms:
	promised, agreed = quoted.offered.agreed.commitment, contract.agreed.commitment
	same_discounts = quoted.offered.discounts == contract.changes[0].discounts
	return KeptTerms(
		promotion=doc.get("tv_promotion_code") or "",
		quoted_end=promised.term.first_end(contract.activated_on) if promised else None,
		agreed_end=agreed.term.first_end(contract.activated_on) if agreed else None,
		kept=promised == agreed and same_discounts,
	)


def _rows(quoted: QuotedContract, contract: Contract) -> list[Compared]:
	subscription = contract.subscription
	invoiced = facts.invoiced_rows([subscription]).get(subscription, [])
	if isinstance(invoiced, Refused):
		raise invoiced
	until = max((row.span.start for row in invoiced), default=contract.activated_on)
	played = upcoming(
		[offered_facts(quoted.offered, subscription)],
		today=contract.activated_on,
		until=until,
		max_months=NO_AGE_LIMIT,
	)
	bills = [bill for one in played for bill in one.bills]
	return compare(bills, invoiced, _changed_on(contract))


def _quoted(quoted: list[QuotedContract], contract: Contract, site: str) -> QuotedContract | None:
	"""The part of the quote that became this contract: that of its site, or, when it has moved, the one with its lines."""
	opened = [(line.line_id, line.offer_version) for line in contract.changes[0].lines]
	same_site = (one for one in quoted if one.site == site)
	same_lines = (
		one for one in quoted if [(line.line_id, line.offer_version) for line in one.offered.lines] == opened
	)
	return next(same_site, None) or next(same_lines, None)


def _changed_on(contract: Contract) -> date | None:
	"""The first day on which the contract is no longer the one quoted: changed, paused, or over."""
	days = [change.effective for change in in_force(contract.changes)]
	days += [getdate(span.start) for span in contract.spans if billable(span.state) and not span.billed]
	return min([*days, *([contract.end_date] if contract.end_date else [])], default=None)
