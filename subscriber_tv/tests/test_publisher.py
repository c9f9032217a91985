"""From the outbox to signed, numbered rows, to the feed, to an edge: with real processes where it matters."""

import json
import os
import tempfile
import time
from unittest.mock import patch
from urllib.request import Request, urlopen

import frappe
from frappe.tests.utils import FrappeTestCase

from subscriber_tv.api.feed import FeedApp
from subscriber_tv.core.activation import compact, feed
from subscriber_tv.flows.activation import keys, publish, store_rights, sweep
from subscriber_tv.flows.activation.note_change import note_change, note_changes
from subscriber_tv.flows.activation.unbind import unbind
from subscriber_tv.flows.contracts.change_state import change_state
from subscriber_tv.tests import factories, processes
from subscriber_tv.tests.test_activation import TV, bound_tv


def publish_all() -> None:
	while publish.publish_pending():
		pass


def row(serial: str) -> frappe._dict:
	fields = ["seq", "version", "state", "removed", "facts_hash", "expires_at"]
	return frappe.db.get_value("TV Entitlement", store_rights.name_of("Device", serial), fields, as_dict=True)


def many_tvs(subscription: str, number: int) -> list[str]:
	"""Bound TVs written straight into the table: what matters here is how many there are."""
	line = frappe.get_doc("TV Subscription", subscription).lines[0].line_id
	mark = frappe.generate_hash(length=6).upper()
	serials = [f"MANY-{mark}-{n:05}" for n in range(number)]
	frappe.db.bulk_insert(
		"TV Device",
		["name", "serial_no", "subscription", "line_id", "credential_state", "key_hash", "state"],
		[(serial, serial, subscription, line, "Active", "k" * 43, "In Service") for serial in serials],
	)
	return serials


