"""What edges answered stands beside what the desk answered: counted once, whatever is sent twice or fails half-way."""

import io
import json
import os
import tempfile
import time
from unittest.mock import patch
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import frappe
from frappe.tests.utils import FrappeTestCase
from frappe.utils import add_to_date, now_datetime

from subscriber_tv.api.feed import FeedApp
from subscriber_tv.core.activation import feed, report, rollup, telemetry
from subscriber_tv.core.devices import heartbeats
from subscriber_tv.flows.activation import keys, note_edge, publish, sweep
from subscriber_tv.flows.activation.record_answer import local_time
from subscriber_tv.flows.activation.take_answers import take_answers
from subscriber_tv.tests import factories, processes
from subscriber_tv.tests.test_activation import TV, bound_tv
from subscriber_tv.tests.test_devices import switch


def new_edge(name: str = "south") -> str:
	return report.identity(name, os.urandom(6).hex())


def allowed(tv: TV, count: int = 1, *, ago: int = 0, lasted: int = 0) -> report.Row:
	first = int(time.time()) - ago
	return report.Row("Allowed", count, first, first + lasted, serial=tv.serial, version=3)


class FeedCase(FrappeTestCase):
	"""A TV that is bound, and the feed application over this site."""

	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.subscription = factories.make_subscription("Awaiting Activation")
		cls.tv = bound_tv(cls.subscription)
		while publish.publish_pending():
			pass
		frappe.db.commit()  # the feed reads and writes on connections of its own
		cls.horizon = sweep.Horizon()
		cls.horizon.move(publish.current_sequence(), int(time.time()))
		cls.app = FeedApp(frappe.local.site, os.path.abspath(frappe.local.sites_path), cls.horizon)

	def setUp(self):
		frappe.db.set_value("TV Device", self.tv.serial, "first_power_on", None)
		frappe.db.commit()
		self.edge = new_edge()

	def ask(self, method: str, target: str, body: bytes = b"", **environ: str) -> tuple[int, dict]:
		"""Status and JSON of one request on a connection of its own; what it committed can be read afterwards."""
		path, _, query = target.partition("?")
		authorization = feed.authorization(
			keys.feed_secret(), target, int(time.time()), method=method, body=body
		)
		asked = {
			"REQUEST_METHOD": method,
			"PATH_INFO": path,
			"QUERY_STRING": query,
			"HTTP_AUTHORIZATION": authorization,
			"CONTENT_LENGTH": str(len(body)),
			"wsgi.input": io.BytesIO(body),
			**environ,
		}
		started: list[str] = []
		answer = processes.on_own_thread(
			lambda: b"".join(self.app(asked, lambda status, _headers: started.append(status)))
		)
		frappe.db.rollback()
		return int(started[0][:3]), json.loads(answer)

	def send(self, *rows: report.Row, number: int = 1, **environ: str) -> tuple[int, dict]:
		body = report.encode(report.Batch(self.edge, number, rows))
		return self.ask("POST", report.ANSWERS_PATH, body, **environ)

	def counted(self, serial: str, audience: str = "south") -> int:
		rows = frappe.get_all(
			"TV Activation", {"device": serial, "audience": audience}, pluck="count", limit=0
		)
		return sum(rows)


