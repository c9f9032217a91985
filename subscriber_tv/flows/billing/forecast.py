"""What a bill run would bill, payer by payer, with what to compare it with. Writes nothing.

The bills are those of the run itself: same facts, same decision (`look_at`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

import frappe
from frappe.query_builder.functions import Max, Sum

from subscriber_tv.core.billing.bill import Bill, Charge, PayerBill
from subscriber_tv.core.billing.outliers import (
	IRREGULAR,
	Comparison,
	Forecast,
	Outlier,
	compare,
	outliers,
	regular_part,
)
from subscriber_tv.core.billing.price import Refused
from subscriber_tv.core.money import ZERO, money
from subscriber_tv.flows.billing import facts
from subscriber_tv.flows.billing.ahead import HANDFUL
from subscriber_tv.flows.billing.bill_payer import look_at
from subscriber_tv.flows.billing.first_bills import first_bills
from subscriber_tv.flows.billing.shared_contracts import payers_of_shared
from subscriber_tv.flows.billing.tax import tax_of
from subscriber_tv.flows.billing.watch import quiet_payers
from subscriber_tv.ledger.posting.memory import remembering
from subscriber_tv.ledger.tax_outlook import TaxOutlook

DEFAULT_JUMP = Decimal(50)  # percent
PAID_UP = ("Completed", "Completed with Errors")

Show = Callable[[int, int], None]


@dataclass
class Preview:
	"""The forecasts of a run in the order of its payers; totals are decimals by currency, `tax` as ERPNext will add it.

	`refused` are the contracts that would wait, `late` the usage too old to be charged, each with its payer; `first_bills` the net by
	subscription, payer and currency of those taken over.
	"""

	forecasts: list[Forecast] = field(default_factory=list)
	refused: list[tuple[str, Refused]] = field(default_factory=list)
	late: list[tuple[str, Charge]] = field(default_factory=list)
	first_bills: list[tuple[str, str, str, Decimal]] = field(default_factory=list)
	net: dict[str, Decimal] = field(default_factory=dict)
	tax: dict[str, Decimal] = field(default_factory=dict)
	outliers: tuple[Outlier, ...] = ()
	last_run: str | None = None
	comparison: tuple[Comparison, ...] = ()
	payers: int = 0


def forecast(
	*,
	company: str,
	posting_date: date,
	bill_until: date,
	payer: str | None = None,
	look_at_all: bool = False,
	show: Show | None = None,
) -> Preview:
	"""Preview a run over all payers of `company`, or over one; `show` hears how many of how many are done.

	As in a run, payers of whom the last look found nothing due are passed over, unless `look_at_all`.
	"""
	found = Preview()
	everybody = facts.payers(company, payer)
	quiet = () if payer or look_at_all else quiet_payers(company, bill_until)
	customers = [customer for customer in everybody if customer not in quiet]
	last_bills = _last_bills(company)
	outlook = TaxOutlook(company, posting_date)
	addressed = _with_address()
	for number, (customer, read) in enumerate(_loaded(customers, company), start=1):
		# As the run does: what the masters say is read once, not for each payer.
		with remembering():
			loaded, bill = look_at(customer, company, bill_until, read)
			opening = first_bills(bill, loaded)
			found.refused += [(customer, refusal) for refusal in bill.refused]
			found.late += [(customer, charge) for charge in bill.late]
			for made in _of_payer(customer, bill, opening, found):
				found.forecasts.append(
					replace(
						made,
						last=last_bills.get((customer, made.currency)),
						untaxed=outlook.untaxed(_items(bill, made.currency), customer),
						address=customer in addressed,
					)
				)
			_add_tax(found, bill, customer, company, posting_date)
		if show:
			show(number, len(customers))
	found.payers = len(everybody)
	found.outliers = outliers(found.forecasts, jump_percent=jump_percent())
	found.last_run, last = last_run(company, payer)
	found.comparison = compare(found.net, last)
	return found


def _loaded(customers: list[str], company: str) -> Iterator[tuple[str, facts.Loaded | Refused | None]]:
	"""Each payer with his facts, which are read for many at a time: nothing is written, so nobody is locked.

	As in a run, None stands for one whose contracts others pay or paid for: he is read alone.
	"""
	shared = payers_of_shared(company)
	for start in range(0, len(customers), HANDFUL):
		handful = customers[start : start + HANDFUL]
		with remembering():
			read = facts.load_all([customer for customer in handful if customer not in shared], company)
		yield from ((customer, read.get(customer)) for customer in handful)


def jump_percent() -> Decimal:
	"""By how many percent a bill may differ from the last one, as TV Settings say; 0: by any."""
	percent = frappe.get_cached_doc("TV Settings").get("outlier_jump_percent")
	return DEFAULT_JUMP if percent is None else money(percent)


def last_run(company: str, payer: str | None) -> tuple[str | None, dict[str, Decimal]]:
	"""The last run of the company over the same payers that billed anything, with its net by currency."""
	names = frappe.get_all(
		"TV Bill Run",
		runs_over(company, payer),
		pluck="name",
		order_by="posting_date desc, creation desc",
		limit=1,
	)
	if not names:
		return None, {}
	totals = frappe.get_all(
		"Sales Invoice",
		{"tv_bill_run": names[0], "docstatus": 1},
		["currency", "sum(net_total) as net"],
		group_by="currency",
	)
	return names[0], {row.currency: money(row.net) for row in totals}


def runs_over(company: str, payer: str | None) -> dict:
	"""Filters for the finished runs over these payers that billed anything."""
	return {
		"company": company,
		"payer": payer or ("is", "not set"),
		"docstatus": 1,
		"status": ("in", PAID_UP),
		"invoices": (">", 0),
	}


def _of_payer(payer: str, bill: PayerBill, opening: dict[str, Decimal], found: Preview) -> Iterator[Forecast]:
	"""One forecast a currency: a payer may get several invoices in one."""
	for currency in sorted({part.currency for part in bill.bills}):
		parts = [part for part in bill.bills if part.currency == currency]
		net = sum((part.net for part in parts), ZERO)
		found.net[currency] = found.net.get(currency, ZERO) + net
		mine = {charge.subscription for part in parts for charge in part.charges} & set(opening)
		found.first_bills += [(name, payer, currency, opening[name]) for name in sorted(mine)]
		yield Forecast(
			payer=payer,
			currency=currency,
			net=net,
			regular=sum((regular_part(part) for part in parts), ZERO),
			rows=sum(len(part.charges) + len(part.credits) for part in parts),
			first_bills=tuple(sorted(mine)),
		)


def _items(bill: PayerBill, currency: str) -> set[str]:
	return {charge.price.item for part in bill.bills if part.currency == currency for charge in part.charges}


def _add_tax(found: Preview, bill: PayerBill, payer: str, company: str, posting_date: date) -> None:
	for part in bill.bills:
		found.tax[part.currency] = found.tax.get(part.currency, ZERO) + _tax(
			part, payer, company, posting_date
		)


def _tax(part: Bill, payer: str, company: str, posting_date: date) -> Decimal:
	try:
		return tax_of(part, payer=payer, company=company, posting_date=posting_date).total
	except frappe.ValidationError:
		# Without a tax master nothing is taxed: the outlier says so, payer by payer.
		frappe.clear_messages()
		return ZERO


def _with_address() -> set[str]:
	linked = {"link_doctype": "Customer", "parenttype": "Address"}
	return set(frappe.get_all("Dynamic Link", linked, pluck="link_name", distinct=True, limit=0))


def _last_bills(company: str) -> dict[tuple[str, str], Decimal]:
	"""The regular part of the last bill by payer and currency: of the invoices that stand of his last day billed."""
	invoice, item = frappe.qb.DocType("Sales Invoice"), frappe.qb.DocType("Sales Invoice Item")
	ours = (
		(invoice.company == company)
		& (invoice.docstatus == 1)
		& (invoice.is_return == 0)
		& invoice.tv_bill_run.notnull()
		& item.tv_line.notnull()
		& item.tv_kind.notin(IRREGULAR)
	)
	days = (
		frappe.qb.from_(invoice)
		.join(item)
		.on(item.parent == invoice.name)
		.select(invoice.customer, invoice.currency, Max(invoice.posting_date).as_("day"))
		.where(ours)
		.groupby(invoice.customer, invoice.currency)
	)
	last = days.as_("last_day")
	rows = (
		frappe.qb.from_(invoice)
		.join(item)
		.on(item.parent == invoice.name)
		.join(last)
		.on(
			(last.customer == invoice.customer)
			& (last.currency == invoice.currency)
			& (last.day == invoice.posting_date)
		)
		.select(invoice.customer, invoice.currency, Sum(item.net_amount))
		.where(ours)
		.groupby(invoice.customer, invoice.currency)
		.run()
	)
	return {(customer, currency): money(amount) for customer, currency, amount in rows}
