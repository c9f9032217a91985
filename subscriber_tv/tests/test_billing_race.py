"""Four RQ workers bill the same payers for two runs at once and are killed at random SQL statements.

Afterwards each period is invoiced once, the ledgers balance, nothing is lost and the series have no gap. Twenty seeds
are printed with every run of this test; `SUBSCRIBER_TV_RACE_SEEDS` plays others: a number of seeds, or a list such as
`4711,4712` to play a failure again. `SUBSCRIBER_TV_RACE_WITHOUT="lock claims"` takes the workers' protection away, to
see the test fail.
"""

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from unittest.mock import patch

import frappe
from frappe.utils import background_jobs

from subscriber_tv.flows.billing import chunks, start_run
from subscriber_tv.tests import factories
from subscriber_tv.tests.billing_case import COMPANY, TODAY, BillingTestCase, ledger

SEEDS = 20
PAYERS = 6
WORKERS = 4
SERIES = 4
CHUNK_SIZE = 2
LIFE = 500  # statements among which a death is drawn; about what a worker executes in a seed
ROUNDS = 8  # of taking up what was left
PATIENCE = 120  # seconds for one round on a busy machine


class TestBillingRace(BillingTestCase):
	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.customers = [factories.make_customer() for _ in range(PAYERS)]
		cls.subscriptions = [_subscription(cls.version, name) for name in cls.customers]
		frappe.db.commit()
		cls.namespace = f"race-{os.getpid()}"
		cls.launcher = _launch(cls.namespace, os.environ.get("SUBSCRIBER_TV_RACE_WITHOUT", "").split())
		payer = {"site": frappe.local.site, "payer": cls.customers[0], "company": COMPANY, "day": TODAY}
		cls.order({"warm": payer})

	@classmethod
	def tearDownClass(cls):
		cls.launcher.stdin.close()
		cls.launcher.wait(PATIENCE)
		erase(cls.customers, cls.subscriptions)
		super().tearDownClass()

	def setUp(self):
		self.enterContext(patch.object(background_jobs, "get_bench_id", lambda: self.namespace))
		settings = frappe.get_doc("TV Settings")
		kept = {"series": [row.series for row in settings.invoice_series], "size": settings.bill_chunk_size}
		self.addCleanup(_set_series, kept["series"], kept["size"])

	def test_killed_at_random_statements(self):
		died = 0
		for seed in seeds():
			with self.subTest(seed=seed):
				died += self.race(seed)
		self.assertGreater(died, 0, "no worker was ever killed: this shows nothing")

	def race(self, seed: int) -> int:
		"""Play one seed and check the books; returns how many processes were killed."""
		chance = random.Random(seed)
		began = time.monotonic()
		erase_invoices(self.customers)
		play = frappe.generate_hash(length=6).upper()  # a seed may be played again
		series = [f"RACE{play}{letter}-.####" for letter in "ABCD"[:SERIES]]
		_set_series(series, CHUNK_SIZE)
		runs = [self.submit_run(), self.submit_run()]
		for name in runs:
			start_run.start(name)
		frappe.db.commit()
		deaths = [_death(chance) for _ in range(WORKERS)]
		self.refused = 0
		killed = self.work(deaths)
		rounds = self.take_up(runs)
		self.assert_right(runs, series)
		# Under the payer's lock nobody even tries: whoever comes second sees what the first has billed.
		self.assertEqual(self.refused, 0)
		print(
			f"seed {seed}: {killed} killed, taken up {rounds} times, {time.monotonic() - began:.1f} s",
			file=sys.stderr,
			flush=True,
		)
		return killed

	def submit_run(self) -> str:
		"""A run over the payers of this test alone: their rows are there before it begins."""
		doc = frappe.get_doc(
			{"doctype": "TV Bill Run", "company": COMPANY, "posting_date": TODAY, "bill_until": TODAY}
		)
		doc.flags.run_here = True
		doc.submit()
		chunks.list_payers(doc.name, self.customers)
		return doc.name

	def work(self, deaths: list) -> int:
		"""Let the workers work until the queue is empty; returns how many processes were killed."""
		answer = self.order({"deaths": deaths})
		self.refused += answer["refused"]
		return answer["killed"]

	@classmethod
	def order(cls, order: dict) -> dict:
		"""Have the launcher carry out one order."""
		cls.launcher.stdin.write(json.dumps(order) + "\n")
		cls.launcher.stdin.flush()
		return json.loads(cls.launcher.stdout.readline())

	def take_up(self, runs: list[str]) -> int:
		"""What the scheduler does every ten minutes, until both runs are over; returns how often it was needed."""
		for number in range(ROUNDS):
			frappe.db.rollback()
			if not _unfinished(runs):
				return number
			_wait_for_the_dead(runs)
			start_run.resume_abandoned()
			frappe.db.commit()
			self.work([None] * WORKERS)
		self.fail(f"{_unfinished(runs)} are not over after {ROUNDS} rounds")

	def assert_right(self, runs: list[str], series: list[str]) -> None:
		frappe.db.rollback()
		rows = frappe.get_all(
			"Sales Invoice Item",
			{"tv_subscription": ("in", self.subscriptions), "docstatus": 1},
			["name", "parent", "tv_line", "tv_from", "tv_to"],
			limit=0,
		)
		self.assert_billed_once(rows)
		self.assert_gapless(series, {row.parent for row in rows})
		self.assert_runs_agree(runs, {row.parent for row in rows})

	def assert_billed_once(self, rows: list) -> None:
		"""Fee and two periods of each subscription once, one balanced invoice a payer, each row with its claim."""
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

	def assert_gapless(self, series: list[str], invoices: set[str]) -> None:
		"""Numbers 1 to n in each series, the counter of the series at n, and no draft that holds one.

		A run that another test has left behind may be taken up as well and use a number.
		"""
		mine = frappe.get_all("Sales Invoice", {"customer": ("in", self.customers)}, pluck="name")
		self.assertEqual(set(mine), invoices)
		for one in series:
			prefix = one.split(".")[0]
			found = frappe.get_all(
				"Sales Invoice", {"name": ("like", f"{prefix}%")}, ["name", "docstatus"], limit=0
			)
			numbers = sorted(int(row.name.removeprefix(prefix)) for row in found)
			self.assertEqual(numbers, list(range(1, len(numbers) + 1)), prefix)
			self.assertEqual({row.docstatus for row in found} - {1}, set(), prefix)
			current = frappe.db.sql("select current from tabSeries where name = %s", prefix)
			self.assertEqual(current[0][0] if current else 0, len(numbers), prefix)
		self.assertEqual(sum(name.startswith(series[0][:10]) for name in mine), PAYERS)

	def assert_runs_agree(self, runs: list[str], invoices: set[str]) -> None:
		"""Each invoice stands in one row of the run it names; each payer has an outcome; the counters count the rows."""
		lines = frappe.get_all(
			"TV Bill Run Line",
			{"parent": ("in", runs)},
			["parent", "payer", "outcome", "invoice", "reason"],
			limit=0,
		)
		self.assertEqual(
			Counter(row.outcome for row in lines), {"Invoiced": PAYERS, "Nothing Due": PAYERS}, lines
		)
		named = [(row.invoice, row.parent, row.payer) for row in lines if row.invoice]
		posted = frappe.get_all(
			"Sales Invoice", {"name": ("in", invoices)}, ["name", "tv_bill_run", "customer"], as_list=True
		)
		self.assertEqual(Counter(named), Counter(posted))
		for name in runs:
			doc = frappe.get_doc("TV Bill Run", name)
			made = sum(row.parent == name and bool(row.invoice) for row in lines)
			figures = (
				doc.status,
				doc.payers_total,
				doc.payers_done,
				doc.payers_parked,
				doc.invoices,
				doc.net_total,
			)
			net = sum(row.net_amount or 0 for row in doc.payers)
			self.assertEqual(figures, ("Completed", PAYERS, PAYERS, 0, made, net))


