"""TV Billed Period: claims on billed periods, kept in step with the invoices they stand for."""

import frappe
from frappe import _
from frappe.utils import formatdate

from subscriber_tv.core.billing.claims import Claim, taken
from subscriber_tv.core.billing.price import CORRECTION
from subscriber_tv.flows.billing.lock import AlreadyClaimed
from subscriber_tv.ledger.posting.bulk import insert_rows

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

	AlreadyClaimed when another standing invoice bills one of the same days: an invoice amended after its periods
	were billed again, or a bill run that lost a race.
	"""
	if not doc.flags.decided:
		_refuse_billed_days(doc)
	rows = [row for row in doc.items if row.get("tv_line")]
	try:
		insert_rows(
			[_period(_claim_of(row), row.tv_subscription, doc.name, row.name, doc.company) for row in rows]
		)
	except Exception as error:
		if not frappe.db.is_primary_key_violation(error):
			raise
		# One of them is held; the statement has written none.
		for row in rows:
			_insert(_claim_of(row), row.tv_subscription, doc.name, row.name, doc.company)


def _refuse_billed_days(doc) -> None:
	"""Compare day by day an invoice that no bill run has decided: an amended one.

	Its keys alone would not meet those of a bill made meanwhile of fewer days, because the contract has ended since.
	"""
	rows = [row for row in doc.items if row.get("tv_line") and row.tv_kind != CORRECTION]
	if not rows:
		return
	subscriptions = {row.tv_subscription for row in rows}
	for payer in sorted(
		set(frappe.get_all("TV Subscription", {"name": ("in", subscriptions)}, pluck="payer"))
	):
		# Whoever bills him now is waited for, and waits.
		frappe.db.get_value("Customer", payer, "name", for_update=True)
	holders = _standing({row.tv_line for row in rows})
	for row in rows:
		claim = _claim_of(row)
		if found := taken(claim, holders):
			_refuse(claim, holders[found])


def _standing(lines: set[str]) -> dict[Claim, str]:
	"""The claims on these lines whose invoice stands, with its name; by a locking read, as in `_take_over`."""
	period, holder = frappe.qb.DocType("TV Billed Period"), frappe.qb.DocType("Sales Invoice")
	rows = (
		frappe.qb.from_(period)
		.join(holder)
		.on((period.invoice == holder.name) & (holder.docstatus == 1))
		.select(period.line, period.from_date, period.to_date, period.kind, period.revision, period.invoice)
		.where(period.line.isin(sorted(lines)))
		.for_update()
		.run()
	)
	return {Claim(*row[:-1]): row[-1] for row in rows}


def _refuse(claim: Claim, invoice: str) -> None:
	frappe.throw(
		_("{0} from {1} to {2} is billed already, on invoice {3}. Cancel that invoice first.").format(
			claim.line, formatdate(claim.start), formatdate(claim.end), frappe.bold(invoice)
		),
		AlreadyClaimed,
		title=_("Billed Already"),
	)


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
		.select(*(item[field] for field in ROW_FIELDS), invoice.company)
		.where((invoice.docstatus == 1) & item.tv_line.notnull() & (item.tv_line != ""))
		.orderby(item.name)
	)
	made, after = 0, ""
	while rows := query.where(item.name > after).limit(CHUNK).run(as_dict=True):
		for row in rows:
			_insert(_claim_of(row), row.tv_subscription, row.parent, row.name, row.company)
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


def _period(claim: Claim, subscription: str, invoice: str, row: str, company: str):
	now, user = frappe.utils.now(), frappe.session.user
	return frappe.get_doc(
		{
			"creation": now,
			"modified": now,
			"owner": user,
			"modified_by": user,
			"doctype": "TV Billed Period",
			"name": claim.name,
			"subscription": subscription,
			"company": company,
			"line": claim.line,
			"kind": claim.kind,
			"from_date": claim.start,
			"to_date": claim.end,
			"revision": claim.revision,
			"invoice": invoice,
			"invoice_row": row,
		}
	)


def _insert(claim: Claim, subscription: str, invoice: str, row: str, company: str) -> None:
	doc = _period(claim, subscription, invoice, row, company)
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
		_refuse(claim, held[0].invoice)
	frappe.db.delete("TV Billed Period", {"name": claim.name})
	doc.db_insert()
