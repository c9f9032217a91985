"""Usage too old to be charged: it alone waits, at the inbox or when a run comes to it, and nothing of it is lost."""

import json

import frappe
from frappe.utils import formatdate, getdate

from subscriber_tv.flows.billing import preview_run
from subscriber_tv.flows.billing.bill_payer import settle
from subscriber_tv.flows.billing.lock import under_payer_lock
from subscriber_tv.flows.usage import decide, receive, replay
from subscriber_tv.flows.usage.facts import usage_of
from subscriber_tv.tests.billing_case import COMPANY, TODAY
from subscriber_tv.tests.usage_case import UsageTestCase, film, make_profile

AUGUST = "2026-08-20"


class TestUsageTooOld(UsageTestCase):
	"""Billed at most one month back: films of August, rated on 1 September, are too old on 22 November."""

	def setUp(self):
		self.limit(1)
		self.subscription = self.subscribe("2026-07-01", version=self.version, billed_through="2026-08-01")
		self.payer = frappe.db.get_value("TV Subscription", self.subscription, "payer")
		values = {"subscription": self.subscription, "status": "Confirmed", "currency": "EUR"}
		frappe.get_doc({"doctype": "TV First Bill", "payer": self.payer, **values}).insert()
		frappe.db.commit()

	def tearDown(self):
		super().tearDown()
		self.limit(24)

	def limit(self, months: int) -> None:
		frappe.db.set_single_value("TV Settings", "max_catch_up_months", months)
		frappe.db.commit()

	def test_at_the_inbox_it_is_held_and_says_what_to_do(self):
		old = film("aug", self.subscription, AUGUST, quantity=15)
		with self.freeze_time("2026-11-22"):
			answer = receive.receive(profile=self.profile, records=[old, film("oct", self.subscription)])
			frappe.db.commit()
			held, fresh = answer["records"]
			self.assertEqual((held["status"], held["code"], fresh["status"]), ("held", "too_old", "accepted"))
			self.assertIn(self.subscription, held["reason"])
			self.assertIn(formatdate("2026-09-01"), held["reason"])
			self.assertIn("Most Months Billed at Once", held["next_step"])
			self.assertEqual(self.state("aug"), "Held")
			self.assertEqual(self.post(old), ["held"])

			self.limit(2)
			self.assertEqual(replay.replay([self.record("aug").name]), {"accepted": 1})
			frappe.db.commit()
		self.assertEqual((self.state("aug"), self.record("aug").reason), ("Accepted", None))

	def test_the_contract_is_billed_all_the_same_and_the_record_shows_why_it_waits(self):
		self.limit(24)
		self.bill(self.subscription)
		self.assertEqual(self.post(film("old", self.subscription, AUGUST, quantity=15)), ["accepted"])
		self.limit(1)
		self.assertIn(self.subscription, self.previewed())
		outcome = self.settled()
		self.assertEqual(outcome.refused, ())
		invoice = frappe.get_doc("Sales Invoice", outcome.invoices[0])
		self.assert_rows(invoice, [("BASE", "2026-12-01", "2027-01-01", "30.00")])
		self.assertIn(self.subscription, "".join(outcome.warnings))
		record = self.record("old")
		self.assertEqual((record.state, record.problem, record.invoice), ("Held", "too_old", None))
		self.assertIn("Most Months Billed at Once", record.reason)
		self.assertIsNone(self.bill(self.subscription, "2026-12-01"))

		# The limit is raised and the record tried again: billed, and nothing of the reason stays.
		self.limit(24)
		replay.replay([record.name])
		frappe.db.commit()
		billed = self.bill(self.subscription, "2026-12-01")
		self.assert_rows(billed, [("VOD", "2026-08-01", "2026-09-01", "1.00")])
		record.reload()
		self.assertEqual((record.state, record.problem, record.reason), ("Billed", None, None))
		self.assertIsNone(self.bill(self.subscription, "2026-12-01"))

	def previewed(self) -> str:
		"""What the preview of a run until December says about the payer."""
		run = frappe.get_doc(
			doctype="TV Bill Run",
			company=COMPANY,
			posting_date=TODAY,
			bill_until="2026-12-01",
			payer=self.payer,
		).insert()
		frappe.db.commit()
		preview_run.make_preview(bill_run=run.name)
		line = {"bill_run": run.name, "payer": self.payer}
		return frappe.db.get_value("TV Bill Preview Line", line, "reason") or ""

	def settled(self):
		"""What a bill run makes of the payer until December; commits."""

		def unit():
			return settle(
				payer=self.payer,
				company=COMPANY,
				posting_date=getdate(TODAY),
				bill_until=getdate("2026-12-01"),
			)

		outcome = under_payer_lock(self.payer, unit)
		frappe.db.commit()
		return outcome

	def test_a_held_record_may_be_dismissed_or_taken_back(self):
		with self.freeze_time("2026-11-22"):
			self.post(*(film(key, self.subscription, AUGUST, quantity=15) for key in ("one", "two")))
		decide.dismiss([self.record("one").name], "Trop tard")
		decide.cancel(self.record("two").name, "Trop tard")
		frappe.db.commit()
		self.assertEqual((self.state("one"), self.state("two")), ("Dismissed", "Cancelled"))
		self.assertNotIn(self.subscription, usage_of([self.subscription]))

	def test_a_new_version_of_what_was_billed_takes_its_place_and_only_credits(self):
		self.limit(24)
		self.post(film("less", self.subscription, AUGUST, quantity=20))
		self.bill(self.subscription)
		self.limit(1)
		with self.freeze_time("2026-11-22"):
			less = film("less", self.subscription, AUGUST, quantity=15, version=2)
			self.assertEqual(self.post(less), ["held"])
		note = self.bill(self.subscription)
		self.assertEqual(
			[(row.tv_kind, f"{row.amount:.2f}") for row in note.items], [("correction", "-1.00")]
		)
		self.assertEqual((self.state("less"), self.record("less").invoice), ("Billed", note.name))

	def test_a_file_counts_what_is_held(self):
		with self.freeze_time("2026-11-22"):
			found = self.load(
				make_profile(), json.dumps(film("file", self.subscription, AUGUST)), "usage.jsonl"
			)
		self.assertEqual((found.held, found.accepted, found.status), (1, 0, "Completed with Errors"))