class TestProjection(FrappeTestCase):
	def setUp(self):
		publish_all()

	def test_a_change_is_published_and_numbered(self):
		subscription = factories.make_subscription("Awaiting Activation")
		tv = bound_tv(subscription)
		before = publish.current_sequence()
		publish_all()
		first = row(tv.serial)
		self.assertGreater(first.seq, before)
		self.assertEqual((first.state, first.version), ("Active", first.seq))
		change_state(subscription=subscription, event="suspend")
		publish_all()
		second = row(tv.serial)
		self.assertEqual(second.state, "Suspended")
		self.assertGreater(second.version, first.version)
		self.assertEqual(publish.current_sequence(), second.seq)

	def test_nothing_new_is_not_numbered_again(self):
		subscription = factories.make_subscription("Awaiting Activation")
		bound_tv(subscription)
		publish_all()
		before = publish.current_sequence()
		note_change("Subscription", subscription)
		publish_all()
		self.assertEqual(publish.current_sequence(), before)

	def test_an_unbound_tv_leaves_a_tombstone_once(self):
		tv = bound_tv(factories.make_subscription("Awaiting Activation"))
		publish_all()
		unbind(device=tv.serial)
		publish_all()
		gone = row(tv.serial)
		self.assertTrue(gone.removed)
		(entry,) = store_rights.entries_after(gone.seq - 1, gone.seq, 1)
		self.assertEqual(
			(entry.subject, entry.removed, entry.lease, entry.key_hash), (tv.serial, True, "", "")
		)
		note_change("Device", tv.serial)
		publish_all()
		self.assertEqual(row(tv.serial).seq, gone.seq)

	def test_suspending_a_thousand_tvs_is_one_outbox_row_and_resumes_where_it_stopped(self):
		subscription = factories.make_subscription("Active", quantity=1200)
		serials = many_tvs(subscription, 1200)
		note_change("Subscription", subscription)
		publish_all()
		self.assertEqual(row(serials[-1]).state, "Active")
		change_state(subscription=subscription, event="suspend")
		self.assertEqual(frappe.db.count("TV Rights Outbox", {"subject": subscription}), 1)
		publish.publish_pending(limit=500)
		self.assertEqual(
			frappe.db.get_value("TV Rights Outbox", {"subject": subscription}, "cursor"), serials[499]
		)
		self.assertEqual((row(serials[499]).state, row(serials[500]).state), ("Suspended", "Active"))
		publish_all()
		states = frappe.get_all("TV Entitlement", {"subscription": subscription}, pluck="state", limit=0)
		self.assertEqual(states, ["Suspended"] * 1200)

	def test_a_bouquet_change_signs_one_document(self):
		subscription = factories.make_subscription("Active", quantity=30)
		serials = many_tvs(subscription, 30)
		note_change("Subscription", subscription)
		publish_all()
		version = frappe.get_doc("TV Subscription", subscription).lines[0].offer_version
		before, lease = publish.current_sequence(), row(serials[0])
		(hash_before,) = store_rights.document_hashes([version])
		frappe.db.set_value("TV Bouquet", "BASIC", "bouquet_name", f"Basic {frappe.generate_hash(length=4)}")
		note_change("Offer", version)
		publish_all()
		self.assertEqual(publish.current_sequence(), before + 1)
		self.assertNotEqual(store_rights.document_hashes([version]), [hash_before])
		self.assertEqual(row(serials[0]), lease)

	def test_ageing_leases_are_signed_again_under_the_same_version(self):
		tv = bound_tv(factories.make_subscription("Awaiting Activation"))
		publish_all()
		first = row(tv.serial)
		self.assertEqual(publish.resign_due(), 0)
		tomorrow = int(time.time()) + publish.DAY + 60
		failed: set[str] = set()
		while publish.resign_due(now=tomorrow, failed=failed):
			pass
		second = row(tv.serial)
		self.assertEqual((second.version, second.facts_hash), (first.version, first.facts_hash))
		self.assertGreater(second.seq, first.seq)
		self.assertGreater(second.expires_at, first.expires_at)

	def test_tvs_noted_one_by_one_cost_as_many_queries_as_a_few(self):
		def queries(number: int) -> int:
			subscription = factories.make_subscription("Active", quantity=number)
			serials = many_tvs(subscription, number)
			publish_all()
			note_changes("Device", serials)
			counted, sql = [], frappe.db.sql
			with patch.object(
				frappe.db, "sql", lambda *args, **kwargs: counted.append(args) or sql(*args, **kwargs)
			):
				self.assertEqual(publish.publish_pending(), number)
			self.assertEqual({row(serial).state for serial in serials}, {"Active"})
			return len(counted)

		queries(2)  # what is read once and kept
		self.assertEqual(queries(60), queries(3))

	def test_a_broken_tv_among_others_holds_nobody_up(self):
		broken, sound = (bound_tv(factories.make_subscription("Awaiting Activation")) for _n in range(2))
		publish_all()
		site = frappe.db.get_value("TV Device", broken.serial, "site")
		frappe.db.set_value("TV Site", site, "time_zone", "Mars/Olympus")
		frappe.db.delete("TV Entitlement", {"subject": sound.serial})
		note_changes("Device", [broken.serial, sound.serial])
		publish_all()
		self.assertEqual(row(sound.serial).state, "Active")
		left = frappe.get_all("TV Rights Outbox", fields=["subject", "attempts"])
		self.assertEqual([(found.subject, found.attempts) for found in left], [(broken.serial, 1)])

	def test_a_tv_that_cannot_be_signed_again_stops_nobody(self):
		broken, sound = (bound_tv(factories.make_subscription("Awaiting Activation")) for _n in range(2))
		publish_all()
		before = {tv: row(tv.serial).expires_at for tv in (broken, sound)}
		site = frappe.db.get_value("TV Device", broken.serial, "site")
		frappe.db.set_value("TV Site", site, "time_zone", "Mars/Olympus")
		tomorrow, failed, rounds = int(time.time()) + publish.DAY + 60, set(), 0
		while publish.resign_due(now=tomorrow, limit=2, failed=failed) and rounds < 1000:
			rounds += 1
		self.assertLess(rounds, 1000)
		self.assertIn(broken.serial, failed)
		self.assertEqual(row(broken.serial).expires_at, before[broken])
		self.assertGreater(row(sound.serial).expires_at, before[sound])

	def test_one_broken_subject_holds_nobody_up(self):
		broken = factories.make_subscription("Awaiting Activation")
		bound_tv(broken)
		site = frappe.db.get_value("TV Subscription", broken, "site")
		frappe.db.set_value("TV Site", site, "time_zone", "Mars/Olympus")
		tv = bound_tv(factories.make_subscription("Awaiting Activation"))
		publish_all()
		self.assertEqual(row(tv.serial).state, "Active")
		left = frappe.get_all("TV Rights Outbox", fields=["attempts", "error"])
		self.assertTrue(left)
		for found in left:
			self.assertEqual(found.attempts, 1)
			self.assertIn("Mars", found.error)


