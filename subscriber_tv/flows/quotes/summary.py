"""A Quotation in words: what is paid today and then, what the promotion takes off, how long the contract binds."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import reduce
from itertools import groupby

import frappe
from frappe import _
from frappe.utils import cint, getdate

from subscriber_tv.core.money import money
from subscriber_tv.flows.printing.words import Words
from subscriber_tv.flows.quotes.offered import QuotedContract

#: Further changes of the amount stand in the table of bills.
MOST_AMOUNTS = 4


def summary(doc, contracts: Sequence[QuotedContract], undiscounted_net: Decimal) -> str:
	"""The sentences, one a line, as the customer reads; `undiscounted_net` is that of the months shown without the code."""
	words = words_of(doc)
	sentences = [_paid(doc, words), _promotion(doc, undiscounted_net, words), *_bound(contracts, words)]
	return "\n".join(dict.fromkeys(sentence for sentence in sentences if sentence))


def words_of(doc) -> Words:
	"""The language and currency of a Quotation: it is printed for the customer, whoever wrote it."""
	party = doc.quotation_to if doc.quotation_to in ("Customer", "Lead") else None
	own = doc.get("language") or (party and frappe.db.get_value(party, doc.party_name, "language"))
	return Words(own or frappe.get_system_settings("language") or "en", doc.currency)


def _paid(doc, words: Words) -> str:
	parts = [_part(doc, days, total, words) for days, total in _runs(doc)]
	if not parts:
		return _("Nothing would be billed in these months.", words.lang)
	shown = parts[:MOST_AMOUNTS] + (["…"] if len(parts) > MOST_AMOUNTS else [])
	return _("To pay, VAT included: {0}.", words.lang).format(
		reduce(lambda before, after: _("{0}, then {1}", words.lang).format(before, after), shown)
	)


def _runs(doc) -> Iterable[tuple[list, float]]:
	"""Days of successive bills with the same total, and that total; today's bill stands by itself."""
	rows = doc.tv_bills
	today = [row for row in rows[:1] if getdate(row.day) == getdate(doc.tv_start_on)]
	for row in today:
		yield [row.day], row.total
	for total, alike in groupby(rows[len(today) :], key=lambda row: row.total):
		yield [row.day for row in alike], total


def _part(doc, days: list, total: float, words: Words) -> str:
	amount = words.total(total)
	if getdate(days[0]) == getdate(doc.tv_start_on):
		return _("{0} on the first day", words.lang).format(amount)
	if len(days) == 1:
		return _("{0} on {1}", words.lang).format(amount, words.day(days[0]))
	return _("{0} times {1} from {2} on", words.lang).format(len(days), amount, words.day(days[0]))


def _promotion(doc, undiscounted_net: Decimal, words: Words) -> str:
	if not doc.tv_promotion_code:
		return ""
	saved = undiscounted_net - money(doc.tv_term_net)
	return _("Promotion code {0} takes {1} off in these months, net.", words.lang).format(
		doc.tv_promotion_code, words.total(saved)
	)


def _bound(contracts: Sequence[QuotedContract], words: Words) -> list[str]:
	"""All contracts of a quotation are bound alike."""
	offered = contracts[0].offered
	commitment = offered.agreed.commitment
	if commitment is None:
		return []
	term, rule = commitment.term, commitment.exit_rule
	sentences = [
		_("Bound for {0} months: until {1} when served from {2}.", words.lang).format(
			term.months, words.day(term.first_end(offered.start_on)), words.day(offered.start_on)
		)
	]
	if term.renewal:
		sentences.append(
			_("Then renewed by {0} months unless cancelled with {1} months of notice.", words.lang).format(
				term.renewal, cint(term.notice)
			)
		)
	sentences.append(
		_("Leaving earlier costs a fee: {0}.", words.lang).format(rule.description or rule.name)
		if rule
		else _("Leaving earlier costs nothing.", words.lang)
	)
	return sentences
