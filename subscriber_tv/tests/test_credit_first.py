"""Advances and credit on the account settle the next invoice, to the cent and never twice."""

from decimal import Decimal

import frappe
from erpnext.accounts.doctype.payment_entry.payment_entry import get_payment_entry
from erpnext.controllers.sales_and_purchase_return import make_return_doc

from subscriber_tv.flows.billing import use_credit as credit
from subscriber_tv.flows.billing.lock import CreditMoved
from subscriber_tv.tests import factories
from subscriber_tv.tests.billing_case import COMPANY, RECEIVABLE, TODAY, ledger
from subscriber_tv.tests.test_consolidation import ConsolidationCase

BANK = "512"


def account(number: str) -> str:
	return frappe.db.get_value("Account", {"account_number": number, "company": COMPANY})


def open_by_voucher(payer: str) -> dict[str, Decimal]:
	"""What the payment ledger holds open of each voucher of a payer; zeroes left out."""
	rows = frappe.get_all(
		"Payment Ledger Entry", {"party": payer, "delinked": 0}, ["against_voucher_no", "amount"], limit=0
	)
	sums: dict[str, Decimal] = {}
	for row in rows:
		sums[row.against_voucher_no] = sums.get(row.against_voucher_no, Decimal(0)) + Decimal(str(row.amount))
	return {name: amount for name, amount in sums.items() if amount}


def balance(payer: str) -> Decimal:
	"""What the customer owes by the general ledger."""
	rows = frappe.get_all("GL Entry", {"party": payer, "is_cancelled": 0}, ["debit", "credit"], limit=0)
	return sum((Decimal(str(row.debit)) - Decimal(str(row.credit)) for row in rows), Decimal(0))


class CreditCase(ConsolidationCase):
	def advance(self, amount: float, day: str = "2026-10-01", **values) -> str:
		"""A Payment Entry on the account of the payer, allocated to nothing."""
		bank = values.pop("bank", None) or self.bank()
		entry = frappe.get_doc(
			{
				"doctype": "Payment Entry",
				"payment_type": "Receive",
				"party_type": "Customer",
				"party": self.payer,
				"company": COMPANY,
				"posting_date": day,
				"paid_from": account(RECEIVABLE),
				"paid_to": bank,
				"paid_amount": amount,
				"received_amount": amount,
				"reference_no": "ADVANCE",
				"reference_date": day,
				**values,
			}
		)
		entry.insert().submit()
		frappe.db.commit()
		return entry.name

	def bank(self) -> str:
		name = frappe.db.get_value(
			"Account", {"account_type": ("in", ("Bank", "Cash")), "is_group": 0, "company": COMPANY}
		)
		assert name, "the chart has no bank account"
		return name

	def journal(self, amount: float, day: str = "2026-10-01") -> str:
		entry = frappe.get_doc(
			{
				"doctype": "Journal Entry",
				"company": COMPANY,
				"posting_date": day,
				"accounts": [
					{
						"account": account(RECEIVABLE),
						"party_type": "Customer",
						"party": self.payer,
						"credit_in_account_currency": amount,
						"is_advance": "Yes",
					},
					{"account": self.bank(), "debit_in_account_currency": amount},
				],
			}
		)
		entry.cheque_no, entry.cheque_date = "JE", day
		entry.insert().submit()
		frappe.db.commit()
		return entry.name

	def pay(self, invoice: str, amount: float | None = None) -> str:
		payment = get_payment_entry("Sales Invoice", invoice, party_amount=amount)
		payment.reference_no, payment.reference_date = "PAID", TODAY
		payment.submit()
		frappe.db.commit()
		return payment.name

	def switch(self, on: bool) -> None:
		frappe.db.set_single_value("TV Settings", "use_credit_first", int(on))
		frappe.clear_document_cache("TV Settings", "TV Settings")
		frappe.db.commit()

	def assert_settled(self, invoice: str, outstanding: str, status: str) -> None:
		found = frappe.db.get_value("Sales Invoice", invoice, ["outstanding_amount", "status"])
		self.assertEqual((Decimal(str(found[0])), found[1]), (Decimal(outstanding), status))
		# The field, the payment ledger and the general ledger say the same.
		self.assertEqual(open_by_voucher(self.payer).get(invoice, Decimal(0)), Decimal(outstanding))
		self.assertEqual(sum(open_by_voucher(self.payer).values()), balance(self.payer))


