"""TV Billed Period: claims on billed periods, kept in step with the invoices they stand for."""

import frappe
from frappe import _

from subscriber_tv.core.billing.claims import Claim
from subscriber_tv.flows.billing.lock import AlreadyClaimed

ROW_FIELDS = (
	"name",
	"parent",
	"tv_subscription",
	"tv_line",
	"tv_kind",
	"tv_from",
	"tv_to",
	"tv_revision",
)
CHUNK = 5000


def claim_rows(doc) -> None:
	"""Insert a claim for each of our rows of a Sales Invoice, in the transaction that submits it.

	AlreadyClaimed when another standing invoice bills the same days: an invoice amended after its periods were
	billed again, or a bill run that lost a race.
	"""
	for row in doc.items:
		if row.get("tv_line"):
			_insert(_claim_of(row), row.tv_subscription, doc.name, row.name)


def free_claims(invoice: str) -> int:
	"""Delete the claims of a cancelled or deleted Sales Invoice; returns how many periods are free again."""
	held = frappe.db.count("TV Billed Period", {"invoice": invoice})
	if held:
		frappe.db.delete("TV Billed Period", {"invoice": invoice})
	return held


def rebuild_claims() -> int:
	"""Make the claims anew from the rows of all submitted invoices; returns their number.

	For a site whose claims were lost or damaged. No bill run may work meanwhile. The caller commits.
	"""
	frappe.db.delete("TV Billed Period")
	item, invoice = frappe.qb.DocType("Sales Invoice Item"), frappe.qb.DocType("Sales Invoice")
	query = (
		frappe.qb.from_(item)
		.join(invoice)
		.on(item.parent == invoice.name)
		.select(*(item[field] for field in ROW_FIELDS))
		.where((invoice.docstatus == 1) & item.tv_line.notnull() & (item.tv_line != ""))
		.orderby(item.name)
	)
	made, after = 0, ""
	while rows := query.where(item.name > after).limit(CHUNK).run(as_dict=True):
		for row in rows:
			_insert(_claim_of(row), row.tv_subscription, row.parent, row.name)
		made, after = made + len(rows), rows[-1].name
	return made


def _claim_of(row) -> Claim:
	return Claim(
		row.tv_line,
		frappe.utils.getdate(row.tv_from),
		frappe.utils.getdate(row.tv_to),
		row.tv_kind,
		row.tv_revision or 0,
	)


def _insert(claim: Claim, subscription: str, invoice: str, row: str) -> None:
	doc = frappe.get_doc(
		{
			"doctype": "TV Billed Period",
			"name": claim.name,
			"subscription": subscription,
			"line": claim.line,
			"kind": claim.kind,
			"from_date": claim.start,
			"to_date": claim.end,
			"revision": claim.revision,
			"invoice": invoice,
			"invoice_row": row,
		}
	)
	try:
		# No checks and no hooks: the database's primary key is the whole point of a claim.
		doc.db_insert()
	except frappe.DuplicateEntryError:
		frappe.clear_last_message()
		_take_over(claim, invoice, doc)


def _take_over(claim: Claim, invoice: str, doc) -> None:
	"""Replace a claim whose invoice no longer stands (cancelled while billing was switched off), else refuse."""
	period, holder = frappe.qb.DocType("TV Billed Period"), frappe.qb.DocType("Sales Invoice")
	# Locking reads: the other's commit may be younger than this transaction's snapshot.
	held = (
		frappe.qb.from_(period)
		.left_join(holder)
		.on(period.invoice == holder.name)
		.select(period.invoice, holder.docstatus)
		.where(period.name == claim.name)
		.for_update()
		.run(as_dict=True)
	)
	if held and held[0].docstatus == 1:
		frappe.throw(
			_("{0} from {1} to {2} is billed already, on invoice {3}. Cancel that invoice first.").format(
				claim.line, claim.start, claim.end, frappe.bold(held[0].invoice)
			),
			AlreadyClaimed,
			title=_("Billed Already"),
		)
	frappe.db.delete("TV Billed Period", {"name": claim.name})
	doc.db_insert()
