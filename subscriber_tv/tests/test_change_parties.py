"""Another payer, another holder, another site: what the contract, its TVs and the next bills make of it."""

from datetime import date

import frappe

from subscriber_tv.api import contract_terms
from subscriber_tv.flows.billing import facts
from subscriber_tv.flows.contracts import timeline
from subscriber_tv.flows.contracts.change_parties import change_holder, change_payer, move
from subscriber_tv.flows.contracts.change_state import IllegalChange
from subscriber_tv.flows.contracts.change_terms import withdraw_change
from subscriber_tv.flows.contracts.follow_lines import follow_lines
from subscriber_tv.tests import factories
from subscriber_tv.tests.billing_case import COMPANY, TODAY, BillingTestCase, bill_payer, ledger
from subscriber_tv.tests.contract_case import make_user


def bill(payer: str):
	name = bill_payer(payer=payer, company=COMPANY, posting_date=TODAY, bill_until=TODAY)
	frappe.db.commit()
	return frappe.get_doc("Sales Invoice", name) if name else None


def field(subscription: str, name: str):
	return frappe.db.get_value("TV Subscription", subscription, name)


class TestParties(BillingTestCase):
	"""30.00 a TV and month, billed on the 1st; 50.00 once."""

	def setUp(self):
		self.name = self.subscribe("2026-11-01")
		self.hotel = field(self.name, "customer")
		self.parent = factories.make_customer()
		frappe.db.commit()

	def change_payer(self, day: str, payer: str | None = None) -> None:
		change_payer(subscription=self.name, payer=payer or self.parent, effective_date=day)
		frappe.db.commit()

	def test_the_parent_pays_from_the_16th_on_and_the_hotel_gets_its_days_back(self):
		bill(self.hotel)
		self.change_payer("2026-11-16")
		self.assertEqual(field(self.name, "payer"), self.parent)
		self.assertLessEqual({self.hotel, self.parent}, set(facts.payers(COMPANY)))
		note, invoice = bill(self.hotel), bill(self.parent)
		self.assertEqual((note.is_return, note.net_total, note.customer), (1, -15, self.hotel))
		self.assertEqual((invoice.is_return, invoice.net_total, invoice.customer), (0, 15, self.parent))
		self.assertEqual(str(invoice.items[0].tv_from), "2026-11-16")
		ledger(note.name)
		ledger(invoice.name)
		for payer in (self.hotel, self.parent):
			self.assertIsNone(bill(payer))

	def test_taken_back_the_hotel_pays_again(self):
		self.change_payer("2026-11-16")
		self.assertEqual(bill(self.parent).net_total, 15)
		self.assertEqual(bill(self.hotel).net_total, 65)
		withdraw_change(subscription=self.name, change_no=field(self.name, "change_count"))
		frappe.db.commit()
		self.assertEqual(field(self.name, "payer"), self.hotel)
		self.assertEqual(bill(self.parent).net_total, -15)
		self.assertEqual(bill(self.hotel).net_total, 15)

	def test_a_payer_ahead_takes_over_on_his_day(self):
		self.change_payer("2026-12-01")
		self.assertEqual(field(self.name, "payer"), self.hotel)
		self.assertEqual(timeline.load(self.name).payer_on(date(2026, 12, 1)), self.parent)
		self.assertIsNone(bill(self.parent))
		self.assertEqual(bill(self.hotel).net_total, 80)
		follow_lines(today=date(2026, 12, 1))
		self.assertEqual(field(self.name, "payer"), self.parent)

	def test_who_pays_already_or_does_not_exist_is_refused(self):
		for payer, part in ((self.hotel, "already"), ("Nobody", "no customer")):
			with self.assertRaises(frappe.ValidationError) as refused:
				change_payer(subscription=self.name, payer=payer)
			self.assertIn(part, str(refused.exception))

	def test_a_new_holder_takes_site_and_tvs(self):
		site = field(self.name, "site")
		[serial] = factories.receive_devices(1)
		frappe.db.set_value(
			"TV Device",
			serial,
			{"subscription": self.name, "line_id": "L1", "customer": self.hotel, "site": site},
		)
		change_holder(subscription=self.name, customer=self.parent, effective_date="2026-11-20")
		frappe.db.commit()
		self.assertEqual(
			(field(self.name, "customer"), field(self.name, "payer")), (self.parent, self.parent)
		)
		self.assertEqual(frappe.db.get_value("TV Site", site, "customer"), self.parent)
		device = frappe.get_doc("TV Device", serial)
		self.assertEqual((device.customer, device.history[-1].event), (self.parent, "Transferred"))
		self.assertEqual(bill(self.hotel).net_total, 69)  # 50.00 and 19 of 30 days
		self.assertEqual(bill(self.parent).net_total, 11)
		with self.assertRaises(IllegalChange):
			withdraw_change(subscription=self.name, change_no=field(self.name, "change_count"))

	def test_a_site_that_serves_another_contract_is_not_handed_over(self):
		site = field(self.name, "site")
		other = factories.make_subscription(
			"Draft", site=site, lines=[{"offer_version": self.version, "quantity": 1}]
		)
		with self.assertRaises(frappe.ValidationError) as refused:
			change_holder(subscription=self.name, customer=self.parent)
		self.assertIn(other, str(refused.exception))

	def test_a_move_stays_with_the_holder_and_is_today_or_earlier(self):
		site = factories.make_site(self.hotel)
		for values, part in (
			({"site": factories.make_site(self.parent)}, "no site of"),
			({"site": field(self.name, "site")}, "already"),
			({"site": site, "effective_date": "2026-12-01"}, "today or earlier"),
		):
			with self.assertRaises(frappe.ValidationError) as refused:
				move(subscription=self.name, **values)
			self.assertIn(part, str(refused.exception))
		move(subscription=self.name, site=site, effective_date="2026-11-10")
		self.assertEqual(field(self.name, "site"), site)
		self.assertEqual(bill(self.hotel).net_total, 80)

	def test_only_those_who_keep_the_terms_may_change_parties(self):
		self.addCleanup(frappe.set_user, "Administrator")
		frappe.set_user(make_user("TV Sales"))
		with self.assertRaises(frappe.PermissionError):
			contract_terms.change_payer(self.name, payer=self.parent)
		frappe.set_user("Administrator")
		frappe.set_user(make_user("TV Back Office", "Sales User"))
		contract_terms.change_payer(self.name, payer=self.parent)
