"""What the tests of the message broker share: a real Mosquitto that the site uses, and simulated TVs at it."""

import tempfile
import time
from pathlib import Path
from unittest import SkipTest

import frappe
from frappe.tests.utils import FrappeTestCase

from subscriber_tv.core.mqtt import broker_files
from subscriber_tv.flows.activation import keys, publish
from subscriber_tv.flows.mqtt import broker, hint_changes
from subscriber_tv.flows.mqtt.members import members
from subscriber_tv.flows.mqtt.messenger import Messenger
from subscriber_tv.simulator.mqtt import Ear, Place
from subscriber_tv.tests.mosquitto import Mosquitto, program

OPERATOR = "test-operator"
FIELDS = ("mqtt_enabled", "mqtt_host", "mqtt_port", "mqtt_tls", "mqtt_operator", "mqtt_user", "mqtt_rate")


def publish_all() -> None:
	while publish.publish_pending():
		pass


class TvAtBroker:
	"""A simulated TV at the site's broker: what it asked and obeyed, for a TV that knows `version` of its rights."""

	def __init__(self, member: broker_files.Member, port: int, ca: str, version: int = 0):
		self.serial, self.version = member.serial, version
		self.asked, self.obeyed, self.can = 0, [], True
		verifier = keys.verifier()
		password = broker_files.tv_password(broker.tv_secret(), member.serial)
		place = Place("127.0.0.1", port, OPERATOR, password, member.site, member.group, ca=ca)
		self.ear = Ear(
			member.serial,
			place,
			version=lambda: self.version,
			verifier=lambda: verifier,
			ask=self._ask,
			obey=self._obey,
			will_delay=0,
		)

	def _ask(self) -> None:
		self.asked += 1

	def _obey(self, command) -> bool:
		self.obeyed.append(command)
		return self.can


class BrokerCase(FrappeTestCase):
	"""A site whose broker runs; everything is as before at the end."""

	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		if not program():
			raise SkipTest("needs mosquitto")
		cls._folder = tempfile.TemporaryDirectory()
		cls.addClassCleanup(cls._folder.cleanup)
		cls.mosquitto = Mosquitto(
			Path(cls._folder.name),
			operator=OPERATOR,
			secret=broker.tv_secret(),
			app_password=broker.app_password(),
		)
		cls.addClassCleanup(cls.mosquitto.stop)

	def setUp(self):
		publish_all()
		settings = frappe.get_doc("TV Settings")
		before = {field: settings.get(field) for field in FIELDS}
		self.addCleanup(self._set, before)
		# What a test did not commit itself does not stay.
		self.addCleanup(frappe.db.rollback)
		self._set(
			{
				"mqtt_enabled": 1,
				"mqtt_host": "127.0.0.1",
				"mqtt_port": self.mosquitto.port,
				"mqtt_tls": 1,
				"mqtt_operator": OPERATOR,
				"mqtt_user": "tv-app",
				"mqtt_rate": 500,
			}
		)
		frappe.conf[broker.AUTHORITY] = self.mosquitto.ca
		self.addCleanup(frappe.conf.pop, broker.AUTHORITY, None)
		hint_changes.move_cursor(publish.current_sequence())
		frappe.db.commit()
		self.messenger = Messenger()
		self.addCleanup(self.messenger.close)

	def _set(self, values: dict) -> None:
		for field, value in values.items():
			frappe.db.set_single_value("TV Settings", field, value)
		frappe.clear_document_cache("TV Settings", "TV Settings")
		# The messenger commits and rolls back as it works, so what it reads has to stand.
		frappe.db.commit()

	def tell_broker(self) -> dict[str, broker_files.Member]:
		"""Let the broker know the TVs that are bound now, as `mqtt-files` does; returns them by serial."""
		found = list(members())
		self.mosquitto.stop()
		self.mosquitto.tell(found)
		self.mosquitto.start()
		return {member.serial: member for member in found}

	def switch_on(self, member: broker_files.Member, version: int = 10**9) -> TvAtBroker:
		tv = TvAtBroker(member, self.mosquitto.port, self.mosquitto.ca, version)
		self.addCleanup(tv.ear.stop)
		self.assertTrue(tv.ear.start(), self.mosquitto.log())
		return tv

	def work_until(self, what, seconds: float = 15) -> None:
		"""Let the messenger work, as the publisher does each second, until `what` is true."""
		until = time.monotonic() + seconds
		while not what():
			self.assertLess(time.monotonic(), until, "did not happen")
			self.messenger.work()
			time.sleep(0.05)
