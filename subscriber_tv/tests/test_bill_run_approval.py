"""Preview, outliers and approval of bill runs on a real site."""

import subprocess
import sys
from unittest.mock import patch

import frappe

from subscriber_tv.api import billing as api
from subscriber_tv.flows.billing import approve_run, start_run
from subscriber_tv.flows.billing.preview_run import make_preview, read_preview
from subscriber_tv.flows.billing.run import begin, run
from subscriber_tv.flows.billing.tell_preview import tell_preview
from subscriber_tv.tests import factories
from subscriber_tv.tests.bill_run_case import (
	NEXT_MONTH,
	ApprovalTestCase,
	person,
	set_approval,
	signed_in,
)
from subscriber_tv.tests.billing_case import COMPANY, TODAY, make_version, set_tax_rates
from subscriber_tv.tests.processes import on_own_connections


class TestApproval(ApprovalTestCase):
	def test_a_run_without_outliers_goes_by_itself(self):
		self.with_address()
		self.subscribe("2026-11-01", customer=self.customer)
		set_approval("When Outliers Exist")
		name = self.submitted()
		self.assertEqual(run(bill_run=name)["status"], "Completed")
		self.assertEqual(self.status(name), ("Completed", "Not Needed"))
		self.assertEqual(frappe.db.get_value("TV Bill Run", name, "preview_net"), 80)

	def test_a_run_with_outliers_waits_for_another_person(self):
		self.subscribe("2026-11-01", customer=self.customer)
		set_approval("When Outliers Exist")
		with signed_in("clerk@billing.example", "TV Billing"):
			name = self.submitted()
		self.assertEqual(run(bill_run=name)["status"], "Awaiting Approval")
		run(bill_run=name)
		self.assertEqual((self.status(name), self.invoices(name)), (("Awaiting Approval", "Needed"), 0))
		self.assertIn("1 ", frappe.db.get_value("TV Bill Run", name, "approval_reason"))
		self.refuse_everybody_else(name)
		boss = person("boss@billing.example", "TV Management")
		with patch("frappe.enqueue"), signed_in(boss, "TV Management"):
			api.approve(name)
		frappe.db.commit()
		doc = frappe.get_doc("TV Bill Run", name)
		self.assertEqual((doc.approval, doc.approved_by, doc.status), ("Given", boss, "Queued"))
		self.assertTrue(doc.approved_at)
		self.assertEqual(run(bill_run=name)["status"], "Completed")
		self.assertEqual(self.invoices(name), 1)

	def refuse_everybody_else(self, name: str) -> None:
		"""The clerk without the role, the clerk with it, and a start past the approval."""
		with signed_in("clerk@billing.example", "TV Billing"):
			self.assertRaises(frappe.PermissionError, api.approve, name)
			with self.assertRaisesRegex(frappe.ValidationError, "waits for approval"):
				api.start(name)
		clerk = person("clerk@billing.example", "TV Billing", "TV Management")
		with self.assertRaisesRegex(frappe.PermissionError, "another person"):
			approve_run.approve(bill_run=name, user=clerk)
		frappe.db.rollback()
		self.assertEqual(self.invoices(name), 0)

	def test_two_approvers_at_once(self):
		self.subscribe("2026-11-01", customer=self.customer)
		set_approval("Always")
		with signed_in("clerk@billing.example", "TV Billing"):
			name = self.submitted()
		run(bill_run=name)
		users = [person(f"boss{n}@billing.example", "TV Management") for n in (1, 2)]
		frappe.db.commit()
		results = on_own_connections(
			*(lambda user=user: approve_run.approve(bill_run=name, user=user) for user in users)
		)
		self.assertEqual(sum(result is None for result in results), 1, results)
		(refused,) = (result for result in results if result is not None)
		self.assertIn("does not wait for approval", str(refused))

	def test_always_asks_even_without_outliers(self):
		self.with_address()
		self.subscribe("2026-11-01", customer=self.customer)
		set_approval("Always")
		name = self.submitted()
		self.assertEqual(run(bill_run=name)["status"], "Awaiting Approval")
		self.assertEqual(frappe.db.get_value("TV Bill Run", name, "preview_outliers"), 0)

	def test_a_refused_run_is_cancelled_with_the_reason(self):
		self.subscribe("2026-11-01", customer=self.customer)
		set_approval("Always")
		with signed_in("clerk@billing.example", "TV Billing"):
			name = self.submitted()
		run(bill_run=name)
		with signed_in("boss@billing.example", "TV Management"):
			api.refuse(name, "Wrong month")
		frappe.db.commit()
		self.assertEqual(self.status(name), ("Cancelled", "Refused"))
		comment = frappe.db.get_value(
			"Comment", {"reference_name": name, "comment_type": "Comment"}, "content"
		)
		self.assertIn("Wrong month", comment)
		self.assertRaises(frappe.ValidationError, run, bill_run=name)

	def test_approval_cannot_be_sent_along(self):
		self.subscribe("2026-11-01", customer=self.customer)
		set_approval("Always")
		doc = frappe.get_doc(
			{
				"doctype": "TV Bill Run",
				"company": COMPANY,
				"posting_date": TODAY,
				"bill_until": TODAY,
				"payer": self.customer,
				"approval": "Given",
				"approved_by": "Administrator",
				"started_at": "2026-11-22 10:00:00",
				"preview_status": "Ready",
				"previewed_at": "2026-11-22 10:00:00",
				"schedule_key": "x",
			}
		)
		doc.flags.run_here = True
		doc.submit()
		frappe.db.commit()
		self.assertEqual((doc.approval, doc.preview_status, doc.schedule_key), (None, None, None))
		self.assertEqual(run(bill_run=doc.name)["status"], "Awaiting Approval")

	def test_a_history_that_is_only_loaded_waits_for_nobody(self):
		self.subscribe("2026-11-01", customer=self.customer)
		set_approval("Always")
		name = start_run.new_run(
			company=COMPANY, posting_date=TODAY, bill_until=TODAY, payer=self.customer, history=True
		)
		self.assertEqual(run(bill_run=name)["status"], "Completed")

	def test_a_preview_that_fails_says_why_and_bills_nobody(self):
		self.subscribe("2026-11-01", customer=self.customer)
		set_approval("Always")
		name = self.submitted()
		with (
			patch(
				"subscriber_tv.flows.billing.preview_run.forecast", side_effect=ValueError("no such thing")
			),
			self.assertRaises(ValueError),
		):
			begin(bill_run=name)
		doc = frappe.get_doc("TV Bill Run", name)
		self.assertEqual((doc.status, doc.preview_status, doc.failure), ("Failed", "Failed", "no such thing"))
		with patch("frappe.enqueue"):
			start_run.start(name)
		frappe.db.commit()
		self.assertEqual(run(bill_run=name)["status"], "Awaiting Approval")


