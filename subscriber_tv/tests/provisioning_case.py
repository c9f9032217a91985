"""A platform on a real socket and its orders, for the tests of provisioning."""

import json
import time

import frappe
from frappe.tests.utils import FrappeTestCase

from subscriber_tv.flows.activation import publish
from subscriber_tv.flows.provisioning import work
from subscriber_tv.flows.provisioning.platforms import DOCTYPE
from subscriber_tv.flows.provisioning.write_orders import ORDER, SUBJECT
from subscriber_tv.tests import factories
from subscriber_tv.tests.provisioning_server import SECRET, Platform
from subscriber_tv.tests.test_activation import bound_tv

CODE = "ENT-BASIC"


RESPONSIBLE = "provisioning@antenne-bleue.example"


def responsible_user() -> str:
	"""One for all tests: Frappe lets nobody make a user a second."""
	if not frappe.db.exists("User", RESPONSIBLE):
		user = {
			"doctype": "User",
			"email": RESPONSIBLE,
			"first_name": "Provisioning",
			"send_welcome_email": 0,
		}
		frappe.get_doc({**user, "roles": [{"role": "TV Support"}]}).insert()
	return RESPONSIBLE


def publish_all() -> None:
	while publish.publish_pending():
		pass


def tv_and_subscription() -> tuple[str, str]:
	subscription = factories.make_subscription("Awaiting Activation")
	tv = bound_tv(subscription)
	publish_all()
	return tv.serial, subscription


class ProvisioningCase(FrappeTestCase):
	"""Workers commit, so every test takes its platforms and orders away again."""

	def setUp(self):
		frappe.db.rollback()
		self.addCleanup(self._forget)
		factories.make_operator()
		factories.make_offer_version()
		self.give_code(CODE)
		publish_all()
		self.server = Platform()
		self.addCleanup(self.server.stop)
		self.addCleanup(lambda: self.assertEqual(self.server.broken, []))

	def _forget(self):
		frappe.set_user("Administrator")
		frappe.db.rollback()
		for doctype in (ORDER, SUBJECT, DOCTYPE):
			frappe.db.delete(doctype)
		frappe.db.delete("ToDo", {"reference_type": ("in", (ORDER, DOCTYPE))})
		for doctype, field in (("TV Device", "name"), ("TV Entitlement", "subject")):
			frappe.db.delete(doctype, {field: ("like", "MANY-%")})
		frappe.db.commit()

	def give_code(self, code: str) -> None:
		bouquet = frappe.get_doc("TV Bouquet", "BASIC")
		if bouquet.entitlement_code != code:
			bouquet.update({"entitlement_code": code})
			bouquet.save()

	def make_platform(self, **values) -> str:
		"""A platform that starts with what happens from now on."""
		self.responsible = responsible_user()
		doc = frappe.get_doc(
			{
				"doctype": DOCTYPE,
				"platform_name": f"CAS {frappe.generate_hash(length=6)}",
				"enabled": 1,
				"gets": "Devices",
				"adapter": "Signed HTTP",
				"address": self.server.address,
				"secret": SECRET.decode(),
				"lanes": 4,
				"responsible": self.responsible,
				**values,
			}
		).insert()
		frappe.db.set_value(DOCTYPE, doc.name, "check_from", "")
		frappe.db.commit()
		return doc.name

	def work(self, platform: str) -> dict:
		"""One worker until nothing is left, with whatever it waits for over."""
		frappe.db.commit()
		counts = dict(work.work(platform))
		frappe.db.commit()
		return counts

	def let_time_pass(self, platform: str) -> None:
		"""Every wait of the platform and its orders is over, those of claims too."""
		now = int(time.time())
		for order in frappe.get_all(ORDER, {"platform": platform, "due": (">", now)}, pluck="name"):
			frappe.db.set_value(ORDER, order, "due", now)
		frappe.db.set_value(DOCTYPE, platform, "paused_until", 0)
		frappe.db.commit()

	def orders(self, platform: str, subject: str) -> list:
		fields = [
			"name",
			"sequence",
			"action",
			"entitlements",
			"state",
			"attempts",
			"in_doubt",
			"last_error",
			"cause",
		]
		return frappe.get_all(
			ORDER, {"platform": platform, "subject": subject}, fields, order_by="sequence", limit=0
		)

	def told(self, platform: str, subject: str) -> list[tuple]:
		"""Sequence, action, codes and state of a subject's orders."""
		return [
			(row.sequence, row.action, json.loads(row.entitlements), row.state)
			for row in self.orders(platform, subject)
		]
