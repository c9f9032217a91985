"""What a platform holds against what it was told; and platforms that read a folder."""

import json
import os
import shutil
import time
from pathlib import Path

import frappe

from subscriber_tv.core.provisioning.desired import account_id
from subscriber_tv.flows.activation.note_change import note_change
from subscriber_tv.flows.contracts.change_state import change_state
from subscriber_tv.flows.provisioning import reconcile, tell_owner
from subscriber_tv.flows.provisioning.platforms import DOCTYPE, FOLDER
from subscriber_tv.flows.provisioning.write_orders import ORDER, SUBJECT
from subscriber_tv.tests import factories
from subscriber_tv.tests.provisioning_case import CODE, ProvisioningCase, publish_all
from subscriber_tv.tests.test_publisher import many_tvs


class TestComparison(ProvisioningCase):
	def setUp(self):
		super().setUp()
		self.platform = self.make_platform(gets="Devices and Accounts")
		self.subscription = factories.make_subscription("Active", quantity=6)
		self.serials = many_tvs(self.subscription, 6)
		note_change("Subscription", self.subscription)
		publish_all()
		self.work(self.platform)
		# Everything else that stands on this site is told and carried out before.
		self.compare()
		self.work(self.platform)
		frappe.db.set_value(SUBJECT, {"platform": self.platform}, "settled_at", int(time.time()) - 60)
		frappe.db.commit()

	def compare(self):
		frappe.db.commit()
		result = reconcile.reconcile(self.platform)
		frappe.db.commit()
		return result

	def held(self, kind: str, subject: str) -> dict:
		return self.server.held[(kind, subject)]

	def test_a_platform_that_holds_what_it_should_is_left_alone(self):
		result = self.compare()
		self.assertGreaterEqual(result.compared, 7)
		self.assertEqual((result.differing, result.unknown), (0, 0))
		row = frappe.get_doc(DOCTYPE, self.platform)
		self.assertEqual((row.compared, row.differing, row.comparison_error), (result.compared, 0, ""))
		self.assertTrue(row.compared_at)

	def test_differences_are_ordered_and_put_right(self):
		forgotten, widened, alone = self.serials[:3]
		account = account_id(self.subscription)
		del self.server.held[("Device", forgotten)]
		self.held("Device", widened)["entitlements"] = [CODE, "SPORT"]
		self.held("Account", account)["entitlements"] = []
		self.server.page = 2
		result = self.compare()
		self.assertEqual((result.differing, result.unknown), (3, 0))
		self.assertEqual(self.orders(self.platform, widened)[-1].cause, "Comparison")
		self.assertEqual(self.work(self.platform), {"done": 3})
		for subject, kind in ((forgotten, "Device"), (widened, "Device"), (account, "Account")):
			self.assertEqual(self.server.holds(kind, subject), [CODE])
		self.assertEqual(len(self.orders(self.platform, alone)), 1)
		self.assertEqual(self.compare().differing, 0)

	def test_one_that_should_hold_nothing_is_revoked_again(self):
		change_state(subscription=self.subscription, event="end")
		publish_all()
		self.work(self.platform)
		frappe.db.set_value(SUBJECT, {"platform": self.platform}, "settled_at", int(time.time()) - 60)
		self.held("Device", self.serials[0])["gone"] = False
		self.held("Device", self.serials[0])["entitlements"] = [CODE]
		self.assertEqual(self.compare().differing, 1)
		self.work(self.platform)
		self.assertIsNone(self.server.holds("Device", self.serials[0]))

	def test_numbers_go_on_from_a_platform_that_is_ahead(self):
		"""The site was restored from a backup: the platform has carried out later orders than we know of."""
		serial = self.serials[0]
		self.held("Device", serial).update(sequence=40, entitlements=["SPORT"])
		self.compare()
		self.work(self.platform)
		self.assertEqual(self.told(self.platform, serial)[-1], (41, "Replace", [CODE], "Done"))
		self.assertEqual(self.server.holds("Device", serial), [CODE])

	def test_what_only_the_platform_knows_is_counted_and_revoked_where_that_is_wanted(self):
		self.server.held[("Device", "CLONE-0001")] = {"sequence": 3, "entitlements": [CODE], "gone": False}
		result = self.compare()
		self.assertEqual((result.unknown, result.differing), (1, 0))
		frappe.db.set_value(DOCTYPE, self.platform, "revoke_unknown", 1)
		result = self.compare()
		self.assertEqual((result.unknown, result.differing), (1, 1))
		self.work(self.platform)
		self.assertIsNone(self.server.holds("Device", "CLONE-0001"))
		self.assertEqual(self.told(self.platform, "CLONE-0001"), [(4, "Revoke", [], "Done")])

	def test_what_is_under_way_refused_or_newer_than_the_statement_is_not_compared(self):
		refused, waiting, fresh = self.serials[:3]
		for serial in (refused, waiting, fresh):
			del self.server.held[("Device", serial)]
		order = {"platform": self.platform, "subject": refused}
		frappe.db.set_value(ORDER, order, "state", "Failed")
		frappe.db.set_value(ORDER, {**order, "subject": waiting}, {"state": "Pending", "due": 2**40})
		row = {"platform": self.platform, "subject": fresh}
		frappe.db.set_value(SUBJECT, row, "settled_at", int(time.time()) + 5)
		self.assertEqual(self.compare().differing, 0)

	def test_a_right_that_was_never_told_is_found(self):
		serial = self.serials[0]
		frappe.db.delete(SUBJECT, {"platform": self.platform, "subject": serial})
		frappe.db.delete(ORDER, {"platform": self.platform, "subject": serial})
		del self.server.held[("Device", serial)]
		self.compare()
		self.work(self.platform)
		self.assertEqual(self.server.holds("Device", serial), [CODE])

	def test_a_platform_that_does_not_say_is_told_to_its_owner(self):
		self.server.faults = [None, 500]
		self.server.page = 2
		self.assertIsNone(self.compare())
		self.assertIn("HTTP 500", frappe.db.get_value(DOCTYPE, self.platform, "comparison_error"))
		tell_owner.tell_owners()
		self.assertTrue(
			frappe.db.exists("ToDo", {"reference_name": self.platform, "allocated_to": self.responsible})
		)
		self.assertIsNotNone(self.compare())
		self.assertEqual(frappe.db.get_value(DOCTYPE, self.platform, "comparison_error"), "")


