"""Real workers of a campaign killed at any SQL statement: each contract is changed once, whoever finishes the work."""

import os
import random
import signal
from contextlib import nullcontext
from unittest.mock import patch

import frappe
from frappe.database.database import Database
from rq.job import JobStatus

from subscriber_tv.flows.billing.lock import named_lock
from subscriber_tv.flows.campaigns import start, targets, work
from subscriber_tv.tests.campaign_case import CampaignCase

SEEDS = range(10)
MOST_STATEMENTS = 200  # fewer than four contracts take, listed and changed


class TestCampaignCrash(CampaignCase):
	def test_killed_anywhere_a_revision_is_applied_once_and_taken_back_once(self):
		killed = 0
		self.addCleanup(setattr, work, "CHUNK", targets.CHUNK)
		for seed in SEEDS:
			with self.subTest(seed=seed):
				chance = random.Random(seed)
				# Every other one dies between chunks, too: four contracts are then two of them, as 2,000 are ten.
				work.CHUNK = targets.CHUNK if seed % 2 else 2
				names = [self.contract() for _n in range(4)]
				doc = self.revision()
				deaths = [self._killed_at(doc, chance.randint(1, MOST_STATEMENTS)) for _n in range(2)]
				done = self.run_campaign(doc)
				killed += sum(deaths)
				print(f"seed {seed}: killed {deaths}")
				self.assertEqual((done["targets_applied"], done["status"]), (4, "Completed"))
				self._assert_changes(doc, names, "change_lines")
				start.take_back(doc.reload())
				frappe.db.commit()
				self._killed_at(doc, chance.randint(1, MOST_STATEMENTS))
				done = self.run_campaign(doc)
				self.assertEqual((done["targets_taken_back"], done["status"]), (4, "Taken Back"))
				self._assert_changes(doc, names, "withdraw")
				self.tearDown()
				self.setUp()
		self.assertGreater(killed, len(SEEDS) // 2, "the workers must die for this to show anything")

	def test_a_job_whose_worker_was_killed_does_not_keep_the_next_away(self):
		self.contract()
		doc = self.revision()
		first = start.job_id(doc.name)
		for said, asked in (
			({}, [first]),
			({first: JobStatus.QUEUED}, []),
			({first: JobStatus.STARTED}, [start.job_id(doc.name, 1)]),
			({first: JobStatus.STARTED, start.job_id(doc.name, 1): JobStatus.QUEUED}, []),
		):
			with self.subTest(said=said), patch.object(start, "get_job_status", said.get):
				with patch.object(frappe, "enqueue") as enqueue:
					start.enqueue(doc.doctype, doc.name)
				self.assertEqual([call.kwargs["job_id"] for call in enqueue.call_args_list], asked)

	def test_while_a_worker_has_it_nobody_else_takes_it(self):
		name = self.contract()
		doc = self.revision()
		with named_lock(start.work_lock(doc.name)), patch.object(frappe, "enqueue") as enqueue:
			start.enqueue(doc.doctype, doc.name)
			start.resume_abandoned()
			self.assertNotIn(doc.name, [call.kwargs["campaign"] for call in enqueue.call_args_list])
			with patch.object(start, "named_lock", lambda _name: nullcontext(False)):
				start.work_on(doctype=doc.doctype, campaign=doc.name)
		self.assertEqual(self.price(name, "2027-01-01"), "")
		start.work_on(doctype=doc.doctype, campaign=doc.name)
		self.assertEqual(self.price(name, "2027-01-01"), "33.00")

	def test_taken_back_in_the_middle_the_same_worker_goes_back(self):
		names = [self.contract() for _n in range(3)]
		doc, act, seen = self.revision(), work._locked, []

		def stopped(*arguments):
			seen.append(arguments)
			if len(seen) == 2:
				with patch.object(frappe, "enqueue"):
					start.take_back(frappe.get_doc(doc.doctype, doc.name))
				frappe.db.commit()
			return act(*arguments)

		with patch.object(work, "_locked", stopped):
			start.work_on(doctype=doc.doctype, campaign=doc.name)
		doc.reload()
		self.assertEqual((doc.status, doc.targets_taken_back), ("Taken Back", 1))
		self.assertEqual([self.price(name, "2027-01-01") for name in names], ["", "", ""])

	def _assert_changes(self, doc, names: list[str], event: str) -> None:
		for name in names:
			made = {"subscription": name, "source_name": doc.name, "event": event}
			self.assertEqual(frappe.db.count("TV Subscription Change", made), 1)
			count, last = frappe.db.get_value("TV Subscription", name, ["change_count", "last_change"])
			self.assertEqual(last, f"{name}-C{count}")
			self.assertEqual(frappe.db.count("TV Subscription Change", {"subscription": name}), count)

	def _killed_at(self, doc, statement: int) -> bool:
		"""Let a process of its own work on the campaign until it has executed so many statements; whether it died."""
		frappe.db.commit()
		site, path = frappe.local.site, frappe.local.sites_path
		child = os.fork()
		if not child:
			try:
				frappe.init(site=site, sites_path=path)
				frappe.connect()
				_die_at(statement)
				work.run(doctype=doc.doctype, campaign=doc.name)
			finally:
				os._exit(0)
		_, status = os.waitpid(child, 0)
		return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def _die_at(statement: int) -> None:
	"""Kill this process with the statement of that number; the product knows nothing of it."""
	execute, count = Database.sql, 0

	def counted(self, *args, **kwargs):
		nonlocal count
		count += 1
		if count == statement:
			os.kill(os.getpid(), signal.SIGKILL)
		return execute(self, *args, **kwargs)

	Database.sql = counted
