"""Says what became of each standard Subscription: lines for the terminal, a CSV file for the accountant."""

import csv
import io
from collections.abc import Iterator, Sequence

from frappe import _
from frappe.utils import formatdate

from subscriber_tv.flows.imports.import_subscriptions import REFUSED, TAKEN, Row
from subscriber_tv.flows.imports.report_problems import harmless


def summary(rows: Sequence[Row], *, dry_run: bool) -> Iterator[str]:
	"""A line for each Subscription with its notes, then the totals."""
	for row in rows:
		yield f"{row.standard} ({row.party}): {_line(row)}"
		yield from (f"  {note}" for note in row.notes)
	taken = [row for row in rows if row.outcome == TAKEN]
	refused = sum(row.outcome == REFUSED for row in rows)
	yield _("{0} taken over, {1} refused.").format(len(taken), refused)
	if dry_run:
		yield _("Dry run: nothing was written.")


def takeover_csv(rows: Sequence[Row]) -> bytes:
	"""The outcome of each as CSV, UTF-8 with byte order mark so that spreadsheets read the accents."""
	buffer = io.StringIO(newline="")
	writer = csv.writer(buffer)
	writer.writerow(
		[
			_("Subscription"),
			_("Customer"),
			_("Outcome"),
			_("TV Subscription"),
			_("Billed Through"),
			_("First Bill From"),
			_("First Bill Net"),
			_("Remarks"),
		]
	)
	for row in rows:
		bill = row.first_bill
		values = (
			row.standard,
			row.party,
			_outcome(row),
			row.subscription,
			row.billed_through,
			bill.begins,
			bill.net if bill.rows else None,
			" ".join(row.notes),
		)
		writer.writerow([harmless(value) for value in values])
	return buffer.getvalue().encode("utf-8-sig")


def _outcome(row: Row) -> str:
	return {TAKEN: _("Taken over"), REFUSED: _("Refused")}.get(row.outcome, _("There already"))


def _line(row: Row) -> str:
	if row.outcome != TAKEN:
		return _outcome(row)
	if not row.first_bill.rows:
		return _("{0}, billed through {1}: nothing is due yet.").format(
			row.subscription, formatdate(row.billed_through)
		)
	return _("{0}: the first bill begins on {1} and comes to {2} net.").format(
		row.subscription, formatdate(row.first_bill.begins), row.first_bill.net
	)
