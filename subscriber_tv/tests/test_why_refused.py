"""An agent asks why a TV is refused: in every state of its credential and for every trouble, in both languages.

The TVs are paired and answered as in the field; the answer names the cause and the next step, and its links open for the agent.
"""

import json
import time
from pathlib import Path

import frappe
from frappe.utils import add_days, add_to_date, now_datetime
from msgspec import structs

from subscriber_tv.api import fleet
from subscriber_tv.core.activation import compact
from subscriber_tv.core.devices import jws, wire
from subscriber_tv.flows.activation import bind, keys, publish, store_rights
from subscriber_tv.flows.activation.auth import auth
from subscriber_tv.flows.activation.record_answer import local_time
from subscriber_tv.flows.activation.revoke import revoke
from subscriber_tv.flows.contracts.change_lines import change_lines
from subscriber_tv.flows.contracts.change_state import change_state
from subscriber_tv.flows.devices import follow_stock
from subscriber_tv.flows.support import take_heartbeats
from subscriber_tv.setup.keys import rotate_masters
from subscriber_tv.tests import factories
from subscriber_tv.tests.contract_case import make_user
from subscriber_tv.tests.fleet_case import HOUR, FleetCase
from subscriber_tv.tests.television import NETWORK, TV
from subscriber_tv.tests.test_activation import bound_tv, delivered_tv, line_of


