"""What the trap tests share: nights of a billing department, one bill run after the other.

Each trap is one that ERPNext's own Subscription falls into (docs/traps.md); the tests live through the same days with
the bill runs of this app on the same site.
"""

from collections.abc import Collection
from datetime import date, timedelta

import frappe
from frappe.utils import getdate

from subscriber_tv.flows.billing import start_run
from subscriber_tv.flows.billing.bill_payer import decide_for
from subscriber_tv.flows.billing.run import run
from subscriber_tv.tests import factories
from subscriber_tv.tests.billing_case import COMPANY, BillingTestCase


def days(first: str, last: str) -> list[date]:
	"""The days from `first` to `last`, both included."""
	start = getdate(first)
	return [start + timedelta(n) for n in range((getdate(last) - start).days + 1)]


def flat_version(
	offer: str, price: float, months: int = 1, item: str = "TV-SUBSCRIPTION", **overrides
) -> str:
	"""A fresh version of an offer with one recurring charge, `price` a TV for `months` months."""
	charge = factories.charge(item=item, unit_price=price, interval_months=months)
	return factories.make_offer_version(offer, charges=[charge], **overrides)


class TrapCase(BillingTestCase):
	def night(self, payer: str, day: date | str) -> "frappe._dict":
		"""A real TV Bill Run of that day for one payer, worked off here; what became of him."""
		name = start_run.new_run(company=COMPANY, posting_date=str(day), bill_until=str(day), payer=payer)
		run(bill_run=name)
		return frappe.get_doc("TV Bill Run", name).payers[0]

	def nights(self, payer: str, first: str, last: str, missed: Collection[str] = ()) -> None:
		"""Every night from `first` to `last` but those that were `missed`.

		The bill of each is decided on what stands by then. A real run works it off where there is one, on the night after
		it, and on the first and last night; on the others there is nothing a run could post.
		"""
		after_one = True
		for day in days(first, last):
			if day.isoformat() in missed:
				continue
			bill = decide_for(payer, COMPANY, day)
			due = bool(bill.bills or bill.refused)
			if due or after_one or day.isoformat() == last:
				outcome = self.night(payer, day)
				self.assertEqual(outcome.outcome, "Invoiced" if due else "Nothing Due", outcome.reason)
			after_one = due

	def payer_of(self, subscription: str) -> str:
		return frappe.db.get_value("TV Subscription", subscription, "payer")

	def billed(self, payer: str) -> list[tuple[str, str, str, str]]:
		"""What stands on the payer's invoices and credit notes: posting date, from, to and amount of each row."""
		rows = frappe.get_all(
			"Sales Invoice Item",
			{"parenttype": "Sales Invoice", "docstatus": 1, "tv_line": ("is", "set")},
			["parent", "tv_from", "tv_to", "amount"],
			order_by="tv_from, tv_to",
			limit=0,
		)
		posted = dict(
			frappe.get_all(
				"Sales Invoice", {"customer": payer, "docstatus": 1}, ["name", "posting_date"], as_list=True
			)
		)
		return [
			(str(posted[row.parent]), str(row.tv_from), str(row.tv_to), f"{row.amount:.2f}")
			for row in rows
			if row.parent in posted
		]
