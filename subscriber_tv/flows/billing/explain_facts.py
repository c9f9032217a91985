"""Reads what an explanation of an invoice row needs: the row, the rows of its charge, what was given back on it."""

import json
from collections.abc import Sequence

import frappe
from frappe import _

from subscriber_tv.core.billing.explain import Billed, GivenBack, snapshot_of
from subscriber_tv.core.billing.periods import Span, subtract
from subscriber_tv.core.billing.price import CORRECTION, Price
from subscriber_tv.core.money import money
from subscriber_tv.flows.billing.returns import returns_of

ROW_FIELDS = (
	"name",
	"parent",
	"idx",
	"item_code",
	"item_name",
	"description",
	"net_amount",
	"sales_invoice_item",
	"tv_subscription",
	"tv_line",
	"tv_kind",
	"tv_from",
	"tv_to",
	"tv_corrects",
	"tv_facts",
)
INVOICE_FIELDS = (
	"docstatus",
	"is_return",
	"return_against",
	"posting_date",
	"creation",
	"currency",
	"customer",
	"tv_bill_run",
	"tv_dispute",
)


def row_named(name: str) -> frappe._dict:
	"""A row of ours with the fields of its invoice. DoesNotExistError when there is none, or a bill did not make it."""
	row = _one(name)
	if not row:
		# The name may come from the address of the page, that is from a link somebody else wrote.
		frappe.throw(
			_("There is no invoice row {0}.").format(frappe.utils.escape_html(name)), frappe.DoesNotExistError
		)
	if not row.tv_kind:
		frappe.throw(
			_("Row {0} of {1} was not made by a bill: it costs its quantity times its rate.").format(
				row.idx, frappe.bold(row.parent)
			),
			frappe.DoesNotExistError,
			title=_("Nothing to Explain"),
		)
	return row


def rows_of(*, invoice: str | None = None, subscription: str | None = None, limit: int = 500) -> list[dict]:
	"""Our rows of an invoice, or of a subscription with the youngest invoices first."""
	item, parent, query = _query()
	query = query.where(item.tv_kind.notnull() & (item.tv_kind != "") & (parent.docstatus == 1)).limit(limit)
	if invoice:
		return query.where(item.parent == invoice).orderby(item.idx).run(as_dict=True)
	query = query.where(item.tv_subscription == subscription)
	query = query.orderby(parent.creation, order=frappe.qb.desc).orderby(item.idx)
	return query.run(as_dict=True)


def price_on(row: dict) -> Price:
	"""The price kept on the row. ValidationError when it is damaged."""
	try:
		facts = json.loads(row.tv_facts or "")
	except ValueError:
		facts = {}
	price = snapshot_of(facts, row.item_code)
	if not price:
		frappe.throw(
			_(
				"Row {0} of {1} has lost its billing facts and cannot be explained. Cancel that invoice; the next run bills its periods again."
			).format(row.idx, frappe.bold(row.parent)),
			title=_("Facts Lost"),
		)
	return price


def rows_of_charge(row: dict) -> list[Billed]:
	"""The rows of the same charge that stand, in the order of posting, with this one even if its invoice does not."""
	item, parent, query = _query()
	rows = (
		query.where(item.tv_line == row.tv_line)
		.where((parent.docstatus == 1) | (item.name == row.name))
		.orderby(parent.creation)
		.orderby(item.idx)
		.run(as_dict=True)
	)
	return [
		Billed(
			name=one.name,
			kind=one.tv_kind,
			span=Span(one.tv_from, one.tv_to),
			price=price_on(one),
			corrects=one.tv_corrects if one.tv_kind == CORRECTION else "",
		)
		for one in rows
	]


def given_back(row: dict, corrected: dict) -> GivenBack:
	"""What the correction `row` found of the row it corrects: days that stood, and what was left."""
	returned = returns_of([corrected.parent], before=row.creation)
	rows = frappe.get_all(
		"Sales Invoice Item",
		{"parent": corrected.parent, "parenttype": "Sales Invoice"},
		["name", "parent", "item_code", "net_amount"],
		order_by="idx",
		limit=0,
	)
	returned.share_loose([(one.name, one.parent, one.item_code, money(one.net_amount)) for one in rows])
	beside = _ahead_on_the_same_note(row)
	spans = [done.span for done in returned.corrections.get(corrected.name, ())]
	spans += [Span(one.tv_from, one.tv_to) for one in beside]
	left = money(corrected.net_amount) - returned.corrected(corrected.name)
	left -= returned.concessions[corrected.name] - sum(money(one.net_amount) for one in beside)
	standing = subtract([Span(corrected.tv_from, corrected.tv_to)], spans)
	return GivenBack(Span(row.tv_from, row.tv_to), standing, left)


def row_corrected(row: dict) -> frappe._dict:
	"""The row whose days a correction gives back."""
	return row_named(row.tv_corrects)


def _ahead_on_the_same_note(row: dict) -> Sequence[dict]:
	filters = {"parent": row.parent, "tv_corrects": row.tv_corrects, "tv_kind": CORRECTION}
	filters["idx"] = ("<", row.idx)
	return frappe.get_all("Sales Invoice Item", filters, ["net_amount", "tv_from", "tv_to"], limit=0)


def _one(name: str) -> frappe._dict | None:
	item, _parent, query = _query()
	return next(iter(query.where(item.name == name).run(as_dict=True)), None)


def _query():
	item, parent = frappe.qb.DocType("Sales Invoice Item"), frappe.qb.DocType("Sales Invoice")
	query = (
		frappe.qb.from_(item)
		.join(parent)
		.on(item.parent == parent.name)
		.select(*(item[field] for field in ROW_FIELDS), *(parent[field] for field in INVOICE_FIELDS))
	)
	return item, parent, query
