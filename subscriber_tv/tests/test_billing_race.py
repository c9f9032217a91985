"""Real processes bill the same payers at once, and one is killed half-way: each period is invoiced exactly once."""

import random
import signal
import subprocess
import sys
import time
from collections import Counter

import frappe

from subscriber_tv.tests import factories
from subscriber_tv.tests.billing_case import COMPANY, TODAY, BillingTestCase, ledger

PAYERS = 6
PATIENCE = 90  # seconds for one process on a busy machine


class TestBillingRace(BillingTestCase):
	def setUp(self):
		self.customers = [factories.make_customer() for _ in range(PAYERS)]
		self.subscriptions = [self.subscribe("2026-10-15", customer=name) for name in self.customers]
		self.addCleanup(erase, self.customers, self.subscriptions)

	def test_two_runs_at_once(self):
		runs = [self.submit_run(), self.submit_run()]
		for process in [start(name) for name in runs]:
			self.assert_finished(process)
		self.assert_billed_once()
		outcomes = Counter(
			(row.parent, row.outcome)
			for row in frappe.get_all(
				"TV Bill Run Line", {"parent": ("in", runs)}, ["parent", "outcome"], limit=0
			)
		)
		self.assertEqual(sum(n for (_, outcome), n in outcomes.items() if outcome == "Invoiced"), PAYERS)
		self.assertEqual(sum(n for (_, outcome), n in outcomes.items() if outcome == "Parked"), 0)

	def test_killed_half_way_and_started_again_twice(self):
		seed = random.SystemRandom().randrange(10**6)
		print(f"seed of the kill: {seed}")
		run = self.submit_run()
		victim = start(run)
		self.wait_for_invoices(2)
		time.sleep(random.Random(seed).uniform(0, 0.8))
		victim.send_signal(signal.SIGKILL)
		victim.communicate()
		self.assertEqual(victim.returncode, -signal.SIGKILL)
		for process in [start(run), start(run)]:
			self.assert_finished(process)
		self.assert_billed_once()
		doc = frappe.get_doc("TV Bill Run", run)
		self.assertEqual((doc.status, doc.payers_done, doc.invoices), ("Completed", PAYERS, PAYERS))
		self.assertEqual({row.outcome for row in doc.payers}, {"Invoiced"})

	def submit_run(self) -> str:
		"""A run over the payers of this test alone: their rows are there before it starts."""
		doc = frappe.get_doc(
			{
				"doctype": "TV Bill Run",
				"company": COMPANY,
				"posting_date": TODAY,
				"bill_until": TODAY,
			}
		)
		doc.flags.run_here = True
		doc.submit()
		# As the run itself lists its payers when it starts: a document brings no rows of its own.
		for name in self.customers:
			doc.append("payers", {"payer": name, "outcome": "Pending", "docstatus": 1}).db_insert()
		frappe.db.commit()
		return doc.name

	def wait_for_invoices(self, number: int) -> None:
		deadline = time.monotonic() + PATIENCE
		while time.monotonic() < deadline:
			frappe.db.rollback()  # a new snapshot
			if frappe.db.count("Sales Invoice", {"customer": ("in", self.customers)}) >= number:
				return
			time.sleep(0.05)
		self.fail("the run invoiced nobody")

	def assert_finished(self, process) -> None:
		output, _ = process.communicate(timeout=PATIENCE)
		self.assertEqual(process.returncode, 0, output)

	def assert_billed_once(self) -> None:
		"""Fee and two periods of each subscription once, balanced, each with its claim."""
		frappe.db.rollback()
		rows = frappe.get_all(
			"Sales Invoice Item",
			{"tv_subscription": ("in", self.subscriptions), "docstatus": 1},
			["name", "parent", "tv_line", "tv_from", "tv_to"],
			limit=0,
		)
		periods = Counter((row.tv_line, str(row.tv_from), str(row.tv_to)) for row in rows)
		expected = {
			(f"{name}/L1/{charge}", start, end)
			for name in self.subscriptions
			for charge, start, end in (
				("ACTIVATION", "2026-10-15", "2026-10-16"),
				("BASE", "2026-10-15", "2026-11-01"),
				("BASE", "2026-11-01", "2026-12-01"),
			)
		}
		self.assertEqual(periods, Counter(expected))
		invoices = {row.parent for row in rows}
		self.assertEqual(len(invoices), PAYERS)
		for invoice in invoices:
			ledger(invoice)
		claimed = frappe.get_all(
			"TV Billed Period",
			{"subscription": ("in", self.subscriptions)},
			["invoice", "invoice_row"],
			limit=0,
		)
		self.assertEqual(
			{(row.invoice, row.invoice_row) for row in claimed}, {(row.parent, row.name) for row in rows}
		)


def start(run: str) -> subprocess.Popen:
	"""The command of the app in a process of its own, on this site."""
	command = ["--site", frappe.local.site, "subscriber-tv", "bill-run", "--resume", run]
	return subprocess.Popen(
		[sys.executable, "-m", "frappe.utils.bench_helper", "frappe", *command],
		stdout=subprocess.PIPE,
		stderr=subprocess.STDOUT,
		text=True,
	)


def erase(customers: list[str], subscriptions: list[str]) -> None:
	"""Take away what the processes committed; nothing else on the site rests on it."""
	frappe.db.rollback()
	invoices = frappe.get_all("Sales Invoice", {"customer": ("in", customers)}, pluck="name")
	runs = frappe.get_all("TV Bill Run Line", {"payer": ("in", customers)}, pluck="parent", distinct=True)
	changes = frappe.get_all("TV Subscription Change", {"subscription": ("in", subscriptions)}, pluck="name")
	doomed = (
		("GL Entry", "voucher_no", invoices),
		("Payment Ledger Entry", "voucher_no", invoices),
		("Sales Invoice Item", "parent", invoices),
		("Sales Taxes and Charges", "parent", invoices),
		("Payment Schedule", "parent", invoices),
		("Sales Invoice", "name", invoices),
		("TV Billed Period", "invoice", invoices),
		("TV Bill Run Line", "parent", runs),
		("TV Bill Run", "name", runs),
		("TV Subscription Change Line", "parent", changes),
		("TV Subscription Change", "name", changes),
		("TV Subscription Line", "parent", subscriptions),
		("TV Subscription", "name", subscriptions),
		("TV Site", "customer", customers),
		("Customer", "name", customers),
	)
	for doctype, field, names in doomed:
		frappe.db.delete(doctype, {field: ("in", names or [""])})
	frappe.db.commit()