class TestAdvances(CreditCase):
	"""The first month of one contract is 80.00 net, 93.00 with VAT."""

	def test_an_advance_settles_the_invoice_and_keeps_its_rest(self):
		payment = self.advance(100)
		self.contract()
		outcome = self.run_bill()
		self.assertEqual(outcome.warnings[1:], ())
		self.assert_settled(outcome.invoices[0], "0", "Paid")
		self.assertEqual(frappe.db.get_value("Payment Entry", payment, "unallocated_amount"), 7)
		self.assertEqual(open_by_voucher(self.payer), {payment: Decimal(-7)})
		ledger(payment)
		# The rest goes to the next month: 33.00 with VAT.
		outcome = self.run_bill("2026-12-01")
		self.assert_settled(outcome.invoices[0], "26", "Partly Paid")
		self.assertEqual(open_by_voucher(self.payer), {outcome.invoices[0]: Decimal(26)})

	def test_the_oldest_first_of_payments_journals_and_credit_notes(self):
		young, old = self.advance(50, "2026-10-20"), self.journal(20, "2026-10-01")
		note = self.standalone_note(30, "2026-10-10")
		self.contract()
		[invoice] = self.run_bill().invoices
		self.assert_settled(invoice, "0", "Paid")
		# 20.00, 33.00 and 40.00 of the 50.00
		self.assertEqual(open_by_voucher(self.payer), {young: Decimal(-10)})
		self.assertEqual(frappe.db.get_value("Sales Invoice", note, "outstanding_amount"), 0)
		self.assertEqual(ledger(old)[RECEIVABLE], Decimal(-20))

	def test_nothing_of_another_currency_or_customer_is_touched(self):
		"""ERPNext lets a customer have accounts of one currency only, and still be invoiced in another."""
		stranger = factories.make_customer()
		own, self.payer = self.payer, stranger
		foreign = self.advance(100)
		self.payer = own
		euros = self.advance(100)
		self.contract(version=self.in_dollars())
		[invoice] = self.run_bill().invoices
		doc = frappe.get_doc("Sales Invoice", invoice)
		self.assertEqual((doc.currency, doc.party_account_currency), ("USD", "EUR"))
		self.assertEqual(doc.outstanding_amount, doc.base_grand_total)
		for payment in (foreign, euros):
			self.assertEqual(frappe.db.get_value("Payment Entry", payment, "unallocated_amount"), 100)

	def test_a_credit_note_in_another_currency_is_not_touched(self):
		self.advance(1)  # the account must hold euros before ERPNext takes dollars on it
		dollars = self.contract("2026-11-11", version=self.in_dollars())
		[invoice] = self.run_bill().invoices
		self.pay(invoice)
		self.change(dollars, "end", "2026-11-16")
		[note] = self.run_bill().credit_notes
		left = frappe.db.get_value("Sales Invoice", note, ["currency", "outstanding_amount"])
		self.assertEqual(left, ("USD", -14.85))  # 15 of 30 days at 0.90, 10 % VAT
		self.contract()
		[euros] = self.run_bill().invoices
		self.assert_settled(euros, "92", "Partly Paid")
		self.assertEqual(frappe.db.get_value("Sales Invoice", note, ["currency", "outstanding_amount"]), left)

	def test_nothing_of_another_company_is_touched(self):
		payment = self.advance(100)
		frappe.db.set_value("Payment Ledger Entry", {"voucher_no": payment}, "company", "Another Company")
		self.contract()
		[invoice] = self.run_bill().invoices
		self.assertEqual(frappe.db.get_value("Sales Invoice", invoice, "outstanding_amount"), 93)

	def test_the_switch(self):
		payment = self.advance(100)
		self.contract()
		self.switch(False)
		self.addCleanup(self.switch, True)
		[invoice] = self.run_bill().invoices
		self.assert_settled(invoice, "93", "Unpaid")
		self.assertEqual(open_by_voucher(self.payer), {payment: Decimal(-100), invoice: Decimal(93)})

	def test_several_invoices_share_one_advance(self):
		payment = self.advance(100)
		self.contract(), self.contract(po_no="PO-1")
		outcome = self.run_bill()
		left = [frappe.db.get_value("Sales Invoice", name, "outstanding_amount") for name in outcome.invoices]
		self.assertEqual(left, [0, 86])
		self.assertEqual(frappe.db.get_value("Payment Entry", payment, "unallocated_amount"), 0)

	def test_several_invoices_share_one_journal_entry(self):
		entry = self.journal(100)
		self.contract(), self.contract(po_no="PO-1")
		outcome = self.run_bill()
		left = [frappe.db.get_value("Sales Invoice", name, "outstanding_amount") for name in outcome.invoices]
		self.assertEqual((left, outcome.warnings[1:]), ([0, 86], ()))
		self.assertEqual(open_by_voucher(self.payer), {outcome.invoices[1]: Decimal(86)})
		self.assertEqual(ledger(entry)[RECEIVABLE], Decimal(-100))

	def test_advances_on_an_account_of_their_own(self):
		"""As French books keep them: 4191, cleared into the receivable when they are used."""
		advances = self.advance_account()
		company = frappe.get_doc("Company", COMPANY)
		company.book_advance_payments_in_separate_party_account = 1
		company.default_advance_received_account = advances
		company.save()
		self.addCleanup(self.book_advances_together)
		payment = self.advance(100)
		self.assertEqual(frappe.db.get_value("Payment Entry", payment, "paid_from"), advances)
		self.contract()
		outcome = self.run_bill()
		self.assertEqual(outcome.warnings[1:], ())
		self.assertEqual(frappe.db.get_value("Sales Invoice", outcome.invoices[0], "outstanding_amount"), 0)
		self.assertEqual(frappe.db.get_value("Payment Entry", payment, "unallocated_amount"), 7)
		booked = ledger(payment)
		self.assertEqual((booked[RECEIVABLE], booked["4191"]), (Decimal(-93), Decimal(-7)))

	def test_cancelling_the_invoice_gives_the_credit_back(self):
		payment, note = self.advance(50), self.standalone_note(30, "2026-10-10")
		self.contract()
		[invoice] = self.run_bill().invoices
		frappe.get_doc("Sales Invoice", invoice).cancel()
		frappe.db.commit()
		self.assertEqual(open_by_voucher(self.payer), {payment: Decimal(-50), note: Decimal(-33)})
		[again] = self.run_bill().invoices
		self.assert_settled(again, "10", "Partly Paid")

	def test_a_failure_leaves_the_invoice_posted_and_the_credit_where_it_was(self):
		payment = self.advance(100)
		self.contract()

		def refuse(_use):
			frappe.throw("no")

		before, credit.settle = credit.settle, refuse
		self.addCleanup(setattr, credit, "settle", before)
		outcome = self.run_bill()
		[invoice] = outcome.invoices
		self.assertIn(invoice, outcome.warnings[-1])
		self.assert_settled(invoice, "93", "Unpaid")
		self.assertEqual(frappe.db.get_value("Payment Entry", payment, "unallocated_amount"), 100)
		self.assertEqual(outcome.refused, ())

	def test_a_payment_used_by_somebody_else_meanwhile_is_looked_at_again(self):
		payment = self.advance(100)
		self.contract()
		before, met = credit.settle, []

		def someone_was_faster(use):
			met.append(use.source.amount)
			if len(met) == 1:
				raise CreditMoved("moved")
			before(use)

		credit.settle = someone_was_faster
		self.addCleanup(setattr, credit, "settle", before)
		[invoice] = self.run_bill().invoices
		self.assertEqual(met, [100, 100])
		self.assert_settled(invoice, "0", "Paid")
		self.assertEqual(frappe.db.get_value("Payment Entry", payment, "unallocated_amount"), 7)

	# Records ---------------------------------------------------------------------------------

	def standalone_note(self, amount: float, day: str) -> str:
		"""A standard credit note of a paid invoice, left on the account; `amount` is net of 10 % VAT."""
		invoice = frappe.get_doc(
			{
				"doctype": "Sales Invoice",
				"customer": self.payer,
				"company": COMPANY,
				"posting_date": "2026-09-01",
				"set_posting_time": 1,
				"payment_terms_template": "30 jours",
				"items": [
					{"item_code": "TV-SUBSCRIPTION", "qty": 1, "rate": amount, "enable_deferred_revenue": 0}
				],
			}
		)
		invoice.insert().submit()
		self.pay(invoice.name)
		note = make_return_doc("Sales Invoice", invoice.name)
		note.posting_date, note.set_posting_time = day, 1
		note.update_outstanding_for_self = 1
		note.insert().submit()
		frappe.db.commit()
		return note.name

	def advance_account(self) -> str:
		name = account("4191")
		frappe.db.set_value("Account", name, "account_type", "Receivable")
		return name

	def book_advances_together(self) -> None:
		frappe.db.set_value("Company", COMPANY, "book_advance_payments_in_separate_party_account", 0)
		frappe.clear_document_cache("Company", COMPANY)
		frappe.db.commit()


