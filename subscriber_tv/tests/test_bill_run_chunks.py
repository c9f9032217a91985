"""Chunks of a bill run, their series and locks, what is taken up again, and the list of parked payers."""

from unittest.mock import patch

import frappe

from subscriber_tv.api import billing as api
from subscriber_tv.flows.billing import chunks, start_run
from subscriber_tv.flows.billing.lock import is_held, named_lock
from subscriber_tv.flows.billing.parked import parked_payers
from subscriber_tv.flows.billing.run import begin, close, run, run_chunk
from subscriber_tv.flows.billing.series import borrowed_series
from subscriber_tv.ledger.party import tax_template
from subscriber_tv.tests import factories
from subscriber_tv.tests.bill_run_case import signed_in
from subscriber_tv.tests.billing_case import COMPANY, TODAY, BillingTestCase
from subscriber_tv.tests.processes import on_own_connections
from subscriber_tv.tests.test_billing_race import _set_series

SERIES = ("CHUNKA-.####", "CHUNKB-.####")


class ChunkTestCase(BillingTestCase):
	"""Five payers without subscriptions, two a chunk, and two series: what is tested is who bills, not what."""

	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.customers = [factories.make_customer() for _ in range(5)]
		frappe.db.commit()

	def setUp(self):
		settings = frappe.get_doc("TV Settings")
		self.addCleanup(
			_set_series, [row.series for row in settings.invoice_series], settings.bill_chunk_size
		)
		_set_series(list(SERIES), 2)
		doc = frappe.get_doc(
			{"doctype": "TV Bill Run", "company": COMPANY, "posting_date": TODAY, "bill_until": TODAY}
		)
		doc.flags.run_here = True
		doc.submit()
		chunks.list_payers(doc.name, self.customers)
		frappe.db.commit()
		self.run_name = doc.name

	def begin(self) -> list[int]:
		"""Begin as a worker does; the chunks it asks other workers for."""
		with patch("frappe.enqueue") as enqueue:
			begin(bill_run=self.run_name)
		self.jobs = [call.kwargs for call in enqueue.call_args_list]
		return [job["chunk"] for job in self.jobs]

	def status(self) -> tuple:
		fields = ["status", "payers_total", "payers_done"]
		return frappe.db.get_value("TV Bill Run", self.run_name, fields)


class TestChunks(ChunkTestCase):
	def test_as_many_chunks_are_asked_for_as_there_are_series(self):
		self.assertEqual(self.begin(), [1, 2])
		self.assertEqual(len({job["job_id"] for job in self.jobs}), 2)
		self.assertTrue(all(job["deduplicate"] for job in self.jobs))
		rows = frappe.get_all(chunks.LINE, {"parent": self.run_name}, pluck="chunk", order_by="idx")
		self.assertEqual(rows, [1, 1, 2, 2, 3])

	def test_whoever_ends_a_chunk_asks_for_the_next(self):
		self.begin()
		asked = []
		with patch("frappe.enqueue", side_effect=lambda *_, **job: asked.append(job["chunk"])):
			run_chunk(bill_run=self.run_name, chunk=1)
		self.assertEqual((asked, self.status()), ([2, 3], ("Running", 5, 2)))
		with patch("frappe.enqueue") as enqueue:
			run_chunk(bill_run=self.run_name, chunk=2)
			run_chunk(bill_run=self.run_name, chunk=3)
			run_chunk(bill_run=self.run_name, chunk=3)
		self.assertEqual(self.status(), ("Completed", 5, 5))
		self.assertEqual(enqueue.call_args.kwargs["chunk"], 3)

	def test_a_chunk_is_one_workers_at_a_time(self):
		self.begin()

		def other() -> tuple:
			with patch("frappe.enqueue"):
				run_chunk(bill_run=self.run_name, chunk=1)
			return chunks.pending_lines(self.run_name, 1), chunks.dispatch(self.run_name)

		with named_lock(chunks.chunk_lock(self.run_name, 1)) as mine, patch("frappe.enqueue"):
			((left, asked),) = on_own_connections(other)
		self.assertTrue(mine)
		self.assertEqual((len(left), asked), (2, [2]))

	def test_counters_are_right_when_chunks_end_together(self):
		"""Each counts what the rows say: no chunk adds its part to a number that another has just read."""
		self.begin()
		with patch("frappe.enqueue"):
			calls = [lambda n=n: run_chunk(bill_run=self.run_name, chunk=n) for n in (1, 2, 3)]
			results = on_own_connections(*calls)
		self.assertEqual(results, [None, None, None])
		frappe.db.rollback()
		self.assertEqual(self.status(), ("Completed", 5, 5))

	def test_two_processes_share_the_chunks_of_a_run(self):
		results = on_own_connections(*[lambda: run(bill_run=self.run_name)] * 2)
		self.assertTrue(all(isinstance(result, dict) for result in results), results)
		frappe.db.rollback()
		self.assertEqual(self.status(), ("Completed", 5, 5))

	def test_books_closed_before_a_run_is_taken_up_again(self):
		self.begin()
		with signed_in("clerk@billing.example", "TV Billing"), patch("frappe.enqueue") as enqueue:
			frappe.db.set_single_value("Accounts Settings", "acc_frozen_upto", TODAY)
			self.assertRaises(frappe.ValidationError, start_run.start, self.run_name)
		enqueue.assert_not_called()


