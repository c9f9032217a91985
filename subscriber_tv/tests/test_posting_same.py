"""What the quick way posts is what ERPNext's own insert and submit post, column for column."""

import json
import os
from collections.abc import Callable

import frappe
from frappe.tests.utils import FrappeTestCase

from subscriber_tv.ledger.posting import admission
from subscriber_tv.ledger.posting.post import is_quick, post, post_ordinarily
from subscriber_tv.ledger.posting.quick_invoice import QuickInvoice
from subscriber_tv.ledger.posting.totals import count_sales
from subscriber_tv.tests import factories
from subscriber_tv.tests.posting_sample import COMPANY, Sample, trace, undone

SEED = int(os.environ.get("SUBSCRIBER_TV_SEED", "3"))
NUMBER = int(os.environ.get("SUBSCRIBER_TV_INVOICES", "60"))


def post_and_count(doc) -> None:
	"""The quick way, with the count of the company's sales that the ordinary way makes each time."""
	post(doc)
	count_sales()


class TestPostingSame(FrappeTestCase):
	"""Each invoice is posted twice from the same state: all that was written is taken back in between."""

	maxDiff = 20_000

	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.sample = Sample(SEED)
		frappe.db.commit()

	def setUp(self):
		# Frappe keeps no versions while tests run; a site does.
		frappe.flags.in_test = False
		self.addCleanup(setattr, frappe.flags, "in_test", True)
		self.addCleanup(frappe.db.rollback)
		if admission.sources_digest() not in admission.KNOWN_SOURCES:
			self.skipTest(f"posting code {admission.sources_digest()} not known: all go the ordinary way")

	def assert_same(self, make: Callable) -> bool:
		"""Post what `make` makes both ways and compare; whether the quick way was taken."""
		state = self.sample.random.getstate()
		doc = make()
		self.sample.random.setstate(state)
		twin = make()
		with undone():
			expected = trace(post_ordinarily, twin)
		taken = []
		written, QuickInvoice._write_version = QuickInvoice._write_version, _note(taken)
		try:
			with undone():
				found = trace(post_and_count, doc)
		finally:
			QuickInvoice._write_version = written
		self.assertEqual(differences(expected, found), [])
		self.assertTrue({"Sales Invoice", "refused"} & set(expected))
		return bool(taken)

	def test_a_varied_sample_is_posted_alike(self):
		quick = 0
		for number in range(NUMBER):
			with self.subTest(seed=SEED, number=number):
				quick += self.assert_same(self.sample.invoice)
		self.assertGreater(quick, NUMBER * 0.9)

	def plain(self, customer: str = "Same Plain", **values):
		"""One ordinary invoice of one row, 29.90 at 10 %, of today's date in these tests."""
		doc = self.sample.invoice()
		doc.update(
			{"customer": customer, "currency": "EUR", "conversion_rate": 1, "posting_date": "2026-11-22"}
		)
		doc.update(
			{"additional_discount_percentage": 0, "discount_amount": 0, "payment_terms_template": None}
		)
		doc.set(
			"items", [{"item_code": "TV-SUBSCRIPTION", "qty": 1, "rate": 29.9, "enable_deferred_revenue": 0}]
		)
		doc.update(values)
		return doc

	def assert_refused_alike(self, make: Callable) -> str:
		"""Both ways refuse what `make` makes with the same error; its text."""
		said = []
		for way in (post_ordinarily, post):
			doc = make()
			with undone(), self.assertRaises(frappe.ValidationError) as refusal:
				way(doc)
			said.append((type(refusal.exception), str(refusal.exception)))
		self.assertEqual(*said)
		return said[0][1]

	def test_an_advance_goes_on_ordinarily(self):
		"""What is found only while the invoice is validated, an advance here, ends the quick way in time."""
		customer = factories.make_customer("Same Advance")
		with undone():
			_receive(customer, 10)
			doc_of = lambda: self.plain(customer, allocate_advances_automatically=1)  # noqa: E731
			self.assertFalse(self.assert_same(doc_of))
			doc = doc_of()
			post(doc)
			self.assertEqual(len(doc.advances), 1)

	def test_a_frozen_day_a_closed_period_and_a_disabled_account_are_refused_alike(self):
		with undone():
			frappe.db.set_single_value("Accounts Settings", "acc_frozen_upto", "2026-11-30")
			frappe.db.set_single_value("Accounts Settings", "frozen_accounts_modifier", "TV Management")
			frappe.set_user("Guest")
			self.addCleanup(frappe.set_user, "Administrator")
			self.assert_refused_alike(self.plain)
		frappe.set_user("Administrator")
		frappe.clear_document_cache("Accounts Settings", "Accounts Settings")
		with undone():
			period = {"period_name": "Same closed", "start_date": "2026-11-01", "end_date": "2026-11-30"}
			closed = [{"document_type": "Sales Invoice", "closed": 1}]
			frappe.get_doc(
				{"doctype": "Accounting Period", "company": COMPANY, "closed_documents": closed, **period}
			).insert()
			self.assert_refused_alike(self.plain)
		with undone():
			account = frappe.get_cached_value("Company", COMPANY, "default_receivable_account")
			frappe.db.set_value("Account", account, "disabled", 1)
			frappe.clear_document_cache("Account", account)
			self.assert_refused_alike(self.plain)
		frappe.clear_document_cache("Account", account)

	def test_a_credit_limit_is_kept(self):
		limit = {"parent": "Same Limit", "parenttype": "Customer"}
		with undone():
			frappe.db.set_value("Customer Credit Limit", limit, "credit_limit", 20)
			frappe.clear_document_cache("Customer", "Same Limit")
			self.assert_refused_alike(lambda: self.plain("Same Limit"))
		frappe.clear_document_cache("Customer", "Same Limit")

	def test_a_change_of_a_master_is_seen_by_the_next_invoice(self):
		with undone():
			post(self.plain())
			frappe.get_doc("Item", "TV-SUBSCRIPTION").update({"item_name": "Renamed"}).save()
			doc = self.plain()
			post(doc)
			self.assertEqual(doc.items[0].item_name, "Renamed")
		# Frappe's own cache of documents does not follow a rollback.
		frappe.clear_document_cache("Item", "TV-SUBSCRIPTION")
		doc = self.plain()
		with undone():
			post(doc)
		self.assertNotEqual(doc.items[0].item_name, "Renamed")

	def test_whatever_a_site_adds_sends_its_invoices_the_ordinary_way(self):
		self.assertEqual(list(admission.obstacles()), [])
		notification = {
			"doctype": "Notification",
			"name": "Same notification",
			"subject": "Invoice",
			"document_type": "Sales Invoice",
			"event": "Submit",
			"channel": "System Notification",
			"recipients": [{"receiver_by_role": "TV Billing"}],
			"message": "posted",
		}
		with undone():
			frappe.get_doc(notification).insert()
			self.assertEqual(list(admission.obstacles()), ["Notification Same notification"])
			self.assertFalse(is_quick())
		self.assertTrue(is_quick())
		with undone():
			frappe.db.set_single_value("TV Settings", "post_invoices_ordinarily", 1)
			frappe.clear_document_cache("TV Settings", "TV Settings")
			self.assertFalse(is_quick())
		frappe.clear_document_cache("TV Settings", "TV Settings")

	def test_memory_is_fresh_although_somebody_else_stands_before_the_connection(self):
		before, asked = frappe.db.sql, []

		def watched(*args, **kwargs):
			asked.append(args[0])
			return before(*args, **kwargs)

		frappe.db.sql = watched
		try:
			self.assertTrue(is_quick())
			self.assertTrue(asked)
			self.assertIs(frappe.db.sql, watched)
			with undone():
				rule = {"doctype": "Server Script", "name": "Same script", "reference_doctype": "GL Entry"}
				rule |= {"script_type": "DocType Event", "doctype_event": "After Insert", "script": "pass"}
				frappe.get_doc(rule).db_insert()
				self.assertFalse(is_quick())
		finally:
			frappe.db.sql = before

	def test_another_apps_hook_is_an_obstacle(self):
		hooks = frappe.get_doc_hooks()
		before = hooks.get("GL Entry")
		hooks["GL Entry"] = {"on_submit": ["other_app.events.follow"]}
		try:
			self.assertEqual(
				list(admission.obstacles()), ["hook other_app.events.follow on on_submit of GL Entry"]
			)
		finally:
			hooks.pop("GL Entry")
			if before:
				hooks["GL Entry"] = before

	def test_the_sales_of_the_month_are_counted_when_the_run_ends(self):
		with undone():
			frappe.db.set_value("Company", COMPANY, "total_monthly_sales", 0)
			post(self.plain(posting_date=frappe.utils.nowdate()))
			self.assertEqual(frappe.db.get_value("Company", COMPANY, "total_monthly_sales"), 0)
			count_sales()
			self.assertGreater(frappe.db.get_value("Company", COMPANY, "total_monthly_sales"), 0)


