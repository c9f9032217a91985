"""Billing on a real site: what is posted, and that no path bills anything twice or back."""

import json

import frappe
from erpnext.accounts.doctype.payment_entry.payment_entry import get_payment_entry
from erpnext.controllers.sales_and_purchase_return import make_return_doc

from subscriber_tv.flows.billing import open_items
from subscriber_tv.flows.billing.claims import claim_rows, rebuild_claims
from subscriber_tv.flows.billing.facts import places_of
from subscriber_tv.flows.billing.lock import AlreadyClaimed
from subscriber_tv.tests import factories
from subscriber_tv.tests.billing_case import (
	COMPANY,
	DEFERRED,
	INCOME,
	RECEIVABLE,
	TODAY,
	VAT_10,
	VAT_20,
	BillingTestCase,
	ledger,
	money,
)


class TestInvoice(BillingTestCase):
	def test_fee_and_prorated_first_period(self):
		subscription = self.subscribe("2026-11-11")
		invoice = self.bill(subscription)
		self.assert_rows(
			invoice,
			[
				("ACTIVATION", "2026-11-11", "2026-11-12", "50.00"),
				("BASE", "2026-11-11", "2026-12-01", "20.00"),
			],
		)
		self.assertEqual(
			ledger(invoice.name),
			{
				RECEIVABLE: money("82"),
				INCOME: money("-50"),
				DEFERRED: money("-20"),
				VAT_20: money("-10"),
				VAT_10: money("-2"),
			},
		)
		self.assertEqual(invoice.outstanding_amount, 82)
		self.assertEqual(str(invoice.due_date), "2026-12-22")
		base = invoice.items[1]
		self.assertEqual(
			(str(base.service_start_date), str(base.service_end_date)), ("2026-11-11", "2026-11-30")
		)
		self.assertEqual((base.qty, base.tv_kind, base.tv_subscription), (1, "recurring", subscription))
		facts = json.loads(base.tv_facts)
		self.assertEqual((facts["unit_price"], facts["days"], facts["full_days"]), ("30", 20, 30))
		party = frappe.db.get_value("GL Entry", {"voucher_no": invoice.name, "party": ("is", "set")}, "party")
		self.assertEqual(party, invoice.customer)
		self.assert_nothing_due(subscription)

	def test_units_are_multiplied_before_rounding(self):
		charges = [factories.charge(item="TV-SUBSCRIPTION", unit_price=7.4193)]
		version = factories.make_offer_version("BILLING-UNITS", charges=charges)
		invoice = self.bill(self.subscribe("2026-11-01", version=version, quantity=100))
		self.assertEqual([(row.qty, row.amount) for row in invoice.items], [(1, 741.93)])

	def test_decimals_are_those_of_the_currency(self):
		self.assertEqual([places_of(currency) for currency in ("EUR", "CHF", "JPY")], [2, 2, 0])

	def test_missed_months_are_caught_up_and_only_the_running_one_is_deferred(self):
		subscription = self.subscribe("2026-09-01")
		invoice = self.bill(subscription)
		self.assertEqual(
			[str(row.tv_from) for row in invoice.items if row.tv_kind == "recurring"],
			["2026-09-01", "2026-10-01", "2026-11-01"],
		)
		self.assertEqual([row.enable_deferred_revenue for row in invoice.items], [0, 0, 0, 1])
		self.assertEqual(ledger(invoice.name)[DEFERRED], money("-30"))
		self.assert_nothing_due(subscription)

	def test_one_invoice_for_all_contracts_of_a_payer(self):
		customer = factories.make_customer()
		names = [self.subscribe("2026-11-01", customer=customer) for _ in range(2)]
		invoice = self.bill(names[0])
		self.assertEqual([row.tv_subscription for row in invoice.items], [n for n in names for _ in range(2)])
		self.assert_nothing_due(names[1])

	def test_cancellation_at_a_date_bills_up_to_it(self):
		subscription = self.subscribe("2026-10-01")
		self.bill(subscription, until="2026-10-01")
		self.change(subscription, "cancel_at_date", "2026-11-10", end="2026-11-16")
		self.assert_rows(self.bill(subscription), [("BASE", "2026-11-01", "2026-11-16", "15.00")])
		self.assert_nothing_due(subscription)

	def test_price_lists_and_pricing_rules_do_not_touch_our_rows(self):
		price_list = frappe.db.get_single_value("Selling Settings", "selling_price_list")
		item = factories.make_item("TV-PRICE-LISTED")
		charges = [factories.charge(item=item, unit_price=30)]
		version = factories.make_offer_version("BILLING-LISTED", charges=charges)
		if not frappe.db.exists("Item Price", {"item_code": item}):
			frappe.get_doc(
				doctype="Item Price", item_code=item, price_list=price_list, price_list_rate=99
			).insert()
			frappe.get_doc(
				doctype="Pricing Rule",
				title="Half",
				apply_on="Item Code",
				items=[{"item_code": item}],
				selling=1,
				currency="EUR",
				company=COMPANY,
				rate_or_discount="Discount Percentage",
				discount_percentage=50,
			).insert()
		invoice = self.bill(self.subscribe("2026-11-01", version=version))
		self.assertEqual([(row.rate, row.amount) for row in invoice.items], [(30, 30)])

	def test_a_suspension_stops_rights_not_billing(self):
		subscription = self.subscribe("2026-11-01")
		self.change(subscription, "suspend", "2026-11-05")
		self.assertEqual(self.bill(subscription).net_total, 80)


