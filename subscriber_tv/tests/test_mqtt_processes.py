"""The processes as they are started: a publisher, a listener, a broker, and a TV that hears of a change."""

import os
import subprocess
import sys
import time

import frappe
from frappe.installer import update_site_config

from subscriber_tv.api import tv_commands
from subscriber_tv.flows.activation import publish
from subscriber_tv.flows.contracts.change_state import change_state
from subscriber_tv.flows.mqtt import broker, hint_changes
from subscriber_tv.tests import factories, processes
from subscriber_tv.tests.broker_case import BrokerCase, publish_all
from subscriber_tv.tests.test_activation import bound_tv

PROMISED = 2.0
"""Seconds from the commit of a change to the TV that asks."""


def start_listener(**options) -> subprocess.Popen:
	"""Start the site's listener as a user would."""
	command = ["frappe", "--site", frappe.local.site, "subscriber-tv", "mqtt"]
	return subprocess.Popen(
		[sys.executable, "-m", "frappe.utils.bench_helper", *command], cwd=frappe.local.sites_path, **options
	)


class TestProcesses(BrokerCase):
	def setUp(self):
		super().setUp()
		update_site_config(broker.AUTHORITY, self.mosquitto.ca)
		self.addCleanup(update_site_config, broker.AUTHORITY, "None")  # the word "None" removes an entry

	def eventually(self, what, seconds: float = 30) -> None:
		until = time.monotonic() + seconds
		while not what():
			self.assertLess(time.monotonic(), until, "did not happen")
			time.sleep(0.02)
			frappe.db.rollback()

	def test_from_commit_to_tv_and_back(self):
		subscription = factories.make_subscription("Awaiting Activation")
		tv = bound_tv(subscription)
		publish_all()
		hint_changes.move_cursor(publish.current_sequence())
		frappe.db.commit()
		at_broker = self.switch_on(self.tell_broker()[tv.serial], 0)
		publisher = processes.start_publisher(processes.free_port())
		self.addCleanup(processes.stop, publisher)
		listener = start_listener()
		self.addCleanup(processes.stop, listener)
		self.eventually(lambda: frappe.db.get_value("TV Device Status", tv.serial, "online"))
		took = [self._change_and_wait(subscription, at_broker, event) for event in ("suspend", "resume")]
		self.assertLess(min(took), PROMISED, took)

		name = tv_commands.send("TV Device", tv.serial, command="Identify")
		frappe.db.commit()
		self.eventually(lambda: frappe.db.get_value("TV Command", name, "state") == "Done")
		at_broker.ear.stop()
		self.eventually(lambda: not frappe.db.get_value("TV Device Status", tv.serial, "online"))
		self.assertEqual((processes.stop(publisher), processes.stop(listener)), (0, 0))

	def _change_and_wait(self, subscription: str, at_broker, event: str) -> float:
		"""Seconds from the commit of a change until the TV asks. The pause between two questions is not ours to wait for."""
		at_broker.asked = 0
		at_broker.ear.inbox._asked_at = at_broker.ear.inbox._asks_at = None
		change_state(subscription=subscription, event=event)
		frappe.db.commit()
		began = time.monotonic()
		self.eventually(lambda: at_broker.asked)
		return time.monotonic() - began

	def test_without_a_broker_the_listener_says_so_and_ends(self):
		self._set({"mqtt_enabled": 0})
		listener = start_listener(stderr=subprocess.PIPE, text=True)
		said = listener.communicate(timeout=60)[1]
		self.assertEqual(listener.returncode, 1)
		self.assertRegex(said, r"^Error: [^<\n]*TV[^<\n]*\n$")

	def test_the_files_command_writes_what_the_broker_takes(self):
		command = ["frappe", "--site", frappe.local.site, "subscriber-tv", "mqtt-files", self._folder.name]
		done = subprocess.run(
			[sys.executable, "-m", "frappe.utils.bench_helper", *command],
			cwd=frappe.local.sites_path,
			capture_output=True,
			text=True,
			timeout=120,
		)
		self.assertEqual(done.returncode, 0, done.stderr)
		self.assertRegex(done.stdout, r"^\d+ TVs\n$")
		self.assertEqual(os.stat(f"{self._folder.name}/passwords").st_mode & 0o777, 0o640)