class TestWhyRefused(FleetCase):
	def setUp(self):
		super().setUp()
		frappe.db.delete("TV Edge")
		self.agent = make_user("TV Support")
		self.subscription_name = factories.make_subscription("Awaiting Activation", quantity=2)

	def bound(self) -> TV:
		"""A TV on the subscription that was allowed just now."""
		tv = bound_tv(self.subscription_name)
		self.assertEqual(tv.decision(), "allow")
		frappe.db.delete("TV Rights Outbox")
		return tv

	def ask(self, serial: str, language: str = "en") -> dict:
		frappe.set_user(self.agent)
		frappe.local.lang = language
		try:
			return fleet.why_refused(serial)
		finally:
			frappe.local.lang = "en"
			frappe.set_user("Administrator")

	def says(self, tv: TV, state: str, code: str, cause: str, step: str, link: str) -> None:
		"""What the agent reads: the state, the cause, what to do, and where."""
		frappe.db.delete("TV Rights Outbox")
		english, french = self.ask(tv.serial), self.ask(tv.serial, "fr")
		verdict = english["verdict"]
		found = [
			check["code"] for check in english["checks"] if check["outcome"] == verdict["outcome"] != "ok"
		]
		self.assertEqual((english["state"], found[:1]), (state, [code]), verdict)
		self.assertIn(cause, verdict["text"])
		self.assertIn(step, verdict["next"])
		for part in ("text", "next"):
			self.assertTrue(french["verdict"][part])
			self.assertNotEqual(french["verdict"][part], verdict[part])
		self.assertIn(link, [found["doctype"] for found in verdict["links"]])
		for found in verdict["links"]:
			self.assertTrue(frappe.has_permission(found["doctype"], "read", user=self.agent), found)
			self.assertTrue(not found["name"] or frappe.db.exists(found["doctype"], found["name"]), found)

	def says_all_is_well(self, tv: TV, state: str = "Active") -> None:
		frappe.db.delete("TV Rights Outbox")
		found = self.ask(tv.serial)
		self.assertEqual((found["state"], found["verdict"]["outcome"]), (state, "ok"), found["verdict"])

	# Every state of the credential

	def test_stocked_then_pending_then_active(self):
		tv = delivered_tv(self.subscription_name)
		self.assertEqual(tv.power_on(), wire.STRANGER)
		self.says(tv, "Stocked", "not_paired", "paired with no subscription", "Bind TV", "TV Subscription")
		code = tv.code()
		self.says(tv, "Pending", "pairing", "nobody has entered", "Bind TV", "TV Subscription")
		bind.bind_by_code(
			subscription=self.subscription_name, line_id=line_of(self.subscription_name), code=code
		)
		publish.publish_devices([tv.serial])
		self.says(tv, "Active", "never_asked", "has not asked", "network", "TV Device")
		self.assertEqual(tv.decision(), "allow")
		self.says_all_is_well(tv)

	def test_resync(self):
		tv = self.bound()
		time.sleep(1.1)  # what is rolled up is known to the second
		tv.counts.clear()
		self.assertEqual(tv.power_on().status, 409)
		self.says(tv, "Resync", "lost_count", "count did not fit", "off and on", "TV Device")
		time.sleep(1.1)
		tv.counts["desk"] = 10
		self.assertEqual(tv.prove().status, 200)
		self.says_all_is_well(tv)

	def test_rotating(self):
		path = Path(frappe.conf.subscriber_tv_masters)
		before = path.read_bytes()
		self.addCleanup(self.put_back, path, before)
		tv = self.bound()
		question = tv.question()
		time.sleep(1.1)
		rotate_masters()
		self.says_all_is_well(tv, "Rotating")
		answer = auth(question, NETWORK, int(time.time()))
		self.assertEqual(json.loads(answer.body)["hints"], ["rotate"])
		self.assertEqual(tv.prove().status, 200)
		self.says_all_is_well(tv)

	def put_back(self, path: Path, content: bytes) -> None:
		path.chmod(0o600)
		path.write_bytes(content)
		path.chmod(0o400)
		keys._masters.cache_clear()

	def test_suspended(self):
		tv = self.bound()
		change_state(subscription=self.subscription_name, event="suspend", reason="Unpaid")
		self.assertEqual(tv.decision(), "suspended")
		self.says(tv, "Suspended", "suspended", self.subscription_name, "resume it", "TV Subscription")

	def test_quarantined(self):
		tv = self.bound()
		frappe.db.set_value("TV Device", tv.serial, "bound_on", add_days(now_datetime(), -9))
		self.forks(tv.serial, 3, 2, 1)
		self.assertEqual(tv.decision(), "quarantined")
		self.says(tv, "Quarantined", "quarantined", "has a copy", "clear the signs", "TV Device")

	def test_retired_until_a_goods_receipt(self):
		(serial,) = factories.receive_devices()
		tv = TV(serial)
		frappe.get_doc("Purchase Receipt", frappe.db.get_value("TV Device", serial, "receipt_no")).cancel()
		follow_stock.flush()
		self.assertEqual(tv.enrol(), wire.STRANGER)
		self.says(tv, "Retired", "retired", "left the stock", "stock movement", "TV Device")
		factories.receive_devices(serials=[serial])
		self.assertEqual(tv.enrol().status, 200)
		self.says(tv, "Pending", "pairing", "nobody has entered", "Bind TV", "TV Device")

	def test_revoked(self):
		tv = self.bound()
		revoke(device=tv.serial, reason="Stolen")
		self.assertEqual(tv.power_on(), wire.STRANGER)
		self.says(tv, "Revoked", "revoked", "neither play nor pair", "readmit", "TV Device")

	def test_the_story_of_all_this_says_who_did_what(self):
		clerk = make_user("TV Back Office")
		tv = delivered_tv(self.subscription_name)
		code = (tv.code(), tv.code())[1]
		frappe.set_user(clerk)
		bind.bind_by_code(
			subscription=self.subscription_name, line_id=line_of(self.subscription_name), code=code
		)
		frappe.set_user("Administrator")
		tv.decision()
		tv.counts.clear()
		tv.power_on()
		self.forks(tv.serial, 0)
		order = frappe.new_doc("TV Provisioning Order")
		values = {"platform": "CAS", "kind": "Device", "subject": tv.serial, "device": tv.serial}
		order.update({**values, "action": "Grant", "state": "Failed", "last_error": "no such card"})
		order.name = f"TVO-{frappe.generate_hash(length=8)}"
		order.db_insert()
		command = frappe.new_doc("TV Command")
		values = {"target_type": "TV Device", "target": tv.serial, "command": "Identify", "state": "Sent"}
		command.update({**values, "name": f"TVC-{frappe.generate_hash(length=8)}", "sent_by": clerk})
		command.db_insert()
		frappe.set_user(self.agent)
		items = fleet.device_story(tv.serial, limit=200)["items"]
		told = {(item["kind"], item["title"]): item for item in items}
		(asked,) = [item for item in items if item["kind"] == "enrolled"]
		self.assertIn("2 times", asked["text"])
		name = frappe.utils.get_fullname(clerk)
		self.assertEqual(told["movement", "Bound"]["who"], name)
		self.assertEqual(told["command", "Command: Identify"]["who"], name)
		self.assertEqual(told["order", "CAS: Grant"]["text"], "Failed: no such card")
		kinds = {item["kind"] for item in items}
		self.assertEqual(kinds, {"movement", "enrolled", "allowed", "refused", "sign", "order", "command"})
		self.assertIn("resync_required" if tv.counts["desk"] > 1 else "replayed", str(told))

	# Every other trouble

	def test_an_offer_that_lapsed_under_a_running_subscription(self):
		tv = self.bound()
		(line,) = frappe.get_doc("TV Subscription", self.subscription_name).lines
		change_lines(
			subscription=self.subscription_name,
			steps=[{"offer_version": line.offer_version, "quantity": 1}],
		)
		self.end_line(line.line_id)
		self.assertEqual(tv.decision(), "ended")
		self.says(
			tv,
			"Suspended",
			"ended",
			f"{line.offer_version} ended on",
			"sell the offer again",
			"TV Subscription",
		)

	def end_line(self, line_id: str) -> None:
		"""Its last TV is gone before a line may end; this one is bound again afterwards, as an import might leave it."""
		bound = {"subscription": self.subscription_name, "line_id": line_id}
		(serial,) = frappe.get_all("TV Device", bound, pluck="name")
		frappe.db.set_value("TV Device", serial, "line_id", None)
		change_lines(subscription=self.subscription_name, steps=[{"line_id": line_id, "ends": True}])
		frappe.db.set_value("TV Device", serial, "line_id", line_id)

	def test_a_subscription_that_ended(self):
		tv = self.bound()
		change_state(subscription=self.subscription_name, event="end")
		self.assertEqual(tv.decision(), "ended")
		self.says(tv, "Suspended", "ended", "has ended", "Reactivate", "TV Subscription")

	def test_not_started(self):
		tv = self.bound()
		waiting = factories.make_subscription("Awaiting Activation")
		place = {"subscription": waiting, "line_id": line_of(waiting)}
		frappe.db.set_value("TV Device", tv.serial, place)
		publish.publish_devices([tv.serial])
		self.assertEqual(tv.decision(), "not_started")
		self.says(tv, "Suspended", "not_started", waiting, "activation", "TV Subscription")

	def test_wrong_parts(self):
		tv = delivered_tv(self.subscription_name)
		model = frappe.get_doc("TV Device Model", frappe.db.get_value("TV Device", tv.serial, "model"))
		self.addCleanup(frappe.db.set_value, "TV Device Model", model.name, "bind_parts", model.bind_parts)
		frappe.db.set_value("TV Device Model", model.name, "bind_parts", 1)
		bind.bind_by_code(
			subscription=self.subscription_name, line_id=line_of(self.subscription_name), code=tv.code()
		)
		self.assertEqual(tv.decision(), "allow")
		time.sleep(1.1)
		tv.parts = "P" * 43
		self.assertEqual(tv.decision(), "binding_mismatch")
		self.says(tv, "Active", "binding_mismatch", "other parts", "pair it anew", "TV Device")

	def test_a_platform_that_refused_its_order_or_answers_nobody(self):
		tv = self.bound()
		platform = frappe.get_doc(
			{
				"doctype": "TV Provisioning Platform",
				"platform_name": f"CAS {frappe.generate_hash(length=6)}",
				"adapter": "File Drop",
			}
		)
		platform.set_new_name()
		platform.db_insert()
		order = frappe.new_doc("TV Provisioning Order")
		values = {"platform": platform.name, "kind": "Device", "subject": tv.serial, "device": tv.serial}
		order.update({**values, "action": "Grant", "state": "Failed", "last_error": "no such card"})
		order.name = f"TVO-{frappe.generate_hash(length=8)}"
		order.db_insert()
		self.says(tv, "Active", "provisioning_failed", "no such card", "Send Again", "TV Provisioning Order")
		values = {"state": "Pending", "attempts": 7, "last_error": "connection refused"}
		frappe.db.set_value("TV Provisioning Order", order.name, values)
		self.says(
			tv, "Active", "provisioning_waits", "connection refused", "by itself", "TV Provisioning Platform"
		)
		frappe.db.set_value("TV Provisioning Order", order.name, "state", "Done")
		self.says_all_is_well(tv)

	def test_an_edge_with_old_data(self):
		tv, edge = self.bound(), frappe.generate_hash(length=10)
		now = now_datetime()
		values = {"edge_name": "south", "last_heard": now, "as_of": add_to_date(now, minutes=-20)}
		frappe.get_doc({"doctype": "TV Edge", "name": edge, **values}).db_insert()
		self.says(tv, "Active", "edge_late", "south (20 minutes)", "reach the publisher", "TV Edge")

	def test_a_lease_that_ran_out(self):
		tv = self.bound()
		name = store_rights.name_of("Device", tv.serial)
		entry = structs.replace(store_rights.entry("Device", tv.serial), expires_at=int(time.time()) - 1)
		frappe.db.set_value("TV Entitlement", name, "packed", jws.b64url(compact.pack(entry)))
		self.assertEqual(tv.power_on(), wire.UNAVAILABLE)
		self.says(tv, "Active", "lease_expired", "fault is ours", "publisher", "TV Edge")

	def test_a_tv_that_asks_and_is_not_at_the_broker(self):
		tv = self.bound()
		frappe.db.set_single_value("TV Settings", "mqtt_enabled", 1)
		self.addCleanup(frappe.clear_document_cache, "TV Settings", "TV Settings")
		frappe.clear_document_cache("TV Settings", "TV Settings")
		self.says_all_is_well(tv)
		frappe.db.set_value("TV Device", tv.serial, "bound_on", add_days(now_datetime(), -3))
		self.says(tv, "Active", "mqtt_silent", "not connected", "network", "TV Device")
		take_heartbeats.take_presence({tv.serial: True}, now=self.now - 2 * HOUR)
		self.says_all_is_well(tv)
		take_heartbeats.take_presence({tv.serial: False}, now=self.now - HOUR)
		self.says(tv, "Active", "mqtt_silent", "left the message broker", "network", "TV Device")
		frappe.db.set_value(
			"TV Activation", {"device": tv.serial}, "last_at", local_time(self.now - 2 * HOUR)
		)
		found = self.ask(tv.serial)
		self.assertEqual((found["verdict"]["outcome"], found["checks"][-1]["code"]), ("ok", "off"))
