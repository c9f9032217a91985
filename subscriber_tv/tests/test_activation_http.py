"""The endpoints as a TV and a member of staff reach them: real requests, real refusals."""

import json
import time
from unittest.mock import patch

import frappe
from frappe.tests.utils import FrappeTestCase

from subscriber_tv.api import activation, guards, tv_frame
from subscriber_tv.core.devices import jws, wire
from subscriber_tv.flows.activation import bind, token
from subscriber_tv.simulator.http import DESK, Reply
from subscriber_tv.simulator.tv import PAIRING, PLAYING, Tv
from subscriber_tv.tests import factories
from subscriber_tv.tests.processes import on_own_connections, request
from subscriber_tv.tests.test_activation import TV, bound_tv, delivered_tv, line_of

METHOD = "/api/method/subscriber_tv.api.activation."
AUTH, ENROL = f"{METHOD}auth", f"{METHOD}enrol"


class WsgiService:
	"""The desk as the simulated TV reaches it."""

	paths = DESK

	def post(self, path: str, document: dict) -> Reply:
		return self._reply(request("POST", path, json=document))

	def get(self, path: str) -> Reply:
		return self._reply(request("GET", path))

	def _reply(self, found) -> Reply:
		text = found.get_data(as_text=True)
		is_json = found.headers.get("Content-Type") == "application/json"
		return Reply(
			found.status_code,
			json.loads(text) if is_json else {},
			text,
			dict(found.headers),
			found.headers.get("X-TV-MAC", ""),
		)


class HttpTestCase(FrappeTestCase):
	def setUp(self):
		frappe.cache.delete_keys("tv-limit")

	def ask(self, tv: TV, **arguments):
		return self.post("auth", tv.question(), **arguments)

	def post(self, operation: str, body: bytes, **arguments):
		return request("POST", METHOD + operation, data=body, content_type="application/json", **arguments)

	def enrol(self, serial: str, **arguments):
		return self.post("enrol", TV(serial).enrolment(), **arguments)

	def assert_answer(self, response, answer: wire.Answer):
		self.assertEqual((response.status_code, response.get_data()), (answer.status, answer.body))
		self.assertEqual(response.headers["Content-Type"], "application/json")
		self.assertEqual(response.headers["Cache-Control"], "no-store")