class TestTelemetry(FeedCase):
	def test_an_edge_tells_of_heartbeats_and_lost_counts(self):
		now = int(time.time())
		serial = self.tv.serial
		hour = heartbeats.one(
			serial, heartbeats.read({"up": "60", "temp": "41"}), at=now, network="192.0.2.0/24"
		)
		resync = telemetry.Sign(serial, now, 17, "192.0.2.0/24")
		(body,) = telemetry.encode(self.edge, [hour], [resync])
		self.assertEqual(self.ask("POST", telemetry.TELEMETRY_PATH, body)[0], 200)
		kept = frappe.get_all("TV Device Hour", {"device": serial}, ["beats", "temperature"])
		self.assertEqual([(row.beats, row.temperature) for row in kept], [(1, 41)])
		sign = frappe.get_all("TV Device Evidence", {"device": serial}, ["kind", "counter", "audience"])
		self.assertIn(("resync", "17", "south"), [(row.kind, row.counter, row.audience) for row in sign])

	def test_nonsense_is_refused_and_strangers_are_not_heard(self):
		for body in (b"", b"{}", b"[]", json.dumps({"edge": self.edge, "hours": [{"serial": "x"}]}).encode()):
			self.assertEqual(self.ask("POST", telemetry.TELEMETRY_PATH, body)[0], 400)
		(body,) = telemetry.encode(self.edge, [], [telemetry.Sign(self.tv.serial, 1, 1)])
		forged = self.ask("POST", telemetry.TELEMETRY_PATH, body, HTTP_AUTHORIZATION="TV-Feed 1:x")
		self.assertEqual(forged[0], 401)


class TestBatches(FeedCase):
	def test_edge_and_desk_count_in_the_same_rows(self):
		now = int(time.time())
		network = f"100.64.{now % 256}.0/24"  # of no other test
		strangers = rollup.named(rollup.STRANGERS, when=now, code="unknown_serial", network=network)
		before = self.counted(self.tv.serial)
		row = report.Row("Stranger", 5, now, now, code="unknown_serial", network=network)
		self.assertEqual(self.send(allowed(self.tv, 3), row), (200, {"batch": 1, "counted": True}))
		self.send(allowed(self.tv), row, number=2)
		self.assertEqual(self.counted(self.tv.serial) - before, 4)
		found = frappe.get_doc("TV Activation", strangers.key)
		self.assertEqual((found.kind, found.network, found.audience), ("Stranger", network, "south"))
		self.assertEqual((found.count, found.first_at), (10, local_time(now)))

	def test_first_and_last_span_what_was_counted(self):
		noon = int(time.time()) // 86_400 * 86_400 - 43_200
		common = {"code": "ended", "serial": self.tv.serial, "version": noon % 10**6}
		bucket = rollup.named(rollup.REFUSED, when=noon, **common)
		before = frappe.db.get_value("TV Activation", bucket.key, "count") or 0
		for number, at in enumerate((noon + 2, noon, noon + 1), 1):
			self.send(report.Row("Refused", 1, at, at, **common), number=number)
		found = frappe.db.get_value("TV Activation", bucket.key, ["count", "first_at", "last_at"])
		self.assertEqual(found, (before + 3, local_time(noon), local_time(noon + 2)))

	def test_a_batch_sent_again_counts_once(self):
		before = self.counted(self.tv.serial)
		for number, is_new in ((1, True), (1, False), (7, True), (3, False)):
			answer = self.send(allowed(self.tv), number=number)
			self.assertEqual(answer, (200, {"batch": number, "counted": is_new}))
		self.assertEqual(self.counted(self.tv.serial) - before, 2)
		self.assertEqual(frappe.db.get_value("TV Edge", self.edge, ["edge_name", "last_batch"]), ("south", 7))

	def test_the_same_batch_twice_at_the_same_time_counts_once(self):
		before = self.counted(self.tv.serial)
		batch = report.Batch(self.edge, 1, (allowed(self.tv),))
		taken = processes.on_own_connections(*[lambda: take_answers(batch, now=int(time.time()))] * 4)
		frappe.db.rollback()
		self.assertEqual(sorted(taken), [False, False, False, True])
		self.assertEqual(self.counted(self.tv.serial) - before, 1)

	def test_what_fails_half_way_leaves_nothing(self):
		before = self.counted(self.tv.serial)
		with patch.object(note_edge, "note_batch", side_effect=RuntimeError("the power is gone")):
			with self.assertLogs("subscriber_tv.publisher", "ERROR"):
				self.assertEqual(self.send(allowed(self.tv))[0], 503)
		self.assertFalse(frappe.db.exists("TV Edge", self.edge))
		self.assertEqual(self.counted(self.tv.serial), before)
		self.assertTrue(self.send(allowed(self.tv))[1]["counted"])
		self.assertEqual(self.counted(self.tv.serial) - before, 1)

	def test_edges_of_one_name_do_not_hide_each_other(self):
		before = self.counted(self.tv.serial)
		self.send(allowed(self.tv))
		self.edge = new_edge()
		self.assertTrue(self.send(allowed(self.tv))[1]["counted"])
		self.assertEqual(self.counted(self.tv.serial) - before, 2)

	def test_a_serial_that_is_no_tv_of_ours_gets_no_row(self):
		self.send(allowed(TV("NEVER-SEEN-9"), 4))
		self.assertFalse(frappe.db.exists("TV Activation", {"device": "NEVER-SEEN-9"}))
		name = rollup.named(rollup.ALLOWED, when=int(time.time()), audience="south").key
		self.assertEqual(frappe.db.get_value("TV Activation", name, ["code", "device"]), ("overflow", None))

	def test_a_full_batch(self):
		now = int(time.time())
		networks = [f"10.{n // 250}.{n % 250}.0/24" for n in range(report.BATCH_ROWS)]
		rows = [
			report.Row("Stranger", 1, now, now, code="not_bound", network=network) for network in networks
		]
		before = frappe.db.count("TV Activation", {"network": ("in", networks)})
		self.assertTrue(self.send(*rows)[1]["counted"])
		after = frappe.db.count("TV Activation", {"network": ("in", networks)})
		self.assertGreaterEqual(after, len(networks))
		self.assertLessEqual(after - before, len(networks))


