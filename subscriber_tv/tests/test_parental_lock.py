"""The parental lock at the desk: set by staff, of the site or of a TV, told to the TV in its lease, opened by the PIN alone."""

import json

import frappe
from frappe.tests.utils import FrappeTestCase

from subscriber_tv.api import activation
from subscriber_tv.core.activation import parental
from subscriber_tv.core.devices import jws
from subscriber_tv.flows.activation import publish
from subscriber_tv.flows.activation.parental_lock import BadLock, set_parental_lock
from subscriber_tv.flows.activation.unbind import NotBound, unbind
from subscriber_tv.tests import factories
from subscriber_tv.tests.contract_case import make_user
from subscriber_tv.tests.test_activation import bound_tv, delivered_tv

PIN = "2468"


class TestParentalLock(FrappeTestCase):
	def setUp(self):
		frappe.cache.delete_keys("tv-streams")
		frappe.cache.delete_keys("tv-pins")
		factories.make_channel("CH1")
		frappe.db.set_value("TV Channel", "CH1", "age_rating", "From 16 years")
		self.subscription = factories.make_subscription("Awaiting Activation", quantity=2)
		self.tv = bound_tv(self.subscription)

	def outcome(self, pin="", operation="start", tv=None):
		answer = (tv or self.tv).stream(operation, "CH1", "one", pin)
		return json.loads(answer.body).get("error", answer.status)

	def lock(self, age, pin="", pin_rule="Keep"):
		set_parental_lock(device=self.tv.serial, age=age, pin=pin, pin_rule=pin_rule)

	def test_a_tv_is_locked_and_its_pin_opens_it(self):
		self.assertEqual(self.outcome(), 200)
		self.lock("12", PIN, "New")
		self.assertEqual(self.outcome(), "parental_locked")
		self.assertEqual(self.outcome("1357"), "parental_locked")
		self.assertEqual(self.outcome(PIN), 200)
		self.lock("18")
		self.assertEqual(self.outcome(), 200)
		self.lock("16", pin_rule="None")
		self.assertEqual(self.outcome(PIN), "parental_locked")
		self.lock("Unlocked")
		self.assertEqual(self.outcome(), 200)

	def test_a_site_locks_the_tvs_that_have_no_lock_of_their_own(self):
		other = bound_tv(self.subscription)
		site = frappe.get_doc("TV Site", frappe.db.get_value("TV Subscription", self.subscription, "site"))
		site.parental_lock = "From 10 years"
		site.save()
		self.assertEqual(self.outcome(tv=other), "parental_locked")
		self.lock("Unlocked")
		self.assertEqual(self.outcome(), 200)
		self.lock("", PIN, "New")
		self.assertEqual((self.outcome(), self.outcome(PIN)), ("parental_locked", 200))

	def test_the_lease_tells_the_tv_and_no_row_tells_the_pin(self):
		self.lock("12", PIN, "New")
		answer = json.loads(self.tv.power_on().body)
		self.assertEqual(json.loads(jws.unverified_claims(answer["lease"]))["lock"], 12)
		(document,) = answer["documents"]
		token = frappe.db.get_value("TV Entitlement", {"document_hash": document}, "lease")
		channels = json.loads(jws.unverified_claims(token))["bouquets"][0]["channels"]
		self.assertIn(("CH1", 16), [(channel["code"], channel["age"]) for channel in channels])
		event = frappe.get_last_doc("TV Device Event Line", {"parent": self.tv.serial})
		self.assertEqual(event.event, "Parental Lock")
		self.assertNotIn(PIN, json.dumps(frappe.get_doc("TV Device", self.tv.serial).as_dict(), default=str))

	def test_who_may_not_read_verifiers_reads_none(self):
		self.lock("12", PIN, "New")
		frappe.set_user(make_user("TV Support"))
		self.addCleanup(frappe.set_user, "Administrator")
		asked = ["name", "pin_set_on", "pin_verifier"]
		(row,) = frappe.get_list("TV Device", {"name": self.tv.serial}, asked)
		self.assertEqual((bool(row.pin_set_on), row.get("pin_verifier")), (True, None))

	def test_too_many_wrong_pins(self):
		self.lock("12", PIN, "New")
		for _guess in range(parental.GUESSES):
			self.assertEqual(self.outcome("0000"), "parental_locked")
		self.assertEqual(self.outcome(PIN), "parental_locked")

	def test_what_cannot_be_is_refused(self):
		for wrong in (
			{"age": "13"},
			{"age": "12", "pin": "12"},
			{"age": "12", "pin": "12", "pin_rule": "New"},
			{"age": "12", "pin": "abcd", "pin_rule": "New"},
			{"age": "12", "pin": PIN, "pin_rule": "None"},
			{"age": "12", "pin_rule": "Whatever"},
		):
			with self.subTest(wrong), self.assertRaises(BadLock):
				set_parental_lock(device=self.tv.serial, **wrong)
		with self.assertRaises(NotBound):
			set_parental_lock(device=delivered_tv(self.subscription).serial, age="12")

	def test_the_next_subscriber_starts_unlocked(self):
		self.lock("12", PIN, "New")
		unbind(device=self.tv.serial, reason="Moved out")
		left = frappe.db.get_value(
			"TV Device", self.tv.serial, ["parental_lock", "pin_set_on", "pin_verifier"]
		)
		self.assertEqual(left, (None, None, None))

	def test_only_who_answers_for_subscribers_may_lock(self):
		frappe.set_user("Guest")
		self.addCleanup(frappe.set_user, "Administrator")
		with self.assertRaises(frappe.PermissionError):
			activation.set_parental_lock(device=self.tv.serial, age="12")

	def test_adult_channels_are_for_adults(self):
		channel = frappe.new_doc("TV Channel", channel_code="NIGHT", channel_name="Night", genre="Adult")
		self.assertEqual(channel.insert().age_rating, "From 18 years")

	def test_a_change_of_a_channel_s_age_reaches_the_documents(self):
		before = json.loads(self.tv.power_on().body)["documents"]
		channel = frappe.get_doc("TV Channel", "CH1")
		channel.age_rating = "From 18 years"
		channel.save()
		while publish.publish_pending():
			pass
		self.assertNotEqual(json.loads(self.tv.power_on().body)["documents"], before)