class TestTvEndpoints(HttpTestCase):
	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.subscription = factories.make_subscription("Awaiting Activation")
		cls.tv = bound_tv(cls.subscription)
		frappe.db.commit()  # requests run on connections of their own

	def test_the_story_over_http(self):
		answer = self.ask(self.tv)
		self.assertEqual(answer.status_code, 200)
		allowed = json.loads(answer.get_data())
		self.assertEqual(allowed["decision"], "allow")
		(document,) = allowed["documents"]
		keys = request("GET", "/api/method/subscriber_tv.api.activation.jwks")
		signed = request("GET", f"/api/method/subscriber_tv.api.activation.offer?hash={document}")
		self.assertIn("immutable", signed.headers["Cache-Control"])
		verifier = jws.Verifier(keys.get_data())
		self.assertIn(b"BASIC", verifier.verify(jws.OFFER, signed.get_data(as_text=True)))
		for wrong in ("", "?hash=", "?hash=" + "A" * 43, "?hash=' or 1=1 --"):
			found = request("GET", f"/api/method/subscriber_tv.api.activation.offer{wrong}")
			self.assertEqual(found.status_code, 404)

	def test_every_stranger_hears_the_same(self):
		wrong_key = TV(self.tv.serial)
		foreign = delivered_tv(factories.make_subscription("Awaiting Activation"))
		frappe.db.commit()
		for stranger in (TV("NEVER-SEEN-1"), wrong_key, foreign):
			self.assert_answer(self.ask(stranger), wire.STRANGER)

	def test_malformed_requests_get_400_and_no_trace(self):
		bodies = (b"{", b"", b"null", b"[1]", b'"text"', b"\xff\xfe", b"[" * 4000, b'{"cmd": "frappe.ping"}')
		injected = json.dumps({"d": "x' OR 1=1; DROP TABLE `tabTV Device`; --", "credential": "A" * 43})
		for path in tv_frame.TV_PATHS:
			for body in (*bodies, injected.encode()):
				found = request("POST", f"/api{path}", data=body, content_type="application/json")
				self.assert_answer(found, wire.INVALID_REQUEST)
			frappe.cache.delete_keys("tv-limit")

	def test_frame_of_a_request(self):
		for path in (AUTH, ENROL):
			large = request("POST", path, data=b" " * 5000, content_type="application/json")
			self.assert_answer(large, wire.TOO_LARGE)
			for kind in (
				"text/plain",
				"application/x-www-form-urlencoded",
				"multipart/form-data; boundary=x",
			):
				self.assert_answer(request("POST", path, data=b"{}", content_type=kind), wire.WRONG_TYPE)
			for method in ("GET", "PUT", "DELETE"):
				self.assert_answer(request(method, path), wire.METHOD_NOT_ALLOWED)

	def test_nothing_of_frappes_own_on_a_tvs_path(self):
		bad = {"data": b"{", "content_type": "application/json"}
		page = request("POST", AUTH, headers={"Accept": "text/html"}, **bad)
		self.assert_answer(page, wire.INVALID_REQUEST)
		self.assert_answer(request("OPTIONS", AUTH, **bad), wire.METHOD_NOT_ALLOWED)
		self.assertEqual(request("OPTIONS", AUTH).status_code, 200)
		chunks = request("POST", AUTH, headers={"Transfer-Encoding": "chunked"}, **bad)
		self.assert_answer(chunks, wire.INVALID_REQUEST)
		for path in (f"{AUTH};x=1", f"{AUTH}.json", f"{AUTH}%00", f"{METHOD}nothing"):
			found = request("POST", path, data=b"{}", content_type="application/json")
			self.assert_answer(found, wire.NOT_FOUND)
		for name in tv_frame.READ:
			found = request("POST", METHOD + name, data=b"{}", content_type="application/json")
			self.assert_answer(found, wire.METHOD_NOT_ALLOWED)
			self.assertEqual(found.headers["Allow"], "GET, HEAD")
			self.assert_answer(request("GET", METHOD + name, **bad), wire.INVALID_REQUEST)
		self.assertEqual(request("GET", AUTH).headers["Allow"], "POST")

	def test_a_flood_of_failures_is_limited_but_not_the_tv_that_proves_itself(self):
		answers = [self.ask(TV("NEVER-SEEN-1")).status_code for _time in range(25)]
		self.assertEqual(answers, [401] * 20 + [429] * 5)
		self.assertEqual(self.ask(self.tv).status_code, 200)
		self.assert_answer(
			self.ask(TV("NEVER-SEEN-1"), headers={"X-Forwarded-For": "198.51.100.9"}), wire.STRANGER
		)

	def test_a_tv_that_waits_for_its_code_is_no_failure(self):
		tv = delivered_tv(factories.make_subscription("Awaiting Activation"))
		tv.code()
		frappe.db.commit()
		answers = [self.post("token", tv.poll_body()) for _time in range(25)]
		self.assertEqual({answer.status_code for answer in answers}, {400})
		said = [json.loads(answer.get_data())["error"] for answer in answers]
		self.assertEqual(said, ["authorization_pending"] + ["slow_down"] * 24)

	def test_who_invents_device_codes_is_a_failure(self):
		tv = TV("NEVER-SEEN-1")
		tv.device_code = "A" * 43
		answers = [self.post("token", tv.poll_body()).status_code for _time in range(22)]
		self.assertEqual(answers, [400] * 20 + [429] * 2)

	def test_a_tv_pairs_and_proves_itself_over_http(self):
		subscription = factories.make_subscription("Awaiting Activation")
		tv = Tv(delivered_tv(subscription).serial, WsgiService())
		frappe.db.commit()
		self.assertEqual(tv.power_on().kind, PAIRING)
		code = tv.enrol().document["user_code"]
		self.assertEqual(tv.poll().document["error"], "authorization_pending")
		frappe.db.rollback()
		bind.bind_by_code(subscription=subscription, line_id=line_of(subscription), code=code)
		frappe.db.commit()
		granted = tv.poll()
		self.assertEqual((granted.status, granted.document["device"]), (200, tv.serial))
		# The desk is where it was asked, unless the site says what it is called.
		desk = [node["url"] for node in granted.document["audiences"] if node["aud"] == "desk"]
		self.assertEqual(desk, [frappe.conf.host_name or "http://localhost"])
		self.assertEqual(tv.power_on().kind, PLAYING)
		tv.memory.counts.clear()
		tv.memory.key = ""
		self.assertEqual(tv.power_on().kind, PLAYING)
		self.assertEqual(tv.heartbeat(up="60").status, 204)
		self.assertEqual(tv.stream("start", "CH1", "one").status, 200)

	def test_a_tv_is_told_where_tvs_reach_the_edges_not_where_operators_do(self):
		site = {
			"subscriber_tv_edges": {"south": "http://10.1.0.5:9108"},
			"subscriber_tv_audiences": {"south": "https://south.tv.example.com"},
		}
		with patch.dict(frappe.local.conf, site):
			*edges, desk = token._audiences()
		self.assertEqual(edges, [{"aud": "south", "url": "https://south.tv.example.com"}])
		self.assertEqual(desk["aud"], "desk")

	def test_one_tv_cannot_ask_without_end(self):
		tv = bound_tv(factories.make_subscription("Awaiting Activation"))
		frappe.db.commit()
		answers = [self.ask(tv).status_code for _time in range(12)]
		self.assertEqual(answers, [200] * 10 + [429] * 2)
		self.assertGreater(frappe.cache.ttl(frappe.cache.make_key(f"tv-limit|device|{tv.serial}")), 0)

	def test_enrolling_a_tv_from_elsewhere_locks_nobody_out(self):
		tv = delivered_tv(factories.make_subscription("Awaiting Activation"))
		frappe.db.commit()
		elsewhere = {"X-Forwarded-For": "198.51.100.9"}
		answers = [self.enrol(tv.serial, headers=elsewhere).status_code for _time in range(12)]
		self.assertEqual(answers, [200] * 10 + [429] * 2)
		self.assertEqual(self.enrol(tv.serial).status_code, 200)

	def test_one_network_cannot_enrol_the_whole_stock(self):
		self.enterContext(patch.dict(guards.LIMITS, enrolments=(3, 60)))
		serials = factories.receive_devices(5)
		frappe.db.commit()
		answers = [self.enrol(serial).status_code for serial in serials]
		self.assertEqual(answers, [200] * 3 + [429] * 2)
		self.assertFalse(frappe.db.get_value("TV Device", serials[-1], "pairing_code"))


