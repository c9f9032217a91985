"""Signs of a copy: kept once, judged within the offer's policy, told by an Issue, cleared by one click."""

import frappe
from frappe.utils import add_to_date, now_datetime

from subscriber_tv.api import fleet
from subscriber_tv.core.devices import clones
from subscriber_tv.core.mqtt import payloads, presence, topics
from subscriber_tv.flows.activation.unbind import unbind
from subscriber_tv.flows.mqtt import listen
from subscriber_tv.flows.support import raise_alarm
from subscriber_tv.flows.support.clear_evidence import NothingToClear
from subscriber_tv.flows.support.judge_copies import judge_copies
from subscriber_tv.flows.support.note_evidence import KEPT, Sign, note_evidence
from subscriber_tv.tests.contract_case import make_user
from subscriber_tv.tests.fleet_case import FleetCase


class TestCopiedTVs(FleetCase):
	def policy(self, serial: str, policy: str) -> None:
		subscription = frappe.db.get_value("TV Device", serial, "subscription")
		version = frappe.get_doc("TV Subscription", subscription).lines[0].offer_version
		offer = frappe.db.get_value("TV Offer Version", version, "offer")
		frappe.db.set_value("TV Offer", offer, "clone_policy", policy)

	def issue(self, serial: str) -> frappe._dict | None:
		name = frappe.db.get_value("TV Alarm", raise_alarm.copy_name(serial), "issue")
		return (
			frappe.db.get_value("Issue", name, ["name", "status", "customer"], as_dict=True) if name else None
		)

	def test_three_forks_quarantine_and_one_click_gives_the_rights_back(self):
		serial = self.tv()
		self.assertEqual(self.decision(serial), "allow")
		self.forks(serial, 3, 2)
		self.assertEqual(
			self.device(serial), {"credential_state": "Active", "suspicion": "Watched", "suspicion_score": 70}
		)
		self.assertEqual(self.decision(serial), "allow")
		self.assertIsNone(self.issue(serial))

		self.forks(serial, 1)

		self.assertEqual(self.device(serial).credential_state, "Quarantined")
		self.assertEqual(self.decision(serial), "quarantined")
		issue = self.issue(serial)
		self.assertEqual(issue.status, "Open")
		self.assertEqual(issue.customer, frappe.db.get_value("TV Device", serial, "customer"))

		self.assertEqual(fleet.clear_evidence(device=serial, reason="Swapped main board"), 3)

		self.assertEqual(
			self.device(serial), {"credential_state": "Active", "suspicion": None, "suspicion_score": 0}
		)
		self.assertEqual(self.decision(serial), "allow")
		self.assertEqual(self.issue(serial).status, "Closed")
		events = frappe.get_all("TV Device Event Line", {"parent": serial}, pluck="event", order_by="idx")
		self.assertEqual(events[-3:], ["Suspected", "Suspected", "Cleared"])
		self.forks(serial, 2.5, 1.5, 0.5)
		self.assertEqual(self.device(serial).suspicion_score, 0, "seen before it was cleared, told only now")
		frappe.db.set_value(
			"TV Device Evidence", {"device": serial}, "cleared_on", add_to_date(now_datetime(), days=-2)
		)
		self.forks(serial, 0.4)
		self.assertEqual(self.device(serial).suspicion_score, 105, "what came since counts")

	def test_the_offer_says_how_far_it_goes(self):
		for policy, level, told in (("Watch", "Watched", "allow"), ("Restrict", "Restricted", "allow")):
			with self.subTest(policy):
				serial = self.tv()
				self.policy(serial, policy)
				self.forks(serial, 3, 2, 1)
				self.assertEqual((self.device(serial).suspicion, self.decision(serial)), (level, told))
				self.policy(serial, "Quarantine")

	def test_a_line_that_comes_back_restricts_and_a_second_time_quarantines(self):
		serial = self.tv()

		def notes(kind: str, hours_ago: float) -> None:
			seen = clones.Evidence(kind, int(self.now - hours_ago * 3600), "192.0.2.0/24")
			note_evidence([Sign(serial, seen, "south")], now=self.now)

		notes(clones.RESTORED, 30)
		self.assertEqual(self.device(serial).suspicion, None)
		notes(clones.FORKED, 29)
		self.assertEqual(self.device(serial).suspicion, "Restricted")
		self.assertEqual(self.decision(serial), "allow")
		self.assertEqual(self.issue(serial).status, "Open")
		notes(clones.FORKED, 2)
		self.assertEqual(
			(self.device(serial).suspicion, self.decision(serial)), ("Quarantined", "quarantined")
		)

	def test_a_place_at_the_broker_that_is_taken_again_and_again_is_a_sign(self):
		serial = self.tv()
		heard = presence.Presence()
		for second in range(4):
			address = topics.Address("d", serial, topics.STATE)
			heard.take(presence.Heard(address, payloads.ONLINE, False, self.now - 10 + second))
		listen.note_takeovers(heard.taken_over(), self.now)
		found = frappe.get_all("TV Device Evidence", {"device": serial}, ["kind", "count", "audience"])
		self.assertEqual([tuple(row.values()) for row in found], [("takeover", 3, "broker")])
		self.assertEqual(self.device(serial).suspicion, None, "one sign alone watches nobody")

	def test_a_sign_told_twice_is_one(self):
		serial = self.tv()
		for _turn in range(3):
			self.forks(serial, 3, 2)
		self.assertEqual(frappe.db.count("TV Device Evidence", {"device": serial}), 2)
		self.assertEqual(self.device(serial).suspicion_score, 70)

	def test_signs_are_bounded(self):
		serial = self.tv()
		self.forks(serial, *(number / 100 for number in range(1, KEPT + 40)))
		self.assertEqual(frappe.db.count("TV Device Evidence", {"device": serial}), KEPT)

	def test_an_unknown_serial_leaves_no_trace(self):
		note_evidence([Sign("NOBODY-1", clones.Evidence(clones.RESYNC, self.now))], now=self.now)
		self.assertFalse(frappe.db.exists("TV Device Evidence", {"device": "NOBODY-1"}))

	def test_pairing_anew_voids_what_was_said_of_the_old_key(self):
		serial = self.tv()
		self.forks(serial, 3, 2, 1)
		unbind(device=serial, reason="New key")
		self.assertEqual(self.device(serial).credential_state, "Stocked")
		frappe.db.set_value(
			"TV Device",
			serial,
			{
				"credential_state": "Active",
				"line_id": "L1",
				"key_hash": "n" * 43,
				"bound_on": frappe.utils.now_datetime(),
			},
		)
		judge_copies([serial], now=self.now + 60)
		self.assertIsNone(self.device(serial).suspicion)

	def test_suspicion_fades_and_quarantine_does_not(self):
		watched, quarantined = self.tvs(2)
		self.forks(watched, 3, 2)
		self.forks(quarantined, 3, 2, 1)
		later = self.now + 30 * clones.DAY
		self.assertEqual(judge_copies([watched, quarantined], now=later), [watched])
		self.assertIsNone(self.device(watched).suspicion)
		self.assertEqual(self.device(quarantined).credential_state, "Quarantined")

	def test_a_sign_of_the_whole_fleet_accuses_nobody(self):
		serials = self.tvs(60)
		hour = self.now // 3600 * 3600 - 3 * clones.DAY
		signs = [Sign(serial, clones.Evidence(clones.RESYNC, hour + 30)) for serial in serials]
		note_evidence(signs, now=self.now)
		self.forks(serials[0], 2, 1)
		self.assertEqual(self.device(serials[0]).suspicion_score, 70, "the third is everybody's")
		self.assertEqual(frappe.db.count("TV Device", {"name": ("in", serials), "suspicion": ("!=", "")}), 1)

	def test_who_may_clear(self):
		serial = self.tv()
		self.forks(serial, 2, 1)
		logistics, support = make_user("TV Logistics"), make_user("TV Support")
		frappe.set_user(logistics)
		with self.assertRaises(frappe.PermissionError):
			fleet.clear_evidence(device=serial, reason="Please")
		frappe.set_user(support)
		with self.assertRaises(frappe.MandatoryError):
			fleet.clear_evidence(device=serial, reason=" ")
		self.assertEqual(fleet.clear_evidence(device=serial, reason="Looked at it"), 2)
		with self.assertRaises(NothingToClear):
			fleet.clear_evidence(device=serial, reason="Again")
		frappe.set_user("Administrator")
		cleared = frappe.get_all("TV Device Evidence", {"device": serial}, ["cleared", "cleared_reason"])
		self.assertEqual({(row.cleared, row.cleared_reason) for row in cleared}, {(1, "Looked at it")})

	def test_an_issue_that_somebody_works_on_stays_open(self):
		serial = self.tv()
		self.forks(serial, 3, 2, 1)
		frappe.db.set_value("Issue", self.issue(serial).name, "status", "Replied")
		fleet.clear_evidence(device=serial, reason="Known")
		self.assertEqual(self.issue(serial).status, "Replied")
		comments = frappe.get_all(
			"Comment", {"reference_name": self.issue(serial).name, "comment_type": "Comment"}, pluck="content"
		)
		self.assertEqual(len(comments), 1)
		self.assertIn("Known", comments[0])