class TestFirstPowerOn(FeedCase):
	def first(self):
		return frappe.db.get_value("TV Device", self.tv.serial, "first_power_on")

	def bind_at(self, moment) -> None:
		frappe.db.set_value("TV Device", self.tv.serial, "bound_on", moment)
		frappe.db.commit()

	def test_the_first_allowed_one_is_noted_and_stays(self):
		self.bind_at(add_to_date(now_datetime(), hours=-2))
		row = allowed(self.tv, ago=60)
		self.send(row)
		self.assertEqual(self.first(), local_time(row.first))
		self.send(allowed(self.tv, ago=3600), number=2)
		self.assertEqual(self.first(), local_time(row.first))

	def test_one_of_an_earlier_binding_is_not_this_ones(self):
		bound = add_to_date(now_datetime(), hours=-1).replace(microsecond=0)
		self.bind_at(bound)
		self.send(allowed(self.tv, ago=7200))
		self.assertIsNone(self.first())
		self.send(allowed(self.tv, ago=7200, lasted=7000), number=2)
		self.assertEqual(self.first(), bound)

	def test_a_refusal_is_none(self):
		now = int(time.time())
		self.send(report.Row("Refused", 1, now, now, code="ended", serial=self.tv.serial))
		self.assertIsNone(self.first())


class TestWhatIsRefused(FeedCase):
	def test_without_the_secret_or_with_another_body(self):
		now, other = int(time.time()), feed.authorization
		for wrong in (
			"",
			other(b"other", report.ANSWERS_PATH, now, method="POST"),
			other(keys.feed_secret(), report.ANSWERS_PATH, now, method="POST", body=b"{}"),
			other(keys.feed_secret(), report.ANSWERS_PATH, now),
		):
			self.assertEqual(self.send(allowed(self.tv), HTTP_AUTHORIZATION=wrong)[0], 401)
		self.assertFalse(frappe.db.exists("TV Edge", self.edge))

	def test_frame_of_a_request(self):
		self.assertEqual(self.ask("POST", report.ANSWERS_PATH, b"{}")[0], 400)
		self.assertEqual(self.send(CONTENT_LENGTH="")[0], 400)
		self.assertEqual(self.send(CONTENT_LENGTH="-1")[0], 400)
		self.assertEqual(self.ask("POST", report.ANSWERS_PATH, b" " * (report.MAX_BYTES + 1))[0], 413)
		self.assertEqual(self.ask("GET", report.ANSWERS_PATH)[0], 405)
		self.assertEqual(self.ask("POST", "/feed/deltas")[0], 405)

	def test_with_the_phase_off_counts_wait_at_the_edge(self):
		switch("activation_enabled", 0)
		frappe.db.commit()
		try:
			self.assertEqual(self.send(allowed(self.tv))[0], 503)
		finally:
			switch("activation_enabled", 1)
			frappe.db.commit()
		self.assertFalse(frappe.db.exists("TV Edge", self.edge))