class TestHeldTv(HttpTestCase):
	def test_a_power_on_does_not_wait_for_a_voucher_that_holds_the_tv(self):
		tv = bound_tv(factories.make_subscription("Awaiting Activation"))
		frappe.db.commit()
		self.assertEqual(self.ask(tv).status_code, 200)
		frappe.db.get_value("TV Device", tv.serial, "name", for_update=True)
		self.addCleanup(frappe.db.rollback)
		began = time.monotonic()
		self.assertEqual(self.ask(tv).status_code, 200)
		self.assertLess(time.monotonic() - began, 5)


class TestNetwork(FrappeTestCase):
	def test_the_sender_cannot_choose_its_address(self):
		found = guards.network_address
		self.assertEqual(found("203.0.113.5", "198.51.100.1"), "203.0.113.5")
		self.assertEqual(found("127.0.0.1", "198.51.100.1, 203.0.113.5"), "203.0.113.5")
		self.assertEqual(found("127.0.0.1", "198.51.100.1, junk, 203.0.113.5, 127.0.0.1"), "203.0.113.5")
		self.assertEqual(found("127.0.0.1", None), "127.0.0.1")
		self.assertEqual(found("10.0.0.9", "203.0.113.5", ["10.0.0.0/8"]), "203.0.113.5")
		self.assertEqual(found("127.0.0.1", "203.0.113.5", ["10.0.0.0/8"]), "203.0.113.5")
		self.assertEqual(found(None, "203.0.113.5"), "0.0.0.0")
		self.assertEqual(guards.bucket_of("2001:db8::1"), guards.bucket_of("2001:db8::ffff"))
		self.assertNotEqual(guards.bucket_of("203.0.113.5"), guards.bucket_of("203.0.113.6"))


