"""What a run reads of its payers ahead is used only while it is what a new look would find."""

from unittest.mock import patch

import frappe
from frappe.utils import getdate
from rq.timeouts import JobTimeoutException

from subscriber_tv.flows.billing import facts, run
from subscriber_tv.flows.billing.ahead import Ahead
from subscriber_tv.flows.billing.bill_payer import settle
from subscriber_tv.flows.billing.chunks import INVOICED, LINE, PARKED
from subscriber_tv.flows.billing.lock import under_payer_lock
from subscriber_tv.flows.billing.start_run import new_run
from subscriber_tv.flows.contracts.change_parties import change_payer
from subscriber_tv.ledger.posting.memory import looking_seldom, remembering
from subscriber_tv.tests import factories
from subscriber_tv.tests.billing_case import COMPANY, TODAY, BillingTestCase, make_version

DAY = getdate(TODAY)


class TestReadAhead(BillingTestCase):
	def payers(self, number: int = 1) -> dict[str, str]:
		"""So many payers of one active subscription each: payer -> subscription."""
		names = [self.subscribe("2026-11-01") for _ in range(number)]
		return {frappe.db.get_value("TV Subscription", name, "payer"): name for name in names}

	def settle(self, payer: str, ahead: Ahead | None = None):
		outcome = under_payer_lock(
			payer,
			lambda: settle(payer=payer, company=COMPANY, posting_date=DAY, bill_until=DAY, ahead=ahead),
		)
		frappe.db.commit()
		return outcome

	def test_it_is_what_is_loaded_of_each_alone(self):
		payers = self.payers(3)
		self.settle(next(iter(payers)))
		ahead = Ahead(COMPANY, list(payers))
		for payer in payers:
			found = ahead.facts_of(payer)
			alone = facts.load(payer, COMPANY)
			self.assertEqual([one.contract for one in found], [one.contract for one in alone])
			self.assertEqual([one.invoiced for one in found], [one.invoiced for one in alone])
			self.assertEqual([one.payer for one in found], [payer])

	def test_a_payer_read_ahead_is_billed_without_another_load(self):
		payers = self.payers(2)
		ahead = Ahead(COMPANY, list(payers))
		with patch.object(facts, "load", side_effect=AssertionError("loaded again")):
			for payer in payers:
				self.assertEqual(len(self.settle(payer, ahead).invoices), 1)

	def test_an_offer_is_never_older_than_what_is_noted_of_it(self):
		"""Masters are looked at once a second; the prices of a version change by hand of an administrator only."""
		for when in ("before", "after"):
			with self.subTest(f"changed {when} the handful was read"), looking_seldom():
				version = make_version(f"AHEAD-{frappe.generate_hash(length=6)}".upper())
				subscription = self.subscribe("2026-11-01", version=version)
				payer = frappe.db.get_value("TV Subscription", subscription, "payer")
				self.decided(payer)
				ahead = Ahead(COMPANY, [payer]) if when == "after" else None
				self.reprice(version, 40)
				outcome = self.settle(payer, ahead or Ahead(COMPANY, [payer]))
				self.assertEqual(outcome.net, 90)

	def decided(self, payer: str) -> None:
		"""Have the prices of his offer in memory."""
		with remembering():
			facts.load(payer, COMPANY)

	def reprice(self, version: str, price: int) -> None:
		"""As nobody should: past the form, which refuses it."""
		row = {"parent": version, "charge_code": "BASE"}
		frappe.db.set_value("TV Offer Charge Line", row, "unit_price", price)
		frappe.db.set_value("TV Offer Version", version, "valid_upto", "2099-12-31")
		frappe.db.commit()

	def test_it_is_given_once(self):
		[payer] = self.payers()
		ahead = Ahead(COMPANY, [payer])
		self.assertTrue(ahead.facts_of(payer))
		self.assertIsNone(ahead.facts_of(payer))
		self.assertIsNone(ahead.facts_of("nobody"))

	def test_whatever_changes_meanwhile_is_noticed(self):
		for what, change in self.changes().items():
			with self.subTest(what):
				[(payer, subscription)] = self.payers().items()
				ahead = Ahead(COMPANY, [payer])
				change(payer, subscription)
				frappe.db.commit()
				self.assertIsNone(ahead.facts_of(payer))

	def changes(self) -> dict:
		return {
			"a change of the contract": lambda _, name: self.change(name, "suspend", TODAY),
			"another subscription": lambda payer, _: self.subscribe("2026-11-01", customer=payer),
			"his invoice by somebody else": lambda payer, _: self.settle(payer),
			"how he wants his invoices": lambda payer, _: self.wants(payer),
			"a new offer version": lambda *_: factories.make_offer_version(
				f"AHEAD-{frappe.generate_hash(length=6)}".upper()
			),
			"usage": lambda _, name: self.use(name),
		}

	def wants(self, payer: str) -> None:
		frappe.get_doc("Customer", payer).update({"tv_invoicing": "One per Subscription"}).save()

	def use(self, subscription: str) -> None:
		record = frappe.new_doc("TV Usage Record")
		record.update({"subscription": subscription, "source_key": subscription, "state": "Accepted"})
		record.name = subscription
		record.db_insert()

	def test_a_job_whose_time_is_up_while_it_reads_ahead_stops(self):
		"""The alarm rings once: caught like a record that cannot be read, it would never stop the job."""
		[payer] = self.payers()
		with patch.object(facts, "load_all", side_effect=JobTimeoutException("time is up")):
			self.assertRaises(JobTimeoutException, Ahead, COMPANY, [payer])

	def test_who_is_billed_by_somebody_else_first_is_not_billed_twice(self):
		[payer] = self.payers()
		ahead = Ahead(COMPANY, [payer])
		self.assertTrue(self.settle(payer).invoices)
		self.assertFalse(self.settle(payer, ahead).document)

	def test_a_contract_that_changes_payers_is_looked_at_under_the_lock(self):
		[(payer, subscription)] = self.payers().items()
		other = factories.make_customer(f"Ahead {frappe.generate_hash(length=6)}")
		change_payer(subscription=subscription, payer=other, effective_date=TODAY)
		frappe.db.commit()
		ahead = Ahead(COMPANY, [payer, other])
		self.assertIsNone(ahead.facts_of(payer))
		self.assertIsNone(ahead.facts_of(other))

	def test_a_record_that_cannot_be_read_holds_up_nobody_else(self):
		payers = self.payers(3)
		broken = list(payers)[1]
		price = frappe.new_doc("TV Subscription Price Line")
		price.update({"parent": f"{payers[broken]}-C1", "parenttype": "TV Subscription Change"})
		price.update({"parentfield": "prices", "line_id": "x", "charge_code": "x", "price_json": "{"})
		price.db_insert()
		frappe.db.commit()
		self.addCleanup(frappe.db.commit)
		self.addCleanup(frappe.db.delete, "TV Subscription Price Line", {"name": price.name})
		name = new_run(company=COMPANY, posting_date=TODAY, bill_until=TODAY)
		frappe.db.commit()
		with patch.object(facts, "payers", return_value=list(payers)):
			run.run(bill_run=name)
		found = dict(frappe.get_all(LINE, {"parent": name}, ["payer", "outcome"], as_list=True))
		expected = dict.fromkeys(payers, INVOICED) | {broken: PARKED}
		self.assertEqual(found, expected)
