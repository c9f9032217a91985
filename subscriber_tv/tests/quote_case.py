"""What the tests of quotations share: a customer with a site, a quote for it, and the contract it becomes."""

import frappe

from subscriber_tv.api import quotes
from subscriber_tv.flows.contracts.change_state import change_state
from subscriber_tv.subscriber_tv.report.tv_quote_and_bill.tv_quote_and_bill import execute
from subscriber_tv.tests import factories
from subscriber_tv.tests.billing_case import COMPANY, TODAY, BillingTestCase

PAPERWORK = ("request_documents", "complete_documents", "finish_installation")


class QuoteCase(BillingTestCase):
	def setUp(self):
		self.customer = factories.make_customer()
		self.site = factories.make_site(self.customer)

	def quote(self, **values):
		lines = values.pop("lines", [{"site": self.site, "offer_version": self.version, "quantity": 4}])
		return frappe.get_doc(
			{
				"doctype": "Quotation",
				"quotation_to": "Customer",
				"party_name": self.customer,
				"company": COMPANY,
				"currency": "EUR",
				"transaction_date": TODAY,
				"tv_start_on": "2026-11-16",
				"tv_anchor_day": 1,
				"tv_months": 2,
				"tv_lines": lines,
				**values,
			}
		).insert()

	def opened(self, quote) -> str:
		if quote.docstatus == 0:
			quote.submit()
		[name] = quotes.open_subscriptions(quote.name)
		for event in PAPERWORK:
			change_state(subscription=name, event=event, effective_date="2026-11-16")
		return name

	def activate(self, name: str, day: str) -> None:
		change_state(subscription=name, event="activate", effective_date=day)
		frappe.db.commit()

	def compared(self, quote) -> list[tuple]:
		_columns, rows, *_rest = execute({"quotation": quote.name})
		return [(row["line"], str(row["from"]), row["quoted"], row["billed"]) for row in rows]
