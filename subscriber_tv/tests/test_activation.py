"""A TV pairs, is allowed, and hears of every change at its very next power-on, with no publisher running."""

import json
import time
from unittest.mock import patch

import frappe
from frappe.tests.utils import FrappeTestCase
from frappe.utils import add_days, add_to_date, now_datetime, today

from subscriber_tv.core.activation import rollup
from subscriber_tv.core.devices import jws, wire
from subscriber_tv.flows.activation import bind, keys, publish, record_answer, store_rights
from subscriber_tv.flows.activation.auth import assertion, auth, challenge, heartbeat, stream
from subscriber_tv.flows.activation.enrol import enrol
from subscriber_tv.flows.activation.revoke import NotRevocable, readmit, revoke
from subscriber_tv.flows.activation.token import token
from subscriber_tv.flows.activation.unbind import NotBound, unbind
from subscriber_tv.flows.contracts.change_state import change_state
from subscriber_tv.flows.devices import deliver, follow_stock
from subscriber_tv.subscriber_tv.doctype.tv_activation.tv_activation import TVActivation
from subscriber_tv.tests import factories
from subscriber_tv.tests.television import NETWORK, TV
from subscriber_tv.tests.test_devices import bring_back, switch


def delivered_tv(subscription: str) -> TV:
	(serial,) = factories.receive_devices()
	deliver.deliver(subscription=subscription, serials=[serial])
	return TV(serial)


def line_of(subscription: str) -> str:
	return frappe.get_doc("TV Subscription", subscription).lines[0].line_id


def bound_tv(subscription: str) -> TV:
	tv = delivered_tv(subscription)
	bind.bind_by_code(subscription=subscription, line_id=line_of(subscription), code=tv.code())
	return tv