class TestCommand(ApprovalTestCase):
	def test_preview_wait_approve_and_bill(self):
		self.subscribe("2026-11-01", customer=self.customer)
		set_approval("When Outliers Exist")
		boss = person("boss@billing.example", "TV Management")
		order = ("--company", COMPANY, "--posting-date", TODAY, "--until", TODAY, "--payer", self.customer)
		runs = frappe.db.count("TV Bill Run")
		code, said = command("--preview", *order)
		frappe.db.rollback()
		self.assertEqual((code, frappe.db.count("TV Bill Run")), (0, runs), said)
		self.assertIn(self.customer, said)
		code, said = command(*order)
		self.assertEqual(code, 3, said)
		name = said.split()[0]
		frappe.db.rollback()
		self.assertEqual((self.status(name), self.invoices(name)), (("Awaiting Approval", "Needed"), 0))
		code, said = command("--approve", name, "--user", "Administrator")
		self.assertIn("another person", said)
		code, said = command("--approve", name, "--user", boss)
		frappe.db.rollback()
		self.assertEqual((code, self.invoices(name)), (0, 1), said)
		self.assertEqual(frappe.db.get_value("TV Bill Run", name, "approved_by"), boss)


class TestPreview(ApprovalTestCase):
	def draft(self, until: str = TODAY):
		doc = frappe.get_doc(
			{
				"doctype": "TV Bill Run",
				"company": COMPANY,
				"posting_date": TODAY,
				"bill_until": until,
				"payer": self.customer,
			}
		).insert()
		frappe.db.commit()
		self.addCleanup(lambda: frappe.delete_doc("TV Bill Run", doc.name, ignore_missing=True))
		return doc

	def test_preview_is_the_run(self):
		"""Total, tax and rows of the preview are what the run then posts; nothing was written for it."""
		self.subscribe("2026-11-01", customer=self.customer)
		before = frappe.db.count("Sales Invoice"), frappe.db.count("TV Billed Period")
		draft = self.draft()
		make_preview(bill_run=draft.name)
		self.assertEqual((frappe.db.count("Sales Invoice"), frappe.db.count("TV Billed Period")), before)
		(total,) = read_preview(draft.name)["totals"]
		name = self.submitted()
		run(bill_run=name)
		posted = frappe.db.get_value(
			"Sales Invoice", {"tv_bill_run": name}, ["net_total", "total_taxes_and_charges"]
		)
		self.assertEqual((float(total["net"]), float(total["tax"])), posted)
		(line,) = frappe.get_all(
			"TV Bill Preview Line",
			{"bill_run": draft.name},
			["payer", "net_amount", "regular_amount", "rows", "outliers"],
		)
		self.assertEqual(
			line,
			{
				"payer": self.customer,
				"net_amount": 80,
				"regular_amount": 30,
				"rows": 2,
				"outliers": "no_address",
			},
		)

	def test_outliers_and_comparison_with_the_last_run(self):
		self.with_address()
		subscription = self.subscribe("2026-11-01", customer=self.customer)
		first = self.submitted()
		run(bill_run=first)
		self.more_tvs(subscription)
		self.set_jump(50)
		draft = self.draft(until=NEXT_MONTH)
		make_preview(bill_run=draft.name)
		found = read_preview(draft.name)
		self.assertEqual((found["last_run"], found["movements"]), (first, {"up": 1}))
		self.assertEqual(
			[(row["now"], row["last"], row["percent"]) for row in found["comparison"]], [("90", "80", "12.5")]
		)
		(jump,) = found["outliers"]
		self.assertEqual((jump["code"], jump["values"]["percent"]), ("jump", "200"))
		self.assertIn("+200 %", jump["text"])
		self.set_jump(250)
		make_preview(bill_run=draft.name)
		self.assertEqual(read_preview(draft.name)["outliers"], [])
		self.assertEqual(frappe.db.count("TV Bill Preview Line", {"bill_run": draft.name}), 1)

	def more_tvs(self, subscription: str) -> None:
		"""Three TVs from December instead of one."""
		from subscriber_tv.flows.contracts.change_lines import change_lines

		change_lines(
			subscription=subscription, steps=[{"line_id": "L1", "quantity": 3}], effective_date="2026-12-01"
		)
		frappe.db.commit()

	def set_jump(self, percent: float) -> None:
		frappe.db.set_single_value("TV Settings", "outlier_jump_percent", percent)
		frappe.clear_document_cache("TV Settings")
		frappe.db.commit()
		if percent != 50:
			self.addCleanup(self.set_jump, 50)

	def test_an_untaxed_item_stands_out_before_it_is_refused(self):
		version = make_version(
			"BILLING-UNTAXED", charges=[factories.charge(item=factories.make_item("TV-UNTAXED"))]
		)
		self.subscribe("2026-11-01", customer=self.customer, version=version)
		before = set_tax_rates({})
		self.addCleanup(set_tax_rates, before)
		set_tax_rates(dict.fromkeys(before, 0))
		draft = self.draft()
		make_preview(bill_run=draft.name)
		self.assertEqual(
			[row["code"] for row in read_preview(draft.name)["outliers"]], ["no_tax", "no_address"]
		)
		self.assertIn("TV-UNTAXED", read_preview(draft.name)["outliers"][0]["text"])
		name = self.submitted()
		run(bill_run=name)
		self.assertIn("is not taxed", frappe.get_doc("TV Bill Run", name).payers[0].reason)

	def test_another_horizon_makes_the_preview_worthless(self):
		self.subscribe("2026-11-01", customer=self.customer)
		draft = self.draft()
		make_preview(bill_run=draft.name)
		draft.reload()
		draft.save()
		self.assertEqual(draft.preview_status, "Ready")
		draft.bill_until = NEXT_MONTH
		draft.save()
		self.assertFalse(draft.preview_status)
		self.assertEqual(frappe.db.count("TV Bill Preview Line", {"bill_run": draft.name}), 0)

	def test_deleting_a_draft_takes_its_preview_along(self):
		self.subscribe("2026-11-01", customer=self.customer)
		draft = self.draft()
		make_preview(bill_run=draft.name)
		frappe.delete_doc("TV Bill Run", draft.name)
		self.assertEqual(frappe.db.count("TV Bill Preview Line", {"bill_run": draft.name}), 0)

	def test_only_those_who_bill_or_manage_may_ask(self):
		draft = self.draft()
		with signed_in("sales@billing.example", "TV Sales"), patch("frappe.enqueue") as enqueue:
			self.assertRaises(frappe.PermissionError, api.ask_preview, draft.name)
			self.assertRaises(frappe.PermissionError, api.confirm_first_bills, draft.name)
			self.assertRaises(frappe.PermissionError, api.retry_lines, ["x"])
			self.assertEqual(api.state_of(draft.name)["payers_total"], 0)
		enqueue.assert_not_called()
		with signed_in("boss@billing.example", "TV Management"), patch("frappe.enqueue") as enqueue:
			api.ask_preview(draft.name)
		self.assertTrue(enqueue.call_args.kwargs["deduplicate"])

	def test_the_command_tells_the_same(self):
		self.subscribe("2026-11-01", customer=self.customer)
		said = list(tell_preview(company=COMPANY, posting_date=TODAY, bill_until=TODAY, payer=self.customer))
		self.assertIn("80", said[1])
		self.assertTrue(any(self.customer in line for line in said))


def command(*arguments: str) -> tuple[int, str]:
	"""Exit code and output of the app's command on this site."""
	bench = [sys.executable, "-m", "frappe.utils.bench_helper", "frappe", "--site", frappe.local.site]
	done = subprocess.run(
		[*bench, "subscriber-tv", "bill-run", *arguments], capture_output=True, text=True, timeout=120
	)
	return done.returncode, done.stdout + done.stderr
