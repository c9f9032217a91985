"""A Quotation in words: what is paid today and then, what the promotion takes off, how long the contract binds."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import reduce
from itertools import groupby

import frappe
from frappe import _
from frappe.utils import cint, fmt_money, formatdate, getdate

from subscriber_tv.core.money import money
from subscriber_tv.flows.quotes.offered import QuotedContract

#: Further changes of the amount stand in the table of bills.
MOST_AMOUNTS = 4


def summary(doc, contracts: Sequence[QuotedContract], undiscounted_net: Decimal) -> str:
	"""The sentences, one a line, in the user's language; `undiscounted_net` is that of the months shown without the code."""
	sentences = [_paid(doc), _promotion(doc, undiscounted_net), *_bound(contracts)]
	return "\n".join(dict.fromkeys(sentence for sentence in sentences if sentence))


def _paid(doc) -> str:
	parts = [_part(doc, days, total) for days, total in _runs(doc)]
	if not parts:
		return _("Nothing would be billed in these months.")
	shown = parts[:MOST_AMOUNTS] + (["…"] if len(parts) > MOST_AMOUNTS else [])
	return _("To pay, VAT included: {0}.").format(reduce(_then, shown))


def _then(before: str, after: str) -> str:
	return _("{0}, then {1}").format(before, after)


def _runs(doc) -> Iterable[tuple[list, float]]:
	"""Days of successive bills with the same total, and that total; today's bill stands by itself."""
	rows = doc.tv_bills
	today = [row for row in rows[:1] if getdate(row.day) == getdate(doc.tv_start_on)]
	for row in today:
		yield [row.day], row.total
	for total, alike in groupby(rows[len(today) :], key=lambda row: row.total):
		yield [row.day for row in alike], total


def _part(doc, days: list, total: float) -> str:
	amount = fmt_money(total, currency=doc.currency)
	if getdate(days[0]) == getdate(doc.tv_start_on):
		return _("{0} on the first day").format(amount)
	if len(days) == 1:
		return _("{0} on {1}").format(amount, formatdate(days[0]))
	return _("{0} times {1} from {2} on").format(len(days), amount, formatdate(days[0]))


def _promotion(doc, undiscounted_net: Decimal) -> str:
	if not doc.tv_promotion_code:
		return ""
	saved = undiscounted_net - money(doc.tv_term_net)
	return _("Promotion code {0} takes {1} off in these months, net.").format(
		doc.tv_promotion_code, fmt_money(float(saved), currency=doc.currency)
	)


def _bound(contracts: Sequence[QuotedContract]) -> list[str]:
	"""All contracts of a quotation are bound alike."""
	offered = contracts[0].offered
	commitment = offered.agreed.commitment
	if commitment is None:
		return []
	term, rule = commitment.term, commitment.exit_rule
	sentences = [
		_("Bound for {0} months: until {1} when served from {2}.").format(
			term.months, formatdate(term.first_end(offered.start_on)), formatdate(offered.start_on)
		)
	]
	if term.renewal:
		sentences.append(
			_("Then renewed by {0} months unless cancelled with {1} months of notice.").format(
				term.renewal, cint(term.notice)
			)
		)
	sentences.append(
		_("Leaving earlier costs a fee: {0}.").format(rule.description or frappe.bold(rule.name))
		if rule
		else _("Leaving earlier costs nothing.")
	)
	return sentences
