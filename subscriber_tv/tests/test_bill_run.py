"""Bill runs on a real site: outcomes, parking, preview, refusals."""

from unittest.mock import patch

import frappe

from subscriber_tv.api import billing as api
from subscriber_tv.flows.billing import start_run
from subscriber_tv.flows.billing.preview import preview
from subscriber_tv.flows.billing.run import begin, run
from subscriber_tv.flows.billing.series import series_names
from subscriber_tv.flows.settings import PhaseOff
from subscriber_tv.ledger import party
from subscriber_tv.tests import factories
from subscriber_tv.tests.billing_case import COMPANY, TODAY, BillingTestCase, make_version, set_tax_rates


class TestBillRun(BillingTestCase):
	def setUp(self):
		self.customer = factories.make_customer()

	def run_for(self, customer: str, **values):
		name = start_run.new_run(
			company=COMPANY, posting_date=TODAY, bill_until=values.get("until", TODAY), payer=customer
		)
		run(bill_run=name)
		return frappe.get_doc("TV Bill Run", name)

	def test_run_invoices_and_a_second_run_finds_nothing(self):
		self.subscribe("2026-11-01", customer=self.customer)
		expected = preview(company=COMPANY, bill_until=TODAY, payer=self.customer)
		first = self.run_for(self.customer)
		line = first.payers[0]
		self.assertEqual((first.status, first.invoices, first.payers_parked), ("Completed", 1, 0))
		self.assertEqual((line.payer, line.outcome, line.net_amount), (self.customer, "Invoiced", 80))
		invoice = frappe.get_doc("Sales Invoice", line.invoice)
		self.assertEqual(invoice.tv_bill_run, first.name)
		self.assertEqual(invoice.naming_series, series_names()[0])
		self.assertEqual(expected["totals"], {"EUR": "80.00"})
		self.assertEqual(
			[(row["line"], row["from"], row["to"], float(row["amount"])) for row in expected["rows"]],
			[(row.tv_line, str(row.tv_from), str(row.tv_to), row.amount) for row in invoice.items],
		)
		second = self.run_for(self.customer)
		self.assertEqual((second.status, second.payers[0].outcome), ("Completed", "Nothing Due"))
		run(bill_run=first.name)
		self.assertEqual(frappe.db.count("Sales Invoice", {"tv_bill_run": first.name}), 1)

	def test_submitting_asks_for_one_job(self):
		"""The job bears the run's name, so asking again while it waits or works starts no second one."""
		with patch("frappe.enqueue") as enqueue:
			doc = self.new_doc(payer=self.customer).submit()
		asked = enqueue.call_args.kwargs
		self.assertEqual(frappe.get_attr(enqueue.call_args.args[0]), begin)
		self.assertEqual((asked["bill_run"], asked["deduplicate"]), (doc.name, True))
		self.assertIn(doc.name, asked["job_id"])
		self.assertEqual(doc.status, "Queued")

	def test_abandoned_runs_are_taken_up_again(self):
		name = start_run.new_run(company=COMPANY, posting_date=TODAY, payer=self.customer)
		frappe.db.set_value("TV Bill Run", name, "status", "Running")
		with patch("frappe.enqueue") as enqueue:
			start_run.resume_abandoned()
		self.assertIn(name, [call.kwargs["bill_run"] for call in enqueue.call_args_list])
		run(bill_run=name)
		self.assertEqual(frappe.db.get_value("TV Bill Run", name, "status"), "Completed")

	def test_preview_writes_nothing(self):
		self.subscribe("2026-11-01", customer=self.customer)
		before = frappe.db.count("Sales Invoice"), frappe.db.count("TV Billed Period")
		preview(company=COMPANY, bill_until=TODAY, payer=self.customer)
		self.assertEqual((frappe.db.count("Sales Invoice"), frappe.db.count("TV Billed Period")), before)

	def test_a_payer_in_trouble_is_parked_with_the_reason_and_retried(self):
		self.subscribe("2026-11-01", customer=self.customer)
		template = party.tax_template(COMPANY)
		frappe.db.set_value("Sales Taxes and Charges Template", template, "is_default", 0)
		frappe.db.commit()
		try:
			parked = self.run_for(self.customer)
		finally:
			frappe.db.set_value("Sales Taxes and Charges Template", template, "is_default", 1)
			frappe.db.commit()
		self.assertEqual((parked.status, parked.payers[0].outcome), ("Completed with Errors", "Parked"))
		self.assertIn("default Sales Taxes and Charges Template", parked.payers[0].reason)
		self.assertEqual(api.retry_parked(parked.name), 1)
		frappe.db.commit()
		run(bill_run=parked.name)
		parked.reload()
		self.assertEqual((parked.status, parked.payers[0].outcome), ("Completed", "Invoiced"))

	def test_a_refused_contract_waits_while_the_other_is_invoiced(self):
		old = self.subscribe("2023-01-01", customer=self.customer)
		self.subscribe("2026-11-01", customer=self.customer)
		line = self.run_for(self.customer).payers[0]
		self.assertEqual((line.outcome, line.net_amount), ("Parked", 80))
		self.assertIn(old, line.reason)
		self.assertIn("opening position", line.reason)

	def test_missing_address_is_only_said(self):
		self.subscribe("2026-11-01", customer=self.customer)
		line = self.run_for(self.customer).payers[0]
		self.assertEqual(line.outcome, "Invoiced")
		self.assertIn("has no address", line.reason)

	def test_a_row_taxed_twice_is_refused(self):
		item = factories.make_item("TV-NO-TEMPLATE")
		charges = [factories.charge(item=item, unit_price=30)]
		version = make_version("BILLING-TAX", charges=charges)
		self.subscribe("2026-11-01", customer=self.customer, version=version)
		template = {"parent": party.tax_template(COMPANY), "rate": 0}
		second = frappe.db.get_value("Sales Taxes and Charges", template, "account_head")
		self.addCleanup(set_tax_rates, set_tax_rates({second: 10}))
		line = self.run_for(self.customer).payers[0]
		self.assertEqual(line.outcome, "Parked")
		self.assertIn("taxed twice", line.reason)
		self.assertFalse(frappe.db.exists("Sales Invoice", {"customer": self.customer}))

	def test_a_tax_category_without_rates_of_its_own_is_refused(self):
		"""ERPNext would take the rates of the master, which are those of another item."""
		if not frappe.db.exists("Tax Category", "Overseas"):
			frappe.get_doc(doctype="Tax Category", title="Overseas").insert()
		customer = factories.make_customer(tax_category="Overseas")
		self.subscribe("2026-11-01", customer=customer)
		line = self.run_for(customer).payers[0]
		self.assertEqual(line.outcome, "Parked")
		self.assertIn("Overseas", line.reason)
		self.assertFalse(frappe.db.exists("Sales Invoice", {"customer": customer}))

	def test_a_run_lists_its_payers_itself(self):
		"""Rows that come with the document, as in a copy or a REST call, do not hide the payers who owe."""
		self.subscribe("2026-11-01", customer=self.customer)
		other = {"payer": factories.make_customer(), "outcome": "Nothing Due"}
		doc = self.new_doc(payer=self.customer, payers=[other])
		doc.flags.run_here = True
		doc.submit()
		frappe.db.commit()
		run(bill_run=doc.name)
		doc.reload()
		self.assertEqual([(row.payer, row.outcome) for row in doc.payers], [(self.customer, "Invoiced")])

	def test_a_draft_does_not_run(self):
		draft = self.new_doc(payer=self.customer).insert()
		frappe.db.commit()
		self.addCleanup(draft.delete)
		self.assertRaises(frappe.ValidationError, run, bill_run=draft.name)
		self.assertEqual(frappe.db.get_value("TV Bill Run", draft.name, "status"), "Draft")

	def test_closed_books_are_refused_before_anything_is_written(self):
		frappe.db.set_single_value("Accounts Settings", "acc_frozen_upto", TODAY)
		with self.assertRaises(frappe.ValidationError):
			self.new_doc().insert()

	def test_a_year_without_books_is_refused(self):
		with self.assertRaises(frappe.ValidationError):
			self.new_doc(posting_date="2019-05-01", bill_until="2019-05-01").insert()

	def test_a_horizon_years_ahead_is_a_slip(self):
		with self.assertRaises(frappe.ValidationError):
			self.new_doc(bill_until="2028-11-22").insert()

	def test_nothing_runs_while_billing_is_off(self):
		settings = frappe.get_doc("TV Settings")
		settings.billing_enabled = 0
		settings.save()
		self.addCleanup(frappe.clear_document_cache, "TV Settings")
		with self.assertRaises(PhaseOff):
			self.new_doc().insert()

	def test_a_run_whose_invoices_stand_cannot_be_cancelled(self):
		self.subscribe("2026-11-01", customer=self.customer)
		doc = self.run_for(self.customer)
		with self.assertRaisesRegex(frappe.ValidationError, "The invoices of this run stand"):
			doc.cancel()
		frappe.db.rollback()
		frappe.get_doc("Sales Invoice", doc.payers[0].invoice).cancel()
		doc.reload()
		doc.cancel()
		self.assertEqual(frappe.db.get_value("TV Bill Run", doc.name, "status"), "Cancelled")

	def test_only_billing_staff_may_preview_and_run(self):
		user = frappe.get_doc(
			doctype="User", email="sales@billing.example", first_name="Sales", roles=[{"role": "TV Sales"}]
		)
		user.flags.no_welcome_mail = True
		user.insert(ignore_if_duplicate=True)
		frappe.set_user(user.email)
		try:
			for call in (lambda: api.preview(COMPANY, TODAY), lambda: api.start("TVB-1")):
				self.assertRaises(frappe.PermissionError, call)
		finally:
			frappe.set_user("Administrator")

	def new_doc(self, **values):
		return frappe.get_doc(
			{
				"doctype": "TV Bill Run",
				"company": COMPANY,
				"posting_date": TODAY,
				"bill_until": TODAY,
				**values,
			}
		)
