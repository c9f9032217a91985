"""Traps of documents: unpaid invoices, failing customers, deferral, credit notes, terms, series (docs/traps.md)."""

from contextlib import contextmanager
from unittest.mock import patch

import frappe
from erpnext.accounts.doctype.sales_invoice.sales_invoice import create_dunning
from erpnext.controllers.sales_and_purchase_return import make_return_doc

from subscriber_tv.flows.billing import facts, start_run
from subscriber_tv.flows.billing.run import run
from subscriber_tv.flows.contracts.end_due import end_due
from subscriber_tv.tests import factories
from subscriber_tv.tests.billing_case import COMPANY, DEFERRED, INCOME, ledger, money
from subscriber_tv.tests.trap_case import TrapCase, flat_version

UNLUCKY = "Hotel With A Broken Hook"


def break_for_one_customer(doc, method=None):
	"""Another app's hook that fails for one customer, with an error that is no ValidationError."""
	if doc.customer_name.startswith(UNLUCKY):
		raise TypeError("unsupported operand type(s) for -: 'NoneType' and 'int'")


@contextmanager
def broken_hook():
	"""`break_for_one_customer` stands among the hooks of Sales Invoice, as an app's hooks.py would put it there."""
	hooks = frappe.get_doc_hooks()["Sales Invoice"].setdefault("before_submit", [])
	hooks.append(f"{__name__}.{break_for_one_customer.__name__}")
	try:
		yield
	finally:
		hooks.pop()


