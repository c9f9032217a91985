"""Protocol v1 at the desk: counts in the database, keys by epoch, pairing to the token, streams; and the same bytes as an edge."""

import json
import tempfile
import time
from collections import Counter
from pathlib import Path

import frappe
from frappe.tests.utils import FrappeTestCase
from frappe.utils import add_to_date, now_datetime
from msgspec import structs

from subscriber_tv.core.activation import counter, enrolment
from subscriber_tv.core.devices import jws, mac, wire
from subscriber_tv.core.devices.root import sign_keys, trusted_keys
from subscriber_tv.flows.activation import bind, keys, publish
from subscriber_tv.flows.activation.auth import assertion, auth
from subscriber_tv.flows.activation.desk_node import DeskNode
from subscriber_tv.flows.activation.enrol import enrol
from subscriber_tv.flows.activation.unbind import unbind
from subscriber_tv.setup.keys import rotate_masters
from subscriber_tv.tests import factories, same_bytes
from subscriber_tv.tests.processes import on_own_connections
from subscriber_tv.tests.television import NETWORK, TV
from subscriber_tv.tests.test_activation import bound_tv, delivered_tv, line_of


def new_tv(quantity: int = 1) -> TV:
	return bound_tv(factories.make_subscription("Awaiting Activation", quantity=quantity))


def said(answer: wire.Answer) -> dict:
	return json.loads(answer.body)


class TestCounts(FrappeTestCase):
	def test_a_count_is_worth_one_answer(self):
		tv, now = new_tv(), int(time.time())
		first, second = tv.question(), tv.question()
		answer = auth(first, NETWORK, now)
		self.assertEqual(answer.mac, mac.of_reply(jws.b64url_decode(tv.key()), answer.body))
		self.assertEqual(auth(first, NETWORK, now), answer)
		self.assertEqual(auth(second, NETWORK, now).status, 200)
		replayed = auth(first, NETWORK, now)
		self.assertEqual(
			(replayed.status, said(replayed)["error"], said(replayed)["base"]), (409, "replayed", "2")
		)
		refused = frappe.get_all(
			"TV Activation", {"device": tv.serial, "code": "replayed"}, ["kind", "count"]
		)
		self.assertEqual(refused, [{"kind": "Refused", "count": 1}])

	def test_any_history_is_judged_by_the_rule(self):
		node, seen = DeskNode(int(time.time())), counter.Seen()
		serial = f"TEST-{frappe.generate_hash(length=8).upper()}"
		steps = (5, 5, 4, 6, 1_000_006, 1_000_007, 2_000_007, 2_000_008, 10**15, 10**15, 3)
		for number, nonce, proven in ((n, x * 22, p) for n in steps for x in "AB" for p in (False, True)):
			expected = counter.judge(seen, number, nonce, proven=proven)
			verdict = node.count(serial, number, nonce, proven)
			self.assertEqual(verdict.kind, expected.kind, (number, nonce, proven, seen))
			if expected.kind == counter.ACCEPTED:
				seen = counter.Seen(number, nonce)
		self.assertEqual(
			frappe.db.get_value("TV Counter", serial, ["number", "nonce"]), (seen.counter, seen.nonce)
		)

	def test_a_new_tv_does_not_begin_far_ahead_unless_it_proves_itself(self):
		node, serial = DeskNode(int(time.time())), f"TEST-{frappe.generate_hash(length=8).upper()}"
		self.assertEqual(node.count(serial, 1_000_001, "A" * 22, False), counter.Verdict(counter.RESYNC, 0))
		self.assertFalse(frappe.db.exists("TV Counter", serial))
		self.assertTrue(node.count(serial, 1_000_001, "A" * 22, True).taken)

	def test_of_two_requests_with_one_number_one_is_answered(self):
		serials = [f"TEST-{frappe.generate_hash(length=8).upper()}" for _n in range(6)]
		for serial in serials[:3]:
			DeskNode(0).count(serial, 1, "C" * 22, False)
		frappe.db.commit()

		def asked(nonce):
			return lambda: [DeskNode(0).count(serial, 2, nonce, False).kind for serial in serials]

		one, other = on_own_connections(asked("A" * 22), asked("B" * 22))
		for verdicts in zip(one, other, strict=True):
			self.assertEqual(sorted(verdicts), ["accepted", "replayed"])


