"""One advance, several who want it: runs beside each other, and staff who reconcile by hand meanwhile."""

from decimal import Decimal

import frappe

from subscriber_tv.flows.billing import use_credit as credit
from subscriber_tv.tests.billing_case import COMPANY, RECEIVABLE, TODAY, bill_payer
from subscriber_tv.tests.processes import on_own_connections
from subscriber_tv.tests.test_credit_first import CreditCase, account, open_by_voucher


class TestCreditRace(CreditCase):
	def test_two_runs_at_once_use_an_advance_once(self):
		payment, entry = self.advance(100), self.journal(20)
		for number in range(3):
			self.contract(po_no=f"PO-{number}")
		payer = self.payer

		def run():
			bill_payer(payer=payer, company=COMPANY, posting_date=TODAY, bill_until=TODAY)

		self.assertEqual(on_own_connections(run, run, run), [None, None, None])
		frappe.db.rollback()
		invoices = frappe.get_all(
			"Sales Invoice",
			{"customer": payer, "docstatus": 1},
			["name", "outstanding_amount"],
			order_by="name",
		)
		self.assertEqual([row.outstanding_amount for row in invoices], [0, 66, 93])
		self.assertEqual(frappe.db.get_value("Payment Entry", payment, "unallocated_amount"), 0)
		held = open_by_voucher(payer)
		self.assertEqual(sum(held.values()), Decimal(159))
		self.assertFalse({payment, entry} & set(held))

	def test_staff_reconcile_the_advance_while_a_run_is_about_to(self):
		self.switch(False)
		self.contract()
		[old] = self.run_bill().invoices
		payment = self.advance(100)
		self.switch(True)
		met = []

		def look(document):
			"""As the run does, and right after it somebody else is faster."""
			found = before(document)
			if not met:
				met.extend(on_own_connections(lambda: self.reconcile(payment, old)))
			return found

		before, credit._positions = credit._positions, look
		self.addCleanup(setattr, credit, "_positions", before)
		outcome = self.run_bill("2026-12-01")
		self.assertEqual(met, [None])
		# The run looked again: 93.00 went to the old invoice, 7.00 are left for the new one of 33.00.
		self.assert_settled(old, "0", "Paid")
		self.assert_settled(outcome.invoices[0], "26", "Partly Paid")
		self.assertEqual(frappe.db.get_value("Payment Entry", payment, "unallocated_amount"), 0)
		self.assertEqual(outcome.warnings[1:], ())

	def reconcile(self, payment: str, invoice: str) -> None:
		tool = frappe.get_doc(
			{
				"doctype": "Payment Reconciliation",
				"company": COMPANY,
				"party_type": "Customer",
				"party": self.payer,
				"receivable_payable_account": account(RECEIVABLE),
			}
		)
		tool.get_unreconciled_entries()
		payments = [row.as_dict() for row in tool.payments if row.reference_name == payment]
		invoices = [row.as_dict() for row in tool.invoices if row.invoice_number == invoice]
		tool.allocate_entries({"payments": payments, "invoices": invoices})
		tool.reconcile()