def seeds() -> list[int]:
	"""Twenty fresh ones, or those the environment asks for."""
	asked = os.environ.get("SUBSCRIBER_TV_RACE_SEEDS", str(SEEDS))
	if "," in asked:
		return [int(seed) for seed in asked.split(",") if seed]
	return [random.SystemRandom().randrange(10**6) for _ in range(int(asked))]


def _death(chance: random.Random) -> list:
	return [chance.randint(1, LIFE), chance.random() < 0.5, chance.random() < 0.5]


def _subscription(version: str, customer: str) -> str:
	return factories.make_subscription(
		"Active",
		customer=customer,
		activated_on="2026-10-15",
		anchor_day=1,
		lines=[{"offer_version": version, "quantity": 1}],
	)


def _launch(namespace: str, without: list[str]) -> subprocess.Popen:
	return subprocess.Popen(
		[sys.executable, "-m", "subscriber_tv.tests.billing_workers", namespace, *without],
		stdin=subprocess.PIPE,
		stdout=subprocess.PIPE,
		cwd=frappe.local.sites_path,
		text=True,
	)


def _unfinished(runs: list[str]) -> list[str]:
	return frappe.get_all(
		"TV Bill Run",
		{"name": ("in", runs), "status": ("not in", ("Completed", "Completed with Errors"))},
		pluck="name",
	)


