"""Deferred revenue of rows that a correction shortens, released month by month by ERPNext's own process."""

from decimal import Decimal

import frappe
from frappe.utils import add_days, get_last_day, getdate

from subscriber_tv.tests import factories
from subscriber_tv.tests.billing_case import COMPANY, INCOME, BillingTestCase, ledger

ACCOUNT = "4879"
YEAR_PRICE = Decimal("365.00")  # a euro a day in 2026


class TestDeferralOverMonths(BillingTestCase):
	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.account = deferred_account()
		item = deferred_item(cls.account)
		charges = [factories.charge("YEARLY", item=item, unit_price=float(YEAR_PRICE), interval_months=12)]
		cls.yearly = frappe.db.get_value("TV Offer", "BILLING-YEARLY", "current_version") or (
			factories.make_offer_version("BILLING-YEARLY", charges=charges)
		)
		frappe.db.commit()

	def setUp(self):
		self.released = getdate("2025-12-31")
		self.subscription = self.subscribe("2026-01-01", version=self.yearly)
		self.invoice = self.bill(self.subscription, until="2026-01-01", posting_date="2026-01-01")
		self.assertEqual(self.deferred(), -YEAR_PRICE)

	def test_a_row_that_runs_its_course_ends_at_zero(self):
		self.release_until("2026-12-31")
		self.assertEqual((self.deferred(), self.income()), (0, -YEAR_PRICE))

	def test_months_already_released_and_days_of_the_running_one(self):
		"""Ends on 11 April, told in April: three months are income already."""
		self.release_until("2026-03-31")
		self.end("2026-04-11", told="2026-04-11")
		self.release_until("2026-12-31")
		self.assert_served(days=100)

	def test_released_beyond_the_end(self):
		"""Ends on 11 April, told on 20 June: May is income although it was never served."""
		self.release_until("2026-05-31")
		self.end("2026-04-11", told="2026-06-20")
		self.release_until("2026-12-31")
		self.assert_served(days=100)

	def test_shortened_twice(self):
		self.release_until("2026-02-28")
		self.change(self.subscription, "cancel_at_date", "2026-03-05", end="2026-10-01")
		self.correct("2026-03-05")
		self.release_until("2026-04-30")
		self.change(self.subscription, "end", "2026-06-01")
		self.correct("2026-06-01")
		self.release_until("2026-12-31")
		self.assert_served(days=151)

	def test_nothing_released_yet(self):
		self.end("2026-01-11", told="2026-01-20")
		self.release_until("2026-12-31")
		self.assert_served(days=10)

	def end(self, day: str, told: str) -> None:
		self.change(self.subscription, "end", day)
		self.correct(told)

	def correct(self, posting_date: str) -> None:
		note = self.bill(self.subscription, until=posting_date, posting_date=posting_date)
		self.assertTrue(note.is_return)

	def release_until(self, last: str) -> None:
		"""ERPNext's monthly process, from the first month not released yet."""
		while self.released < getdate(last):
			first = add_days(self.released, 1)
			self.released = get_last_day(first)
			frappe.get_doc(
				{
					"doctype": "Process Deferred Accounting",
					"company": COMPANY,
					"type": "Income",
					"account": self.account,
					"posting_date": self.released,
					"start_date": first,
					"end_date": self.released,
				}
			).submit()
			frappe.db.commit()

	def deferred(self) -> Decimal:
		return ledger(self.invoice.name).get(ACCOUNT, Decimal(0))

	def income(self) -> Decimal:
		"""Of the invoice and its credit notes."""
		notes = frappe.get_all("Sales Invoice", {"return_against": self.invoice.name}, pluck="name")
		return sum((ledger(name).get(INCOME, Decimal(0)) for name in (self.invoice.name, *notes)), Decimal(0))

	def assert_served(self, days: int) -> None:
		self.assertEqual(self.deferred(), 0)
		self.assertEqual(self.income(), -Decimal(days))


def deferred_account() -> str:
	"""Return a deferred revenue account that no other test uses."""
	name = frappe.db.get_value("Account", {"account_number": ACCOUNT, "company": COMPANY})
	if name:
		return name
	other = frappe.db.get_value("Account", {"account_number": "487", "company": COMPANY}, "parent_account")
	return (
		frappe.get_doc(
			doctype="Account",
			account_number=ACCOUNT,
			account_name="Abonnements annuels constatés d'avance",
			company=COMPANY,
			parent_account=other,
		)
		.insert()
		.name
	)


def deferred_item(account: str) -> str:
	"""Return an item like the television subscription, deferred to `account`."""
	code = "TV-YEARLY"
	if not frappe.db.exists("Item", code):
		item = frappe.copy_doc(frappe.get_doc("Item", "TV-SUBSCRIPTION"))
		item.item_code = item.item_name = code
		for row in item.item_defaults:
			row.deferred_revenue_account = account
		item.insert()
	return code
