"""First bills after a take-over, and scheduled bill runs, on a real site."""

from datetime import datetime
from unittest.mock import patch

import frappe

from subscriber_tv.api import billing as api
from subscriber_tv.flows.billing import approve_run, schedule_runs
from subscriber_tv.flows.billing.preview_run import make_preview, read_preview
from subscriber_tv.flows.billing.run import run
from subscriber_tv.tests import factories
from subscriber_tv.tests.bill_run_case import (
	NEXT_MONTH,
	ApprovalTestCase,
	person,
	set_approval,
	signed_in,
)
from subscriber_tv.tests.billing_case import COMPANY
from subscriber_tv.tests.processes import on_own_connections


class TestFirstBills(ApprovalTestCase):
	def setUp(self):
		super().setUp()
		self.subscription = self.subscribe("2024-11-01", customer=self.customer, billed_through="2026-11-01")

	def test_a_first_bill_after_a_take_over_waits_until_a_preview_with_it_is_confirmed(self):
		name = self.submitted()
		run(bill_run=name)
		line = frappe.get_doc("TV Bill Run", name).payers[0]
		self.assertEqual((line.outcome, line.invoice), ("Parked", None))
		self.assertIn(self.subscription, line.reason)
		self.assertIn("taken over", line.reason)
		with self.assertRaisesRegex(frappe.ValidationError, "has no preview"):
			api.confirm_first_bills(name)
		make_preview(bill_run=name)
		(shown,) = read_preview(name)["first_bills"]
		self.assertEqual((shown["subscription"], shown["net"]), (self.subscription, "30"))
		self.retry(name)
		self.assertEqual(self.invoices(name), 0, "a preview alone is not enough")
		self.assertEqual(api.confirm_first_bills(name), 1)
		frappe.db.commit()
		kept = frappe.get_doc("TV First Bill", self.subscription)
		self.assertEqual(
			(kept.status, kept.confirmed_by, kept.bill_run), ("Confirmed", "Administrator", name)
		)
		self.retry(name)
		self.assertEqual(self.status(name)[0], "Completed")
		self.assertEqual(self.invoices(name), 1)
		later = self.submitted(until=NEXT_MONTH)
		self.assertEqual(run(bill_run=later)["status"], "Completed")

	def retry(self, name: str) -> None:
		with patch("frappe.enqueue"):
			self.assertEqual(api.retry_parked(name), 1)
		frappe.db.commit()
		run(bill_run=name)

	def test_approving_a_run_confirms_what_its_preview_shows(self):
		set_approval("When Outliers Exist")
		self.with_address()
		with signed_in("clerk@billing.example", "TV Billing"):
			name = self.submitted()
		self.assertEqual(run(bill_run=name)["status"], "Awaiting Approval")
		approve_run.approve(bill_run=name, user=person("boss@billing.example", "TV Management"))
		frappe.db.commit()
		self.assertEqual(run(bill_run=name)["status"], "Completed")
		self.assertEqual(self.invoices(name), 1)

	def test_a_preview_that_did_not_include_him_confirms_nothing(self):
		name = self.submitted(payer=factories.make_customer())
		make_preview(bill_run=name)
		self.assertEqual(api.confirm_first_bills(name), 0)
		frappe.db.commit()
		own = self.submitted()
		self.assertEqual(run(bill_run=own)["payers_parked"], 1)

	def test_the_other_contracts_of_the_payer_are_billed(self):
		self.subscribe("2026-11-01", customer=self.customer)
		name = self.submitted()
		run(bill_run=name)
		line = frappe.get_doc("TV Bill Run", name).payers[0]
		self.assertEqual((line.outcome, line.net_amount), ("Parked", 80))


