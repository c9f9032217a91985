"""Ends the deferral of an invoice row that a correction shortens.

ERPNext books a return straight against income and goes on releasing the original row day by day. With a stop date
on the original row it releases the rest on that day, so that income keeps the served days and the deferred account
of the row ends at zero.
"""

from collections.abc import Sequence
from datetime import date

import frappe

from subscriber_tv.core.billing.periods import Span, subtract
from subscriber_tv.core.billing.price import ONE_DAY


def stop_deferral(row, standing: Sequence[Span], credited: Span) -> None:
	"""Set the stop date of a submitted Sales Invoice row after `credited` left its days.

	`standing` are the days the row covered before the credit. Nothing happens to a row that is not deferred.
	"""
	if not row.enable_deferred_revenue:
		return
	left = subtract(standing, [credited])
	stop = left[-1].end - ONE_DAY if left else row.service_start_date
	released = _released_until(row)
	if released and stop <= released:
		# ERPNext looks for a rest after the last day it has booked; a stop before that day would leave it there.
		stop = released + ONE_DAY
	stop = min(max(stop, row.service_start_date), row.service_end_date)
	if row.service_stop_date != stop:
		# The field is closed to users after submit because they would have to credit the rest by hand.
		frappe.db.set_value("Sales Invoice Item", row.name, "service_stop_date", stop)
		row.service_stop_date = stop


def _released_until(row) -> date | None:
	"""The last day up to which the row's deferred revenue was booked to income, by GL Entry or Journal Entry."""
	entry = frappe.qb.DocType("GL Entry")
	booked = (
		frappe.qb.from_(entry)
		.select(entry.posting_date)
		.where((entry.voucher_type == "Sales Invoice") & (entry.voucher_no == row.parent))
		.where((entry.voucher_detail_no == row.name) & (entry.account == row.deferred_revenue_account))
		.where((entry.debit > 0) & (entry.is_cancelled == 0))
		.orderby(entry.posting_date, order=frappe.qb.desc)
		.limit(1)
		.run()
	)
	journal, account = frappe.qb.DocType("Journal Entry"), frappe.qb.DocType("Journal Entry Account")
	journalled = (
		frappe.qb.from_(account)
		.join(journal)
		.on(account.parent == journal.name)
		.select(journal.posting_date)
		.where((account.reference_detail_no == row.name) & (account.account == row.deferred_revenue_account))
		.where(journal.docstatus < 2)
		.orderby(journal.posting_date, order=frappe.qb.desc)
		.limit(1)
		.run()
	)
	return max((found[0][0] for found in (booked, journalled) if found), default=None)
