"""Which invoice billed a record: a mark for people. What is billed is decided from sums and invoice rows alone."""

from datetime import date

import frappe

from subscriber_tv.core.usage.inbox import ACCEPTED, BILLED, HELD
from subscriber_tv.flows.usage.rows import DOCTYPE

#: Kinds of invoice rows that settle usage: the charge, and the correction after usage was lowered.
SETTLING = ("usage", "correction")
#: States of a record that counts and stands on no invoice yet.
OPEN = (ACCEPTED, HELD)
FREED = {"invoice": None, "invoice_row": None}
CHUNK = 1000


def mark_billed(doc) -> int:
	"""Mark the records that the rows of a submitted Sales Invoice settle; their number.

	Of a row's period exactly those that the bill was decided from: the ones this transaction's snapshot shows, unless
	a newer version has taken their place since.
	"""
	marked = 0
	for row in doc.items:
		if row.get("tv_line") and row.tv_kind in SETTLING:
			subscription, line_id, charge = row.tv_line.split("/", 2)
			seen = unbilled(subscription, line_id, charge, row.tv_from, row.tv_to)
			for start in range(0, len(seen), CHUNK):
				marked += _mark(dict(seen[start : start + CHUNK]), doc.name, row.name)
	return marked


def free_marks(invoice: str) -> None:
	"""The records of a cancelled or deleted invoice are to be billed again."""
	table = frappe.qb.DocType(DOCTYPE)
	settled = frappe.qb.update(table).where(table.invoice == invoice)
	settled.set(table.state, ACCEPTED).where(table.state == BILLED).run()
	settled.set(table.invoice, None).set(table.invoice_row, None).run()


def unbilled(
	subscription: str, line_id: str, charge: str, start: date | str, end: date | str
) -> list[tuple[str, str]]:
	"""(name, batch) of the records this transaction sees without an invoice, not those committed since."""
	table = frappe.qb.DocType(DOCTYPE)
	query = (
		frappe.qb.from_(table)
		.select(table.name, table.batch)
		.where((table.subscription == subscription) & (table.line_id == line_id))
		.where((table.charge_code == charge) & table.state.isin(OPEN))
		.where((table.day >= start) & (table.day < end))
		.orderby(table.name)
	)
	return list(query.run())


def _mark(seen: dict[str, str], invoice: str, invoice_row: str) -> int:
	names = still_unbilled(seen)
	if names:
		table = frappe.qb.DocType(DOCTYPE)
		update = frappe.qb.update(table).set(table.state, BILLED)
		update = update.set(table.invoice, invoice).set(table.invoice_row, invoice_row)
		# Of one that was held and is billed since the limit was raised.
		for field in ("problem", "problem_values", "reason"):
			update = update.set(table[field], None)
		update.where(table.name.isin(names)).run()
	return len(names)


def still_unbilled(seen: dict[str, str]) -> list[str]:
	"""Those of the records seen, by name and batch, that are as they were seen; locked until the transaction ends."""
	table = frappe.qb.DocType(DOCTYPE)
	now = (
		frappe.qb.from_(table)
		.select(table.name, table.batch, table.state)
		.where(table.name.isin(list(seen)))
		.orderby(table.name)
		.for_update()
		.run()
	)
	return [name for name, batch, state in now if state in OPEN and seen[name] == batch]