class TestFeed(FrappeTestCase):
	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.tv = bound_tv(factories.make_subscription("Awaiting Activation"))
		publish_all()
		frappe.db.commit()  # the feed reads on connections of its own
		cls.horizon = sweep.Horizon()
		cls.horizon.move(publish.current_sequence(), 1_800_000_000)
		cls.app = FeedApp(frappe.local.site, os.path.abspath(frappe.local.sites_path), cls.horizon)

	def get(self, target: str, authorization: str | None = None) -> tuple[str, dict, bytes]:
		path, _, query = target.partition("?")
		if authorization is None:
			authorization = feed.authorization(keys.feed_secret(), target, int(time.time()))
		environ = {
			"REQUEST_METHOD": "GET",
			"PATH_INFO": path,
			"QUERY_STRING": query,
			"HTTP_AUTHORIZATION": authorization,
		}
		started = []
		body = processes.on_own_thread(
			lambda: b"".join(
				self.app(environ, lambda status, headers: started.append((status, dict(headers))))
			)
		)
		return started[0][0], started[0][1], body

	def test_pages_are_complete_signed_and_dated(self):
		status, headers, body = self.get("/feed/snapshot?after=0")
		self.assertEqual(status, "200 OK")
		page = feed.decode_page(body, headers[feed.SIGNATURE_HEADER], keys.verifier())
		self.assertEqual((page.after, page.upto), (0, publish.current_sequence()))
		self.assertEqual((page.as_of, page.last), (1_800_000_000, True))
		found = {entry.subject: compact.opened(entry) for entry in page.rows}
		self.assertEqual(found[self.tv.serial].state, "Active")
		_status, headers, body = self.get(f"/feed/deltas?after={page.upto}&wait=0")
		delta = feed.decode_page(body, headers[feed.SIGNATURE_HEADER], keys.verifier())
		self.assertEqual((delta.after, delta.upto, delta.rows), (page.upto, page.upto, ()))

	def test_a_page_changed_on_the_way_is_refused(self):
		_status, headers, body = self.get("/feed/snapshot?after=0")
		with self.assertRaises(feed.BadPage):
			feed.decode_page(
				body.replace(b'"packed":"A', b'"packed":"B'), headers[feed.SIGNATURE_HEADER], keys.verifier()
			)

	def test_what_the_feed_refuses(self):
		now = int(time.time())
		for wrong in (
			"",
			"TV-Feed 1:x",
			feed.authorization(b"other", "/feed/snapshot", now),
			feed.authorization(keys.feed_secret(), "/feed/snapshot", now - 600),
		):
			self.assertEqual(self.get("/feed/snapshot", wrong)[0][:3], "401")
		self.assertEqual(self.get("/feed/deltas?after=999999999")[0][:3], "409")
		self.assertEqual(self.get("/feed/deltas?after=-1")[0][:3], "400")
		self.assertEqual(self.get("/feed/deltas?after=1%27")[0][:3], "400")
		self.assertEqual(self.get("/feed/other")[0][:3], "404")


