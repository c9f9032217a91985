"""The error queue of provisioning and its forms: who is told, who may send again, what may be entered."""

import time
from unittest.mock import patch

import frappe

from subscriber_tv.flows.activation.note_change import note_change
from subscriber_tv.flows.contracts.change_state import change_state
from subscriber_tv.flows.provisioning import replay, tell_owner, wake
from subscriber_tv.flows.provisioning.platforms import DOCTYPE
from subscriber_tv.flows.provisioning.write_orders import ORDER
from subscriber_tv.subscriber_tv.doctype.tv_provisioning_order.tv_provisioning_order import (
	TVProvisioningOrder,
)
from subscriber_tv.tests import factories
from subscriber_tv.tests.contract_case import make_user
from subscriber_tv.tests.provisioning_case import ProvisioningCase, publish_all, tv_and_subscription
from subscriber_tv.tests.test_publisher import many_tvs


class TestRefused(ProvisioningCase):
	def test_what_is_refused_is_assigned_replayed_and_closed(self):
		platform = self.make_platform()
		serial, _subscription = tv_and_subscription()
		self.server.faults = [422]
		self.assertEqual(self.work(platform), {"refused": 1})
		(order,) = self.orders(platform, serial)
		self.assertEqual((order.state, order.last_error), ("Failed", "HTTP 422: as told"))
		tell_owner.tell_owners()
		tell_owner.tell_owners()
		task = {"reference_type": ORDER, "reference_name": order.name, "allocated_to": self.responsible}
		self.assertEqual(frappe.get_all("ToDo", task, pluck="status"), ["Open"])
		self.assertEqual(frappe.db.get_value(ORDER, order.name, "responsible"), self.responsible)
		self.assertEqual(self.work(platform), {}, "nothing is tried again by itself")
		frappe.set_user(self.responsible)
		self.assertEqual(frappe.call("subscriber_tv.api.provisioning.replay", names=[order.name]), 1)
		frappe.set_user("Administrator")
		self.assertEqual(self.work(platform), {"done": 1})
		self.assertEqual(frappe.get_all("ToDo", task, pluck="status"), ["Closed"])
		self.assertEqual(self.server.received[0]["order"], self.server.received[1]["order"])
		self.assertEqual(replay.replay([order.name]), 0, "what is done is not sent again")

	def test_a_newer_order_takes_the_place_of_a_refused_one(self):
		platform = self.make_platform()
		serial, subscription = tv_and_subscription()
		self.server.faults = [400]
		self.work(platform)
		tell_owner.tell_owners()
		(order,) = self.orders(platform, serial)
		change_state(subscription=subscription, event="suspend")
		publish_all()
		self.assertEqual(self.work(platform), {"done": 1})
		self.assertEqual([state for *_rest, state in self.told(platform, serial)], ["Superseded", "Done"])
		self.assertEqual(frappe.db.get_value("ToDo", {"reference_name": order.name}, "status"), "Closed")

	def test_a_platform_that_refuses_everybody_is_one_assignment_more(self):
		platform = self.make_platform()
		subscription = factories.make_subscription("Active", quantity=30)
		many_tvs(subscription, 30)
		note_change("Subscription", subscription)
		publish_all()
		self.server.faults = [400] * 30
		self.assertEqual(self.work(platform), {"refused": 30})
		tell_owner.tell_owners()
		self.assertEqual(frappe.db.count("ToDo", {"reference_type": ORDER}), tell_owner.MOST_ASSIGNED)
		self.assertEqual(frappe.db.count("ToDo", {"reference_type": DOCTYPE, "reference_name": platform}), 1)
		owned = {"platform": platform, "state": "Failed", "responsible": self.responsible}
		self.assertEqual(frappe.db.count(ORDER, owned), 30)

	def test_a_platform_silent_for_an_hour_is_told(self):
		platform = self.make_platform()
		frappe.db.set_value(DOCTYPE, platform, "failing_since", frappe.utils.add_to_date(None, minutes=-59))
		tell_owner.tell_owners()
		self.assertFalse(frappe.db.exists("ToDo", {"reference_name": platform}))
		frappe.db.set_value(DOCTYPE, platform, "failing_since", frappe.utils.add_to_date(None, minutes=-61))
		tell_owner.tell_owners()
		self.assertTrue(
			frappe.db.exists("ToDo", {"reference_name": platform, "allocated_to": self.responsible})
		)

	def test_who_may_send_again(self):
		platform = self.make_platform()
		serial, _subscription = tv_and_subscription()
		(order,) = self.orders(platform, serial)
		frappe.set_user(make_user("TV Sales"))
		for method, values in (("replay", {"names": [order.name]}), ("compare", {"platform": platform})):
			with self.assertRaises(frappe.PermissionError):
				frappe.call(f"subscriber_tv.api.provisioning.{method}", **values)
		self.assertFalse(frappe.has_permission(DOCTYPE, "read"))
		frappe.set_user(self.responsible)
		self.assertFalse(frappe.has_permission(DOCTYPE, "write"))
		with self.assertRaises(frappe.ValidationError):
			frappe.call("subscriber_tv.api.provisioning.replay", names="nonsense")


