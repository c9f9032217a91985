"""What the records look like that a payer's bill is made from: number, latest change and checksum of each kind, and the
limits of TV Settings that hold rows back.

Two looks that are equal saw the same records, however clocks are set and whoever committed first. Only equality counts.
"""

from collections import defaultdict
from collections.abc import Sequence

import frappe

from subscriber_tv.flows.settings import billing_limits

_SERVED = "s.company = %(company)s and s.activated_on is not null"
_MARK = "count(*), coalesce(max({0}.modified), ''), sum(crc32(concat({0}.name, {0}.modified)))"


def _of_subscriptions(kind: str, alias: str, table: str = "") -> str:
	"""One part of the query: records below the subscriptions of each payer, or the subscriptions themselves."""
	join = f" join `tab{table}` {alias} on {alias}.subscription = s.name" if table else ""
	return (
		f"select '{kind}', s.payer, {_MARK.format(alias)} from `tabTV Subscription` s{join}"
		f" where {_SERVED} and s.payer in %(payers)s group by s.payer"
	)


_BILLED_FROM = (
	_of_subscriptions("contracts", "s"),
	_of_subscriptions("changes", "c", "TV Subscription Change"),
	_of_subscriptions("usage", "u", "TV Usage Record"),
	_of_subscriptions("tvs", "d", "TV Device"),
	f"select 'offers', '', {_MARK.format('o')} from `tabTV Offer Version` o",
)

_INVOICED = (
	# How rows are put together on invoices is said at the customer.
	f"select 'customer', k.name, {_MARK.format('k')} from `tabCustomer` k where k.name in %(payers)s group by k.name",
	f"select 'invoices', i.customer, {_MARK.format('i')} from `tabSales Invoice` i"
	" where i.company = %(company)s and i.customer in %(payers)s and i.docstatus = 1 group by i.customer",
)

OF_SOME = " union all ".join(_BILLED_FROM)
OF_ALL = OF_SOME.replace(" and s.payer in %(payers)s", "")
WITH_INVOICES = " union all ".join((*_BILLED_FROM, *_INVOICED))
"""Constants only: what a user may choose is passed as values."""


def seen(company: str, payers: Sequence[str] | None = None) -> dict[str, str]:
	"""What the payers of `company` are billed from, but for their invoices, in one text a payer; of some or of all."""
	return _texts(OF_ALL if payers is None else OF_SOME, company, payers)


def seen_with_invoices(company: str, payers: Sequence[str]) -> dict[str, str]:
	"""The same with the invoices and credit notes that stand, and the customer himself."""
	return _texts(WITH_INVOICES, company, payers)


def _texts(query: str, company: str, payers: Sequence[str] | None) -> dict[str, str]:
	found: dict[str, list[str]] = defaultdict(list)
	offers = ""
	limits = "|".join(("limits", *map(str, billing_limits())))
	for kind, payer, *mark in frappe.db.sql(query, {"company": company, "payers": tuple(payers or ())}):
		text = "|".join(map(str, (kind, *mark)))
		if kind == "offers":
			offers = text
		else:
			found[payer].append(text)
	return {payer: " ".join((*sorted(parts), offers, limits)) for payer, parts in found.items()}