class TestStaffEndpoints(HttpTestCase):
	def test_guests_and_foreign_roles_are_refused(self):
		for name in ("find_code", "refuse_code", "bind", "unbind", "revoke", "readmit", "deliver"):
			found = request(
				"POST", f"/api/method/subscriber_tv.api.activation.{name}", json={"code": "BBBB-BBBB"}
			)
			self.assertEqual(found.status_code, 403)

	def test_support_pairs_a_tv_and_is_stopped_after_five_wrong_codes(self):
		subscription = factories.make_subscription("Awaiting Activation")
		tv = delivered_tv(subscription)
		code = tv.code()
		frappe.set_user(user_with("TV Support"))
		self.addCleanup(frappe.set_user, "Administrator")
		seen = activation.find_code(code)
		self.assertEqual((seen["serial"], seen["asked_from"]), (tv.serial, "203.0.113.7"))
		self.assertEqual((seen["told_model"], seen["firmware"]), ("Test", "1.0"))
		self.assertEqual(activation.bind(subscription, line_of(subscription), code), tv.serial)
		activation.unbind(tv.serial, "Wrong room")
		with self.assertRaises(frappe.PermissionError):
			activation.deliver(subscription, [tv.serial])
		for _time in range(5):
			with self.assertRaises(bind.CodeUnknown):
				activation.find_code("BBBB-BBBB")
		with self.assertRaises(frappe.RateLimitExceededError):
			activation.find_code("BBBB-BBBB")

	def test_many_accounts_guess_no_better_than_one(self):
		self.enterContext(patch.dict(guards.LIMITS, all_codes=(7, 900)))
		self.addCleanup(frappe.set_user, "Administrator")
		users = [user_with(role) for role in ("TV Support", "TV Back Office", "TV Logistics")]
		wrong = []
		for user in users:
			frappe.set_user(user)
			for _time in range(6):
				with self.assertRaises((bind.CodeUnknown, frappe.RateLimitExceededError)) as refused:
					activation.find_code("BBBB-BBBB")
				wrong.append(isinstance(refused.exception, bind.CodeUnknown))
		# Five of the first, two of the second, none of the third.
		self.assertEqual(wrong, [True] * 5 + [False] + [True] * 2 + [False] * 4 + [False] * 6)

	def test_nobody_takes_rows_of_rights_away(self):
		user = user_with("System Manager")
		for doctype in ("TV Device", "TV Entitlement", "TV Rights Outbox"):
			allowed = [
				kind
				for kind in ("create", "write", "delete")
				if frappe.has_permission(doctype, kind, user=user)
			]
			self.assertEqual(allowed, [], doctype)

	def test_staff_of_one_customer_leave_the_tvs_of_another_alone(self):
		tv = bound_tv(factories.make_subscription("Awaiting Activation"))
		user, own = user_with("TV Support"), factories.make_customer()
		permission = frappe.get_doc(
			{"doctype": "User Permission", "user": user, "allow": "Customer", "for_value": own}
		).insert()
		self.addCleanup(permission.delete)
		frappe.set_user(user)
		self.addCleanup(frappe.set_user, "Administrator")
		for refused in (activation.unbind, activation.revoke):
			with self.assertRaises(frappe.PermissionError):
				refused(tv.serial, "Not mine")


class TestTwoAgents(FrappeTestCase):
	def test_one_code_entered_twice_at_once_binds_once(self):
		subscription = factories.make_subscription("Awaiting Activation", quantity=2)
		tv = delivered_tv(subscription)
		code, line = tv.code(), line_of(subscription)
		frappe.db.commit()

		def agent():
			return bind.bind_by_code(subscription=subscription, line_id=line, code=code)

		results = on_own_connections(agent, agent)
		refused = [result for result in results if isinstance(result, Exception)]
		self.assertIn(tv.serial, results)
		self.assertEqual(len(refused), 1)
		self.assertIsInstance(refused[0], bind.CodeUnknown)
		self.assertIn(tv.serial, str(refused[0]))

	def test_one_code_for_two_subscriptions_binds_once(self):
		customer = factories.make_customer()
		site = factories.make_site(customer)
		first, second = (
			factories.make_subscription("Awaiting Activation", customer=customer, site=site)
			for _n in range(2)
		)
		tv = delivered_tv(first)
		code, lines = tv.code(), {name: line_of(name) for name in (first, second)}
		frappe.db.commit()

		def agent(name: str):
			return lambda: bind.bind_by_code(subscription=name, line_id=lines[name], code=code)

		results = on_own_connections(agent(first), agent(second))
		self.assertEqual(sum(result == tv.serial for result in results), 1)

	def test_two_codes_for_the_last_outlet_bind_one(self):
		subscription = factories.make_subscription("Awaiting Activation", quantity=1)
		codes = [delivered_tv(subscription).code() for _n in range(2)]
		line = line_of(subscription)
		frappe.db.commit()

		def agent(code: str):
			return lambda: bind.bind_by_code(subscription=subscription, line_id=line, code=code)

		results = on_own_connections(*(agent(code) for code in codes))
		self.assertEqual(sum(isinstance(result, bind.BindRefused) for result in results), 1)
		frappe.db.rollback()
		self.assertEqual(frappe.db.count("TV Device", {"subscription": subscription, "line_id": line}), 1)


def user_with(role: str) -> str:
	"""A user with one role of ours."""
	email = f"{frappe.scrub(role)}@example.com"
	if not frappe.db.exists("User", email):
		user = frappe.get_doc(
			{"doctype": "User", "email": email, "first_name": role, "send_welcome_email": 0}
		)
		user.append("roles", {"role": role})
		user.insert()
	return email