class TestKeys(FrappeTestCase):
	def test_a_tv_that_lost_its_count_proves_itself_with_key_or_secret(self):
		for small in (False, True):
			subscription = factories.make_subscription("Awaiting Activation")
			tv = TV(delivered_tv(subscription).serial, small=small)
			bind.bind_by_code(subscription=subscription, line_id=line_of(subscription), code=tv.code())
			tv.counts["desk"] = 5_000_000
			self.assertEqual(said(tv.power_on())["error"], "resync_required")
			answer = tv.prove()
			self.assertEqual((answer.status, said(answer)["key"]), (200, tv.key()))
			self.assertEqual(tv.decision(), "allow")

	def test_an_assertion_is_of_its_own_tv_and_of_now(self):
		tv, other, now = new_tv(), new_tv(), int(time.time())
		tv.serial, genuine = other.serial, tv.serial
		self.assertEqual(tv.prove(), wire.STRANGER)
		tv.serial = genuine
		self.assertEqual(said(assertion(tv.assertion(now - 200), NETWORK, now))["error"], "resync_required")
		self.assertEqual(assertion(tv.assertion(now, "south"), NETWORK, now), wire.STRANGER)

	def test_epochs_rotate_under_the_tvs(self):
		before = Path(frappe.conf.subscriber_tv_masters).read_bytes()
		self.addCleanup(self.put_back, before)
		tv = new_tv()
		epoch = keys.masters().current
		old = tv.question()
		self.assertEqual(rotate_masters()[0], epoch + 1)
		path = Path(frappe.conf.subscriber_tv_masters)
		self.assertEqual(path.stat().st_mode & 0o777, 0o400)
		answer = auth(old, NETWORK, int(time.time()))
		self.assertEqual((answer.status, said(answer)["hints"]), (200, ["rotate"]))
		self.assertEqual(said(tv.prove())["epoch"], str(epoch + 1))
		self.assertNotIn("hints", said(tv.power_on()))
		rotate_masters()
		self.assertEqual(auth(old, NETWORK, int(time.time())), wire.STRANGER)
		self.assertEqual(len(json.loads(path.read_bytes())), 2)

	def test_the_roots_signature_goes_along_while_it_is_of_these_keys(self):
		root = jws.Signer(jws.new_key())
		path = Path(tempfile.mkdtemp(), "signed.json")
		self.addCleanup(frappe.conf.pop, keys.SIGNED_KEYS, None)
		frappe.conf[keys.SIGNED_KEYS] = str(path)
		own, now = keys.public_keys(), int(time.time())
		path.write_text(json.dumps(sign_keys(own, root, now, 30)))
		self.assertEqual(trusted_keys(keys.public_keys(), root.jwk, now), own)
		other = jws.jwks(jws.Signer(jws.new_key()))
		path.write_text(json.dumps(sign_keys(other, root, now, 30)))
		self.assertEqual(keys.public_keys(), own)

	def put_back(self, content: bytes) -> None:
		path = Path(frappe.conf.subscriber_tv_masters)
		path.unlink()
		path.write_bytes(content)
		path.chmod(0o400)

	def test_a_tv_bound_before_proves_itself_with_its_secret(self):
		"""Rows of the protocol before: a hash of a secret, and no public key."""
		tv = TV(new_tv().serial, small=True)
		values = {"key_hash": tv.thumbprint, "public_key": None}
		frappe.db.set_value("TV Device", tv.serial, values)
		publish.publish_devices([tv.serial])
		self.assertEqual(tv.prove().status, 200)
		self.assertEqual(tv.decision(), "allow")

	def test_parts_bind_where_the_model_says_so(self):
		tv = new_tv()
		model = frappe.db.get_value("TV Device", tv.serial, "model")
		self.addCleanup(frappe.db.set_value, "TV Device Model", model, "bind_parts", 0)
		frappe.db.set_value("TV Device Model", model, "bind_parts", 1)
		publish.publish_devices([tv.serial])
		self.assertEqual(tv.decision(), "allow")
		tv.parts = mac.binding("another chip", "", "Test", "1.0")
		self.assertEqual(tv.decision(), "binding_mismatch")


