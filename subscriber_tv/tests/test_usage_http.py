"""Usage records as a source posts them: real requests, refusals with a status of their own, and two at once."""

import json
from collections import Counter

import frappe

from subscriber_tv.api import guards
from subscriber_tv.api import usage as api
from subscriber_tv.flows.usage import import_file, receive
from subscriber_tv.flows.usage.facts import usage_of
from subscriber_tv.tests.contract_case import make_user
from subscriber_tv.tests.processes import on_own_connections, request
from subscriber_tv.tests.usage_case import RECORD, UsageTestCase, film, make_profile

POST = "/api/method/subscriber_tv.api.usage.post"


def key_of(user: str) -> str:
	"""The Authorization header of a user with a fresh API key."""
	doc = frappe.get_doc("User", user)
	secret = frappe.generate_hash(length=15)
	doc.api_key, doc.api_secret = frappe.generate_hash(length=15), secret
	doc.save()
	return f"token {doc.api_key}:{secret}"


class TestPost(UsageTestCase):
	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.sender = make_user("TV Usage Sender")
		cls.token = key_of(cls.sender)
		frappe.db.commit()

	def setUp(self):
		frappe.cache.delete_keys("tv-limit")
		self.subscription = self.subscribe("2026-10-01", version=self.version)

	def send(self, body, token: str | None = None, **arguments):
		headers = {"Authorization": token or self.token, "Content-Type": "application/json"}
		data = body if isinstance(body, str) else json.dumps(body)
		return request("POST", POST, data=data, headers=headers, **arguments)

	def message(self, *records, **values) -> dict:
		return {"profile": self.profile, "records": list(records), **values}

	def test_a_source_sends_its_records(self):
		key = frappe.generate_hash(length=8)
		body = self.message(film(key, self.subscription), film(key + "x", "TVS-NONE"))
		answer = self.send(body)
		self.assertEqual(answer.status_code, 200, answer.get_data())
		told = answer.json["message"]
		self.assertEqual(told["counts"], {"accepted": 1, "rejected": 1})
		self.assertEqual([one["status"] for one in told["records"]], ["accepted", "rejected"])
		self.assertEqual(told["records"][1]["code"], "unknown_subscription")
		self.assertIn("TVS-NONE", told["records"][1]["reason"])
		self.assertTrue(told["records"][1]["next_step"])
		self.assertEqual(self.send(body).json["message"]["counts"], {"known": 1, "rejected": 1})
		frappe.db.rollback()
		self.assertEqual(frappe.db.get_value(RECORD, told["records"][0]["record"], "owner"), self.sender)

	def test_a_message_that_is_wrong_is_refused_whole(self):
		good = film("whole", self.subscription)
		before = frappe.db.count(RECORD)
		cases = (
			("not json", 400, "JSON"),
			("[1, 2]", 400, ""),
			(self.message(), 400, "at least one"),
			(self.message(good, records={"key": "k"}), (400, 417), ""),
			(self.message(good, 7), 400, "records[1]"),
			(self.message(good, {**good, "quantiy": 1}), 400, "records[1].quantiy"),
			(self.message({**good, "quantity": [1]}), 400, "records[0].quantity"),
			(self.message(*[good] * 1001), 413, "1000"),
			(self.message({**good, "line": "x" * 2_100_000}), 413, "MB"),
			(self.message(good, profile="Nobody"), 404, "Nobody"),
			({"records": [good]}, 400, "profile"),
			({"profile": self.profile}, 400, "records"),
		)
		for body, status, said in cases:
			with self.subTest(said=said, status=status):
				answer = self.send(body)
				self.assertIn(answer.status_code, status if isinstance(status, tuple) else (status,))
				self.assertEqual(answer.mimetype, "application/json")
				self.assertIn(said, json.dumps(answer.json))
		frappe.db.rollback()
		self.assertEqual(frappe.db.count(RECORD), before)

	def test_who_may_send(self):
		body = self.message(film("who", self.subscription))
		self.assertEqual(self.send(body, token=key_of_stranger()).status_code, 403)
		self.assertIn(request("POST", POST, json=body).status_code, (401, 403))
		self.assertEqual(request("GET", POST, headers={"Authorization": self.token}).status_code, 403)
		named = make_profile(api_user=make_user("TV Usage Sender"))
		frappe.db.commit()
		self.assertEqual(self.send({**body, "profile": named}).status_code, 403)
		frappe.db.set_value("TV Import Profile", named, {"api_user": self.sender, "disabled": 1})
		frappe.db.commit()
		self.assertEqual(self.send({**body, "profile": named}).status_code, 400)

	def test_too_many_requests(self):
		most = guards.LIMITS["usage"][0]
		for _ in range(most):
			guards.spend("usage", self.sender)
		answer = self.send(self.message(film("often", self.subscription)))
		self.assertEqual((answer.status_code, answer.mimetype), (429, "application/json"))

	def test_staff_alone_decide(self):
		self.post(film("staff", "TVS-NONE"))
		name = self.record("staff").name
		sender = self.sender
		for role, allowed in (("TV Support", False), ("TV Back Office", True), ("TV Billing", True)):
			with self.subTest(role=role):
				self.addCleanup(frappe.set_user, "Administrator")
				frappe.set_user(make_user(role))
				if allowed:
					self.assertEqual(api.try_again([name]), {"rejected": 1})
				else:
					self.assertRaises(frappe.PermissionError, api.try_again, [name])
					self.assertRaises(frappe.PermissionError, api.dismiss, [name], "x")
					self.assertRaises(frappe.PermissionError, api.cancel, name, "x")
				frappe.set_user("Administrator")
		frappe.set_user(sender)
		self.assertRaises(frappe.PermissionError, api.import_usage, self.profile, "/private/files/x.csv")
		self.assertRaises(frappe.PermissionError, api.accept_conflict, name)
		self.assertFalse(frappe.has_permission("TV Usage Record", "read"))