def _receive(customer: str, amount: float) -> None:
	"""A payment on account."""
	from erpnext.accounts.party import get_party_account

	bank = frappe.db.get_value("Account", {"company": COMPANY, "account_type": "Bank", "is_group": 0})
	frappe.get_doc(
		{
			"doctype": "Payment Entry",
			"payment_type": "Receive",
			"company": COMPANY,
			"posting_date": "2026-11-20",
			"party_type": "Customer",
			"party": customer,
			"paid_from": get_party_account("Customer", customer, COMPANY),
			"paid_to": bank,
			"paid_amount": amount,
			"received_amount": amount,
			"reference_no": "1",
			"reference_date": "2026-11-20",
		}
	).insert().submit()


def differences(expected: dict[str, list], found: dict[str, list]) -> list[str]:
	"""Where two traces differ, a line a column."""
	if set(expected) != set(found):
		return [f"only one wrote to {', '.join(sorted(set(expected) ^ set(found)))}"]
	lines = []
	for table, rows in expected.items():
		if len(rows) != len(found[table]):
			lines.append(f"{table}: {len(rows)} rows, quick {len(found[table])}")
		for row, other in zip(rows, found[table], strict=False):
			row, other = json.loads(row), json.loads(other)
			lines += [
				f"{table}.{column}: {row[column]!r}, quick {other.get(column)!r}"
				for column in row
				if row[column] != other.get(column)
			]
	return lines


def _note(taken: list):
	write = QuickInvoice._write_version

	def noting(self, draft):
		taken.append(self.name)
		write(self, draft)

	return noting