class TestPairing(FrappeTestCase):
	def test_from_stock_to_allowed(self):
		subscription = factories.make_subscription("Awaiting Activation")
		tv = delivered_tv(subscription)
		self.assertEqual(tv.power_on(), wire.STRANGER)
		code = tv.code()
		self.assertEqual(tv.power_on(), wire.STRANGER)
		self.assertEqual(bind.find_by_code(code.lower().replace("-", " ")).name, tv.serial)

		serial = bind.bind_by_code(subscription=subscription, line_id=line_of(subscription), code=code)

		self.assertEqual(serial, tv.serial)
		self.assertEqual(frappe.db.get_value("TV Subscription", subscription, "state"), "Active")
		answer = tv.power_on()
		self.assertEqual(answer.status, 200)
		allowed = json.loads(answer.body)
		claims = json.loads(keys.verifier().verify(jws.LEASE, allowed["lease"]))
		self.assertEqual((claims["sub"], claims["aud"]), (tv.serial, "tv"))
		(document,) = allowed["documents"]
		signed = store_rights.document(document)
		offer = json.loads(keys.verifier().verify(jws.OFFER, signed))
		self.assertEqual(offer["offer"], claims["offers"][0])
		self.assertTrue(frappe.db.get_value("TV Device", tv.serial, "first_power_on"))
		bound = frappe.db.get_value("TV Subscription Line", {"parent": subscription}, "bound")
		self.assertEqual(bound, 1)

	def test_who_may_not_pair_hears_what_a_stranger_hears(self):
		subscription = factories.make_subscription("Awaiting Activation")
		bound = bound_tv(subscription)
		gone = TV(factories.receive_devices()[0])
		receipt = frappe.db.get_value("TV Device", gone.serial, "receipt_no")
		frappe.get_doc("Purchase Receipt", receipt).cancel()
		follow_stock.flush()
		revoked = TV(factories.receive_devices()[0])
		frappe.db.set_value("TV Device", revoked.serial, "credential_state", "Revoked")
		for tv in (TV("NEVER-SEEN-1"), bound, gone, revoked):
			self.assertEqual(tv.enrol(), wire.STRANGER)

	def test_a_serial_in_other_letters_is_another_serial(self):
		serial = factories.receive_devices(serials=[f"tv-{frappe.generate_hash(length=10).lower()}"])[0]
		self.assertEqual(TV(serial.upper()).enrol().body, wire.STRANGER.body)

	def test_a_wrong_credential_is_a_stranger(self):
		tv = bound_tv(factories.make_subscription("Awaiting Activation"))
		self.assertEqual(tv.decision(), "allow")
		tv.signer = jws.Signer(jws.new_key())
		self.assertEqual(tv.power_on(), wire.STRANGER)
		self.assertEqual(tv.prove(), wire.STRANGER)

	def test_nonsense_is_refused(self):
		for body in (
			b"",
			b"{",
			b"[]",
			b'{"d": "x\' or 1=1 --", "credential": "a"}',
			b'{"d": "TV-1", "credential": 5}',
			b"\xff" * 50,
			b"[" * 3000,
		):
			for ask in (auth, assertion, challenge, heartbeat, stream, enrol, token):
				self.assertEqual(ask(body, NETWORK, 1), wire.INVALID_REQUEST)

	def test_a_code_works_once_and_says_who_was_first(self):
		subscription = factories.make_subscription("Awaiting Activation", quantity=3)
		tv = delivered_tv(subscription)
		code = tv.code()
		bind.bind_by_code(subscription=subscription, line_id=line_of(subscription), code=code)
		with self.assertRaisesRegex(bind.CodeUnknown, f"{tv.serial}.*{subscription}"):
			bind.bind_by_code(subscription=subscription, line_id=line_of(subscription), code=code)

	def test_an_older_or_expired_or_invented_code_is_refused(self):
		subscription = factories.make_subscription("Awaiting Activation")
		tv = delivered_tv(subscription)
		older, code = tv.code(), tv.code()
		frappe.db.set_value("TV Device", tv.serial, "pairing_until", add_to_date(now_datetime(), seconds=-1))
		for wrong in (older, code, "BBBB-BBBB", "", "' or 1=1 --"):
			with self.assertRaises(bind.CodeUnknown):
				bind.bind_by_code(subscription=subscription, line_id=line_of(subscription), code=wrong)

	def test_what_a_line_refuses(self):
		subscription = factories.make_subscription("Awaiting Activation")
		bound_tv(subscription)
		full = delivered_tv(subscription)
		with self.assertRaisesRegex(bind.BindRefused, "outlets"):
			bind.bind_by_code(subscription=subscription, line_id=line_of(subscription), code=full.code())
		with self.assertRaisesRegex(bind.BindRefused, "no line"):
			bind.bind_by_code(subscription=subscription, line_id="X9", code=full.code())
		other = factories.make_subscription("Awaiting Activation")
		with self.assertRaisesRegex(bind.BindRefused, "delivered to customer"):
			bind.bind_by_code(subscription=other, line_id=line_of(other), code=full.code())
		in_stock = TV(factories.receive_devices()[0])
		with self.assertRaisesRegex(bind.BindRefused, "Deliver it"):
			bind.bind_by_code(subscription=other, line_id=line_of(other), code=in_stock.code())
		draft = factories.make_subscription("Draft")
		with self.assertRaisesRegex(bind.BindRefused, "Draft"):
			bind.bind_by_code(subscription=draft, line_id=line_of(draft), code=full.code())

	def test_unbinding_ends_the_rights_and_lets_the_tv_pair_again(self):
		subscription = factories.make_subscription("Awaiting Activation")
		tv = bound_tv(subscription)
		self.assertEqual(tv.decision(), "allow")
		unbind(device=tv.serial, reason="Room closed")
		self.assertEqual(tv.power_on(), wire.STRANGER)
		with self.assertRaises(NotBound):
			unbind(device=tv.serial)
		bind.bind_by_code(subscription=subscription, line_id=line_of(subscription), code=tv.code())
		self.assertEqual(tv.decision(), "allow")

	def test_a_stolen_tv_is_shut_out_until_it_is_readmitted(self):
		subscription = factories.make_subscription("Awaiting Activation")
		tv, line = bound_tv(subscription), {"parent": subscription}
		self.assertEqual(tv.decision(), "allow")
		revoke(device=tv.serial, reason="Stolen from room 12")
		self.assertEqual(tv.power_on(), wire.STRANGER)
		self.assertEqual(tv.enrol(), wire.STRANGER)
		self.assertEqual(frappe.db.get_value("TV Subscription Line", line, "bound"), 0)
		bring_back(tv.serial)
		self.assertEqual(tv.enrol(), wire.STRANGER)
		with self.assertRaises(NotRevocable):
			revoke(device=tv.serial, reason="Again")
		readmit(device=tv.serial, reason="Found")
		with self.assertRaises(NotRevocable):
			readmit(device=tv.serial, reason="Again")
		self.assertEqual(tv.enrol(), wire.STRANGER, "its key may have been copied, and is shut out for ever")
		fresh = TV(tv.serial)
		bind.bind_by_code(
			subscription=subscription,
			line_id=line_of(subscription),
			code=self.delivered_again(fresh, subscription),
		)
		self.assertEqual((fresh.decision(), tv.power_on()), ("allow", wire.STRANGER))
		revoke(device=tv.serial, reason="Stolen again")
		readmit(device=tv.serial, reason="Found")
		for known in (tv, fresh):
			self.assertEqual(known.enrol(), wire.STRANGER)
		(last, *_others) = frappe.get_all(
			"TV Device Event Line", {"parent": tv.serial}, ["event", "note"], order_by="idx desc"
		)
		self.assertEqual((last.event, last.note), ("Readmitted", "Found"))

	def delivered_again(self, tv: TV, subscription: str) -> str:
		deliver.deliver(subscription=subscription, serials=[tv.serial])
		return tv.code()

	def test_a_tv_back_in_the_depot_has_no_rights(self):
		tv = bound_tv(factories.make_subscription("Awaiting Activation"))
		self.assertEqual(tv.decision(), "allow")
		bring_back(tv.serial)
		self.assertEqual(tv.power_on(), wire.STRANGER)
		self.assertEqual(tv.enrol().status, 200)


