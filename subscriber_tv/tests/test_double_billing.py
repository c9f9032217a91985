"""A standard Subscription for the customer and item of a TV Subscription is told wherever somebody could stop it."""

import frappe

from subscriber_tv.flows.contracts import double_billing
from subscriber_tv.flows.contracts.overview import overview
from subscriber_tv.tests import factories
from subscriber_tv.tests.trap_case import COMPANY, TrapCase, flat_version


class TestDoubleBilling(TrapCase):
	def setUp(self):
		self.customer = factories.make_customer()
		self.subscription = self.subscribe(
			"2026-11-01", customer=self.customer, version=flat_version("TWICE", 30)
		)

	def test_saving_a_standard_subscription_warns_and_refuses_nothing(self):
		doc = self.standard("TV-SUBSCRIPTION")
		(message,) = [row for row in frappe.get_message_log() if row.get("title") == "Billed Twice"]
		for record in (doc.name, self.subscription, self.customer, "TV-SUBSCRIPTION", "cancel the one"):
			self.assertIn(record, message["message"])
		self.assertEqual(message["indicator"], "orange")

	def test_the_form_of_the_tv_subscription_shows_it(self):
		doc = self.standard("TV-SUBSCRIPTION")
		(text,) = overview(self.subscription, ())["warnings"]
		self.assertIn(doc.name, text)
		self.assertIn(self.subscription, text)

	def test_the_bill_run_says_it_in_the_row_of_the_payer(self):
		doc = self.standard("TV-SUBSCRIPTION")
		frappe.db.commit()
		self.addCleanup(self.cancel, doc.name)
		row = self.night(self.customer, "2026-11-22")
		self.assertEqual(row.outcome, "Invoiced")
		self.assertIn(doc.name, row.reason)
		self.assertIn(self.subscription, row.reason)

	def test_a_payer_is_warned_as_well(self):
		parent = factories.make_customer()
		child = self.subscribe("2026-11-01", version=flat_version("TWICE-CHILD", 30), payer=parent)
		doc = self.standard("TV-SUBSCRIPTION", party=parent)
		self.assertEqual(
			double_billing.of_subscription(child),
			[double_billing.Twice(doc.name, child, parent, "TV-SUBSCRIPTION")],
		)

	def test_another_item_a_stopped_one_and_an_ended_contract_are_no_matter(self):
		self.standard(factories.make_item("TV-MAINTENANCE"))
		self.assertEqual(double_billing.of_customers([self.customer]), [])
		stopped = self.standard("TV-SUBSCRIPTION")
		stopped.db_set("status", "Cancelled")
		self.assertEqual(double_billing.of_customers([self.customer]), [])
		stopped.db_set("status", "Active")
		self.assertEqual(len(double_billing.of_customers([self.customer])), 1)
		self.change(self.subscription, "end", "2026-11-20")
		self.assertEqual(double_billing.of_customers([self.customer]), [])
		self.cancel(stopped.name)

	def test_nothing_is_said_while_billing_is_off(self):
		settings = frappe.get_doc("TV Settings")
		settings.billing_enabled = 0
		settings.save()
		self.addCleanup(frappe.clear_document_cache, "TV Settings")
		self.standard("TV-SUBSCRIPTION")
		self.assertFalse([row for row in frappe.get_message_log() if row.get("title") == "Billed Twice"])

	def standard(self, item: str, party: str | None = None):
		plan = frappe.get_doc(
			doctype="Subscription Plan",
			plan_name=frappe.generate_hash(length=8),
			item=item,
			currency="EUR",
			price_determination="Fixed Rate",
			cost=10,
			billing_interval="Month",
			billing_interval_count=1,
		).insert()
		return frappe.get_doc(
			doctype="Subscription",
			party_type="Customer",
			party=party or self.customer,
			company=COMPANY,
			start_date="2026-11-01",
			plans=[{"plan": plan.name, "qty": 1}],
		).insert()

	def cancel(self, standard: str) -> None:
		frappe.db.set_value("Subscription", standard, "status", "Cancelled")
		frappe.db.commit()