class TestToken(FrappeTestCase):
	def test_from_the_code_to_the_key(self):
		subscription = factories.make_subscription("Awaiting Activation")
		tv, now = delivered_tv(subscription), int(time.time())
		code = tv.code()
		enrolled = frappe.db.get_value("TV Device", tv.serial, ["device_code_hash", "told_model"])
		self.assertEqual(enrolled, (enrolment.hash_of(tv.device_code), "Test"))
		outcomes = [said(tv.poll(now + after))["error"] for after in (0, 5, 7, 16, 40)]
		self.assertEqual(
			outcomes,
			[
				"authorization_pending",
				"authorization_pending",
				"slow_down",
				"slow_down",
				"authorization_pending",
			],
		)
		bind.bind_by_code(subscription=subscription, line_id=line_of(subscription), code=code)
		# A lost reply is asked for again.
		for _attempt in range(2):
			granted = said(tv.poll(now + 41))
			self.assertEqual((granted["device"], granted["key"]), (tv.serial, tv.key()))
		frappe.db.set_value("TV Device", tv.serial, "pairing_until", add_to_date(now_datetime(), seconds=-1))
		self.assertEqual(said(tv.poll(now + 60))["error"], "expired_token")
		self.assertEqual(tv.decision(), "allow")

	def test_a_code_is_worth_nothing_to_others(self):
		tv = delivered_tv(factories.make_subscription("Awaiting Activation"))
		tv.code()
		thief = TV(tv.serial)
		thief.device_code = tv.device_code
		self.assertEqual(thief.poll(), enrolment.ERRORS[enrolment.EXPIRED])
		small = TV(tv.serial, small=True)
		small.device_code = tv.device_code
		self.assertEqual(small.poll(), enrolment.ERRORS[enrolment.EXPIRED])
		thief.device_code = "A" * 43
		self.assertEqual(thief.poll(), enrolment.ERRORS[enrolment.EXPIRED])
		self.assertEqual(said(tv.poll())["error"], "authorization_pending")

	def test_a_newer_code_makes_the_older_void(self):
		tv = delivered_tv(factories.make_subscription("Awaiting Activation"))
		tv.code()
		older = tv.device_code
		tv.code()
		self.assertEqual(said(tv.poll())["error"], "authorization_pending")
		tv.device_code = older
		self.assertEqual(said(tv.poll())["error"], "expired_token")

	def test_a_refused_code_is_denied(self):
		tv = delivered_tv(factories.make_subscription("Awaiting Activation"))
		code = tv.code()
		self.assertEqual(bind.refuse_code(code=code, reason="Not this TV"), tv.serial)
		self.assertEqual(said(tv.poll())["error"], "access_denied")
		with self.assertRaises(bind.CodeUnknown):
			bind.find_by_code(code)
		self.assertEqual(tv.enrol().status, 200)
		self.assertEqual(said(tv.poll())["error"], "authorization_pending")

	def test_an_unproven_enrolment_gets_the_strangers_answer(self):
		tv = delivered_tv(factories.make_subscription("Awaiting Activation"))
		now = int(time.time())
		stale = tv.enrolment(now - 200)
		self.assertEqual(enrol(stale, NETWORK, now), wire.STRANGER)
		forged = TV(tv.serial)
		forged.signer.jwk = tv.signer.jwk
		self.assertEqual(enrol(forged.enrolment(now), NETWORK, now), wire.STRANGER)

	def test_an_unbound_tv_leaves_no_key_behind(self):
		tv = new_tv()
		unbind(device=tv.serial, reason="Room closed")
		left = frappe.db.get_value(
			"TV Device", tv.serial, ["key_hash", "public_key", "parts", "device_code_hash"]
		)
		self.assertEqual(left, (None, None, None, None))
		self.assertEqual(tv.prove(), wire.STRANGER)


