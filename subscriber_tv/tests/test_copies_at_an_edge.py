"""Two sets with one flash, from their questions at an edge to what they are told there: as far as their offer goes, no further."""

import json
import os
import tempfile
from copy import deepcopy

import frappe
from frappe.tests.utils import FrappeTestCase
from frappe.utils import add_to_date, now_datetime

from subscriber_tv.api import fleet
from subscriber_tv.flows.activation import bind, keys, publish, store_rights
from subscriber_tv.flows.contracts.change_lines import change_lines
from subscriber_tv.simulator.http import Service
from subscriber_tv.simulator.tv import BARKER, PLAYING, Tv
from subscriber_tv.tests import factories, processes
from subscriber_tv.tests.television import TV
from subscriber_tv.tests.test_activation import delivered_tv, line_of

POLICIES = ("Watch", "Restrict", "Quarantine")


class TestCopiesAtAnEdge(FrappeTestCase):
	def setUp(self):
		folder = self.enterContext(tempfile.TemporaryDirectory())
		self.secrets = {policy: self.sell(policy) for policy in POLICIES}
		while publish.publish_pending():
			pass
		frappe.db.commit()  # the other processes see what is committed
		self.addCleanup(self.take_away)
		feed_port, port = processes.free_port(), processes.free_port()
		public_keys = os.path.join(folder, "jwks.json")
		with open(public_keys, "w") as file:
			json.dump(keys.public_keys(), file)
		publisher = processes.start_publisher(feed_port)
		self.addCleanup(processes.stop, publisher)
		edge = processes.start_edge(folder, port, feed_port, public_keys, TELEMETRY_EVERY="0.3")
		self.addCleanup(processes.stop, edge)
		self.edge = f"http://127.0.0.1:{port}"

	def sell(self, policy: str) -> TV:
		"""A TV without a key store, bound to an offer with this policy and an option that widens it."""
		code = f"COPY-{policy.upper()}"
		subscription = factories.make_subscription(
			"Awaiting Activation",
			lines=[{"offer_version": factories.make_offer_version(code), "quantity": 1}],
		)
		bouquet = factories.make_bouquet("COPY-SPORT", ("SPORT-1",))
		sport = factories.make_offer_version("COPY-SPORT", bouquets=[{"bouquet": bouquet}])
		frappe.db.set_value("TV Offer", code, "clone_policy", policy)
		tv = TV(delivered_tv(subscription).serial, small=True)
		bind.bind_by_code(subscription=subscription, line_id=line_of(subscription), code=tv.code())
		option = {"offer_version": sport, "quantity": 1, "option_of": line_of(subscription)}
		change_lines(subscription=subscription, steps=[option])
		# What came before the pairing is void, and it was paired just now.
		earlier = add_to_date(now_datetime(), minutes=-5)
		frappe.db.set_value("TV Device", tv.serial, "bound_on", earlier)
		return tv

	def take_away(self) -> None:
		"""Other tests sign all TVs that are committed."""
		frappe.db.rollback()
		serials = [tv.serial for tv in self.secrets.values()]
		names = [store_rights.name_of("Device", serial) for serial in serials]
		frappe.db.delete("TV Entitlement", {"name": ("in", names)})
		frappe.db.delete("TV Device Evidence", {"device": ("in", serials)})
		frappe.db.delete("TV Device", {"name": ("in", serials)})
		frappe.db.commit()

	def two_sets(self, policy: str) -> tuple[Tv, Tv]:
		"""An original, and a copy of its flash from before it was last used."""
		sold = self.secrets[policy]
		original, copy = (Tv(sold.serial, Service(self.edge), sold.secret) for _ in range(2))
		self.assertEqual(original.power_on().kind, PLAYING)
		copy.memory = deepcopy(original.memory)
		self.assertEqual(len(original.power_on().documents), 2, "the offer and its option")
		return original, copy

	def is_told(self, tv: Tv, kind: str, code: str = "", documents: int = 0) -> None:
		"""Soon enough the edge tells the TV this."""

		def told() -> bool:
			screen = tv.power_on()
			return (screen.kind, screen.code, len(screen.documents)) == (kind, code, documents)

		processes.wait_for(told, seconds=30)

	def suspected(self, tv: Tv, level: str) -> None:
		def is_suspected() -> bool:
			frappe.db.rollback()
			return frappe.db.get_value("TV Device", tv.serial, "suspicion") == level

		processes.wait_for(is_suspected, seconds=30)

	def kinds(self, tv: Tv) -> set[str]:
		return set(frappe.get_all("TV Device Evidence", {"device": tv.serial, "cleared": 0}, pluck="kind"))

	def both_stream(self, original: Tv, copy: Tv) -> None:
		for tv, name in ((original, "a"), (copy, "b"), (original, "a")):
			tv.power_on()
			self.assertEqual(tv.stream("start", "CH1", name).status, 200)

	def test_watch_restrict_and_quarantine(self):
		pairs = {policy: self.two_sets(policy) for policy in POLICIES}
		for original, copy in pairs.values():
			for tv in (copy, original):
				self.assertEqual(tv.power_on().kind, PLAYING)

		watched, _copy = pairs["Watch"]
		self.suspected(watched, "Watched")
		self.assertEqual(self.kinds(watched), {"restored", "forked"})
		self.assertEqual(len(watched.power_on().documents), 2)

		for policy in ("Restrict", "Quarantine"):
			for tv in pairs[policy]:
				# It keeps its line and loses the option that widens it.
				self.is_told(tv, PLAYING, documents=1)
		self.assertEqual(watched.stream("start", "SPORT-1", "s").status, 200)
		restricted, _copy = pairs["Restrict"]
		restricted.power_on()
		self.assertEqual(restricted.stream("start", "CH1", "s").status, 200)
		self.assertEqual(restricted.stream("start", "SPORT-1", "s").status, 403)

		for original, copy in pairs.values():
			self.both_stream(original, copy)
		for tv in pairs["Quarantine"]:
			# The simulated TV shows the text of a denial only when the operator signed it.
			self.is_told(tv, BARKER, "quarantined")
		self.is_told(restricted, PLAYING, documents=1)
		self.is_told(watched, PLAYING, documents=2)

		self.clears(pairs["Quarantine"][0])

	def clears(self, original: Tv) -> None:
		"""One click: the rights are back, and what was cleared counts no more when the next sign comes."""
		frappe.db.rollback()
		self.assertGreaterEqual(fleet.clear_evidence(device=original.serial, reason="The copy was found"), 3)
		frappe.db.commit()
		self.is_told(original, PLAYING, documents=2)
		self.assertEqual(self.kinds(original), set())
		original.memory.counts.clear()
		original.memory.lines.clear()
		self.assertEqual(original.power_on().kind, PLAYING)

		def is_noted() -> bool:
			frappe.db.rollback()
			return self.kinds(original) == {"resync"}

		processes.wait_for(is_noted, seconds=30)
		found = frappe.db.get_value("TV Device", original.serial, ["suspicion", "credential_state"])
		self.assertEqual(found, (None, "Active"))