class TestNextPowerOn(FrappeTestCase):
	def test_suspend_resume_and_cancel_are_heard_at_once(self):
		subscription = factories.make_subscription("Awaiting Activation")
		tv = bound_tv(subscription)
		self.assertEqual(tv.decision(), "allow")
		change_state(subscription=subscription, event="suspend")
		answer = tv.power_on()
		self.assertEqual(answer.status, 403)
		denied = json.loads(answer.body)
		self.assertEqual(denied["code"], "suspended")
		self.assertEqual(set(denied["text"]), {"fr", "en"})
		claims = json.loads(keys.verifier().verify(jws.DENIAL, denied["denial"]))
		self.assertEqual((claims["sub"], claims["code"]), (tv.serial, "suspended"))
		change_state(subscription=subscription, event="resume")
		self.assertEqual(tv.decision(), "allow")
		change_state(subscription=subscription, event="cancel_at_date", end_date=add_days(today(), 1))
		self.assertEqual(tv.decision(), "allow")
		later = int(time.time()) + 2 * 86_400
		self.assertEqual(json.loads(tv.power_on(now=later).body)["code"], "ended")
		change_state(subscription=subscription, event="end")
		self.assertEqual(tv.decision(), "ended")

	def test_a_published_change_gives_the_same_answer_as_one_that_waits(self):
		subscription = factories.make_subscription("Awaiting Activation")
		tv = bound_tv(subscription)
		question, now = tv.question(), int(time.time())
		waiting = auth(question, NETWORK, now)
		while publish.publish_pending():
			pass
		self.assertFalse(frappe.db.count("TV Rights Outbox"))
		published = auth(question, NETWORK, now)
		self.assertEqual(waiting, published)

	def test_nobody_pairs_or_plays_while_the_phase_is_off(self):
		subscription = factories.make_subscription("Awaiting Activation")
		tv = bound_tv(subscription)
		self.addCleanup(switch, "activation_enabled", 1)
		switch("activation_enabled", 0)
		before = frappe.db.count("TV Rights Outbox")
		self.assertEqual(tv.power_on(), wire.UNAVAILABLE)
		self.assertEqual(tv.enrol(), wire.UNAVAILABLE)
		with self.assertRaisesRegex(frappe.ValidationError, "TV Settings"):
			unbind(device=tv.serial)
		change_state(subscription=subscription, event="suspend")
		self.assertEqual(frappe.db.count("TV Rights Outbox"), before)
		switch("activation_enabled", 1)
		self.assertEqual(tv.decision(), "suspended")


class TestRecords(FrappeTestCase):
	def test_records_stay_bounded_under_attack(self):
		before = frappe.db.count("TV Activation")
		for number in range(50):
			TV(f"UNKNOWN-{number:04}").power_on(now=1_800_000_000)
			TV(f"UNKNOWN-{number:04}").enrol(now=1_800_000_000)
		self.assertLessEqual(frappe.db.count("TV Activation") - before, 2)

	def test_strangers_from_ever_new_networks_share_one_row_in_the_end(self):
		hour = f"test-{frappe.generate_hash(length=8)}"
		strangers = [
			rollup.Bucket(
				f"S|unknown_serial|10.0.{n}.0/24|{hour}", rollup.STRANGERS, network=f"10.0.{n}.0/24"
			)
			for n in range(6)
		]
		with patch.object(record_answer, "STRANGERS_AN_HOUR", 3):
			for stranger in (*strangers, *strangers):
				record_answer.count(stranger)
		rows = frappe.get_all("TV Activation", {"name": ("like", f"S|%{hour}")}, ["network", "count"])
		self.assertEqual([row["count"] for row in rows], [2, 2, 2])
		self.assertTrue(frappe.db.exists("TV Activation", {"kind": "Stranger", "code": rollup.OVERFLOW}))

	def test_allowed_power_ons_are_one_row_a_day(self):
		tv = bound_tv(factories.make_subscription("Awaiting Activation"))
		for _time in range(3):
			self.assertEqual(tv.decision(), "allow")
		rows = frappe.get_all("TV Activation", {"device": tv.serial}, ["kind", "code", "count"])
		self.assertCountEqual(
			[(row.kind, row.code or "", row["count"]) for row in rows],
			[("State Change", "enrolled", 1), ("State Change", "bound", 1), ("Allowed", "", 3)],
		)

	def test_old_records_are_cleared(self):
		tv = bound_tv(factories.make_subscription("Awaiting Activation"))
		tv.power_on()
		old = add_days(now_datetime(), -91)
		frappe.db.set_value("TV Activation", {"device": tv.serial}, "last_at", old)
		TVActivation.clear_old_logs(days=90)
		self.assertFalse(frappe.db.count("TV Activation", {"device": tv.serial}))
