"""A base moves to another offer version on a real site: preview with bills, prices kept, undo within its window."""

from decimal import Decimal

import frappe
from frappe.utils import add_days, nowdate

from subscriber_tv.core.contracts.lines import line_on
from subscriber_tv.core.pricing.models import PerUnit
from subscriber_tv.flows.campaigns import preview, start
from subscriber_tv.flows.contracts.change_lines import change_lines
from subscriber_tv.flows.contracts.timeline import load
from subscriber_tv.tests import factories
from subscriber_tv.tests.billing_case import make_version
from subscriber_tv.tests.campaign_case import CampaignCase


class TestMigration(CampaignCase):
	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.new = make_version(
			"MIGRATED-TV",
			charges=[factories.charge("TV", item="TV-SUBSCRIPTION", unit_price=25)],
		)
		frappe.db.commit()

	def version_on(self, subscription: str, day: str) -> str:
		return line_on(load(subscription).lines, "L1", frappe.utils.getdate(day)).offer_version

	def test_the_preview_tells_the_bills_of_a_year_and_the_run_moves_the_base(self):
		name = self.contract(quantity=2)
		doc = self.migration((self.version, self.new), submit=False)
		told = preview.preview(doc)
		self.assertEqual(
			(told["contracts"], told["before"], told["after"], told["year_before"], told["year_after"]),
			(1, "60.00", "50.00", "720.00", "600.00"),
		)
		doc.submit()
		self.assertEqual(self.run_campaign(doc)["status"], "Completed")
		self.assertEqual(self.version_on(name, "2026-12-31"), self.version)
		self.assertEqual(self.version_on(name, "2027-01-01"), self.new)
		self.bill(name, until="2026-12-31")
		invoice = self.bill(name, until="2027-01-01")
		self.assert_rows(invoice, [("TV", "2027-01-01", "2027-02-01", "50.00")])

	def test_negotiated_prices_follow_their_charge(self):
		name = self.contract()
		change_lines(
			subscription=name,
			steps=[{"line_id": "L1", "prices": {"BASE": PerUnit(Decimal(20))}}],
			effective_date="2026-02-01",
		)
		charges = [{"from_version": self.version, "from_charge": "BASE", "to_charge": "TV"}]
		self.run_campaign(self.migration((self.version, self.new), charges=charges))
		self.assertEqual(self.price(name, "2027-01-01", code="TV"), "20.00")

	def test_at_the_start_of_each_contracts_next_period(self):
		name = self.contract(anchor_day=10)
		self.run_campaign(
			self.migration(
				(self.version, self.new), effective_rule="Next Period Start", effective_date="2027-01-02"
			)
		)
		self.assertEqual(self.version_on(name, "2027-01-09"), self.version)
		self.assertEqual(self.version_on(name, "2027-01-10"), self.new)

	def test_it_is_taken_back_within_its_window_only(self):
		name = self.contract()
		doc = self.migration((self.version, self.new), undo_days=10)
		self.run_campaign(doc)
		doc.reload()
		self.assertEqual(str(doc.undo_until), add_days(nowdate(), 10))
		with (
			self.freeze_time(add_days(nowdate(), 11)),
			self.assertRaisesRegex(frappe.ValidationError, "could be taken back until"),
		):
			start.take_back(doc)
		start.take_back(doc)
		self.assertEqual(self.run_campaign(doc)["status"], "Taken Back")
		self.assertEqual(self.version_on(name, "2027-01-01"), self.version)

	def test_a_mapping_that_cannot_be_meant_is_refused(self):
		with self.assertRaisesRegex(frappe.ValidationError, "both versions are the same"):
			self.migration((self.version, self.version))
		wrong = [{"from_version": self.version, "from_charge": "BASE", "to_charge": "NONE"}]
		with self.assertRaisesRegex(frappe.ValidationError, "has no charge"):
			self.migration((self.version, self.new), charges=wrong)
