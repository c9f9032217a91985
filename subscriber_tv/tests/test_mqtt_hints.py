"""From a change of rights to a TV that asks, through a real broker; and how little it takes for a hotel."""

import json
import time
from unittest.mock import patch

import frappe

from subscriber_tv.core.devices import jws
from subscriber_tv.core.mqtt import payloads
from subscriber_tv.core.mqtt.broker_files import Member
from subscriber_tv.flows.activation import publish, store_rights
from subscriber_tv.flows.activation.auth import assertion
from subscriber_tv.flows.activation.note_change import note_change
from subscriber_tv.flows.contracts.change_state import change_state
from subscriber_tv.flows.mqtt import broker, hint_changes, write_files
from subscriber_tv.flows.mqtt.hint_changes import Hints
from subscriber_tv.simulator.mqtt import Place
from subscriber_tv.tests import factories, processes
from subscriber_tv.tests.broker_case import BrokerCase, publish_all
from subscriber_tv.tests.television import NETWORK
from subscriber_tv.tests.test_activation import bound_tv
from subscriber_tv.tests.test_publisher import many_tvs


class Recorder:
	"""Stands where the connection stands, and keeps what it was given."""

	def __init__(self, room: int = 10**6):
		self.connected, self.room, self.given = True, room, []

	def publish(self, topic, payload, *, within, retain=False, key=None) -> bool:
		if len(self.given) >= self.room:
			return False
		self.given.append((topic, payloads.read_hint(payload), retain, key))
		return True


def hotel(number: int, offer: str = "HOTEL-TV") -> tuple[str, str, list[str]]:
	"""A site with so many bound TVs whose rights are published: subscription, site, serials."""
	lines = [{"offer_version": factories.make_offer_version(offer), "quantity": number}]
	subscription = factories.make_subscription("Active", lines=lines)
	site = frappe.db.get_value("TV Subscription", subscription, "site")
	serials = many_tvs(subscription, number)
	frappe.db.set_value("TV Device", {"name": ("in", serials)}, "site", site)
	note_change("Subscription", subscription)
	publish_all()
	hint_changes.move_cursor(publish.current_sequence())
	return subscription, site, serials


def version_of(serial: str) -> int:
	return frappe.db.get_value("TV Entitlement", store_rights.name_of("Device", serial), "version")


