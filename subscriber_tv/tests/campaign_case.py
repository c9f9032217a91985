"""What the tests of price revisions and migrations share: contracts, a campaign over them, and its rows."""

import frappe

from subscriber_tv.flows.campaigns import work
from subscriber_tv.tests import factories
from subscriber_tv.tests.billing_case import COMPANY, BillingTestCase


class CampaignCase(BillingTestCase):
	"""Each test has a territory of its own, so that its campaign concerns its own contracts alone."""

	def setUp(self):
		self.territory = factories.make_territory(f"T {frappe.generate_hash(length=6)}")
		frappe.db.commit()

	def tearDown(self):
		super().tearDown()
		frappe.set_user("Administrator")

	def contract(self, activated_on: str = "2026-01-01", version: str | None = None, **values) -> str:
		"""An active contract in the territory of the test; commits."""
		customer = factories.make_customer(customer_type=values.pop("customer_type", "Company"))
		site = factories.make_site(customer, territory=self.territory, segment=values.pop("segment", "Hotel"))
		return self.subscribe(activated_on, customer=customer, version=version, site=site, **values)

	def revision(self, *, submit: bool = True, **values):
		"""A fixed rise of 10 % on 1 January 2027 without letters, submitted and not yet run."""
		return self._campaign(
			"TV Price Revision",
			submit,
			{
				"revision_rule": "Fixed Percent",
				"percent": 10,
				"rounding_step": 0.01,
				"effective_date": "2027-01-01",
				"letters_first": 0,
				**values,
			},
		)

	def migration(self, *versions: tuple[str, str], submit: bool = True, **values):
		"""From version to version on 1 January 2027, submitted and not yet run."""
		pairs = [{"from_version": before, "to_version": after} for before, after in versions]
		return self._campaign(
			"TV Migration", submit, {"versions": pairs, "effective_date": "2027-01-01", **values}
		)

	def _campaign(self, doctype: str, submit: bool, values: dict):
		doc = frappe.get_doc(
			{
				"doctype": doctype,
				"title": f"Prices {self.territory}",
				"company": COMPANY,
				"currency": "EUR",
				"effective_rule": "Fixed Date",
				"territories": [{"territory": self.territory}],
				**values,
			}
		).insert()
		doc.flags.run_here = True
		if submit:
			doc.submit()
		frappe.db.commit()
		return doc

	def run_campaign(self, doc) -> dict:
		frappe.db.commit()
		return work.run(doctype=doc.doctype, campaign=doc.name)

	def targets(self, doc, *fields: str) -> list[tuple]:
		"""The fields of its rows, by subscription."""
		return frappe.get_all(
			"TV Campaign Target", {"campaign": doc.name}, list(fields), order_by="subscription", as_list=True
		)

	def price(self, subscription: str, day: str, line_id: str = "L1", code: str = "BASE") -> str:
		"""The unit price negotiated or revised for the line on that day; "" for that of the offer."""
		from subscriber_tv.core.contracts.lines import line_on
		from subscriber_tv.core.pricing.offered import name_of
		from subscriber_tv.flows.contracts.timeline import load

		line = line_on(load(subscription).lines, line_id, frappe.utils.getdate(day))
		prices = dict(line.prices)
		return f"{name_of(prices[code])[1]:.2f}" if code in prices else ""
