"""The yearly revision on a real site: preview, application, negotiated prices, retry, crash, roll-back, bills."""

from decimal import Decimal
from unittest.mock import patch

import frappe

from subscriber_tv.api import campaigns as api
from subscriber_tv.core.pricing.models import PerUnit
from subscriber_tv.flows.campaigns import preview, start, work
from subscriber_tv.flows.contracts.change_lines import change_lines
from subscriber_tv.tests.campaign_case import CampaignCase
from subscriber_tv.tests.contract_case import make_user
from subscriber_tv.tests.processes import on_own_connections


def negotiate(subscription: str, price: str, day: str = "2026-02-01") -> None:
	change_lines(
		subscription=subscription,
		steps=[{"line_id": "L1", "prices": {"BASE": PerUnit(Decimal(price))}}],
		effective_date=day,
	)
	frappe.db.commit()


class TestPriceRevision(CampaignCase):
	def test_the_preview_writes_nothing_and_says_what_the_run_does(self):
		names = [self.contract(quantity=2), self.contract(segment="Clinic")]
		own = self.contract()
		negotiate(own, "7")
		doc = self.revision(submit=False)
		before = frappe.db.count("TV Subscription Change")
		told = preview.preview(doc)
		self.assertEqual(
			(told["contracts"], told["before"], told["after"], told["least"], told["most"]),
			(2, "90.00", "99.00", "10.00", "10.00"),
		)
		self.assertEqual(
			[(one["segment"], one["before"], one["after"]) for one in told["segments"]],
			[("Clinic", "30.00", "33.00"), ("Hotel", "60.00", "66.00")],
		)
		self.assertEqual(sum(told["left_out"].values()), 1)
		self.assertEqual(frappe.db.count("TV Subscription Change"), before)
		self.assertFalse(self.targets(doc, "name"))
		doc.submit()
		done = self.run_campaign(doc)
		self.assertEqual((done["monthly_before"], done["monthly_after"]), (90.0, 99.0))
		self.assertEqual((done["targets_applied"], done["targets_left_out"]), (2, 1))
		self.assertEqual(done["status"], "Completed")
		for name in names:
			self.assertEqual((self.price(name, "2026-12-31"), self.price(name, "2027-01-01")), ("", "33.00"))
		self.assertEqual(self.price(own, "2027-01-01"), "7.00")

	def test_the_changes_name_their_revision_and_the_next_bill_follows(self):
		name = self.contract()
		doc = self.revision()
		self.run_campaign(doc)
		change = frappe.get_last_doc("TV Subscription Change", {"subscription": name})
		self.assertEqual(
			(change.source_doctype, change.source_name, change.reason),
			("TV Price Revision", doc.name, doc.title),
		)
		self.bill(name, until="2026-12-31")
		invoice = self.bill(name, until="2027-01-01")
		self.assert_rows(invoice, [("BASE", "2027-01-01", "2027-02-01", "33.00")])

	def test_a_second_run_changes_nobody(self):
		name = self.contract()
		doc = self.revision()
		self.run_campaign(doc)
		count = frappe.db.get_value("TV Subscription", name, "change_count")
		frappe.db.set_value("TV Price Revision", doc.name, "status", "Queued")
		self.assertEqual(self.run_campaign(doc)["targets_applied"], 1)
		self.assertEqual(frappe.db.get_value("TV Subscription", name, "change_count"), count)

	def test_a_negotiated_price_is_revised_when_asked_and_a_revised_one_every_year(self):
		name = self.contract()
		negotiate(name, "20")
		self.run_campaign(self.revision(include_negotiated=1))
		self.assertEqual(self.price(name, "2027-01-01"), "22.00")
		self.run_campaign(self.revision(effective_date="2028-01-01"))
		self.assertEqual(self.price(name, "2028-01-01"), "24.20")

	def test_an_index_starts_from_the_same_p0_and_s0_next_year(self):
		name = self.contract()
		index = {"revision_rule": "Index", "percent": 0, "index_name": "syntec"}
		self.run_campaign(self.revision(**index, base_index=300, new_index=305))
		self.assertEqual(self.price(name, "2027-01-01"), "30.50")
		second = self.revision(**index, base_index=305, new_index=310.1, effective_date="2028-01-01")
		self.run_campaign(second)
		self.assertEqual(self.price(name, "2028-01-01"), "31.01")  # 30 x 310.1 / 300

	def test_each_contract_on_its_anniversary(self):
		first, late = self.contract("2025-03-15"), self.contract("2025-11-30")
		doc = self.revision(effective_rule="Anniversary", effective_date="2027-01-01", last_date="2027-06-30")
		self.run_campaign(doc)
		self.assertEqual((self.price(first, "2027-03-14"), self.price(first, "2027-03-15")), ("", "33.00"))
		self.assertEqual(self.price(late, "2027-11-30"), "")
		self.assertIn("No such day", self.targets(doc, "reason")[1][0])

	def test_what_fails_is_parked_with_the_reason_and_retried(self):
		good, bad = self.contract(), self.contract()
		doc = self.revision()
		change = work.change_lines

		def refuse(**values):
			if values["subscription"] == bad:
				frappe.throw("The contract is looked at")
			return change(**values)

		with patch.object(work, "change_lines", refuse):
			done = self.run_campaign(doc)
		self.assertEqual((done["targets_applied"], done["targets_parked"]), (1, 1))
		self.assertEqual(done["status"], "Completed with Errors")
		self.assertEqual(self.targets(doc, "outcome", "reason")[1], ("Parked", "The contract is looked at"))
		self.assertEqual(self.price(good, "2027-01-01"), "33.00")
		doc.reload()
		self.assertEqual(start.retry_parked(doc), 1)
		self.assertEqual(self.run_campaign(doc)["status"], "Completed")
		self.assertEqual(self.price(bad, "2027-01-01"), "33.00")

	def test_a_crash_in_the_middle_costs_nothing_and_repeats_nothing(self):
		names = [self.contract() for _n in range(3)]
		doc = self.revision()
		change, calls = work.change_lines, []

		def die_at_the_second(**values):
			calls.append(values["subscription"])
			found = change(**values)
			if len(calls) == 2:
				raise KeyboardInterrupt  # after the change was written, before it was committed
			return found

		with patch.object(work, "change_lines", die_at_the_second), self.assertRaises(KeyboardInterrupt):
			self.run_campaign(doc)
		frappe.db.rollback()
		self.assertEqual(sorted(self.targets(doc, "outcome")), [("Applied",), ("Pending",), ("Pending",)])
		self.assertEqual(self.run_campaign(doc)["targets_applied"], 3)
		for name in names:
			made = {"subscription": name, "source_name": doc.name}
			self.assertEqual(frappe.db.count("TV Subscription Change", made), 1)

	def test_two_workers_at_once_change_each_contract_once(self):
		names = [self.contract() for _n in range(4)]
		doc = self.revision()
		results = on_own_connections(*[lambda: work.run(doctype="TV Price Revision", campaign=doc.name)] * 2)
		frappe.db.rollback()
		self.assertEqual([result["targets_applied"] for result in results], [4, 4], results)
		for name in names:
			made = {"subscription": name, "source_name": doc.name}
			self.assertEqual(frappe.db.count("TV Subscription Change", made), 1)

	def test_taken_back_the_prices_and_the_bills_are_as_before(self):
		name = self.contract()
		doc = self.revision(effective_date="2026-11-01", short_notice_reason="Agreed with the customer")
		self.bill(name)
		self.run_campaign(doc)
		rise = self.bill(name)
		self.assert_rows(rise, [("BASE", "2026-11-01", "2026-12-01", "33.00")])
		doc.reload()
		self.assertEqual(start.take_back(doc), 1)
		done = self.run_campaign(doc)
		self.assertEqual((done["status"], done["targets_taken_back"]), ("Taken Back", 1))
		self.assertEqual(self.price(name, "2027-01-01"), "")
		again = self.bill(name)
		self.assert_rows(again, [("BASE", "2026-11-01", "2026-12-01", "30.00")])
		self.assert_nothing_due(name)
		undone = frappe.get_last_doc("TV Subscription Change", {"subscription": name})
		self.assertEqual((undone.event, undone.source_name), ("withdraw", doc.name))

	def test_a_short_notice_is_refused_or_explained(self):
		doc = self.revision(submit=False, effective_date="2026-12-01")
		with self.assertRaisesRegex(frappe.ValidationError, "notice of 30 days"):
			doc.submit()
		frappe.db.rollback()
		doc.reload()
		doc.short_notice_reason = "The customers asked for it"
		doc.submit()

	def test_without_its_letter_a_price_waits(self):
		name = self.contract()
		doc = self.revision(letters_first=1)
		self.assertEqual(self.run_campaign(doc)["status"], "Waiting for Letters")
		doc.reload()
		start.start(doc)
		self.assertEqual(self.run_campaign(doc)["targets_parked"], 1)
		self.assertIn("No letter was sent", self.targets(doc, "reason")[0][0])
		self.assertEqual(self.price(name, "2027-01-01"), "")

	def test_a_standing_revision_is_taken_back_and_not_cancelled(self):
		self.contract()
		doc = self.revision()
		self.run_campaign(doc)
		doc.reload()
		with self.assertRaisesRegex(frappe.ValidationError, "Take Back"):
			doc.cancel()

	def test_marketing_prepares_and_billing_decides(self):
		doc = self.revision(submit=False)
		marketing, billing, sales = (make_user(role) for role in ("TV Marketing", "TV Billing", "TV Sales"))
		frappe.set_user(marketing)
		self.assertEqual(api.preview(doc.doctype, doc.name)["contracts"], 0)
		with self.assertRaises(frappe.PermissionError):
			frappe.get_doc(doc.doctype, doc.name).submit()
		with self.assertRaises(frappe.PermissionError):
			api.take_back(doc.doctype, doc.name)
		frappe.set_user(billing)
		self.assertRaises(frappe.ValidationError, api.start, doc.doctype, doc.name)
		frappe.set_user(sales)
		self.assertRaises(frappe.PermissionError, api.preview, doc.doctype, doc.name)