class TestAtOnce(UsageTestCase):
	def test_the_same_batch_twice_at_once(self):
		"""Each record counts once, and of the two answers one calls it new and the other known."""
		subscription = self.subscribe("2026-10-01", version=self.version)
		keys = [frappe.generate_hash(length=10) for _ in range(60)]
		batches = [keys, keys[::-1], [*keys[30:], *keys[:30]]]

		def send(batch: list[str]):
			records = [film(key, subscription) for key in batch]
			return lambda: receive.receive(profile=self.profile, records=records)

		answers = on_own_connections(*(send(batch) for batch in batches))
		told: dict[str, Counter] = {key: Counter() for key in keys}
		for answer in answers:
			self.assertIsInstance(answer, dict, answer)
			for one in answer["records"]:
				told[one["key"]][one["status"]] += 1
		self.assertEqual(
			{tuple(sorted(found.items())) for found in told.values()}, {(("accepted", 1), ("known", 2))}
		)
		frappe.db.rollback()
		self.assertEqual(usage_of([subscription])[subscription][0].quantity, 60)
		self.assertEqual(frappe.db.count(RECORD, {"source_key": ("in", keys)}), 60)

	def test_two_versions_and_a_contradiction_at_once(self):
		"""Whoever comes first: version two counts, and one of the two that contradict waits."""
		subscription = self.subscribe("2026-10-01", version=self.version)
		for round_ in range(6):
			key = f"{subscription}-{round_}"
			told = [
				film(key, subscription, quantity=1),
				film(key, subscription, quantity=5),
				film(key, subscription, quantity=9, version=2),
			]
			answers = on_own_connections(
				*(lambda one=one: receive.receive(profile=self.profile, records=[one]) for one in told)
			)
			for answer in answers:
				self.assertIsInstance(answer, dict, answer)
			frappe.db.rollback()
			standing = self.record(key)
			self.assertEqual((standing.state, standing.quantity, standing.version), ("Accepted", 9, 2))
			aside = frappe.get_all(
				RECORD, {"source_key": key, "current_record": ("is", "set")}, pluck="state"
			)
			self.assertEqual(len(aside), 2, aside)
		self.assertEqual(usage_of([subscription])[subscription][0].quantity, 54)

	def test_one_import_by_two_workers(self):
		subscription = self.subscribe("2026-10-01", version=self.version)
		profile = make_profile(format="CSV", delimiter="Comma")
		rows = "".join(f"{subscription}-w{n},{subscription},VOD,1,2026-10-05\n" for n in range(2500))
		text = "key,subscription,charge,quantity,day\n" + rows
		file = frappe.get_doc(
			{"doctype": "File", "file_name": "two.csv", "is_private": 1, "content": text}
		).insert()
		name = import_file.new_import(profile=profile, file=file.name)
		frappe.db.commit()
		done = on_own_connections(*[lambda: import_file.load_import(tv_import=name)] * 2)
		self.assertEqual([one.status for one in done], ["Completed"] * 2, done)
		frappe.db.rollback()
		doc = frappe.get_doc("TV Import", name)
		self.assertEqual((doc.rows_done, doc.accepted, doc.known), (2500, 2500, 0))
		self.assertEqual(usage_of([subscription])[subscription][0].quantity, 2500)


def key_of_stranger() -> str:
	token = key_of(make_user("TV Sales"))
	frappe.db.commit()
	return token