class TestForms(ProvisioningCase):
	def test_addresses_that_are_refused(self):
		for address in (
			"http://cas.example.com/v1",
			"ftp://cas.example.com",
			"https://",
			"https://user:word@cas.example.com",
			"https://cas.example.com/?a=1",
			"cas",
		):
			with self.subTest(address), self.assertRaises(frappe.ValidationError):
				self.make_platform(address=address)
		for folder in ("../elsewhere", "/etc", ".", ""):
			with self.subTest(folder), self.assertRaises(frappe.ValidationError):
				self.make_platform(adapter="File Drop", address=folder)

	def test_a_secret_by_reference_stands_in_no_database(self):
		with self.assertRaises(frappe.ValidationError):
			self.make_platform(secret="")
		with patch.dict(
			frappe.conf, {"subscriber_tv_provisioning_secrets": {"cas": "a secret of both sides"}}
		):
			platform = self.make_platform(secret="", secret_reference="cas")
			serial, _subscription = tv_and_subscription()
			self.assertEqual(self.work(platform), {"done": 1})
		self.assertFalse(frappe.db.sql("select 1 from __Auth where name = %s", platform))
		self.assertTrue(self.server.holds("Device", serial))

	def test_saving_an_old_form_takes_nothing_back_from_the_workers(self):
		platform = self.make_platform()
		doc = frappe.get_doc(DOCTYPE, platform)
		frappe.db.set_value(DOCTYPE, platform, {"failures": 7, "last_batch": 3}, update_modified=False)
		doc.lanes = 2
		doc.save()
		self.assertEqual(
			frappe.db.get_value(DOCTYPE, platform, ["failures", "last_batch", "lanes"]), (7, 3, 2)
		)

	def test_old_orders_are_cleared_open_ones_stay(self):
		platform = self.make_platform()
		serial, subscription = tv_and_subscription()
		self.work(platform)
		change_state(subscription=subscription, event="suspend")
		publish_all()
		done, waiting = self.orders(platform, serial)
		long_ago = frappe.utils.add_days(None, -100)
		for order in (done, waiting):
			frappe.db.set_value(ORDER, order.name, "settled_at", long_ago, update_modified=False)
		TVProvisioningOrder.clear_old_logs(90)
		self.assertEqual([order.name for order in self.orders(platform, serial)], [waiting.name])

	def test_a_worker_is_started_only_when_something_is_due(self):
		platform = self.make_platform()
		now = int(time.time())
		self.assertFalse(wake.something_due(platform, now))
		tv_and_subscription()
		self.assertTrue(wake.something_due(platform, int(time.time())))
		frappe.db.set_value(DOCTYPE, platform, "paused_until", now + 100)
		self.assertFalse(wake.something_due(platform, now))
		with patch("subscriber_tv.flows.provisioning.wake.start") as start:
			frappe.db.set_value(DOCTYPE, platform, "paused_until", 0)
			wake.wake_due()
			start.assert_called_once_with(platform)
