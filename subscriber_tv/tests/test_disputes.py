"""Disputes on a real site: what waits, what is given back and posted, and what happens around them."""

import frappe
from erpnext.accounts.doctype.payment_entry.payment_entry import get_payment_entry
from erpnext.accounts.doctype.sales_invoice.sales_invoice import create_dunning
from erpnext.controllers.sales_and_purchase_return import make_return_doc

from subscriber_tv.core.money import money
from subscriber_tv.flows.collections.decide_dispute import DecidedAlready
from subscriber_tv.flows.collections.payer_claims import claim_on
from subscriber_tv.flows.collections.raise_dispute import Indisputable, raise_dispute
from subscriber_tv.flows.collections.show_invoice import show_invoice
from subscriber_tv.tests import factories
from subscriber_tv.tests.billing_case import (
	COMPANY,
	DEFERRED,
	INCOME,
	RECEIVABLE,
	TODAY,
	VAT_10,
	VAT_20,
	ledger,
)
from subscriber_tv.tests.dispute_case import DisputeCase


class TestRaising(DisputeCase):
	def test_a_part_of_a_row_waits_and_the_rest_stays_due(self):
		name = self.dispute((self.base.name, "12"))
		doc = frappe.get_doc("TV Dispute", name)
		self.assertEqual((doc.state, doc.amount, doc.amount_with_tax), ("Open", 12, 13.2))
		self.assertEqual(
			(doc.customer, doc.lines[0].subscription), (self.invoice.customer, self.subscription)
		)
		self.assertEqual([(step.event, step.user) for step in doc.events], [("Raised", "Administrator")])
		self.assertEqual(self.waits(), (79.8, 13.2))
		self.assertEqual(self.outstanding(), 93)
		self.assertEqual(self.left(), ["50", "18"])
		self.assertEqual(
			show_invoice(self.invoice.name)["parts"],
			[
				{"part": "not_due", "label": "Not due yet", "amount": "79.8"},
				{"part": "disputed", "label": "Disputed", "amount": "13.2"},
			],
		)
		self.assertIn("waiting", show_invoice(self.invoice.name)["sentence"])

	def test_a_whole_invoice_waits_to_the_cent(self):
		doc = frappe.get_doc("TV Dispute", self.dispute())
		self.assertEqual([(line.amount, line.amount_with_tax) for line in doc.lines], [(50, 60), (30, 33)])
		self.assertEqual(self.waits(), (0, 93))
		with self.assertRaisesRegex(Indisputable, "choose at least one row"):
			self.dispute()

	def test_several_disputes_never_exceed_the_row(self):
		self.dispute((self.base.name, "12"))
		self.dispute((self.base.name, "10"))
		with self.assertRaisesRegex(Indisputable, "at most .*8[.,]00"):
			self.dispute((self.base.name, "8.01"))
		self.dispute((self.base.name, "8"))
		with self.assertRaisesRegex(Indisputable, "nothing is left"):
			self.dispute((self.base.name, "0.01"))
		self.assertEqual(self.waits(), (60, 33))

	def test_what_was_credited_is_not_disputed(self):
		note = make_return_doc("Sales Invoice", self.invoice.name)
		note.items = [item for item in note.items if item.sales_invoice_item == self.base.name]
		note.items[0].rate = 8
		note.submit()
		frappe.db.commit()
		self.change(self.subscription, "end", "2026-11-16")
		self.bill(self.subscription)  # credits 15.00 of the 22.00 that are left
		self.assertEqual(self.left(), ["50", "7"])

	def test_a_paid_invoice_can_be_disputed_and_the_credit_stays_on_the_account(self):
		payment = get_payment_entry("Sales Invoice", self.invoice.name)
		payment.reference_no, payment.reference_date = "TEST", TODAY
		payment.submit()
		frappe.db.commit()
		name = self.dispute((self.base.name, "10"))
		self.assertEqual(self.waits(), (0, 0))
		self.decide(name, "accept")
		note = frappe.get_doc("Sales Invoice", frappe.db.get_value("TV Dispute", name, "credit_note"))
		self.assertEqual((note.update_outstanding_for_self, note.outstanding_amount), (1, -11))
		self.assertEqual(self.outstanding(), 0)

	def test_more_than_is_open_settles_the_invoice_and_leaves_the_rest_on_the_account(self):
		payment = get_payment_entry("Sales Invoice", self.invoice.name)
		payment.update({"reference_no": "TEST", "reference_date": TODAY})
		payment.paid_amount = payment.received_amount = payment.references[0].allocated_amount = 60
		payment.submit()
		frappe.db.commit()
		name = self.dispute((self.fee.name, "50"))  # 60.00 with taxes, of which 33.00 are open
		self.assertEqual(self.waits(), (0, 33))
		self.decide(name, "accept")
		note = frappe.db.get_value("TV Dispute", name, "credit_note")
		self.assertEqual(self.outstanding(), 0)
		self.assertEqual(frappe.db.get_value("Sales Invoice", note, "outstanding_amount"), -27)
		self.assertEqual(sum(ledger(note).values()), 0)

	def test_what_is_no_invoice_or_no_row_is_refused(self):
		with self.assertRaises(frappe.DoesNotExistError):
			raise_dispute(invoice="no such", ground="Other", reason="x")
		with self.assertRaisesRegex(Indisputable, "has no row"):
			self.dispute(("no such", "1"))
		self.change(self.subscription, "end", "2026-11-16")
		note = self.bill(self.subscription)
		with self.assertRaisesRegex(frappe.ValidationError, "not a submitted invoice"):
			self.dispute(invoice=note)

	def test_a_hand_made_invoice_is_disputed_like_ours(self):
		invoice = frappe.get_doc(
			doctype="Sales Invoice",
			company=COMPANY,
			customer=self.invoice.customer,
			items=[{"item_code": factories.make_item("TV-REPAIR"), "qty": 3, "rate": 33.33}],
		)
		invoice.submit()
		frappe.db.commit()
		name = self.dispute((invoice.items[0].name, "20"), invoice=invoice)
		self.decide(name, "accept")
		note = frappe.get_doc("Sales Invoice", frappe.db.get_value("TV Dispute", name, "credit_note"))
		self.assertEqual((note.net_total, note.return_against), (-20, invoice.name))
		self.assertEqual(sum(ledger(note.name).values()), 0)