class TestCorrection(BillingTestCase):
	def setUp(self):
		self.subscription = self.subscribe("2026-11-01")
		self.invoice = self.bill(self.subscription)

	def test_unserved_days_are_credited_on_the_invoice(self):
		self.change(self.subscription, "end", "2026-11-16")
		note = self.bill(self.subscription)
		self.assert_rows(note, [("BASE", "2026-11-16", "2026-12-01", "-15.00")])
		self.assertEqual((note.is_return, note.return_against, note.status), (1, self.invoice.name, "Return"))
		self.assertEqual((note.items[0].tv_kind, note.items[0].qty), ("correction", 0))
		self.assertEqual(
			ledger(note.name), {RECEIVABLE: money("-16.5"), INCOME: money("15"), VAT_10: money("1.5")}
		)
		self.invoice.reload()
		self.assertEqual(self.invoice.outstanding_amount, 93 - 16.5)
		self.assert_nothing_due(self.subscription)

	def test_deferred_account_of_a_shortened_row_ends_at_zero(self):
		self.change(self.subscription, "end", "2026-11-16")
		self.bill(self.subscription)
		self.assertEqual(str(self._base().service_stop_date), "2026-11-15")
		self._release("2026-11-30")
		self.assertEqual(ledger(self.invoice.name).get(DEFERRED, 0), 0)

	def test_deferral_released_too_far_still_ends_at_zero(self):
		self._release("2026-11-20")
		self.change(self.subscription, "end", "2026-11-16")
		self.bill(self.subscription)
		self._release("2026-11-30")
		self.assertEqual(ledger(self.invoice.name).get(DEFERRED, 0), 0)

	def test_a_cancelled_correction_is_credited_again_and_the_user_is_told(self):
		self.change(self.subscription, "end", "2026-11-16")
		note = self.bill(self.subscription)
		frappe.clear_messages()
		note.reload()
		note.cancel()
		frappe.db.commit()
		self.assertIn("credits anew", str(frappe.get_message_log()))
		self.assertEqual(self.bill(self.subscription).net_total, -15)
		self.assert_nothing_due(self.subscription)

	def test_one_row_takes_several_partial_credits(self):
		self.change(self.subscription, "cancel_at_date", "2026-11-02", end="2026-11-26")
		self.assertEqual(self.bill(self.subscription).net_total, -5)
		self.change(self.subscription, "end", "2026-11-16")
		self.assertEqual(self.bill(self.subscription).net_total, -10)
		self.assert_nothing_due(self.subscription)

	def test_withdrawn_cancellation_is_billed_again(self):
		self.change(self.subscription, "cancel_at_date", "2026-11-02", end="2026-11-26")
		self.bill(self.subscription)
		self.change(self.subscription, "withdraw_cancellation", "2026-11-03")
		self.assert_rows(self.bill(self.subscription), [("BASE", "2026-11-26", "2026-12-01", "5.00")])
		self.assert_nothing_due(self.subscription)

	def test_credit_of_a_paid_invoice_stays_on_the_account(self):
		payment = get_payment_entry("Sales Invoice", self.invoice.name)
		payment.reference_no, payment.reference_date = "TEST", TODAY
		payment.submit()
		self.change(self.subscription, "end", "2026-11-16")
		note = self.bill(self.subscription)
		self.assertEqual((note.update_outstanding_for_self, note.outstanding_amount), (1, -16.5))

	def test_standard_credit_note_is_never_billed_back(self):
		self._concede(self.invoice.items[1].name, 8)
		self.assert_nothing_due(self.subscription)
		self.assertEqual(self.bill(self.subscription, until="2026-12-01").net_total, 30)

	def test_full_standard_credit_note_is_never_billed_back(self):
		make_return_doc("Sales Invoice", self.invoice.name).submit()
		frappe.db.commit()
		self.assert_nothing_due(self.subscription)
		self.change(self.subscription, "end", "2026-11-16")
		self.assert_nothing_due(self.subscription)

	def test_standard_credit_note_caps_the_credit(self):
		self._concede(self.invoice.items[1].name, 8)
		self.change(self.subscription, "end", "2026-11-06")  # 25 of 30 unserved, 22 left on the row
		self.assertEqual(self.bill(self.subscription).net_total, -22)
		self.assert_nothing_due(self.subscription)

	def test_cancelled_invoice_is_billed_again(self):
		self.invoice.cancel()
		frappe.db.commit()
		self.assertFalse(frappe.db.exists("TV Billed Period", {"invoice": self.invoice.name}))
		again = open_items.to_be_billed_again(self.invoice.customer)
		self.assertEqual([row["line"].split("/")[-1] for row in again], ["ACTIVATION", "BASE"])
		self.assertIn(self.subscription, open_items.unbilled_subscriptions())
		invoice = self.bill(self.subscription)
		self.assertEqual(invoice.net_total, 80)
		self.assertIn(invoice.name, open_items.unpaid_invoices())
		self.assertEqual(open_items.to_be_billed_again(self.invoice.customer), [])
		self.assert_nothing_due(self.subscription)

	def test_days_billed_ahead_or_changed_since_are_told_to_be_billed_again(self):
		self.bill(self.subscription, until="2026-12-01")
		customer = self.invoice.customer
		frappe.get_last_doc("Sales Invoice", {"customer": customer}).cancel()
		self.change(self.subscription, "cancel_at_date", "2026-11-20", end="2026-12-16")
		self.assertEqual(open_items.to_be_billed_again(customer, today=TODAY), [])
		settings = frappe.get_doc("TV Settings")
		settings.bill_days_ahead = 15
		settings.save()
		self.addCleanup(frappe.clear_document_cache, "TV Settings")
		again = open_items.to_be_billed_again(customer, today=TODAY)
		self.assertEqual(
			[(str(row["from"]), str(row["to"])) for row in again], [("2026-12-01", "2026-12-16")]
		)

	def test_amended_invoice_stands_for_the_cancelled_one(self):
		amended = self._amend()
		amended.items[1].rate = 25
		amended.submit()
		frappe.db.commit()
		self.assert_nothing_due(self.subscription)

	def test_amending_after_the_period_was_billed_again_is_refused(self):
		amended = self._amend()
		self.bill(self.subscription)
		with self.assertRaises(AlreadyClaimed):
			amended.submit()

	def test_amending_is_refused_when_other_days_were_billed_again(self):
		"""The contract ended in between, so the new bill has another period than the amended invoice."""
		self.bill(self.subscription, until="2026-12-01")
		december = self.invoice = frappe.get_last_doc("Sales Invoice", {"customer": self.invoice.customer})
		amended = self._amend()
		self.change(self.subscription, "cancel_at_date", "2026-11-20", end="2026-12-16")
		shorter = self.bill(self.subscription, until="2026-12-01")
		self.assert_rows(shorter, [("BASE", "2026-12-01", "2026-12-16", "14.52")])
		with self.assertRaisesRegex(AlreadyClaimed, shorter.name):
			amended.submit()
		frappe.db.rollback()
		shorter.reload()
		shorter.cancel()
		amended = frappe.copy_doc(december)
		amended.amended_from = december.name
		amended.submit()
		frappe.db.commit()
		self.assert_rows(self.bill(self.subscription), [("BASE", "2026-12-16", "2027-01-01", "-15.48")])

	def test_claims_left_by_an_invoice_cancelled_while_billing_was_off_are_taken_over(self):
		settings = frappe.get_doc("TV Settings")
		settings.db_set("billing_enabled", 0)
		try:
			self.invoice.reload()
			self.invoice.cancel()
		finally:
			settings.db_set("billing_enabled", 1)
		frappe.db.commit()
		held = {"invoice": self.invoice.name}
		self.assertTrue(frappe.db.count("TV Billed Period", held))
		again = self.bill(self.subscription)
		self.assertEqual(again.net_total, 80)
		self.assertFalse(frappe.db.count("TV Billed Period", held))
		self.assertEqual(frappe.db.count("TV Billed Period", {"invoice": again.name}), len(again.items))
		self.assert_nothing_due(self.subscription)

	def test_a_period_claimed_by_an_invoice_that_stands_is_not_billed_again(self):
		"""Whatever a bill was decided from: the claim is the last word."""
		rival = frappe.get_doc("Sales Invoice", self.invoice.name)
		rival.flags.decided = True
		for row in rival.items:
			row.name = f"other-{row.name}"
		with self.assertRaisesRegex(AlreadyClaimed, self.invoice.name):
			claim_rows(rival)

	def test_a_duplicated_invoice_is_no_bill(self):
		copy = frappe.copy_doc(self.invoice, ignore_no_copy=False)  # as the desk's Duplicate
		copy.submit()
		frappe.db.commit()
		self.assertFalse(any(row.tv_line or row.tv_facts or row.tv_subscription for row in copy.items))
		self.assert_nothing_due(self.subscription)

	def test_claims_can_be_rebuilt_from_the_rows(self):
		before = set(frappe.get_all("TV Billed Period", pluck="name"))
		frappe.db.delete("TV Billed Period", {"invoice": self.invoice.name})
		self.assertEqual(rebuild_claims(), len(before))
		self.assertEqual(set(frappe.get_all("TV Billed Period", pluck="name")), before)

	def _base(self):
		return frappe.get_doc("Sales Invoice Item", self.invoice.items[1].name)

	def _release(self, until: str) -> None:
		"""ERPNext's own deferred accounting up to that day."""
		frappe.get_doc(
			{
				"doctype": "Process Deferred Accounting",
				"company": COMPANY,
				"type": "Income",
				"posting_date": until,
				"start_date": "2026-11-01",
				"end_date": until,
			}
		).submit()
		frappe.db.commit()

	def _concede(self, row: str, amount: float) -> None:
		"""What staff do: Create > Return / Credit Note, and change the rate to what is granted."""
		note = make_return_doc("Sales Invoice", self.invoice.name)
		note.items = [item for item in note.items if item.sales_invoice_item == row]
		note.items[0].rate = amount
		note.submit()
		frappe.db.commit()

	def _amend(self):
		self.invoice.cancel()
		frappe.db.commit()
		amended = frappe.copy_doc(self.invoice)  # as the desk's Amend, which copies `no_copy` fields too
		amended.amended_from = self.invoice.name
		return amended
