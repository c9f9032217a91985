"""From rights to orders, and to a platform on a real socket that carries them out."""

import time
from unittest.mock import patch

import frappe

from subscriber_tv.core.provisioning.desired import account_id
from subscriber_tv.flows.activation import publish, store_rights
from subscriber_tv.flows.activation.note_change import note_change
from subscriber_tv.flows.activation.unbind import unbind
from subscriber_tv.flows.contracts.change_state import change_state
from subscriber_tv.flows.provisioning import check
from subscriber_tv.flows.provisioning.platforms import DOCTYPE, of_name
from subscriber_tv.flows.provisioning.write_orders import ORDER, SUBJECT
from subscriber_tv.tests import factories
from subscriber_tv.tests.provisioning_case import CODE, ProvisioningCase, publish_all, tv_and_subscription
from subscriber_tv.tests.test_publisher import many_tvs


class TestOrders(ProvisioningCase):
	def test_a_tv_is_granted_revoked_and_granted_again_as_its_rights_change(self):
		platform = self.make_platform()
		serial, subscription = tv_and_subscription()
		self.assertEqual(self.told(platform, serial), [(1, "Grant", [CODE], "Pending")])
		self.assertEqual(self.work(platform), {"done": 1})
		self.assertEqual(self.server.holds("Device", serial), [CODE])
		change_state(subscription=subscription, event="suspend")
		publish_all()
		self.assertEqual(self.work(platform), {"done": 1})
		self.assertIsNone(self.server.holds("Device", serial))
		change_state(subscription=subscription, event="resume")
		publish_all()
		self.work(platform)
		self.assertEqual(self.server.holds("Device", serial), [CODE])
		self.assertEqual(
			self.told(platform, serial),
			[(1, "Grant", [CODE], "Done"), (2, "Revoke", [], "Done"), (3, "Grant", [CODE], "Done")],
		)
		order = frappe.get_doc(ORDER, self.orders(platform, serial)[0].name)
		self.assertEqual(
			(order.device, order.subscription, order.company), (serial, subscription, factories.COMPANY)
		)

	def test_an_unbound_tv_is_revoked(self):
		platform = self.make_platform()
		serial, _subscription = tv_and_subscription()
		self.work(platform)
		unbind(device=serial)
		publish_all()
		self.work(platform)
		self.assertEqual(self.told(platform, serial)[-1], (2, "Revoke", [], "Done"))

	def test_rights_that_do_not_change_make_no_order(self):
		platform = self.make_platform()
		serial, subscription = tv_and_subscription()
		note_change("Subscription", subscription)
		publish_all()
		publish.publish_devices([serial], again=True)
		self.assertEqual(len(self.orders(platform, serial)), 1)

	def test_a_change_that_is_rolled_back_orders_nothing(self):
		platform = self.make_platform()
		frappe.db.savepoint("tv_test")
		serial, _subscription = tv_and_subscription()
		self.assertTrue(self.orders(platform, serial))
		frappe.db.rollback(save_point="tv_test")
		self.assertFalse(self.orders(platform, serial))

	def test_an_account_is_opened_emptied_refilled_and_closed(self):
		platform = self.make_platform(gets="Devices and Accounts")
		serial, subscription = tv_and_subscription()
		account = account_id(subscription)
		self.assertEqual(self.work(platform), {"done": 2})
		self.assertEqual(self.server.holds("Account", account), [CODE])
		for event, held, tv in (("suspend", [], None), ("resume", [CODE], [CODE]), ("end", None, None)):
			change_state(subscription=subscription, event=event)
			publish_all()
			self.work(platform)
			self.assertEqual(self.server.holds("Account", account), held, event)
			self.assertEqual(self.server.holds("Device", serial), tv, event)
		actions = [action for _sequence, action, _codes, _state in self.told(platform, account)]
		self.assertEqual(actions, ["Grant", "Replace", "Replace", "Revoke"])

	def test_an_account_needs_no_tv(self):
		platform = self.make_platform(gets="Accounts")
		subscription = factories.make_subscription("Awaiting Activation")
		publish_all()
		self.assertEqual(self.told(platform, account_id(subscription)), [])
		change_state(subscription=subscription, event="activate")
		publish_all()
		self.assertEqual(self.told(platform, account_id(subscription)), [(1, "Grant", [CODE], "Pending")])

	def test_an_account_closes_on_its_day_with_nobody_awake(self):
		platform = self.make_platform(gets="Accounts")
		subscription = factories.make_subscription("Cancelling")
		publish_all()
		account = account_id(subscription)
		ends = frappe.db.get_value(SUBJECT, {"platform": platform, "subject": account}, "changes_at")
		self.assertGreater(ends, time.time())
		served = of_name(platform)
		self.assertEqual(check.change_accounts(served, ends - 1), 0)
		self.assertEqual(check.change_accounts(served, ends), 1)
		self.assertEqual(self.told(platform, account)[-1], (2, "Revoke", [], "Pending"))
		self.assertEqual(check.change_accounts(served, ends), 0)

	def test_another_companys_platform_hears_nothing(self):
		here, elsewhere = self.make_platform(company=factories.COMPANY), self.make_platform()
		frappe.db.set_value(DOCTYPE, elsewhere, "company", "Elsewhere")
		serial, _subscription = tv_and_subscription()
		self.assertEqual(self.orders(elsewhere, serial), [])
		self.assertEqual(len(self.orders(here, serial)), 1)

	def test_changed_codes_reach_every_tv_that_has_the_offer(self):
		platform = self.make_platform()
		subscription = factories.make_subscription("Active", quantity=30)
		serials = many_tvs(subscription, 30)
		note_change("Subscription", subscription)
		publish_all()
		self.work(platform)
		self.addCleanup(self.give_code, CODE)
		self.give_code("ENT-NEW")
		publish_all()
		self.work(platform)
		self.assertEqual({tuple(self.server.holds("Device", serial)) for serial in serials}, {("ENT-NEW",)})
		self.assertEqual(self.told(platform, serials[0])[-1], (2, "Replace", ["ENT-NEW"], "Done"))
		self.assertEqual(self.orders(platform, serials[0])[-1].cause, "Check")
		channel = frappe.get_doc("TV Channel", "CH1")
		channel.update({"channel_name": f"One {frappe.generate_hash(length=4)}"})
		channel.save()
		publish_all()
		self.assertEqual(frappe.db.get_value(DOCTYPE, platform, "check_from"), "")

	def test_a_new_platform_is_filled(self):
		serial, subscription = tv_and_subscription()
		platform = self.make_platform(gets="Devices and Accounts", enabled=0)
		doc = frappe.get_doc(DOCTYPE, platform)
		doc.enabled = 1
		doc.save()
		self.work(platform)
		self.assertEqual(self.server.holds("Device", serial), [CODE])
		self.assertEqual(self.server.holds("Account", account_id(subscription)), [CODE])

	def test_orders_that_cannot_be_made_darken_no_tv(self):
		platform = self.make_platform()
		with patch("subscriber_tv.flows.provisioning.write_orders.order", side_effect=ValueError("a bug")):
			serial, _subscription = tv_and_subscription()
		self.assertEqual(store_rights.entry("Device", serial).state, "Active")
		self.assertEqual(self.orders(platform, serial), [])
		self.work(platform)
		self.assertEqual(self.server.holds("Device", serial), [CODE])

	def test_a_platform_that_is_off_gets_and_costs_nothing(self):
		platform = self.make_platform(enabled=0)
		serial, _subscription = tv_and_subscription()
		self.assertEqual((self.orders(platform, serial), self.work(platform)), ([], {}))