class TestFileDrop(ProvisioningCase):
	def setUp(self):
		super().setUp()
		root = Path(frappe.get_site_path("private", "provisioning")).resolve()
		self.assertFalse(frappe.conf.get(FOLDER))
		name = f"test-{frappe.generate_hash(length=8)}"
		self.folder = root / name
		self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
		self.platform = self.make_platform(adapter="File Drop", address=name)
		subscription = factories.make_subscription("Active", quantity=3)
		self.subscription, self.serials = subscription, many_tvs(subscription, 3)
		note_change("Subscription", subscription)
		publish_all()

	def files(self) -> list[str]:
		return sorted(path.name for path in self.folder.glob("*.jsonl"))

	def read(self, number: int) -> list[dict]:
		text = (self.folder / f"orders-{number:010}.jsonl").read_text()
		return [json.loads(line) for line in text.splitlines()][:-1]

	def acknowledge(self, number: int, results: dict[str, str]) -> None:
		rows = [{"order": order, "result": result} for order, result in results.items()]
		lines = [json.dumps(row) for row in (*rows, {"end": len(rows)})]
		path = self.folder / f"orders-{number:010}.ack.jsonl"
		path.write_text("\n".join(lines) + "\n")

	def states(self) -> dict[str, str]:
		return dict(
			frappe.get_all(
				ORDER, {"platform": self.platform}, ["subject", "state"], as_list=True, order_by="sequence"
			)
		)

	def test_a_batch_is_one_file_and_waits_for_its_acknowledgement(self):
		self.assertEqual(self.work(self.platform), {"waiting": 3})
		self.assertEqual(self.files(), ["orders-0000000001.jsonl"])
		orders = {row["subject"]: row["order"] for row in self.read(1)}
		self.assertEqual(sorted(orders), sorted(self.serials))
		self.assertEqual(set(self.states().values()), {"Sent"})
		change_state(subscription=self.subscription, event="suspend")
		publish_all()
		self.assertEqual(self.work(self.platform), {}, "one order of a TV is under way")
		done, refused, silent = self.serials
		self.acknowledge(1, {orders[done]: "done", orders[refused]: "refused"})
		counts = self.work(self.platform)
		self.assertEqual((counts["done"], counts["refused"], counts["retry"]), (1, 1, 1))
		# The refused one has a newer order, the one without a word is repeated before anything newer of it.
		self.assertEqual(self.files(), ["orders-0000000002.jsonl"])
		self.assertEqual({row["subject"]: row["sequence"] for row in self.read(2)}, {done: 2, refused: 2})
		self.let_time_pass(self.platform)
		self.work(self.platform)
		numbers = {row["subject"]: (row["sequence"], row["order"]) for row in self.read(3)}
		self.assertEqual(numbers[silent], (1, orders[silent]))
		self.assertTrue((self.folder / "settled/orders-0000000001.jsonl").exists())

	def test_a_file_nobody_acknowledges_is_written_again_under_the_same_keys(self):
		self.work(self.platform)
		self.assertEqual(self.work(self.platform), {})
		self.let_time_pass(self.platform)
		self.assertEqual(self.work(self.platform), {"waiting": 3})
		self.assertEqual(self.files(), ["orders-0000000001.jsonl", "orders-0000000002.jsonl"])
		self.assertEqual({row["order"] for row in self.read(1)}, {row["order"] for row in self.read(2)})
		self.acknowledge(1, {row["order"]: "refused" for row in self.read(1)})
		self.assertEqual(self.work(self.platform), {}, "an answer to a batch given up says nothing")
		self.acknowledge(2, {row["order"]: "duplicate" for row in self.read(2)})
		self.assertEqual(self.work(self.platform), {"done": 3})
		self.assertEqual(set(self.states().values()), {"Done"})

	def test_a_folder_that_cannot_be_written_is_a_platform_that_does_not_answer(self):
		self.folder.parent.mkdir(parents=True, exist_ok=True)
		self.folder.write_text("a file where the folder should be")
		self.addCleanup(self.folder.unlink)
		self.assertEqual(self.work(self.platform), {"retry": 3})
		row = frappe.get_doc(DOCTYPE, self.platform)
		self.assertEqual(row.failures, 1)
		self.assertTrue(row.last_error)
		self.assertEqual(set(self.states().values()), {"Pending"})

	def test_holdings_are_compared_as_of_their_file(self):
		self.work(self.platform)
		self.acknowledge(1, {row["order"]: "done" for row in self.read(1)})
		self.work(self.platform)
		path = self.folder / "holdings-device.jsonl"
		held = [{"subject": self.serials[0], "entitlements": [CODE]}]
		path.write_text("\n".join(json.dumps(row) for row in (*held, {"end": 1})) + "\n")
		hour_ago = time.time() - 3600
		os.utime(path, (hour_ago, hour_ago))
		frappe.db.commit()
		self.assertEqual(reconcile.reconcile(self.platform).differing, 0, "older than the orders")
		later = time.time() + 60
		os.utime(path, (later, later))
		result = reconcile.reconcile(self.platform)
		missing = {
			row.subject for row in frappe.get_all(ORDER, {"cause": "Comparison"}, ["subject"], limit=0)
		}
		self.assertGreaterEqual(result.differing, 2)
		self.assertTrue(set(self.serials[1:]) <= missing)
		self.assertNotIn(self.serials[0], missing)
