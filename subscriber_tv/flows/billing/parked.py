"""The payers that bill runs parked and that nobody has billed since, across all runs."""

import frappe
from frappe.query_builder.functions import Max

from subscriber_tv.flows.billing.chunks import INVOICED, LINE, NOTHING_DUE, PARKED


def parked_payers(company: str | None = None) -> list[dict]:
	"""Rows line, bill_run, company, posting_date, payer, reason, invoice, net_amount; oldest first.

	A payer parked by several runs stands there once, with the latest; one that a later run has settled not at all.
	"""
	line, run = frappe.qb.DocType(LINE), frappe.qb.DocType("TV Bill Run")
	latest = _latest_lines(line, run)
	query = (
		frappe.qb.from_(line)
		.join(run)
		.on(line.parent == run.name)
		.join(latest)
		.on(
			(latest.payer == line.payer) & (latest.company == run.company) & (latest.creation == run.creation)
		)
		.select(
			line.name.as_("line"),
			line.parent.as_("bill_run"),
			run.company,
			run.posting_date,
			line.payer,
			line.reason,
			line.invoice,
			line.net_amount,
		)
		.where((run.docstatus == 1) & (line.outcome == PARKED))
		.orderby(run.posting_date, line.parent, line.idx)
	)
	if company:
		query = query.where(run.company == company)
	return query.run(as_dict=True)


def _latest_lines(line, run):
	"""The last run that had something to say about each payer."""
	return (
		frappe.qb.from_(line)
		.join(run)
		.on(line.parent == run.name)
		.select(line.payer, run.company, Max(run.creation).as_("creation"))
		.where((run.docstatus == 1) & line.outcome.isin([PARKED, INVOICED, NOTHING_DUE]))
		.groupby(line.payer, run.company)
	).as_("latest")