class TestTrapsOfTheLedger(TrapCase):
	def test_t4_an_unpaid_invoice_stops_nothing(self):
		payer = self.payer_of(self.subscribe("2026-09-01", version=flat_version("TRAP-UNPAID", 30)))
		self.nights(payer, "2026-09-01", "2026-11-10")  # seventy days, and he never pays
		self.assertEqual([row[0] for row in self.billed(payer)], ["2026-09-01", "2026-10-01", "2026-11-01"])
		unpaid = frappe.get_all("Sales Invoice", {"customer": payer, "docstatus": 1}, pluck="status")
		self.assertEqual(sorted(unpaid), ["Overdue", "Overdue", "Unpaid"])

	def test_t7_an_error_of_one_customer_does_not_end_the_night(self):
		version = flat_version("TRAP-NIGHT", 30)
		unlucky = factories.make_customer(f"{UNLUCKY} {frappe.generate_hash(length=6)}")
		lucky = factories.make_customer()
		for customer in (unlucky, lucky):
			self.subscribe("2026-10-01", customer=customer, version=version)
		with broken_hook():
			doc = self.night_of("2026-10-01", [unlucky, lucky])
		self.assertEqual(doc[unlucky].outcome, "Parked")
		self.assertIn("unsupported operand", doc[unlucky].reason)
		self.assertEqual(doc[lucky].outcome, "Invoiced")
		self.assertFalse(frappe.db.exists("Sales Invoice", {"customer": unlucky}))
		self.assertEqual(self.night(unlucky, "2026-10-02").outcome, "Invoiced")

	def test_t11_service_dates_are_those_of_the_period(self):
		"""The item says one month; a quarter is deferred over its three months and ends at zero."""
		item = factories.make_item(
			"TV-TRAP-QUARTER",
			enable_deferred_revenue=1,
			no_of_months=1,
			item_defaults=[
				{
					"company": COMPANY,
					"deferred_revenue_account": account(DEFERRED),
					"income_account": account(INCOME),
				}
			],
		)
		payer = self.payer_of(
			self.subscribe("2026-01-01", version=flat_version("TRAP-QUARTER", 90, 3, item=item))
		)
		self.nights(payer, "2026-01-01", "2026-01-03")
		invoice = frappe.get_last_doc("Sales Invoice", {"customer": payer})
		row = invoice.items[0]
		self.assertEqual(
			(str(row.service_start_date), str(row.service_end_date)), ("2026-01-01", "2026-03-31")
		)
		self.assertEqual(ledger(invoice.name)[DEFERRED], money("-90"))
		for first, last in (
			("2026-01-01", "2026-01-31"),
			("2026-02-01", "2026-02-28"),
			("2026-03-01", "2026-03-31"),
		):
			self.release(first, last)
		self.assertEqual(ledger(invoice.name)[DEFERRED], 0)
		self.assertEqual(ledger(invoice.name)[INCOME], money("-90"))

	def test_t12_a_credit_note_stops_nothing_and_is_never_billed_back(self):
		payer = self.payer_of(self.subscribe("2026-09-01", version=flat_version("TRAP-CREDIT", 30)))
		self.nights(payer, "2026-09-01", "2026-09-02")
		invoice = frappe.get_last_doc("Sales Invoice", {"customer": payer})
		make_return_doc("Sales Invoice", invoice.name).submit()
		frappe.db.commit()
		self.nights(payer, "2026-09-03", "2026-11-02")  # sixty days
		self.assertEqual(
			[row[0:2] for row in self.billed(payer)],
			[
				("2026-09-01", "2026-09-01"),
				("2026-10-01", "2026-10-01"),
				("2026-11-01", "2026-11-01"),
			],
		)

	def test_t12_a_credit_note_by_hand_takes_the_rate_that_was_typed(self):
		"""ERPNext makes an Item Price of the first rate it sees; a margin on it must not come back on a credit note."""
		item = factories.make_item("TV-TRAP-MARGIN")
		price_list = frappe.db.get_single_value("Selling Settings", "selling_price_list")
		if not frappe.db.exists("Item Price", {"item_code": item}):
			frappe.get_doc(
				doctype="Item Price",
				item_code=item,
				price_list=price_list,
				price_list_rate=10,
				valid_from="2020-01-01",
			).insert()
		payer = self.payer_of(
			self.subscribe("2026-10-01", version=flat_version("TRAP-MARGIN", 30, item=item))
		)
		self.night(payer, "2026-10-01")
		invoice = frappe.get_last_doc("Sales Invoice", {"customer": payer})
		note = make_return_doc("Sales Invoice", invoice.name)
		note.items[0].rate = 5
		note.submit()
		frappe.db.commit()
		self.assertEqual(note.net_total, -5)
		self.assertEqual(self.night(payer, "2026-10-02").outcome, "Nothing Due")

	def test_t23_an_invoice_is_not_late_on_its_first_day(self):
		"""Thirty days by the terms of TV Settings; where there are no terms nothing is posted."""
		payer = self.payer_of(self.subscribe("2026-10-01", version=flat_version("TRAP-TERMS", 30)))
		self.night(payer, "2026-10-01")
		invoice = frappe.get_last_doc("Sales Invoice", {"customer": payer})
		self.assertEqual(
			(str(invoice.due_date), invoice.payment_schedule[0].payment_amount), ("2026-10-31", 33)
		)
		settings = frappe.get_doc("TV Settings")
		terms, settings.default_payment_terms = settings.default_payment_terms, None
		settings.save()
		frappe.db.commit()
		try:
			outcome = self.night(payer, "2026-11-01")
		finally:
			settings.reload()
			settings.default_payment_terms = terms
			settings.save()
			frappe.db.commit()
		self.assertEqual(outcome.outcome, "Parked")
		self.assertIn("payment terms", outcome.reason)

	def test_t24_numbers_have_no_gap_and_no_draft_is_left(self):
		"""A payer who fails between two others takes no number."""
		version = flat_version("TRAP-SERIES", 30)
		payers = [factories.make_customer() for _n in range(2)]
		payers.insert(1, factories.make_customer(f"{UNLUCKY} {frappe.generate_hash(length=6)}"))
		for payer in payers:
			self.subscribe("2026-10-01", customer=payer, version=version)
		with broken_hook():
			outcomes = [self.night(payer, "2026-10-01") for payer in payers]
		self.assertEqual([row.outcome for row in outcomes], ["Invoiced", "Parked", "Invoiced"])
		first, last = (int(row.invoice.rsplit("-", 1)[1]) for row in (outcomes[0], outcomes[2]))
		self.assertEqual(last, first + 1)
		self.assertFalse(frappe.db.exists("Sales Invoice", {"customer": ("in", payers), "docstatus": 0}))

	def test_t25_a_dunning_fee_is_neither_billed_nor_taken_for_a_payment(self):
		subscription = self.subscribe("2026-08-01", version=flat_version("TRAP-DUNNING", 30))
		payer = self.payer_of(subscription)
		self.nights(payer, "2026-08-01", "2026-08-03")
		invoice = frappe.get_last_doc("Sales Invoice", {"customer": payer})
		dunning = create_dunning(invoice.name)
		dunning.posting_date = "2026-09-20"
		dunning.dunning_fee = 15
		dunning.rate_of_interest = 10
		dunning.submit()
		frappe.db.commit()
		self.assertGreater(dunning.grand_total, 33)
		self.nights(payer, "2026-09-01", "2026-10-02")
		self.assertEqual([row[-1] for row in self.billed(payer)], ["30.00", "30.00", "30.00"])
		invoice.reload()
		self.assertEqual(invoice.outstanding_amount, 33)

	def test_t26_nothing_that_money_hangs_on_waits_for_a_notification_of_the_day(self):
		"""A Notification for a given number of days is sent on that one day or never; ours are jobs that catch up."""
		once_a_day = {"event": ("in", ("Days Before", "Days After")), "module": "Subscriber TV"}
		self.assertEqual(frappe.get_all("Notification", once_a_day), [])
		subscription = self.subscribe("2026-09-01", version=flat_version("TRAP-DUE", 30))
		self.change(subscription, "cancel_at_date", "2026-09-10", end="2026-10-01")
		end_due(today=frappe.utils.getdate("2026-10-19"))  # eighteen nights late
		state = frappe.db.get_value("TV Subscription", subscription, ["state", "end_date"])
		self.assertEqual((state[0], str(state[1])), ("Cancelled", "2026-10-01"))

	def night_of(self, day: str, payers: list[str]) -> dict:
		"""One run for these payers in this order, as if the company had no others; its rows by payer."""
		name = start_run.new_run(company=COMPANY, posting_date=day, bill_until=day)
		with patch.object(facts, "payers", return_value=payers):
			run(bill_run=name)
		return {row.payer: row for row in frappe.get_doc("TV Bill Run", name).payers}

	def release(self, first: str, last: str) -> None:
		"""ERPNext's own deferred accounting of one month."""
		frappe.get_doc(
			{
				"doctype": "Process Deferred Accounting",
				"company": COMPANY,
				"type": "Income",
				"posting_date": last,
				"start_date": first,
				"end_date": last,
			}
		).submit()
		frappe.db.commit()


def account(number: str) -> str:
	return frappe.db.get_value("Account", {"company": COMPANY, "account_number": number, "is_group": 0})
