"""Standard Subscriptions, invoiced by ERPNext itself, taken over and billed on from where it stopped."""

import csv
import io
import itertools

import frappe
from click.testing import CliRunner
from frappe.utils import getdate

from subscriber_tv.flows.billing import first_bills
from subscriber_tv.flows.billing.preview import preview
from subscriber_tv.flows.billing.preview_run import make_preview
from subscriber_tv.flows.imports.import_subscriptions import REFUSED, TAKEN, import_subscriptions
from subscriber_tv.flows.imports.report_takeover import summary, takeover_csv
from subscriber_tv.tests import factories
from subscriber_tv.tests.billing_case import COMPANY, TODAY
from subscriber_tv.tests.trap_case import TrapCase, days

BEGINNING = "Beginning of the current subscription period"
END = "End of the current subscription period"


class TestImportSubscriptions(TrapCase):
	def setUp(self):
		self.customer = factories.make_customer()
		self.bouquet = factories.make_bouquet()
		frappe.db.commit()

	def tearDown(self):
		super().tearDown()
		# ERPNext's own nightly job must not meet them again.
		frappe.db.set_value("Subscription", {"party": self.customer}, "status", "Cancelled")
		frappe.db.commit()

	def test_it_is_billed_on_from_where_erpnext_stopped(self):
		"""Two months by ERPNext, then the import, its preview, and the nights of our own bill runs."""
		standard = self.standard("2026-09-10", plan=self.plan(cost=17.5), quantity=3)
		self.erpnext_bills(standard, "2026-09-10", "2026-11-09")
		row = self.take(standard)
		self.assertEqual((row.outcome, row.notes[1:]), (TAKEN, ()))
		self.assertEqual(row.billed_through, getdate("2026-11-10"))
		self.assertIn("has not invoiced from", row.notes[0])
		# The preview, there and in the report, begins on that very day: 3 x 17.50 for 10 Nov to 10 Dec.
		(first,) = preview(company=COMPANY, bill_until=TODAY, payer=self.customer)["rows"]
		self.assertEqual((first["from"], first["to"], first["amount"]), ("2026-11-10", "2026-12-10", "52.50"))
		self.assertEqual(
			[(str(start), str(end), str(amount)) for start, end, amount in row.first_bill.rows],
			[("2026-11-10", "2026-12-10", "52.50")],
		)
		parked = self.night(self.customer, "2026-11-22")
		self.assertEqual(parked.outcome, "Parked")
		self.assertIn("confirm them", parked.reason)
		self.confirm_first_bill("2026-11-22")
		self.nights(self.customer, "2026-11-22", "2026-11-25")
		self.nights(self.customer, "2026-12-10", "2026-12-11")
		self.assertEqual(
			self.billed(self.customer),
			[
				("2026-11-22", "2026-11-10", "2026-12-10", "52.50"),
				("2026-12-10", "2026-12-10", "2027-01-10", "52.50"),
			],
		)
		self.assert_no_day_is_billed_twice("2026-09-10", "2027-01-10")

	def test_the_standard_one_is_stopped_with_a_note_and_a_second_import_changes_nothing(self):
		standard = self.standard("2026-10-10")
		self.erpnext_bills(standard, "2026-10-10", "2026-10-11")
		row = self.take(standard)
		doc = frappe.get_doc("Subscription", standard)
		self.assertEqual(doc.status, "Cancelled")
		note = frappe.get_all(
			"Comment", {"reference_name": standard, "comment_type": "Comment"}, pluck="content"
		)
		self.assertIn(row.subscription, note[0])
		contract = frappe.get_doc("TV Subscription", row.subscription)
		self.assertEqual((contract.state, contract.external_reference), ("Active", standard))
		before = frappe.db.count("TV Subscription")
		self.assertIsNone(self.take(standard))
		self.assertEqual(frappe.db.count("TV Subscription"), before)
		self.erpnext_bills(standard, "2026-11-09", "2026-11-12")
		self.assertEqual(len(self.erpnext_invoices()), 1)

	def test_one_that_was_restarted_is_reported(self):
		standard = self.standard("2026-10-10")
		row = self.take(standard)
		frappe.db.set_value("Subscription", standard, "status", "Active")
		again = self.take(standard)
		self.assertEqual(again.outcome, REFUSED)
		self.assertIn(row.subscription, again.notes[0])

	def test_a_contract_opened_by_hand_for_the_same_item_is_not_doubled(self):
		by_hand = self.subscribe("2026-11-01", customer=self.customer)
		row = self.take(self.standard("2026-11-10"))
		self.assertEqual(row.outcome, REFUSED)
		self.assertIn(by_hand, row.notes[0])

	def test_a_dry_run_tells_the_same_and_writes_nothing(self):
		standard = self.standard("2026-11-10")
		self.erpnext_bills(standard, "2026-11-10", "2026-11-11")
		before = [frappe.db.count(kind) for kind in ("TV Subscription", "TV Offer", "TV Site", "Comment")]
		dry = self.take(standard, dry_run=True)
		after = [frappe.db.count(kind) for kind in ("TV Subscription", "TV Offer", "TV Site", "Comment")]
		self.assertEqual(after, before)
		self.assertNotEqual(frappe.db.get_value("Subscription", standard, "status"), "Cancelled")
		taken = self.take(standard)
		self.assertEqual((dry.outcome, dry.billed_through), (taken.outcome, taken.billed_through))
		self.assertEqual(dry.first_bill, taken.first_bill)

	def test_offers_and_sites_that_fit_are_used_and_others_made(self):
		plan = self.plan(cost=21)
		first = self.take(self.standard("2026-11-10", plan=plan))
		offer = self.offer_version(first)
		self.assertEqual(frappe.db.get_value("TV Site", {"customer": self.customer}, "outlets_installed"), 1)
		second = self.take(self.standard("2026-11-12", plan=plan))
		self.assertEqual(self.offer_version(second), offer)
		self.assertEqual(frappe.db.count("TV Site", {"customer": self.customer}), 1)
		dearer = self.plan(cost=22)
		third = self.take(self.standard("2026-11-12", plan=dearer))
		self.assertNotEqual(self.offer_version(third), offer)
		factories.make_site(self.customer)
		frappe.db.commit()
		fourth = self.take(self.standard("2026-11-12", plan=plan))
		self.assertEqual(fourth.outcome, REFUSED)
		self.assertIn("several sites", fourth.notes[0])

	def test_in_arrears_the_running_period_is_billed_at_its_end(self):
		standard = self.standard("2026-10-01", plan=self.plan(cost=30), generate_invoice_at=END)
		self.erpnext_bills(standard, "2026-10-01", "2026-11-02")
		row = self.take(standard)
		self.assertEqual((row.billed_through, row.first_bill.rows), (getdate("2026-11-01"), ()))
		self.confirm_first_bill("2026-12-01")
		self.nights(self.customer, "2026-11-28", "2026-12-03")
		self.assertEqual(self.billed(self.customer), [("2026-12-01", "2026-11-01", "2026-12-01", "30.00")])
		self.assert_no_day_is_billed_twice("2026-10-01", "2026-12-01")

	def test_a_running_trial_and_an_agreed_end_are_kept(self):
		standard = self.standard(
			"2026-11-10",
			plan=self.plan(cost=31),
			trial_period_start="2026-11-10",
			trial_period_end="2026-11-30",
			end_date="2027-01-31",
		)
		row = self.take(standard)
		contract = frappe.get_doc("TV Subscription", row.subscription)
		self.assertEqual(
			(contract.state, str(contract.end_date), contract.trial_days), ("Cancelling", "2027-02-01", 21)
		)
		self.confirm_first_bill("2026-12-01")
		self.nights(self.customer, "2026-11-22", "2026-12-02")
		self.nights(self.customer, "2027-01-01", "2027-02-02")
		self.assertEqual(
			[row[1:] for row in self.billed(self.customer)],
			[("2026-12-01", "2027-01-01", "31.00"), ("2027-01-01", "2027-02-01", "31.00")],
		)

	def test_what_cannot_be_taken_over_stays_and_says_why(self):
		draft = self.standard("2026-11-10", submit_invoice=0)
		self.erpnext_bills(draft, "2026-11-10", "2026-11-11")
		discounted = self.standard("2026-11-10", additional_discount_percentage=5)
		weekly = self.standard("2026-11-10", plan=self.plan(billing_interval="Week"))
		supplier = self.standard("2026-11-10", party_type="Supplier", party=factories.make_supplier())
		self.addCleanup(self.stop, supplier)
		for standard, reason in (
			(draft, "is a draft"),
			(discounted, "additional discount"),
			(weekly, "days or weeks"),
			(supplier, "bills a Supplier"),
		):
			row = self.take(standard)
			self.assertEqual(row.outcome, REFUSED)
			self.assertIn(reason, row.notes[0])
			self.assertNotEqual(frappe.db.get_value("Subscription", standard, "status"), "Cancelled")
		unknown = self.plan(item=factories.make_item(f"TV-{frappe.generate_hash(length=8)}"))
		row = self.take(self.standard("2026-11-10", plan=unknown), bouquets=())
		self.assertIn("--bouquet", row.notes[0])
		self.assertFalse(frappe.db.exists("TV Subscription", {"customer": self.customer}))

	def test_an_error_of_one_holds_up_no_other(self):
		broken = self.standard("2026-11-10")
		frappe.db.set_value("Subscription Plan Detail", {"parent": broken}, "plan", "No Such Plan")
		good = self.standard("2026-11-10")
		frappe.db.commit()
		rows = {row.standard: row for row in import_subscriptions(company=COMPANY, bouquets=[self.bouquet])}
		self.assertEqual((rows[broken].outcome, rows[good].outcome), (REFUSED, TAKEN))
		self.assertIn("No Such Plan", rows[broken].notes[0])

	def test_the_report_is_a_file_and_lines(self):
		standard = self.standard("2026-11-10")
		row = self.take(standard)
		self.assertIn(row.subscription, next(summary([row], dry_run=True)))
		table = list(csv.reader(io.StringIO(takeover_csv([row]).decode("utf-8-sig"))))
		self.assertEqual(table[1][:4], [standard, self.customer, "Taken over", row.subscription])
		self.assertEqual(table[1][5], "2026-11-10")

	def test_the_command_exists(self):
		from subscriber_tv.commands import subscriber_tv

		answer = CliRunner().invoke(subscriber_tv, ["import-subscriptions", "--help"])
		self.assertIn("--dry-run", answer.output)

	def standard(self, start: str, plan: str | None = None, quantity: int = 1, **values) -> str:
		"""A standard Subscription that ERPNext bills at the beginning of each period and submits."""
		doc = frappe.get_doc(
			{
				"doctype": "Subscription",
				"party_type": "Customer",
				"party": self.customer,
				"company": COMPANY,
				"start_date": start,
				"generate_invoice_at": BEGINNING,
				"generate_new_invoices_past_due_date": 1,
				"submit_invoice": 1,
				"days_until_due": 30,
				"plans": [{"plan": plan or self.plan(), "qty": quantity}],
				**values,
			}
		).insert()
		frappe.db.commit()
		return doc.name

	def plan(self, **values) -> str:
		name = f"Plan {frappe.generate_hash(length=6)}"
		frappe.get_doc(
			{
				"doctype": "Subscription Plan",
				"plan_name": name,
				"item": factories.make_item("TV-SUBSCRIPTION"),
				"currency": "EUR",
				"price_determination": "Fixed Rate",
				"cost": 10,
				"billing_interval": "Month",
				"billing_interval_count": 1,
				**values,
			}
		).insert()
		return name

	def erpnext_bills(self, standard: str, first: str, last: str) -> None:
		"""The nights of ERPNext's own job for one Subscription."""
		for day in days(first, last):
			doc = frappe.get_doc("Subscription", standard)
			if doc.status != "Cancelled":
				doc.process(posting_date=day)
		frappe.db.commit()

	def take(self, standard: str, dry_run: bool = False, bouquets=None):
		"""Import everything; the row of one Subscription."""
		frappe.db.commit()
		rows = import_subscriptions(
			company=COMPANY, bouquets=[self.bouquet] if bouquets is None else bouquets, dry_run=dry_run
		)
		return next((row for row in rows if row.standard == standard), None)

	def confirm_first_bill(self, day: str) -> None:
		"""The compulsory preview: a run of that day is previewed, and the first bills it shows are confirmed."""
		run = frappe.get_doc(
			doctype="TV Bill Run", company=COMPANY, posting_date=day, bill_until=day, payer=self.customer
		).insert()
		frappe.db.commit()
		make_preview(bill_run=run.name)
		self.assertEqual(first_bills.confirm(run.name, "Administrator"), 1)
		frappe.db.commit()

	def stop(self, standard: str) -> None:
		frappe.db.set_value("Subscription", standard, "status", "Cancelled")
		frappe.db.commit()

	def offer_version(self, row) -> str:
		return frappe.db.get_value("TV Subscription Line", {"parent": row.subscription}, "offer_version")

	def erpnext_invoices(self) -> list:
		return frappe.get_all(
			"Sales Invoice",
			{"customer": self.customer, "docstatus": 1, "subscription": ("is", "set")},
			["from_date", "to_date"],
			order_by="from_date",
		)

	def assert_no_day_is_billed_twice(self, first: str, end: str) -> None:
		"""ERPNext's periods (last day included) and ours follow each other without gap or overlap."""
		periods = [(row.from_date, frappe.utils.add_days(row.to_date, 1)) for row in self.erpnext_invoices()]
		periods += [(getdate(row[1]), getdate(row[2])) for row in self.billed(self.customer)]
		self.assertEqual((periods[0][0], periods[-1][1]), (getdate(first), getdate(end)))
		for before, after in itertools.pairwise(periods):
			self.assertEqual(before[1], after[0])
