"""What an offer or a model says in each TV's own row reaches the TVs concerned at once, not with the next day's signing."""

import frappe
from frappe.tests.utils import FrappeTestCase

from subscriber_tv.flows.activation import store_rights
from subscriber_tv.flows.activation.note_change import note_change
from subscriber_tv.tests import factories
from subscriber_tv.tests.test_publisher import many_tvs, publish_all


def play_hours(serial: str) -> float:
	return store_rights.entry("Device", serial).play_seconds / 3600


class TestOfferTerms(FrappeTestCase):
	def setUp(self):
		publish_all()

	def test_a_new_play_time_reaches_the_tvs_that_have_the_offer(self):
		subscription = factories.make_subscription("Active")
		(serial,) = many_tvs(subscription, 1)
		note_change("Subscription", subscription)
		publish_all()
		line = frappe.get_doc("TV Subscription", subscription).lines[0]
		offer = frappe.get_doc(
			"TV Offer", frappe.db.get_value("TV Offer Version", line.offer_version, "offer")
		)
		offer.update({"play_hours": 5})
		offer.save()
		publish_all()
		self.assertEqual(play_hours(serial), 5)
		offer.update({"play_hours": 0})
		offer.save()
		settings = frappe.get_doc("TV Settings")
		self.addCleanup(frappe.db.set_single_value, "TV Settings", "play_hours", settings.play_hours)
		settings.play_hours = 7
		settings.save()
		publish_all()
		self.assertEqual(play_hours(serial), 7)

	def test_streams_and_bound_parts_reach_tvs_at_once(self):
		subscription = factories.make_subscription(
			"Active", lines=[{"offer_version": factories.make_offer_version("STREAMS-TV"), "quantity": 2}]
		)
		(serial, _other) = many_tvs(subscription, 2)
		model = factories.make_device_model(f"PARTS-{frappe.generate_hash(length=6).upper()}")
		frappe.db.set_value("TV Device", serial, {"model": model, "parts": "P" * 43})
		publish_all()
		for doctype, of, field, value, said, expected in (
			("TV Offer", "STREAMS-TV", "streams", 3, "streams", 3),
			("TV Device Model", model, "bind_parts", 1, "fp", "P" * 43),
		):
			doc = frappe.get_doc(doctype, of)
			doc.update({field: value})
			doc.save()
			waiting = frappe.get_all("TV Rights Outbox", {"subject_type": "Subscription"}, pluck="subject")
			self.assertEqual(waiting, [subscription])
			publish_all()
			self.assertEqual(getattr(store_rights.entry("Device", serial), said), expected)
			doc.save()
			self.assertFalse(frappe.db.count("TV Rights Outbox"), "saved without a change")