def _wait_for_the_dead(runs: list[str]) -> None:
	"""Until the server has noticed that the killed ones are gone: nobody alive holds a chunk here."""
	until = time.monotonic() + 20
	while time.monotonic() < until:
		held = [
			number
			for name in runs
			for number in chunks.open_chunks(name)
			if chunks.is_held(chunks.chunk_lock(name, number))
		]
		if not held:
			return
		time.sleep(0.05)
	raise AssertionError(f"chunks {held} are still held")


def _set_series(series: list[str], size: int | None) -> None:
	frappe.db.rollback()
	settings = frappe.get_doc("TV Settings")
	settings.set("invoice_series", [{"series": name} for name in series])
	settings.bill_chunk_size = size or 0
	settings.save()
	frappe.db.commit()


def erase_invoices(customers: list[str]) -> None:
	"""Take away what a seed's workers committed; nothing else on the site rests on it."""
	frappe.db.rollback()
	invoices = frappe.get_all("Sales Invoice", {"customer": ("in", customers)}, pluck="name")
	runs = frappe.get_all("TV Bill Run Line", {"payer": ("in", customers)}, pluck="parent", distinct=True)
	_delete(
		("GL Entry", "voucher_no", invoices),
		("Payment Ledger Entry", "voucher_no", invoices),
		("Sales Invoice Item", "parent", invoices),
		("Sales Taxes and Charges", "parent", invoices),
		("Payment Schedule", "parent", invoices),
		("Sales Invoice", "name", invoices),
		("TV Billed Period", "invoice", invoices),
		("TV Bill Run Line", "parent", runs),
		("TV Bill Run", "name", runs),
	)


def erase(customers: list[str], subscriptions: list[str]) -> None:
	"""Take away everything of these payers."""
	erase_invoices(customers)
	changes = frappe.get_all("TV Subscription Change", {"subscription": ("in", subscriptions)}, pluck="name")
	_delete(
		("TV Subscription Change Line", "parent", changes),
		("TV Subscription Change", "name", changes),
		("TV Subscription Line", "parent", subscriptions),
		("TV Subscription", "name", subscriptions),
		("TV Site", "customer", customers),
		("Customer", "name", customers),
	)


def _delete(*doomed: tuple[str, str, list[str]]) -> None:
	for doctype, field, names in doomed:
		frappe.db.delete(doctype, {field: ("in", names or [""])})
	frappe.db.commit()
