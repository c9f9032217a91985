"""The preview of a bill run as lines of text, for a terminal. Writes nothing."""

from collections.abc import Iterator
from datetime import date

import frappe
from frappe import _
from frappe.utils import add_days, fmt_money, getdate, nowdate

from subscriber_tv.core.money import ZERO
from subscriber_tv.flows.billing.forecast import forecast
from subscriber_tv.flows.billing.words import why_outlier, why_refused
from subscriber_tv.flows.settings import require_phase


def tell_preview(
	*,
	company: str | None = None,
	posting_date: date | str | None = None,
	bill_until: date | str | None = None,
	payer: str | None = None,
) -> Iterator[str]:
	"""Totals by currency against the last run, the outliers, and the contracts that would wait.

	Arguments left out come from today and TV Settings, as for a run. Errors: PhaseOff.
	"""
	require_phase("billing")
	settings = frappe.get_cached_doc("TV Settings")
	day = getdate(posting_date or nowdate())
	found = forecast(
		company=company or settings.company,
		posting_date=day,
		bill_until=getdate(bill_until) if bill_until else add_days(day, settings.bill_days_ahead or 0),
		payer=payer,
	)
	yield _("{0} bills for {1} payers").format(len(found.forecasts), found.payers)
	for row in found.comparison:
		yield _("{0} net, {1} tax; last run {2} {3}, change {4} %").format(
			fmt_money(row.now, currency=row.currency),
			fmt_money(found.tax.get(row.currency, ZERO), currency=row.currency),
			found.last_run or "–",
			fmt_money(row.last, currency=row.currency),
			"–" if row.percent is None else row.percent,
		)
	yield _("{0} outliers").format(len(found.outliers))
	for outlier in found.outliers:
		text = why_outlier(outlier.code, outlier.currency, dict(outlier.values))
		yield f"  {outlier.payer}: {text}"
	yield _("{0} contracts would wait").format(len(found.refused))
	for customer, refusal in found.refused:
		yield f"  {customer}: {why_refused(refusal)}"