class TestHints(BrokerCase):
	def test_a_suspended_tv_is_told_and_asks(self):
		subscription = factories.make_subscription("Awaiting Activation")
		tv = bound_tv(subscription)
		publish_all()
		hint_changes.move_cursor(publish.current_sequence())
		known = version_of(tv.serial)
		at_broker = self.switch_on(self.tell_broker()[tv.serial], known)
		change_state(subscription=subscription, event="suspend")
		publish_all()
		self.work_until(lambda: at_broker.asked)
		self.work_until(lambda: hint_changes.cursor() == publish.current_sequence())
		self.assertGreater(version_of(tv.serial), known)
		self.messenger.work()
		time.sleep(0.3)
		self.assertEqual(at_broker.asked, 1)

	def test_a_hint_waits_for_the_broker_and_says_what_is_newest_then(self):
		subscription = factories.make_subscription("Awaiting Activation")
		tv = bound_tv(subscription)
		publish_all()
		member = self.tell_broker()[tv.serial]
		self.mosquitto.stop()
		hint_changes.move_cursor(publish.current_sequence())
		before = hint_changes.cursor()
		for event in ("suspend", "resume"):
			change_state(subscription=subscription, event=event)
			publish_all()
			self.messenger.work()
		self.assertEqual(hint_changes.cursor(), before)
		self.mosquitto.start()
		at_broker = self.switch_on(member, version_of(tv.serial) - 1)
		self.work_until(lambda: at_broker.asked)

	def test_a_hotel_is_one_message_with_a_spread(self):
		subscription, site, serials = hotel(1200)
		change_state(subscription=subscription, event="suspend")
		publish_all()
		recorder, hints = Recorder(), Hints(500)
		self.assertEqual(hints.send(recorder, 0.0), 1)
		((topic, hint, retain, _key),) = recorder.given
		self.assertEqual(topic, f"tv/v1/test-operator/site/{site}/cmd")
		self.assertEqual(hint.v, max(version_of(serial) for serial in serials))
		self.assertGreaterEqual(hint.spread, 1200 / 500)
		self.assertFalse(retain)

	def test_the_cursor_moves_when_the_broker_took_all_and_only_then(self):
		subscription, _site, _serials = hotel(3)
		change_state(subscription=subscription, event="suspend")
		publish_all()
		before = hint_changes.cursor()
		for room, outcomes in ((10, ["taken", "taken", "expired"]), (2, ["taken", "taken"])):
			recorder, hints = Recorder(room), Hints(500)
			hints.send(recorder, 0.0)
			for (_topic, _hint, retain, (_kind, batch)), outcome in zip(
				recorder.given, outcomes, strict=True
			):
				self.assertTrue(retain)
				hints.settle(batch, outcome)
			self.assertEqual(hint_changes.cursor(), before)
		hints = Hints(500)
		hints.send(recorder := Recorder(), 0.0)
		self.assertEqual(hints.send(recorder, 1.0), 0, "one batch at a time")
		for _n in range(3):
			hints.settle(1, "taken")
		self.assertEqual(hint_changes.cursor(), publish.current_sequence())

	def test_a_lease_that_is_signed_again_is_no_news(self):
		hotel(30)
		later = int(time.time()) + publish.DAY + 60
		failed: set[str] = set()
		while publish.resign_due(now=later, failed=failed):
			pass
		self.assertGreater(publish.current_sequence(), hint_changes.cursor())
		recorder = Recorder()
		self.assertEqual(Hints(500).send(recorder, 0.0), 0)
		self.assertEqual(hint_changes.cursor(), publish.current_sequence())

	def test_a_new_broker_is_not_told_the_whole_past(self):
		hotel(30)
		frappe.db.delete("Series", {"name": hint_changes.CURSOR})
		self.assertEqual(Hints(500).send(Recorder(), 0.0), 0)
		self.assertEqual(hint_changes.cursor(), publish.current_sequence())

	def test_many_hints_do_not_follow_each_other_too_fast(self):
		subscription, _site, _serials = hotel(1200)
		hints, recorder = Hints(500), Recorder()
		change_state(subscription=subscription, event="suspend")
		publish_all()
		hints.send(recorder, 0.0)
		hints.settle(1, "taken")
		change_state(subscription=subscription, event="resume")
		publish_all()
		self.assertEqual(hints.send(recorder, 1.0), 0)
		self.assertEqual(hints.send(recorder, 60.0), 1)

	def test_tvs_with_a_changed_document_are_told_its_hash_and_no_others(self):
		code = f"DOC-{frappe.generate_hash(length=6).upper()}"
		sites = [hotel(40, code)[1], hotel(25, code)[1]]
		_subscription, _site, (few,) = hotel(1, code)
		hotel(30)
		before = hint_changes.cursor()
		offer = frappe.get_doc("TV Offer", code)
		offer.offer_name = "Renamed"
		offer.save()
		publish_all()
		version = frappe.db.get_value("TV Offer Version", {"offer": code})
		(known,) = store_rights.document_hashes([version])
		with patch.object(hint_changes, "SUBSCRIPTIONS", 1):
			given = self.told_by_and_by()
		base = "tv/v1/test-operator"
		topics = {*(f"{base}/site/{site}/cmd" for site in sites), f"{base}/d/{few}/ent"}
		self.assertEqual({topic for topic, *_told in given}, topics)
		self.assertEqual({(hint.eh, retain) for _topic, hint, retain, _key in given}, {(known, False)})
		self.assertGreater(given[0][1].v, before)
		self.assertEqual(hint_changes.cursor(), publish.current_sequence())

	def told_by_and_by(self) -> list:
		"""What is given while the broker takes everything, and two batches of three are lost on the way at first."""
		hints, given, batch, now = Hints(500), [], 0, 0.0
		while hint_changes.cursor() < publish.current_sequence():
			recorder = Recorder()
			hints.send(recorder, now)
			now += 60.0
			if recorder.given:
				batch += 1
			outcome = "expired" if batch in (1, 2) else "taken"
			for _hint in recorder.given:
				hints.settle(batch, outcome)
			given += recorder.given if outcome == "taken" else []
			self.assertLess(now, 60_000, "never comes to an end")
		return given

	def test_a_broken_broker_never_disturbs_publishing(self):
		with patch.object(broker, "publisher", side_effect=RuntimeError("no")):
			self.messenger.work()
		self._set({"mqtt_enabled": 0})
		self.messenger.work()
		self.assertIsNone(self.messenger._connection)

	def test_only_one_process_talks_to_the_broker(self):
		self.messenger.work()

		def other() -> bool:
			from subscriber_tv.flows.mqtt.messenger import _mine

			return _mine()

		self.assertEqual(processes.on_own_connections(other), [False])

	def test_nothing_a_forger_says_changes_rights(self):
		"""Not even with the app's own password: the TV asks, and what it plays is what the desk signed."""
		tv = bound_tv(factories.make_subscription("Awaiting Activation"))
		publish_all()
		lease = store_rights.entry("Device", tv.serial).lease
		at_broker = self.switch_on(self.tell_broker()[tv.serial], version_of(tv.serial))
		self.work_until(lambda: self.messenger._connection and self.messenger._connection.connected)
		connection = self.messenger._connection
		base = f"tv/v1/test-operator/d/{tv.serial}"
		for leaf, payload in (
			("ent", payloads.hint(2**50, 0)),
			("ent", lease.encode()),
			("cmd", lease.encode()),
			("cmd", b'{"do":"update","firmware":"evil"}'),
		):
			connection.publish(f"{base}/{leaf}", payload, within=30)
		self.work_until(lambda: at_broker.asked)
		self.assertEqual((at_broker.asked, at_broker.obeyed), (1, []))
		self.assertEqual(store_rights.entry("Device", tv.serial).lease, lease)