class TestEdges(FeedCase):
	def reached(self) -> tuple:
		return frappe.db.get_value("TV Edge", self.edge, ["seq", "as_of"])

	def test_an_edge_is_noted_once_a_minute(self):
		now = int(time.time())
		seq = publish.current_sequence()
		question = f"/feed/deltas?after={{}}&wait=0&edge={self.edge}&as_of={now - 7}"
		self.assertEqual(self.ask("GET", question.format(seq - 1))[0], 200)
		self.assertEqual(self.reached(), (seq - 1, local_time(now - 7)))
		self.ask("GET", question.format(seq))
		self.assertEqual(self.reached()[0], seq - 1)
		frappe.db.set_value("TV Edge", self.edge, "last_heard", add_to_date(now_datetime(), seconds=-70))
		frappe.db.commit()
		self.ask("GET", question.format(seq))
		self.assertEqual(self.reached()[0], seq)
		self.assertEqual(frappe.db.get_value("TV Edge", self.edge, "edge_name"), "south")

	def test_whatever_an_edge_calls_itself_it_gets_its_news(self):
		for given in ("edge=x%27y", "edge=", "as_of=5", f"edge={self.edge}"):
			self.assertEqual(self.ask("GET", f"/feed/deltas?after=0&wait=0&{given}")[0], 200)
		self.assertEqual(self.reached(), (0, None))
		with patch.object(note_edge, "note_edge", side_effect=RuntimeError):
			with self.assertLogs("subscriber_tv.publisher", "ERROR"):
				self.assertEqual(self.ask("GET", f"/feed/deltas?after=0&wait=0&edge={self.edge}")[0], 200)

	def test_only_the_feed_writes_it(self):
		meta = frappe.get_meta("TV Edge")
		self.assertTrue(meta.in_create)
		for rights in meta.permissions:
			self.assertFalse(rights.write or rights.create, rights.role)


class TestThreeProcesses(FeedCase):
	def test_a_power_on_at_an_edge_is_seen_at_the_desk(self):
		folder = self.enterContext(tempfile.TemporaryDirectory())
		feed_port, edge_port = processes.free_port(), processes.free_port()
		public_keys = os.path.join(folder, "jwks.json")
		with open(public_keys, "w") as file:
			json.dump(keys.public_keys(), file)
		publisher = processes.start_publisher(feed_port)
		self.addCleanup(processes.stop, publisher)
		edge = processes.start_edge(folder, edge_port, feed_port, public_keys)
		self.addCleanup(processes.stop, edge)
		before = self.counted(self.tv.serial, "edge-test")

		body = self.tv.question(processes.EDGE)
		url = f"http://127.0.0.1:{edge_port}/v1/auth"
		try:
			with urlopen(Request(url, body, {"Content-Type": "application/json"}), timeout=5) as response:
				self.assertEqual(response.status, 200)
		except HTTPError as error:
			self.fail(error.read())

		def is_counted() -> bool:
			frappe.db.rollback()
			return self.counted(self.tv.serial, "edge-test") == before + 1

		processes.wait_for(is_counted, edge)
		self.assertTrue(frappe.db.get_value("TV Device", self.tv.serial, "first_power_on"))
		found = frappe.get_last_doc("TV Edge", {"edge_name": "edge-test"})
		self.assertEqual(found.last_batch, 1)
		self.assertGreater(found.as_of, add_to_date(now_datetime(), minutes=-2))
