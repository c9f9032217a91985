"""TVs in service with a key and a contract, made without the pairing that other tests are about."""

import time
from unittest.mock import patch

import frappe
from frappe.tests.utils import FrappeTestCase
from frappe.utils import add_to_date, now_datetime

from subscriber_tv.core.activation.decide import Row, judge
from subscriber_tv.core.activation.feed import DEVICE
from subscriber_tv.core.devices import clones
from subscriber_tv.flows.activation import publish, store_rights
from subscriber_tv.flows.devices import deliver
from subscriber_tv.flows.support import count_fleet
from subscriber_tv.flows.support.note_evidence import Sign, note_evidence
from subscriber_tv.tests import factories
from subscriber_tv.tests.test_devices import switch

HOUR = 3600


class FleetCase(FrappeTestCase):
	"""Each test makes its own TVs; what it commits it takes away again itself."""

	def setUp(self):
		super().setUp()
		factories.make_operator()
		switch("activation_enabled", 1)
		self.now = int(time.time())

	def tearDown(self):
		frappe.set_user("Administrator")
		frappe.db.rollback()
		super().tearDown()

	def subscription(self, **overrides) -> str:
		return factories.make_subscription("Active", **overrides)

	def tvs(self, number: int = 1, subscription: str | None = None, days_ago: int = 60) -> list[str]:
		"""TVs delivered to the subscription's site and bound to its first line so many days ago."""
		subscription = subscription or self.subscription(quantity=max(number, 10))
		serials = factories.receive_devices(number)
		deliver.deliver(subscription=subscription, serials=serials)
		line = frappe.get_doc("TV Subscription", subscription).lines[0].line_id
		bound = add_to_date(now_datetime(), days=-days_ago)
		for number, serial in enumerate(serials):
			frappe.db.set_value(
				"TV Device",
				serial,
				{
					"credential_state": "Active",
					"key_hash": f"{number:043d}",
					"subscription": subscription,
					"line_id": line,
					"bound_on": bound,
				},
			)
		return serials

	def tv(self, **arguments) -> str:
		return self.tvs(1, **arguments)[0]

	def forks(self, serial: str, *days_ago: float, network: str = "192.0.2.0/24") -> None:
		"""The TV lost its count and proved itself, so many days ago."""
		note_evidence(
			[
				Sign(serial, clones.Evidence(clones.RESYNC, int(self.now - days * clones.DAY), network))
				for days in days_ago
			],
			now=self.now,
		)

	def device(self, serial: str) -> frappe._dict:
		return frappe.db.get_value(
			"TV Device", serial, ["credential_state", "suspicion", "suspicion_score"], as_dict=True
		)

	def row(self, serial: str) -> Row:
		"""The TV's row of the projection, published now."""
		publish.publish_devices([serial])
		return store_rights.entry(DEVICE, serial).row()

	def decision(self, serial: str) -> str:
		"""What the TV would be told: `allow`, or the code of its refusal."""
		found = judge(self.row(serial), int(time.time()))
		return found.code or found.kind

	def count(self) -> None:
		"""Count what is marked, without committing: the test takes it back."""
		with patch.object(frappe.db, "commit"):
			count_fleet.count_fleet()

	def counted(self, site: str) -> dict[str, int]:
		"""What the board says of a site, once everything marked is counted."""
		self.count()
		sums = [f"sum({figure}) as {figure}" for figure in count_fleet.FIGURES]
		row = frappe.get_all("TV Fleet Count", {"site": site}, sums)[0]
		return {figure: int(row[figure] or 0) for figure in count_fleet.FIGURES}