class TestBrokerFiles(BrokerCase):
	def test_the_files_hold_the_bound_tvs_and_no_others(self):
		bound = bound_tv(factories.make_subscription("Awaiting Activation"))
		(stocked,) = factories.receive_devices()
		folder = self._folder.name
		number = write_files.write_files(folder)
		acl, passwords = (open(f"{folder}/{name}").read() for name in ("acl", "passwords"))
		self.assertIn(f"user {bound.serial}\n", acl)
		self.assertIn(f"{bound.serial}:$7$", passwords)
		self.assertNotIn(stocked, acl + passwords)
		self.assertEqual(len(passwords.splitlines()), number + 2)
		self.assertNotIn(broker.app_password(), passwords)

	def test_what_a_tv_is_told_when_it_pairs_opens_the_broker(self):
		tv = bound_tv(factories.make_subscription("Awaiting Activation"))
		site, model = frappe.db.get_value("TV Device", tv.serial, ["site", "model"])
		place = json.loads(tv.poll().body)["mqtt"]
		self.assertTrue(all(isinstance(value, str) for value in place.values()))
		self.assertEqual((place["operator"], place["site"], place["group"]), ("test-operator", site, model))
		self.assertEqual(
			(place["user"], place["host"], place["port"]), (tv.serial, "127.0.0.1", str(self.mosquitto.port))
		)
		member = self.tell_broker()[tv.serial]
		self.assertEqual(member, Member(tv.serial, site, model))
		self.assertEqual(Place.told(place).password, self.mosquitto.password(tv.serial))
		at_broker = self.switch_on(member)
		self.assertFalse(at_broker.ear.refusals)

	def test_a_tv_paired_before_the_broker_learns_of_it_from_its_lease(self):
		self._set({"mqtt_enabled": 0})
		tv = bound_tv(factories.make_subscription("Awaiting Activation"))
		self.assertNotIn("mqtt", json.loads(tv.poll().body))
		self.assertNotIn("mqtt", self.lease_of(tv))
		publish_all()
		self._set({"mqtt_enabled": 1})
		failed: set[str] = set()
		while publish.resign_due(now=int(time.time()) + publish.DAY + 60, failed=failed):
			pass
		self.assertEqual(self.lease_of(tv)["mqtt"], 1)
		now = int(time.time()) + publish.DAY + 90
		answer = assertion(tv.assertion(now), NETWORK, now)
		place = json.loads(answer.body)["mqtt"]
		self.assertEqual(place, json.loads(tv.poll().body)["mqtt"])
		self.assertFalse(self.switch_on(self.tell_broker()[tv.serial]).ear.refusals)
		self.assertEqual(Place.told(place).password, self.mosquitto.password(tv.serial))
		# Only whoever proves itself is told: not with a refusal, and not in the daily answer.
		self.assertNotIn("mqtt", json.loads(tv.power_on().body))

	def lease_of(self, tv) -> dict:
		publish_all()
		return json.loads(jws.unverified_claims(store_rights.entry("Device", tv.serial).lease))

	def test_a_missing_secret_keeps_no_tv_from_pairing(self):
		tv = bound_tv(factories.make_subscription("Awaiting Activation"))
		with patch.dict(frappe.conf, {broker.TV_SECRET: "/nowhere"}):
			answer = tv.poll()
		self.assertEqual(answer.status, 200)
		self.assertNotIn("mqtt", json.loads(answer.body))

	def test_without_a_broker_nothing_is_told_and_nothing_written(self):
		self._set({"mqtt_enabled": 0})
		self.assertIsNone(broker.place_of("TV-000001", None, None))
		self.assertRaises(broker.BrokerNotSet, write_files.write_files, self._folder.name)

	def test_settings_refuse_names_that_could_widen_a_topic(self):
		for field, value in (("mqtt_operator", "a/b"), ("mqtt_operator", "#"), ("mqtt_user", "TV-000001")):
			settings = frappe.get_doc("TV Settings")
			settings.set(field, value)
			self.assertRaises(frappe.ValidationError, settings.save)
