"""Who may raise and decide disputes, what bad input is told, and what happens when two do it at once."""

import threading

import frappe

from subscriber_tv.api import disputes as api
from subscriber_tv.core.money import money
from subscriber_tv.flows.collections.decide_dispute import DecidedAlready, decide_dispute
from subscriber_tv.flows.collections.raise_dispute import Indisputable, raise_dispute
from subscriber_tv.tests import factories
from subscriber_tv.tests.contract_case import make_user
from subscriber_tv.tests.dispute_case import REASON, DisputeCase


class TestEndpoints(DisputeCase):
	def as_user(self, *roles) -> None:
		frappe.set_user("Administrator")
		user = make_user(*roles)
		frappe.db.commit()
		frappe.set_user(user)

	def test_support_raises_and_only_billing_or_management_decides(self):
		self.as_user("TV Support")
		rows = [{"row": self.base.name, "amount": "12"}]
		name = api.raise_dispute(self.invoice.name, "Other", REASON, rows=frappe.as_json(rows))
		frappe.db.commit()  # as the end of the request does
		self.assertEqual([step["event"] for step in api.steps(name)], ["withdraw"])
		for event in ("review", "accept", "reject"):
			with self.assertRaises(frappe.PermissionError):
				api.decide(name, event)
		self.as_user("TV Management")
		self.assertEqual(
			[step["event"] for step in api.steps(name)], ["review", "accept", "reject", "withdraw"]
		)
		with self.assertRaises(frappe.PermissionError):
			api.raise_dispute(self.invoice.name, "Other", REASON)
		self.assertEqual(api.decide(name, "accept", "Right", {self.base.name: 3.5}), "Accepted")
		frappe.db.commit()
		frappe.set_user("Administrator")
		self.assertEqual(self.outstanding(), 89.15)
		self.as_user("TV Support")
		withdrawn = api.raise_dispute(self.invoice.name, "Other", REASON)
		frappe.db.commit()
		self.assertEqual(api.decide(withdrawn, "withdraw", "He paid"), "Withdrawn")

	def test_support_answers_for_subscriptions_alone(self):
		"""An invoice that bills none is the accountants'."""
		invoice = frappe.get_doc(
			doctype="Sales Invoice",
			company=self.invoice.company,
			customer=self.invoice.customer,
			items=[{"item_code": factories.make_item("TV-REPAIR"), "qty": 1, "rate": 5}],
		)
		invoice.submit()
		frappe.db.commit()
		self.as_user("TV Support")
		self.assertEqual(len(api.disputable_rows(self.invoice.name)), 2)
		for call in (api.disputable_rows, api.show, lambda name: api.raise_dispute(name, "Other", REASON)):
			with self.assertRaises(frappe.PermissionError):
				call(invoice.name)

	def test_others_neither_raise_nor_see(self):
		name = self.dispute((self.base.name, "12"))
		self.as_user("Stock User")
		for call in (
			lambda: api.raise_dispute(self.invoice.name, "Other", REASON),
			lambda: api.disputable_rows(self.invoice.name),
			lambda: api.show(self.invoice.name),
			lambda: api.show("no such"),
			lambda: api.steps(name),
			lambda: api.decide(name, "withdraw"),
		):
			with self.assertRaises(frappe.PermissionError):
				call()

	def test_bad_input_is_refused_clearly(self):
		name = self.dispute((self.base.name, "12"))
		for call, text in (
			(lambda: api.raise_dispute(self.invoice.name, "Other", REASON, rows="{}"), "list"),
			(lambda: api.raise_dispute(self.invoice.name, "Other", REASON, rows=[1]), "list"),
			(
				lambda: api.raise_dispute(self.invoice.name, "Other", REASON, rows=[{"row": "x"}] * 501),
				"list",
			),
			(lambda: self._raise("much"), "not an amount"),
			(lambda: self._raise("NaN"), "not an amount"),
			(lambda: self._raise("-1"), "above zero"),
			(lambda: self._raise("0.001"), "decimals"),
			(lambda: api.raise_dispute(self.invoice.name, "Because", REASON), "Ground"),
			(lambda: api.raise_dispute(self.invoice.name, "Other", " "), "why"),
			(lambda: api.decide(name, "explode"), "no step"),
			(lambda: api.decide(name, "accept", granted="[]"), "object"),
			(lambda: api.decide(name, "accept", granted={"x": 1}), "no row"),
			(lambda: api.decide("no such", "accept"), "no dispute"),
			(lambda: api.raise_dispute("no such", "Other", REASON), "no invoice"),
		):
			with self.assertRaisesRegex(frappe.ValidationError, text):
				call()
		self.assertEqual(frappe.db.count("TV Dispute", {"invoice": self.invoice.name}), 1)

	def _raise(self, amount):
		api.raise_dispute(
			self.invoice.name, "Other", REASON, rows=[{"row": self.base.name, "amount": amount}]
		)


class TestTwoAtOnce(DisputeCase):
	"""Real connections: one wins, the other is told."""

	def both(self, *calls) -> list:
		site, sites_path = frappe.local.site, frappe.local.sites_path
		start, answers = threading.Barrier(len(calls)), []

		def one(call):
			frappe.init(site=site, sites_path=sites_path)
			frappe.connect()
			try:
				frappe.db.get_value("Sales Invoice", self.invoice.name, "outstanding_amount")
				start.wait(timeout=20)
				answers.append(call())
				frappe.db.commit()
			except Exception as refused:
				frappe.db.rollback()
				answers.append(refused)
			finally:
				frappe.destroy()

		users = [threading.Thread(target=one, args=(call,)) for call in calls]
		for user in users:
			user.start()
		for user in users:
			user.join(timeout=60)
		frappe.db.rollback()
		return answers

	def test_of_two_who_decide_one_wins_and_the_other_is_told(self):
		name = self.dispute((self.base.name, "12"))
		answers = self.both(
			lambda: decide_dispute(dispute=name, event="accept"),
			lambda: decide_dispute(dispute=name, event="accept"),
		)
		refused = [answer for answer in answers if isinstance(answer, Exception)]
		self.assertEqual([type(answer) for answer in refused], [DecidedAlready], answers)
		self.assertIn("Administrator", str(refused[0]))
		self.assertEqual(frappe.db.count("Sales Invoice", {"tv_dispute": name, "docstatus": 1}), 1)
		self.assertEqual(self.outstanding(), 79.8)

	def test_an_invoice_cancelled_while_it_is_disputed_leaves_nothing_waiting(self):
		def cancelling():
			frappe.get_doc("Sales Invoice", self.invoice.name).cancel()

		def disputing():
			return raise_dispute(invoice=self.invoice.name, ground="Other", reason="x")

		answers = self.both(cancelling, disputing)
		self.assertEqual(frappe.db.get_value("Sales Invoice", self.invoice.name, "docstatus"), 2, answers)
		states = frappe.get_all("TV Dispute", {"invoice": self.invoice.name}, pluck="state")
		self.assertIn(states, ([], ["Closed"]), answers)

	def test_two_disputes_at_once_do_not_exceed_the_row(self):
		def disputing():
			return raise_dispute(
				invoice=self.invoice.name, ground="Other", reason="x", rows=[(self.base.name, money("20"))]
			)

		answers = self.both(disputing, disputing)
		refused = [answer for answer in answers if isinstance(answer, Exception)]
		self.assertEqual([type(answer) for answer in refused], [Indisputable], answers)
		self.assertEqual(self.left(), ["50", "10"])