class TestStreams(FrappeTestCase):
	def setUp(self):
		# Slots outlive what other tests rolled back, and names come again.
		frappe.cache.delete_keys("tv-streams")

	def test_a_subscription_runs_as_many_streams_as_its_offer_allows(self):
		subscription = factories.make_subscription("Awaiting Activation", quantity=2)
		first, second = bound_tv(subscription), bound_tv(subscription)
		version = frappe.get_doc("TV Subscription", subscription).lines[0].offer_version
		offer = frappe.db.get_value("TV Offer Version", version, "offer")
		before = frappe.db.get_value("TV Offer", offer, "streams")
		self.addCleanup(frappe.db.set_value, "TV Offer", offer, "streams", before)
		frappe.db.set_value("TV Offer", offer, "streams", 1)
		publish.publish_devices([first.serial, second.serial])
		self.assertEqual(first.decision(), "allow")
		self.assertEqual(first.stream("start", "CH1", "living-room").status, 200)
		refused = second.stream("start", "CH1", "bedroom")
		self.assertEqual((refused.status, said(refused)["running"]), (409, ["living-room"]))
		self.assertEqual(first.stream("stop", "CH1", "living-room").status, 200)
		self.assertEqual(second.stream("start", "CH1", "bedroom").status, 200)
		self.assertEqual(said(second.stream("start", "NOWHERE", "more"))["error"], "not_entitled")

	def test_a_lost_count_that_is_proven_is_a_sign(self):
		tv = new_tv()
		self.assertEqual(tv.decision(), "allow")
		self.assertEqual(tv.prove().status, 200)
		signs = {"device": tv.serial, "kind": "resync"}
		self.assertFalse(frappe.db.count("TV Device Evidence", signs))
		tv.counts["desk"] = 0
		self.assertEqual(tv.decision(), "replayed")
		tv.counts["desk"] = 10
		self.assertEqual(tv.prove().status, 200)
		self.assertEqual(frappe.get_all("TV Device Evidence", signs, pluck="counter"), ["1"])

	def test_a_line_that_was_overtaken_and_comes_back_is_two_sets(self):
		tv = new_tv()
		# What came before the pairing is void, and it was paired within this second.
		frappe.db.set_value("TV Device", tv.serial, "bound_on", add_to_date(now_datetime(), minutes=-5))
		tv.counts["desk"] = 9
		for nonce in ("k" * 22, "o" * 22):
			self.assertEqual(auth(tv.question(nonce=nonce), NETWORK, int(time.time())).status, 200)
		for line, kinds in (
			("k" * 22, {"restored"}),
			("o" * 22, {"restored", "forked"}),
		):
			tv.line = (line,)
			self.assertEqual(tv.prove().status, 200)
			found = frappe.get_all("TV Device Evidence", {"device": tv.serial}, pluck="kind")
			self.assertEqual(set(found), kinds)
		device = frappe.db.get_value("TV Device", tv.serial, ["suspicion", "suspicion_score"])
		self.assertEqual(device, ("Restricted", 95))

	def test_other_parts_and_a_second_stream_are_signs(self):
		tv = new_tv()
		model = frappe.db.get_value("TV Device", tv.serial, "model")
		for name in ("a", "b", "b"):
			self.assertEqual(tv.stream("start", "CH1", name).status, 200)
		signs = {"device": tv.serial}
		self.assertEqual(frappe.get_all("TV Device Evidence", signs, pluck="kind"), [])
		self.assertEqual(tv.stream("renew", "CH1", "a").status, 200)
		self.assertEqual(frappe.get_all("TV Device Evidence", signs, pluck="kind"), ["streams"])
		self.addCleanup(frappe.db.set_value, "TV Device Model", model, "bind_parts", 0)
		frappe.db.set_value("TV Device Model", model, "bind_parts", 1)
		publish.publish_devices([tv.serial])
		tv.parts = mac.binding("another chip", "", "Test", "1.0")
		self.assertEqual(tv.decision(), "binding_mismatch")
		found = frappe.get_all("TV Device Evidence", signs, ["kind", "network"], order_by="creation")
		self.assertEqual(
			{(row.kind, row.network) for row in found},
			{("streams", "203.0.113.0/24"), ("fingerprint", "203.0.113.0/24")},
		)

	def test_a_heartbeat_is_taken(self):
		tv = new_tv()
		answer = tv.heartbeat(up="60", temp="40")
		self.assertEqual((answer.status, answer.body), (204, b""))
		self.assertEqual(answer.mac, mac.of_reply(jws.b64url_decode(tv.key()), b""))
		self.assertEqual(frappe.get_all("TV Device Hour", {"device": tv.serial}, pluck="temperature"), [40])


class TestSameBytes(FrappeTestCase):
	"""Equal rows, question, count and time: the desk on its tables and an edge on its file say the same bytes."""

	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.tvs, cls.now = same_bytes.everybody(), int(time.time())

	def setUp(self):
		self.addCleanup(self.begin_anew)

	def begin_anew(self):
		"""The counts that the desk keeps are those of no test."""
		names = [tv.serial for tv in self.tvs]
		frappe.db.delete("TV Counter", {"name": ("in", names)})
		frappe.cache.delete_keys("tv-streams")
		frappe.cache.delete_keys("tv-pins")

	def test_desk_and_edge_agree_on_random_histories(self):
		"""A small share; `same_bytes.run` asks as many as one likes."""
		outcomes = Counter()
		for seed in (1, 2, 9, 20):  # the last lies beyond the leases
			self.begin_anew()
			with tempfile.TemporaryDirectory() as folder:
				edge = same_bytes.edge_at(Path(folder), self.now)
				outcomes += same_bytes.ask_together(self.tvs, edge, self.now, same_bytes.TOGETHER, seed)
		expected = {f"auth {status}" for status in (200, 400, 401, 403, 409, 503)}
		expected |= {"assert 200", "stream 200", "heartbeat 204"}
		self.assertLessEqual(expected, outcomes.keys())
		self.assertLessEqual({"straight", "back", "fork"}, {name.rpartition(" ")[2] for name in outcomes})

	def test_a_difference_is_found(self):
		"""The comparison is no formality: an edge that was given one TV's rights otherwise is seen."""
		with tempfile.TemporaryDirectory() as folder:
			edge = same_bytes.edge_at(Path(folder), self.now)
			genuine = edge.row
			edge.row = lambda serial: (
				(row := genuine(serial)) and structs.replace(row, play_seconds=row.play_seconds - 1)
			)
			with self.assertRaisesRegex(AssertionError, r"^question \d+, "):
				same_bytes.ask_together(self.tvs, edge, self.now, same_bytes.TOGETHER, 0)
