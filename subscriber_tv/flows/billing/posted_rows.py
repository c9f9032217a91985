"""The one query over posted invoice rows that bills are compared with: rows of invoices, or of their credit notes."""

from collections.abc import Sequence

import frappe
from frappe.query_builder import Field

#: What is read of either kind of row.
COLUMNS = ("item_code", "net_amount", "tv_kind", "tv_from", "tv_to", "tv_revision")


def posted_rows(*, returns: bool, columns: Sequence[str] = (), of_invoice: Sequence[str] = ()):
	"""Submitted rows in the order of their documents, with `columns` of the row and `of_invoice` of its document.

	Returns the query and its two tables, rows and documents; the caller says which rows it wants.
	"""
	item, invoice = frappe.qb.DocType("Sales Invoice Item"), frappe.qb.DocType("Sales Invoice")
	wanted: list[Field] = [item[name] for name in (*COLUMNS, *columns)] + [
		invoice[name] for name in of_invoice
	]
	query = (
		frappe.qb.from_(item)
		.join(invoice)
		.on(item.parent == invoice.name)
		.select(*wanted)
		.where((invoice.docstatus == 1) & (invoice.is_return == int(returns)))
		.orderby(item.parent, item.idx)
	)
	return query, item, invoice
