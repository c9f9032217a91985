"""Workers that send: with a platform that fails in every way, workers that race, and workers that die."""

import os
import signal
import time
from unittest.mock import patch

import frappe

from subscriber_tv.adapters.provisioning_http import HttpPlatform
from subscriber_tv.core.provisioning.orders import REFUSED, Outcome
from subscriber_tv.flows.activation.note_change import note_change
from subscriber_tv.flows.contracts.change_state import change_state
from subscriber_tv.flows.provisioning import record, work
from subscriber_tv.flows.provisioning.platforms import DOCTYPE
from subscriber_tv.flows.provisioning.write_orders import ORDER
from subscriber_tv.tests import factories, processes
from subscriber_tv.tests.provisioning_case import CODE, ProvisioningCase, publish_all, tv_and_subscription
from subscriber_tv.tests.provisioning_server import SECRET
from subscriber_tv.tests.test_publisher import many_tvs


class TestSending(ProvisioningCase):
	def test_a_newer_order_replaces_one_that_was_not_sent(self):
		platform = self.make_platform()
		serial, subscription = tv_and_subscription()
		for event in ("suspend", "resume", "suspend"):
			change_state(subscription=subscription, event=event)
			publish_all()
		self.assertEqual(self.work(platform), {"done": 1})
		self.assertEqual([order["sequence"] for order in self.server.received], [4])
		self.assertEqual(
			[state for *_rest, state in self.told(platform, serial)], ["Superseded"] * 3 + ["Done"]
		)

	def test_one_that_may_have_arrived_is_repeated_before_the_newer_one(self):
		platform = self.make_platform()
		serial, subscription = tv_and_subscription()
		self.server.faults = ["drop"]
		self.assertEqual(self.work(platform), {"retry": 1})
		(order,) = self.orders(platform, serial)
		self.assertEqual((order.state, order.in_doubt, order.attempts), ("Pending", 1, 1))
		change_state(subscription=subscription, event="suspend")
		publish_all()
		self.assertEqual(self.work(platform), {}, "the platform is left alone for a while")
		self.let_time_pass(platform)
		self.assertEqual(self.work(platform), {"done": 2})
		self.assertEqual([order["sequence"] for order in self.server.received], [1, 1, 2])
		self.assertEqual(len({order["order"] for order in self.server.received}), 2)
		self.assertEqual([order["sequence"] for order in self.server.applied], [1, 2])
		self.assertEqual([state for *_rest, state in self.told(platform, serial)], ["Done", "Done"])

	def test_a_platform_that_fails_for_long_is_tried_for_ever_under_one_key(self):
		platform = self.make_platform()
		serial, _subscription = tv_and_subscription()
		self.server.faults = [500, "after 500", 503, "drop", 429, 401, "redirect", 500, 502]
		for _n in range(9):
			self.assertEqual(self.work(platform), {"retry": 1})
			self.let_time_pass(platform)
		row = frappe.get_doc(DOCTYPE, platform)
		self.assertEqual(row.failures, 9)
		self.assertTrue(row.failing_since)
		self.assertEqual(self.work(platform), {"done": 1})
		self.assertEqual(len({order["order"] for order in self.server.received}), 1)
		self.assertEqual(len(self.server.applied), 1)
		self.assertEqual(self.orders(platform, serial)[0].attempts, 10)
		row.reload()
		self.assertEqual((row.failures, row.failing_since), (0, None))

	def test_a_platform_down_for_days_ends_with_what_holds_then(self):
		platform = self.make_platform()
		serial, subscription = tv_and_subscription()
		changes = {5: "suspend", 20: "resume", 40: "suspend", 60: "resume"}
		# No answer, answers that are none, and once an order that was carried out and answered as a failure.
		trouble = [503, "drop", 500, "redirect", "after 500", "huge", 401]
		for hour in range(72):
			self.server.faults = [trouble[hour % len(trouble)] if hour % 24 != 11 else 503]
			if hour in changes:
				change_state(subscription=subscription, event=changes[hour])
				publish_all()
			self.work(platform)
			self.let_time_pass(platform)
		self.server.faults = []
		for _n in range(5):
			self.work(platform)
			self.let_time_pass(platform)
		self.assertEqual(self.server.holds("Device", serial), [CODE])
		self.assertEqual(self.orders(platform, serial)[-1].state, "Done")
		self.assertFalse(
			[row.name for row in self.orders(platform, serial) if row.state in ("Pending", "Sent", "Failed")]
		)
		sequences = [order["sequence"] for order in self.server.applied]
		self.assertEqual(sequences, sorted(set(sequences)), "never an older one last, none twice")

	def test_a_platform_that_is_away_is_asked_with_one_order(self):
		platform = self.make_platform()
		subscription = factories.make_subscription("Active", quantity=40)
		many_tvs(subscription, 40)
		note_change("Subscription", subscription)
		publish_all()
		self.server.faults = [500] * 33
		self.assertEqual(self.work(platform), {"retry": 32})
		self.let_time_pass(platform)
		self.assertEqual(self.work(platform), {"retry": 1})
		self.let_time_pass(platform)
		self.assertEqual(self.work(platform)["done"], 40)

	def test_a_slow_platform_costs_its_time_out_and_nothing_else(self):
		platform = self.make_platform(lanes=1)
		serial, _subscription = tv_and_subscription()
		self.server.delay = 2
		impatient = HttpPlatform(self.server.address, SECRET, connect=1, read=0.5, total=1)
		with patch.object(work, "adapter_of", return_value=impatient):
			began = time.monotonic()
			self.assertEqual(self.work(platform), {"retry": 1})
			self.assertLess(time.monotonic() - began, 2)
		time.sleep(2)  # the platform carries it out all the same
		self.server.delay = 0
		self.let_time_pass(platform)
		self.assertEqual(self.work(platform), {"done": 1})
		self.assertEqual((len(self.server.received), len(self.server.applied)), (2, 1))
		self.assertEqual(self.orders(platform, serial)[0].state, "Done")

	def test_two_workers_send_each_order_once(self):
		platform = self.make_platform(lanes=2)
		subscription = factories.make_subscription("Active", quantity=60)
		serials = many_tvs(subscription, 60)
		note_change("Subscription", subscription)
		publish_all()
		self.server.delay = 0.02
		frappe.db.commit()
		results = processes.on_own_connections(*[lambda: work.work(platform)] * 2)
		frappe.db.rollback()
		self.assertEqual(sum(result["done"] for result in results), 60)
		self.assertTrue(all(result["done"] for result in results), "both must have had a share")
		self.assertEqual(sorted(order["subject"] for order in self.server.received), sorted(serials))

	def test_rights_that_change_under_two_workers_end_as_they_are(self):
		platform = self.make_platform(lanes=4)
		subscription = factories.make_subscription("Active", quantity=20)
		serials = many_tvs(subscription, 20)
		note_change("Subscription", subscription)
		publish_all()
		frappe.db.commit()
		self.server.delay = 0.01
		self.server.faults = [None, "drop", None, 500, None, "after 500"] * 10

		def changer() -> str:
			for event in ("suspend", "resume") * 4:
				change_state(subscription=subscription, event=event)
				publish_all()
				frappe.db.commit()
				time.sleep(0.1)
			return "changed"

		def worker() -> str:
			until = time.monotonic() + 3
			while time.monotonic() < until:
				work.work(platform)
				frappe.db.set_value(DOCTYPE, platform, "paused_until", 0)
				frappe.db.commit()
				time.sleep(0.02)
			return "worked"

		results = processes.on_own_connections(changer, worker, worker)
		self.assertEqual(results, ["changed", "worked", "worked"])
		frappe.db.rollback()
		self.server.faults = []
		for _n in range(3):
			self.let_time_pass(platform)
			self.work(platform)
		# The server itself breaks, and the test with it, when an order comes below the one before.
		self.assertEqual({tuple(self.server.holds("Device", serial) or ()) for serial in serials}, {(CODE,)})
		states = set(frappe.get_all(ORDER, {"platform": platform}, pluck="state", limit=0))
		self.assertLessEqual(states, {"Done", "Superseded"})
		self.assertEqual(len(self.server.applied), len({order["order"] for order in self.server.applied}))

	def killed(self, platform: str, target: str) -> None:
		"""A real worker process that dies the moment it comes to `target`."""
		frappe.db.commit()
		site, path = frappe.local.site, frappe.local.sites_path
		child = os.fork()
		if not child:
			try:
				frappe.init(site=site, sites_path=path)
				frappe.connect()
				with patch(target, side_effect=lambda *_a, **_k: os.kill(os.getpid(), signal.SIGKILL)):
					work.work(platform)
			finally:
				os._exit(1)
		_pid, status = os.waitpid(child, 0)
		self.assertEqual(os.WTERMSIG(status), signal.SIGKILL)
		frappe.db.rollback()

	def test_killed_between_sending_and_recording_the_order_is_repeated_under_its_key(self):
		platform = self.make_platform()
		serial, _subscription = tv_and_subscription()
		self.killed(platform, "subscriber_tv.flows.provisioning.record.record")
		(order,) = self.orders(platform, serial)
		self.assertEqual((order.state, order.in_doubt, len(self.server.applied)), ("Sent", 1, 1))
		self.assertEqual(self.work(platform), {}, "nobody takes it up while its worker may live")
		self.let_time_pass(platform)
		self.assertEqual(self.work(platform), {"done": 1})
		first, second = self.server.received
		self.assertEqual(first, second)
		self.assertEqual((len(self.server.applied), self.orders(platform, serial)[0].state), (1, "Done"))

	def test_killed_before_sending_the_order_is_sent(self):
		platform = self.make_platform()
		serial, subscription = tv_and_subscription()
		self.killed(platform, "subscriber_tv.adapters.provisioning_http.HttpPlatform.send")
		self.assertEqual(self.server.received, [])
		change_state(subscription=subscription, event="suspend")
		publish_all()
		self.let_time_pass(platform)
		self.work(platform)
		self.assertEqual([order["sequence"] for order in self.server.applied], [1, 2])
		self.assertIsNone(self.server.holds("Device", serial))

	def test_a_worker_taken_for_dead_records_nothing(self):
		platform = self.make_platform()
		serial, _subscription = tv_and_subscription()
		real = record.record

		def late(tried, claim, now, jitter):
			with patch.object(record, "record", real):
				self.let_time_pass(platform)
				self.assertEqual(work.work(platform), {"done": 1})
			real([(tried[0][0], Outcome(REFUSED))], claim, now, jitter)

		with patch.object(record, "record", late):
			self.work(platform)
		self.assertEqual(self.orders(platform, serial)[0].state, "Done")
