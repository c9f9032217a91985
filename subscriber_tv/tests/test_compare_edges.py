"""The comparison of edges with the ERP, with a publisher and an edge as processes of their own."""

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing

import frappe
import msgspec
from frappe.tests.utils import FrappeTestCase

from subscriber_tv.core.activation import compact
from subscriber_tv.core.activation.compare import DIFFERENT, EXTRA, MISSING
from subscriber_tv.edge.store import sealed
from subscriber_tv.flows.activation import keys, store_rights
from subscriber_tv.flows.activation.compare_edges import compare_edges
from subscriber_tv.flows.activation.note_change import note_change
from subscriber_tv.flows.activation.unbind import unbind
from subscriber_tv.tests import factories, processes
from subscriber_tv.tests.test_activation import bound_tv
from subscriber_tv.tests.test_publisher import many_tvs, publish_all


class TestCompareEdges(FrappeTestCase):
	def setUp(self):
		self.folder = self.enterContext(tempfile.TemporaryDirectory())
		self.subscription = factories.make_subscription("Active", quantity=30)
		self.serials = many_tvs(self.subscription, 30)
		note_change("Subscription", self.subscription)
		publish_all()
		frappe.db.commit()  # the other processes see what is committed
		self.addCleanup(self.take_away)
		feed_port, self.port = processes.free_port(), processes.free_port()
		public_keys = os.path.join(self.folder, "jwks.json")
		with open(public_keys, "w") as file:
			json.dump(keys.public_keys(), file)
		self.publisher = processes.start_publisher(feed_port)
		self.addCleanup(lambda: self.publisher.poll() is None and processes.stop(self.publisher))
		edge = processes.start_edge(
			self.folder, processes.free_port(), feed_port, public_keys, METRICS_PORT=str(self.port)
		)
		self.addCleanup(processes.stop, edge)
		self.address = f"http://127.0.0.1:{self.port}"

	def take_away(self) -> None:
		"""Other tests sign all TVs that are committed."""
		frappe.db.rollback()
		names = [store_rights.name_of("Device", serial) for serial in self.serials]
		frappe.db.delete("TV Entitlement", {"name": ("in", names)})
		frappe.db.delete("TV Device", {"name": ("in", self.serials)})
		frappe.db.commit()

	def compared(self):
		frappe.db.rollback()
		(outcome,) = compare_edges({"south": self.address})
		return outcome

	def spoil(self, statement: str, *values) -> None:
		"""Change the edge's file behind its back."""
		with closing(sqlite3.connect(os.path.join(self.folder, "edge.db"))) as file, file:
			file.execute(statement, values)

	def test_differences_are_found_and_what_is_on_its_way_is_none(self):
		outcome = self.compared()
		self.assertEqual((outcome.problem, outcome.differences), ("", []))
		self.assertGreaterEqual(outcome.rows, 30)
		self.assertLess(outcome.age, 60)
		first, second, third = self.serials[:3]
		self.spoil("delete from device where serial = ?", first)
		self.spoil("update offer set hash = 'x' where name = (select min(name) from offer)")
		with closing(sqlite3.connect(os.path.join(self.folder, "edge.db"))) as file:
			(blob,) = file.execute("select entry from device where serial = ?", (second,)).fetchone()
		self.spoil("insert into device values ('EXTRA-000001', 1, ?)", sealed("EXTRA-000001", blob[4:]))
		entry = msgspec.structs.replace(compact.entry(second, blob[4:]), play_seconds=1)
		changed = compact.pack(entry)
		self.spoil("update device set entry = ? where serial = ?", sealed(second, changed), second)
		found = self.compared()
		kinds = {(one.kind, one.subject) for one in found.differences}
		self.assertIn((MISSING, first), kinds)
		self.assertIn((EXTRA, "EXTRA-000001"), kinds)
		self.assertIn((DIFFERENT, second), kinds)
		self.assertEqual(len(kinds), 4)
		processes.stop(self.publisher)
		unbind(device=third)
		note_change("Device", third)
		publish_all()
		frappe.db.commit()
		again = {(one.kind, one.subject) for one in self.compared().differences}
		self.assertEqual(again, kinds)

	def test_an_edge_that_cannot_be_asked(self):
		(gone,) = compare_edges({"north": f"http://127.0.0.1:{processes.free_port()}"})
		self.assertTrue(gone.problem)
		bound_tv(factories.make_subscription("Awaiting Activation"))
		name = frappe.generate_hash(length=12)
		frappe.get_doc({"doctype": "TV Edge", "name": f"{name}-{name}", "edge_name": name}).db_insert()
		problems = {found.edge: found.problem for found in compare_edges()}
		self.assertIn("no address", problems[name])

	def test_the_command(self):
		command = ["frappe", "--site", frappe.local.site, "subscriber-tv", "compare-edges"]

		def run(*arguments):
			return subprocess.run(
				[sys.executable, "-m", "frappe.utils.bench_helper", *command, *arguments],
				cwd=frappe.local.sites_path,
				capture_output=True,
				text=True,
			)

		good = run("--edge", f"south={self.address}")
		self.assertEqual((good.returncode, good.stderr), (0, ""))
		self.assertIn(", 0 differences", good.stdout)
		self.spoil("delete from device where serial = ?", self.serials[7])
		bad = run("--edge", f"south={self.address}")
		self.assertEqual(bad.returncode, 1)
		self.assertIn(f"{self.serials[7]} missing (published as ", bad.stdout)