class TestSeries(ChunkTestCase):
	def test_a_series_has_one_borrower_and_comes_back(self):
		def third() -> tuple:
			with borrowed_series(0) as found:
				return found

		with borrowed_series(0) as first:
			((found, second),) = on_own_connections(third)
			self.assertEqual((first, found, second), ((True, SERIES[0]), True, SERIES[1]))

			def both_lent() -> tuple:
				with borrowed_series(0) as _second:
					return on_own_connections(third)[0]

			(answer,) = on_own_connections(both_lent)
			self.assertEqual(answer, (False, None))
		with borrowed_series(0) as again:
			self.assertEqual(again, (True, SERIES[0]))

	def test_without_series_there_is_one_writer(self):
		_set_series([], 2)
		self.assertEqual(self.begin(), [1])

		def other() -> tuple:
			with borrowed_series(0) as found:
				return found

		with borrowed_series(0) as mine:
			self.assertEqual((mine, on_own_connections(other)), ((True, None), [(False, None)]))

	def test_a_lock_dies_with_its_connection(self):
		def take_and_go() -> bool:
			frappe.db.sql("select get_lock(%s, 0)", "unrelated")
			context = named_lock("race of a test")
			return context.__enter__()

		self.assertEqual(on_own_connections(take_and_go), [True])
		self.assertFalse(is_held("race of a test"))


class TestTakenUpAgain(ChunkTestCase):
	def test_a_run_whose_workers_died_is_begun_anew(self):
		self.begin()
		with patch("frappe.enqueue") as enqueue:
			self.assertGreaterEqual(start_run.resume_abandoned(), 1)
		resumed = [call.kwargs for call in enqueue.call_args_list]
		(mine,) = [job for job in resumed if job["bill_run"] == self.run_name]
		attempt = frappe.db.get_value("TV Bill Run", self.run_name, "attempt")
		self.assertEqual(mine["job_id"], chunks.job_id(self.run_name, attempt))
		frappe.db.commit()
		run(bill_run=self.run_name)
		self.assertEqual(self.status(), ("Completed", 5, 5))

	def test_a_run_that_somebody_works_on_is_left_alone(self):
		self.begin()
		attempt = frappe.db.get_value("TV Bill Run", self.run_name, "attempt")

		def other() -> bool:
			return chunks.abandoned(self.run_name, attempt)

		with named_lock(chunks.chunk_lock(self.run_name, 3)):
			self.assertEqual(on_own_connections(other), [False])
		self.assertEqual(on_own_connections(other), [True])

	def test_an_approved_history_of_outcomes_is_never_rewritten(self):
		run(bill_run=self.run_name)
		before = frappe.get_all(chunks.LINE, {"parent": self.run_name}, ["name", "outcome", "modified"])
		run(bill_run=self.run_name)
		close(self.run_name)
		self.assertEqual(
			frappe.get_all(chunks.LINE, {"parent": self.run_name}, ["name", "outcome", "modified"]), before
		)


class TestParked(BillingTestCase):
	def setUp(self):
		self.customer = factories.make_customer()
		self.subscribe("2026-11-01", customer=self.customer)
		self.runs = [self.parked_run(), self.parked_run()]

	def parked_run(self) -> str:
		template = tax_template(COMPANY)
		self.set_default(template, 0)
		try:
			name = start_run.new_run(
				company=COMPANY, posting_date=TODAY, bill_until=TODAY, payer=self.customer
			)
			self.assertEqual(run(bill_run=name)["payers_parked"], 1)
		finally:
			self.set_default(template, 1)
		return name

	def set_default(self, template: str, value: int) -> None:
		frappe.db.set_value("Sales Taxes and Charges Template", template, "is_default", value)
		frappe.db.commit()

	def mine(self) -> list:
		return [row for row in parked_payers(COMPANY) if row.payer == self.customer]

	def test_the_list_names_a_payer_once_and_he_is_retried_from_there(self):
		(row,) = self.mine()
		self.assertEqual((row.bill_run, row.invoice), (self.runs[1], None))
		self.assertIn("Sales Taxes and Charges Template", row.reason)
		with signed_in("clerk@billing.example", "TV Billing"), patch("frappe.enqueue") as enqueue:
			self.assertEqual(api.retry_lines([row.line]), 1)
			self.assertEqual(api.retry_lines([row.line]), 0)
		self.assertEqual(enqueue.call_args.kwargs["bill_run"], self.runs[1])
		frappe.db.commit()
		self.assertEqual([row.bill_run for row in self.mine()], [self.runs[0]])
		run(bill_run=self.runs[1])
		self.assertEqual(self.mine(), [])
		self.assertEqual(frappe.db.count("Sales Invoice", {"customer": self.customer}), 1)

	def test_the_report_shows_it(self):
		from subscriber_tv.subscriber_tv.report.tv_parked_payers.tv_parked_payers import execute

		columns, rows = execute({"company": COMPANY})
		self.assertIn(self.customer, [row["payer"] for row in rows])
		self.assertLessEqual({column["fieldname"] for column in columns}, set(rows[0]))
		self.assertTrue(frappe.db.exists("Report", "TV Parked Payers"))

	def test_at_most_two_hundred_at_a_time(self):
		with self.assertRaisesRegex(frappe.ValidationError, "200"):
			api.retry_lines([str(number) for number in range(201)])