class TestCreditNotes(CreditCase):
	def setUp(self):
		super().setUp()
		self.subscription = self.contract()
		[self.invoice] = self.run_bill().invoices

	def test_credit_of_a_paid_invoice_pays_the_next_one(self):
		self.pay(self.invoice)
		self.change(self.subscription, "end", "2026-11-16")
		[note] = self.run_bill().credit_notes
		self.assertEqual(
			frappe.db.get_value("Sales Invoice", note, ["update_outstanding_for_self", "outstanding_amount"]),
			(1, -16.5),
		)
		self.contract("2026-11-20")  # 50.00 and 11 days of 30: 61.00 net, 72.10 with VAT
		[following] = self.run_bill().invoices
		self.assert_settled(following, "55.60", "Partly Paid")
		self.assertEqual(frappe.db.get_value("Sales Invoice", note, "outstanding_amount"), 0)
		self.assertEqual(open_by_voucher(self.payer), {following: Decimal("55.60")})

	def test_credit_and_charge_of_one_run_meet(self):
		self.pay(self.invoice)
		self.change(self.subscription, "end", "2026-11-16")
		self.contract("2026-11-20")
		outcome = self.run_bill()
		self.assert_settled(outcome.invoices[0], "55.60", "Partly Paid")

	def test_credit_above_what_is_open_pays_the_rest_first(self):
		self.pay(self.invoice, 90)  # 3.00 open, 16.50 to credit
		self.change(self.subscription, "end", "2026-11-16")
		outcome = self.run_bill()
		[note] = outcome.credit_notes
		self.assert_settled(self.invoice, "0", "Credit Note Issued")
		self.assertEqual(frappe.db.get_value("Sales Invoice", note, "outstanding_amount"), -13.5)
		self.assertEqual(open_by_voucher(self.payer), {note: Decimal("-13.5")})
		self.contract("2026-11-20")
		[following] = self.run_bill().invoices
		self.assert_settled(following, "58.60", "Partly Paid")

	def test_credit_of_an_open_invoice_lowers_it(self):
		self.change(self.subscription, "end", "2026-11-16")
		self.run_bill()
		self.assert_settled(self.invoice, "76.50", "Partly Paid")

	def test_the_journal_entry_is_the_one_payment_reconciliation_makes(self):
		self.pay(self.invoice)
		self.change(self.subscription, "end", "2026-11-16")
		self.switch(False)
		self.addCleanup(self.switch, True)
		[note] = self.run_bill().credit_notes
		self.contract("2026-11-20")
		[following] = self.run_bill().invoices
		frappe.db.savepoint("standard")
		theirs = self.reconcile_by_hand(note, following)
		frappe.db.rollback(save_point="standard")
		credit._settle_new([following])
		self.assertEqual(self.entry_for(following), theirs)

	def reconcile_by_hand(self, note: str, invoice: str) -> list[tuple]:
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
		payments = [row.as_dict() for row in tool.payments if row.reference_name == note]
		invoices = [row.as_dict() for row in tool.invoices if row.invoice_number == invoice]
		tool.allocate_entries({"payments": payments, "invoices": invoices})
		tool.reconcile()
		return self.entry_for(invoice)

	def entry_for(self, invoice: str) -> list[tuple]:
		"""Head, rows, GL and payment ledger of the Journal Entry that settles an invoice, without its name."""
		name = frappe.db.get_value("Journal Entry Account", {"reference_name": invoice}, "parent")
		doc = frappe.get_doc("Journal Entry", name)
		head = [doc.get(field) for field in ("voucher_type", "posting_date", "is_system_generated")]
		fields = ("account", "party", "debit", "credit", "reference_type", "reference_name", "cost_center")
		rows = [tuple(row.get(field) for field in fields) for row in doc.accounts]
		entries = frappe.get_all(
			"GL Entry",
			{"voucher_no": name},
			["account", "debit", "credit", "against_voucher", "posting_date"],
			order_by="debit",
		)
		payments = frappe.get_all(
			"Payment Ledger Entry", {"voucher_no": name}, ["amount", "against_voucher_no"], order_by="amount"
		)
		return [(head[0], str(head[1]), head[2]), *rows, *map(dict, entries), *map(dict, payments)]
