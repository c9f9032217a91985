"""The publisher is killed, its Redis is lost: no change is lost by it, and an edge ends up as the ERP has it."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from unittest import SkipTest
from unittest.mock import patch

import frappe
from frappe.tests.utils import FrappeTestCase

from subscriber_tv.flows.activation import keys, publish
from subscriber_tv.flows.activation.compare_edges import compare_edges
from subscriber_tv.flows.contracts.change_state import change_state
from subscriber_tv.tests import factories, processes
from subscriber_tv.tests.test_activation import bound_tv
from subscriber_tv.tests.test_publisher import publish_all


class PublisherAndEdge(FrappeTestCase):
	"""A bound TV, a publisher and an edge, each a process of its own."""

	def setUp(self):
		self.folder = self.enterContext(tempfile.TemporaryDirectory())
		self.feed_port, self.port, self.operations = (processes.free_port() for _each in range(3))
		self.subscription = factories.make_subscription("Awaiting Activation")
		self.tv = bound_tv(self.subscription)
		publish_all()
		frappe.db.commit()  # the other processes see what is committed
		self.public_keys = os.path.join(self.folder, "jwks.json")
		with open(self.public_keys, "w") as file:
			json.dump(keys.public_keys(), file)

	def start(self):
		self.start_publisher()
		self.edge = processes.start_edge(
			self.folder, self.port, self.feed_port, self.public_keys, METRICS_PORT=str(self.operations)
		)
		self.addCleanup(processes.stop, self.edge)

	def start_publisher(self):
		self.publisher = publisher = processes.start_publisher(self.feed_port)
		self.addCleanup(lambda: publisher.poll() is None and processes.stop(publisher))

	def change(self, event: str) -> int:
		"""Suspend or resume, as staff do; the last number before."""
		frappe.db.rollback()
		before = publish.current_sequence()
		change_state(subscription=self.subscription, event=event)
		frappe.db.commit()
		return before

	def numbered(self, before: int) -> bool:
		frappe.db.rollback()
		return publish.current_sequence() > before

	def held(self) -> int:
		return json.loads(processes.get(f"http://127.0.0.1:{self.port}/v1/health")[1])["seq"]

	def differs(self) -> bool:
		frappe.db.rollback()
		(outcome,) = compare_edges({"edge": f"http://127.0.0.1:{self.operations}"})
		return bool(outcome.problem or outcome.differences or outcome.seq != publish.current_sequence())


class TestPublisherKilled(PublisherAndEdge):
	def test_what_was_numbered_and_not_sent_is_sent_by_the_next_one(self):
		self.start()
		for event in ("suspend", "resume"):
			# The edge's main process stands still. Once its last question is answered it asks no more, so that what is
			# numbered then cannot have been sent.
			self.edge.send_signal(signal.SIGSTOP)
			try:
				time.sleep(processes.FEED_WAIT + 1)
				before = self.change(event)
				processes.wait_for(lambda before=before: self.numbered(before))
				self.publisher.kill()
				self.publisher.wait()
			finally:
				self.edge.send_signal(signal.SIGCONT)
			self.assertLess(self.held(), publish.current_sequence())
			self.start_publisher()
			processes.wait_for(lambda: not self.differs())


class TestRedisLost(PublisherAndEdge):
	"""A Redis of this test's own is killed, so that nobody else loses theirs."""

	def setUp(self):
		self.program = shutil.which("redis-server")
		if not self.program:
			raise SkipTest("needs redis-server")
		super().setUp()
		self.redis_port = processes.free_port()
		path = os.path.join(frappe.local.site_path, "site_config.json")
		with open(path) as file:
			before = file.read()
		self.addCleanup(self.put_back, path, before)
		address = f"redis://127.0.0.1:{self.redis_port}"
		with open(path, "w") as file:
			json.dump({**json.loads(before), "redis_cache": address, "redis_queue": address}, file, indent=1)
		self.start_redis()

	@staticmethod
	def put_back(path: str, before: str) -> None:
		with open(path, "w") as file:
			file.write(before)

	def start_redis(self):
		command = [self.program, "--port", str(self.redis_port), "--save", "", "--dir", self.folder]
		self.redis = subprocess.Popen(command, stdout=subprocess.DEVNULL)
		self.addCleanup(lambda: self.redis.poll() is None and self.redis.kill())
		time.sleep(0.5)

	def test_changes_reach_the_edge_without_it_and_after_it(self):
		self.start()
		self.redis.kill()
		self.redis.wait()
		# Who changes something finds no Redis either.
		with patch.object(frappe.cache, "publish", side_effect=ConnectionError):
			before = self.change("suspend")
		processes.wait_for(lambda: self.held() > before)
		self.start_redis()
		before = self.change("resume")
		processes.wait_for(lambda: self.held() > before)
		processes.wait_for(lambda: not self.differs())