class TestDeciding(DisputeCase):
	def test_accepted_is_given_back_and_never_billed_back(self):
		name = self.dispute((self.fee.name, "20"), (self.base.name, "12"))
		self.assertEqual(self.decide(name, "review"), "Under Review")
		self.assertEqual(self.decide(name, "accept"), "Accepted")
		doc = frappe.get_doc("TV Dispute", name)
		note = frappe.get_doc("Sales Invoice", doc.credit_note)
		self.assertEqual(
			ledger(note.name),
			{
				RECEIVABLE: money("-37.2"),
				INCOME: money("32"),
				VAT_20: money("4"),
				VAT_10: money("1.2"),
			},
		)
		self.assertEqual((note.is_return, note.tv_dispute, doc.granted), (1, name, 32))
		self.assertEqual([(row.tv_kind, row.tv_line) for row in note.items], [("concession", None)] * 2)
		self.assertEqual([step.event for step in doc.events], ["Raised", "Taken Under Review", "Accepted"])
		self.assertEqual((self.outstanding(), self.waits()), (55.8, (55.8, 0)))
		self.assert_nothing_due(self.subscription)
		self.change(self.subscription, "end", "2026-11-02")
		correction = self.bill(self.subscription)  # 29 of 30 days, and 18.00 left on the row
		self.assertEqual(correction.net_total, -18)
		self.assert_nothing_due(self.subscription)
		self.assert_deferred_ends_at_zero()

	def test_a_part_is_granted_and_the_rest_is_due_again(self):
		name = self.dispute((self.fee.name, "20"), (self.base.name, "12"))
		self.assertEqual(self.decide(name, "accept", **{self.fee.name: "0", self.base.name: "5"}), "Accepted")
		doc = frappe.get_doc("TV Dispute", name)
		self.assertEqual([line.granted for line in doc.lines], [0, 5])
		self.assertEqual((self.outstanding(), self.waits()), (87.5, (87.5, 0)))
		self.assertEqual(self.left(), ["50", "25"])
		again = self.dispute((self.base.name, "25"))
		self.decide(again, "accept")
		self.assertEqual(self.left(), ["50", "0"])
		self.assert_nothing_due(self.subscription)

	def test_rejected_and_withdrawn_are_due_again(self):
		for event, state in (("reject", "Rejected"), ("withdraw", "Withdrawn")):
			name = self.dispute((self.base.name, "30"))
			self.assertEqual(self.waits(), (60, 33))
			self.assertEqual(self.decide(name, event), state)
			self.assertEqual(self.waits(), (93, 0))
			self.assertEqual(frappe.db.get_value("TV Dispute", name, "outcome"), "Looked into")
			with self.assertRaisesRegex(DecidedAlready, "Administrator"):
				self.decide(name, "accept")

	def test_more_than_is_held_or_still_owed_is_not_granted(self):
		name = self.dispute((self.base.name, "20"))
		with self.assertRaisesRegex(Indisputable, "at most"):
			self.decide(name, "accept", **{self.base.name: "20.01"})
		self.change(self.subscription, "end", "2026-11-05")  # 26 of 30 days: 4.00 are left
		self.bill(self.subscription)
		with self.assertRaisesRegex(Indisputable, "at most .*4[.,]00"):
			self.decide(name, "accept", **{self.base.name: "20"})
		self.assertEqual(self.waits(), (60, 4.4))
		self.decide(name, "accept")
		self.assertEqual(frappe.db.get_value("TV Dispute", name, "granted"), 4)
		self.assertEqual(self.outstanding(), 60)

	def test_a_row_returned_by_quantity_can_still_be_conceded(self):
		note = make_return_doc("Sales Invoice", self.invoice.name)
		note.items = [item for item in note.items if item.sales_invoice_item == self.base.name]
		note.items[0].rate = 8
		note.submit()
		frappe.db.commit()
		self.decide(self.dispute((self.base.name, "22")), "accept")
		self.assertEqual(self.left(), ["50", "0"])
		self.assert_nothing_due(self.subscription)

	def assert_deferred_ends_at_zero(self):
		for month_end in ("2026-11-30", "2026-12-31"):
			frappe.get_doc(
				doctype="Process Deferred Accounting",
				company=COMPANY,
				type="Income",
				posting_date=month_end,
				start_date=f"{month_end[:7]}-01",
				end_date=month_end,
			).submit()
		self.assertEqual(ledger(self.invoice.name).get(DEFERRED, 0), 0)
		frappe.db.commit()