class TestAtOnce(FrappeTestCase):
	def test_facts_from_before_anothers_turn_are_not_published(self):
		"""Also where that turn gave no number: the TV was suspended and resumed before anybody had published either."""
		subscription = factories.make_subscription("Awaiting Activation")
		tv = bound_tv(subscription)
		publish_all()
		change_state(subscription=subscription, event="suspend")
		frappe.db.commit()
		before = row(tv.serial)  # from here on this connection sees the suspension, and nothing later

		def another_publisher() -> str:
			change_state(subscription=subscription, event="resume")
			frappe.db.commit()
			publish_all()
			return "done"

		self.assertEqual(processes.on_own_connections(another_publisher), ["done"])
		publish.publish_pending()
		frappe.db.commit()
		self.assertEqual((row(tv.serial).state, row(tv.serial).seq), ("Active", before.seq))

	def test_desk_and_publishers_number_each_change_once(self):
		subscription = factories.make_subscription("Awaiting Activation", quantity=3)
		tvs = [bound_tv(subscription) for _n in range(3)]
		publish_all()
		change_state(subscription=subscription, event="suspend")
		frappe.db.commit()  # everybody below sees the change waiting
		before = publish.current_sequence()

		def publisher() -> str:
			while publish.publish_pending():
				frappe.db.commit()  # as the publisher does, chunk by chunk
			return "done"

		asked = [tv.asks() for tv in tvs] * 2
		answers = processes.on_own_connections(*asked, publisher, publisher)
		self.assertEqual(answers, ["suspended"] * 6 + ["done"] * 2)
		frappe.db.rollback()
		self.assertEqual(publish.current_sequence(), before + len(tvs))
		self.assertEqual(len({row(tv.serial).seq for tv in tvs}), len(tvs))


class TestSweep(FrappeTestCase):
	def test_a_change_does_not_wait_for_a_whole_days_signatures(self):
		subscription = factories.make_subscription("Awaiting Activation")
		tv = bound_tv(subscription)
		chunks = []

		def resign_due(**_arguments) -> int:
			if not chunks:
				change_state(subscription=subscription, event="suspend")
			chunks.append(row(tv.serial).state)
			return len(chunks) < 3

		with patch.object(publish, "resign_due", resign_due):
			sweep.sweep(sweep.Horizon(), resign=True)
		self.assertEqual(chunks, ["Active", "Suspended", "Suspended"])


class TestThreeProcesses(FrappeTestCase):
	"""The desk (this process), a publisher and an edge."""

	def setUp(self):
		self.folder = self.enterContext(tempfile.TemporaryDirectory())
		self.feed_port, self.edge_port = processes.free_port(), processes.free_port()
		self.subscription = factories.make_subscription("Awaiting Activation")
		self.tv = bound_tv(self.subscription)
		frappe.db.commit()  # the other processes see what is committed
		self.public_keys = os.path.join(self.folder, "jwks.json")
		with open(self.public_keys, "w") as file:
			json.dump(keys.public_keys(), file)

	def start_publisher(self):
		process = processes.start_publisher(self.feed_port)
		self.addCleanup(lambda: process.poll() is None and processes.stop(process))
		return process

	def edge_age(self) -> int:
		return json.loads(processes.get(f"http://127.0.0.1:{self.edge_port}/v1/health")[1])["age_seconds"]

	def edge_says(self, tv: TV) -> str:
		body = tv.question(processes.EDGE)
		url = f"http://127.0.0.1:{self.edge_port}/v1/auth"
		headers = {"Content-Type": "application/json"}
		try:
			with urlopen(Request(url, body, headers), timeout=5) as response:
				answer = json.loads(response.read())
		except OSError as error:
			answer = json.loads(error.read())
		return answer.get("code") or answer.get("decision") or answer["error"]

	def test_without_its_publisher_an_edge_grows_old_and_nothing_else(self):
		publisher = self.start_publisher()
		edge = processes.start_edge(self.folder, self.edge_port, self.feed_port, self.public_keys)
		self.addCleanup(processes.stop, edge)
		self.assertEqual(self.edge_says(self.tv), "allow")
		self.assertLess(self.edge_age(), 10)

		change_state(subscription=self.subscription, event="suspend")
		frappe.db.commit()
		processes.wait_for(lambda: self.edge_says(self.tv) == "suspended", edge)
		change_state(subscription=self.subscription, event="resume")
		frappe.db.commit()
		processes.wait_for(lambda: self.edge_says(self.tv) == "allow", edge)

		self.assertEqual(processes.stop(publisher), 0)
		age = self.edge_age()
		change_state(subscription=self.subscription, event="suspend")
		frappe.db.commit()
		processes.wait_for(lambda: self.edge_age() >= age + 3, edge)
		self.assertEqual(self.edge_says(self.tv), "allow")
		self.assertEqual(self.tv.decision(), "suspended")
		frappe.db.commit()

		self.start_publisher()
		processes.wait_for(lambda: self.edge_says(self.tv) == "suspended", edge)
		processes.wait_for(lambda: self.edge_age() <= 3, edge)