class TestSchedule(ApprovalTestCase):
	def setUp(self):
		super().setUp()
		settings = frappe.get_doc("TV Settings")
		settings.set(
			"bill_schedule",
			[{"company": COMPANY, "frequency": "Days of the Month", "days": "1, 15", "hour": 3}],
		)
		settings.save()
		frappe.db.set_value(
			"TV Bill Schedule Line", settings.bill_schedule[0].name, "since", "2026-01-01 00:00:00"
		)
		frappe.clear_document_cache("TV Settings")
		frappe.db.commit()
		self.addCleanup(self.take_away)

	def take_away(self):
		frappe.db.rollback()
		settings = frappe.get_doc("TV Settings")
		settings.bill_schedule = []
		settings.save()
		for name in frappe.get_all("TV Bill Run", {"schedule_key": ("like", f"{COMPANY}|%")}, pluck="name"):
			frappe.db.delete("TV Bill Run", {"name": name})
		frappe.db.commit()

	def due_at(self, moment: str):
		at = patch.object(schedule_runs, "now_datetime", lambda: datetime.fromisoformat(moment))
		with at, patch("frappe.enqueue") as enqueue:
			made = schedule_runs.start_due()
		self.assertEqual(enqueue.call_count, len(made))
		return made

	def test_one_run_a_company_and_day_and_a_missed_night_is_caught_up(self):
		self.assertEqual(len(self.due_at("2026-11-15T03:00:00")), 1)
		self.assertEqual(self.due_at("2026-11-15T04:00:00"), [])
		self.assertEqual(self.due_at("2026-11-30T23:00:00"), [])
		(late,) = self.due_at("2026-12-04T09:00:00")
		doc = frappe.get_doc("TV Bill Run", late)
		self.assertEqual(
			(str(doc.scheduled_for), str(doc.posting_date), doc.company),
			("2026-12-01", "2026-12-04", COMPANY),
		)
		self.assertEqual(doc.docstatus, 1)

	def test_two_schedulers_at_once(self):
		def tick():
			with (
				patch.object(schedule_runs, "now_datetime", lambda: datetime(2026, 11, 15, 3)),
				patch("frappe.enqueue"),
			):
				return schedule_runs.start_due()

		# One patch for both threads: each would undo the other's.
		with (
			patch.object(schedule_runs, "now_datetime", lambda: datetime(2026, 11, 15, 3)),
			patch("frappe.enqueue"),
		):
			results = on_own_connections(*[schedule_runs.start_due] * 4)
		self.assertEqual(sum(len(found) for found in results), 1, results)
		frappe.db.rollback()
		self.assertEqual(frappe.db.count("TV Bill Run", {"schedule_key": f"{COMPANY}|2026-11-15"}), 1)
		self.assertEqual(tick(), [])

	def test_a_schedule_made_today_starts_nothing_for_the_past(self):
		settings = frappe.get_doc("TV Settings")
		settings.bill_schedule[0].days = "1, 16"
		settings.save()
		frappe.db.commit()
		self.assertEqual(self.due_at("2026-11-22T09:00:00"), [])

	def test_closed_books_are_logged_and_tried_again(self):
		frappe.db.set_single_value("Accounts Settings", "acc_frozen_upto", "2026-11-20")
		frappe.db.commit()
		self.addCleanup(frappe.db.commit)
		self.addCleanup(frappe.db.set_single_value, "Accounts Settings", "acc_frozen_upto", None)
		logged = frappe.db.count("Error Log", {"reference_doctype": "TV Settings"})
		with signed_in("clerk@billing.example", "TV Billing"):
			self.assertEqual(self.due_at("2026-11-15T03:00:00"), [])
		self.assertEqual(frappe.db.count("Error Log", {"reference_doctype": "TV Settings"}), logged + 1)
		frappe.db.set_single_value("Accounts Settings", "acc_frozen_upto", None)
		frappe.db.commit()
		self.assertEqual(len(self.due_at("2026-11-15T05:00:00")), 1)

	def test_bad_schedules_are_refused(self):
		for values in ({"days": "32"}, {"days": ""}, {"hour": 24}, {"hour": -1}):
			settings = frappe.get_doc("TV Settings")
			settings.bill_schedule[0].update(values)
			with self.subTest(values=values), self.assertRaisesRegex(frappe.ValidationError, "row 1"):
				settings.save()
			frappe.db.rollback()