class TestAround(DisputeCase):
	def test_a_cancelled_invoice_closes_its_disputes(self):
		name = self.dispute((self.base.name, "12"))
		done = self.dispute((self.base.name, "1"))
		self.decide(done, "reject")
		self.invoice.reload()
		self.invoice.cancel()
		frappe.db.commit()
		states = [frappe.db.get_value("TV Dispute", dispute, "state") for dispute in (name, done)]
		self.assertEqual(states, ["Closed", "Rejected"])
		with self.assertRaises(DecidedAlready):
			self.decide(name, "accept")

	def test_a_cancelled_credit_note_reopens_the_dispute(self):
		name = self.dispute((self.base.name, "12"))
		self.decide(name, "accept")
		frappe.get_doc("Sales Invoice", frappe.db.get_value("TV Dispute", name, "credit_note")).cancel()
		frappe.db.commit()
		doc = frappe.get_doc("TV Dispute", name)
		self.assertEqual((doc.state, doc.credit_note, doc.granted), ("Under Review", None, 0))
		self.assertEqual((doc.events[-1].event, self.waits()), ("Reopened", (79.8, 13.2)))
		self.decide(name, "accept")
		self.assertEqual(self.outstanding(), 79.8)

	def test_dunning_leaves_out_what_is_disputed(self):
		invoice = self.bill(self.subscribe("2026-09-01"), until="2026-09-01", posting_date="2026-09-01")
		self.dispute((invoice.items[0].name, "20"), invoice=invoice)  # 24.00 with taxes
		dunning = create_dunning(invoice.name)
		self.assertEqual(dunning.total_outstanding, 93)
		dunning.save()
		self.assertEqual((dunning.total_outstanding, dunning.overdue_payments[0].outstanding), (69, 69))
		dunning.save()
		self.assertEqual(dunning.total_outstanding, 69)
		other = raise_dispute(invoice=invoice.name, ground="Other", reason="All of it")
		frappe.db.commit()
		with self.assertRaisesRegex(frappe.ValidationError, "Nothing is left to remind of"):
			create_dunning(invoice.name).save()
		self.decide(other, "withdraw")
		frappe.clear_messages()
		self.assertEqual(create_dunning(invoice.name).save().total_outstanding, 69)

	def test_each_instalment_is_dunned_without_its_share_of_the_dispute(self):
		invoice = self.hand_made(
			posting_date="2026-09-01",
			set_posting_time=1,
			payment_schedule=[
				{"due_date": "2026-10-01", "invoice_portion": 50, "payment_amount": 50},
				{"due_date": "2026-12-31", "invoice_portion": 50, "payment_amount": 50},
			],
		)
		self.dispute((invoice.items[0].name, "20"), invoice=invoice)
		dunning = create_dunning(invoice.name).save()
		self.assertEqual([row.outstanding for row in dunning.overdue_payments], [40])
		claim = claim_on(invoice)
		self.assertEqual([float(part) for part in (claim.due, claim.not_due, claim.disputed)], [40, 40, 20])
		self.assertEqual(
			[str(day) for day in (claim.due_since, claim.due_next)], ["2026-10-01", "2026-12-31"]
		)

	def test_amounts_are_in_the_currency_of_the_invoice(self):
		"""The receivable account is kept in euros, so ERPNext keeps what is outstanding in euros."""
		invoice = self.hand_made(currency="CHF", conversion_rate=0.9)
		self.assertEqual(invoice.outstanding_amount, 90)
		name = self.dispute((invoice.items[0].name, "20"), invoice=invoice)
		claim = claim_on(invoice)
		self.assertEqual([float(part) for part in (claim.outstanding, claim.disputed)], [100, 20])
		self.decide(name, "accept")
		invoice.reload()
		self.assertEqual((invoice.outstanding_amount, float(claim_on(invoice).outstanding)), (72, 80))

	def hand_made(self, **values):
		invoice = frappe.get_doc(
			doctype="Sales Invoice",
			company=COMPANY,
			customer=self.invoice.customer,
			items=[{"item_code": factories.make_item("TV-REPAIR"), "qty": 1, "rate": 100}],
			**values,
		)
		invoice.insert().submit()
		frappe.db.commit()
		invoice.reload()
		return invoice

	def test_dunning_of_an_undisputed_invoice_is_as_erpnext_has_it(self):
		invoice = self.bill(self.subscribe("2026-09-01"), until="2026-09-01", posting_date="2026-09-01")
		self.assertEqual(create_dunning(invoice.name).save().total_outstanding, 93)

	def test_credit_on_the_account_is_counted_once_over_all_invoices(self):
		later = self.bill(self.subscription, until="2026-12-01", posting_date="2026-12-01")
		payment = get_payment_entry("Sales Invoice", self.invoice.name)
		payment.update({"reference_no": "TEST", "reference_date": TODAY, "references": []})
		payment.paid_amount = payment.received_amount = 100
		payment.submit()
		frappe.db.commit()
		self.dispute((self.base.name, "10"))
		first = claim_on(frappe.get_doc("Sales Invoice", self.invoice.name))
		second = claim_on(later)
		self.assertEqual([float(claim.credit) for claim in (first, second)], [82, 18])
		self.assertEqual((float(second.not_due), float(second.outstanding)), (15, 33))

	def test_hands_off(self):
		name = self.dispute((self.base.name, "12"))
		doc = frappe.get_doc("TV Dispute", name)
		doc.amount = 1
		with self.assertRaisesRegex(frappe.ValidationError, "buttons"):
			doc.save()
		with self.assertRaisesRegex(frappe.ValidationError, "stays on record"):
			frappe.delete_doc("TV Dispute", name)
		forged = frappe.copy_doc(frappe.get_doc("TV Dispute", name))
		with self.assertRaisesRegex(frappe.ValidationError, "raised from its invoice"):
			forged.insert()
