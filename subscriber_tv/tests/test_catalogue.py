"""Channels, bouquets, offers and their versions on a real site."""

import frappe
from frappe.tests.utils import FrappeTestCase

from subscriber_tv.tests import factories


def noted_offers() -> set[str]:
	"""Offer versions on the rights outbox."""
	return set(frappe.get_all("TV Rights Outbox", {"subject_type": "Offer"}, pluck="subject"))


class TestOfferVersion(FrappeTestCase):
	def setUp(self):
		self.addCleanup(frappe.db.rollback)
		factories.make_operator()
		frappe.db.delete("TV Rights Outbox")
		self.offer = factories.make_offer(f"O-{frappe.generate_hash(length=6)}".upper())

	def make(self, **values):
		return factories.make_offer_version(self.offer, fresh=True, **values)

	def test_versions_are_numbered_and_the_newest_submitted_one_is_current(self):
		first = self.make()
		self.assertEqual(first, f"{self.offer}-V1")
		second = self.make()
		self.assertEqual(second, f"{self.offer}-V2")
		draft = self.make(submit=False)
		self.assertEqual(draft, f"{self.offer}-V3")
		self.assertEqual(frappe.db.get_value("TV Offer", self.offer, "current_version"), second)

	def test_cancelling_an_unused_version_makes_the_one_before_current(self):
		first, second = self.make(), self.make()
		frappe.get_doc("TV Offer Version", second).cancel()
		self.assertEqual(frappe.db.get_value("TV Offer", self.offer, "current_version"), first)
		frappe.get_doc("TV Offer Version", first).cancel()
		self.assertIsNone(frappe.db.get_value("TV Offer", self.offer, "current_version"))

	def test_a_version_with_subscribers_is_not_cancelled(self):
		version = self.make()
		subscription = factories.make_subscription("Draft", lines=[{"offer_version": version}])
		with self.assertRaises(frappe.ValidationError) as refused:
			frappe.get_doc("TV Offer Version", version).cancel()
		self.assertIn(subscription, str(refused.exception))
		self.assertEqual(frappe.db.get_value("TV Offer Version", version, "docstatus"), 1)

	def test_a_zero_price_names_its_row(self):
		with self.assertRaises(frappe.ValidationError) as refused:
			self.make(charges=[factories.activation_fee(), factories.charge(unit_price=0)])
		self.assertIn("row 2", str(refused.exception))
		self.assertIn("BASE", str(refused.exception))

	def test_a_free_charge_says_so(self):
		version = self.make(charges=[factories.charge(unit_price=0, is_free=1)])
		self.assertEqual(frappe.db.get_value("TV Offer Version", version, "docstatus"), 1)

	def test_all_faults_are_told_at_once(self):
		charges = [factories.charge(unit_price=0), factories.charge(interval_months=0)]
		frappe.clear_messages()
		with self.assertRaises(frappe.ValidationError):
			self.make(charges=charges)
		told = frappe.as_json(frappe.get_message_log())
		for part in ("has no price", "there twice", "between 1 and 60"):
			self.assertIn(part, told)

	def test_charge_codes_are_written_in_capitals(self):
		version = self.make(charges=[factories.charge(charge_code=" base ", item=factories.make_item())])
		self.assertEqual(frappe.get_doc("TV Offer Version", version).charges[0].charge_code, "BASE")

	def test_a_submitted_version_cannot_be_edited_or_amended(self):
		doc = frappe.get_doc("TV Offer Version", self.make())
		doc.charges[0].unit_price = 1
		with self.assertRaises(frappe.UpdateAfterSubmitError):
			doc.save()
		doc.reload()
		doc.cancel()
		amended = frappe.copy_doc(doc)
		amended.update({"amended_from": doc.name, "docstatus": 0})
		with self.assertRaises(frappe.ValidationError) as refused:
			amended.insert()
		self.assertIn("next version", str(refused.exception))

	def test_a_changed_bouquet_or_channel_reaches_the_versions_that_hold_it(self):
		code = f"B-{frappe.generate_hash(length=6)}".upper()
		bouquet = factories.make_bouquet(code, channels=("CH1", "CH3"))
		version, other = self.make(bouquets=[{"bouquet": bouquet}]), self.make()
		frappe.db.delete("TV Rights Outbox")
		doc = frappe.get_doc("TV Bouquet", bouquet)
		doc.append("channels", {"channel": factories.make_channel("CH4")})
		doc.save()
		self.assertIn(version, noted_offers())
		self.assertNotIn(other, noted_offers())
		frappe.db.delete("TV Rights Outbox")
		channel = frappe.get_doc("TV Channel", "CH4")
		channel.channel_name = "Renamed"
		channel.save()
		self.assertEqual(noted_offers(), {version})
		frappe.db.delete("TV Rights Outbox")
		channel.save()
		self.assertEqual(noted_offers(), set())

	def test_the_name_of_an_offer_reaches_the_documents_of_its_versions(self):
		versions = {self.make(), self.make()}
		frappe.db.delete("TV Rights Outbox")
		doc = frappe.get_doc("TV Offer", self.offer)
		doc.save()
		self.assertEqual(noted_offers(), set())
		doc.offer_name = "Renamed"
		doc.save()
		self.assertEqual(noted_offers(), versions)

	def test_a_bouquet_holds_a_channel_once(self):
		with self.assertRaises(frappe.ValidationError):
			factories.make_bouquet("TWICE", channels=("CH1", "CH1"))

	def test_codes_are_checked(self):
		with self.assertRaises(frappe.ValidationError):
			factories.make_offer("A|B")
		self.assertTrue(frappe.db.exists("TV Offer", {"offer_code": self.offer}))


class TestSite(FrappeTestCase):
	def setUp(self):
		self.addCleanup(frappe.db.rollback)
		factories.make_operator()

	def test_the_time_zone_must_exist(self):
		with self.assertRaises(frappe.ValidationError) as refused:
			factories.make_site(time_zone="Europe/Atlantis")
		self.assertIn("Europe/Atlantis", str(refused.exception))
		for hostile in ("../../etc/passwd", "/etc/localtime", "Europe/Paris\x00"):
			with self.assertRaises(frappe.ValidationError):
				factories.make_site(time_zone=hostile)

	def test_what_is_left_out_comes_from_customer_and_settings(self):
		customer = factories.make_customer()
		site = frappe.get_doc(
			"TV Site", factories.make_site(customer, segment=None, territory=None, time_zone=None)
		)
		expected = frappe.db.get_value("Customer", customer, ["customer_group", "territory"])
		self.assertEqual((site.segment, site.territory), expected)
		self.assertEqual(site.time_zone, frappe.db.get_single_value("TV Settings", "default_time_zone"))

	def test_no_more_outlets_than_the_site_can_hold(self):
		with self.assertRaises(frappe.ValidationError):
			factories.make_site(outlets_installed=10, outlets_potential=9)
		site = factories.make_site(outlets_installed=10, outlets_potential=0)
		self.assertEqual(frappe.db.get_value("TV Site", site, "outlets_potential"), 10)

	def test_a_served_site_keeps_its_customer(self):
		subscription = frappe.get_doc("TV Subscription", factories.make_subscription("Draft"))
		site = frappe.get_doc("TV Site", subscription.site)
		site.customer = factories.make_customer()
		with self.assertRaises(frappe.ValidationError) as refused:
			site.save()
		self.assertIn(subscription.name, str(refused.exception))

	def test_another_time_zone_is_noted_for_the_publisher(self):
		site = frappe.get_doc("TV Site", factories.make_site())
		frappe.db.delete("TV Rights Outbox")
		site.time_zone = "America/Martinique"
		site.save()
		noted = frappe.get_all("TV Rights Outbox", fields=["subject_type", "subject"], as_list=True)
		self.assertEqual(list(noted), [("Site", site.name)])


class TestSettings(FrappeTestCase):
	def setUp(self):
		self.addCleanup(frappe.db.rollback)
		factories.make_operator()
		# Runs before the rollback above, yet the cache is filled again only by a later read.
		self.addCleanup(frappe.clear_document_cache, "TV Settings", "TV Settings")
		self.settings = frappe.get_doc("TV Settings")

	def refuse(self, **values):
		self.settings.update(values)
		with self.assertRaises(frappe.ValidationError):
			self.settings.save()

	def test_numbers_that_would_stop_everything_are_refused(self):
		self.refuse(pairing_minutes=0)

	def test_time_zone_must_exist(self):
		self.refuse(default_time_zone="Nowhere")

	def test_series_are_numbered_and_named_once(self):
		self.refuse(invoice_series=[{"series": "NO-NUMBER"}])

	def test_a_series_is_listed_once(self):
		self.refuse(invoice_series=[{"series": "A-.####"}, {"series": "A-.####"}])

	def test_switching_activation_on_again_catches_up(self):
		version = factories.make_offer_version()
		self.settings.activation_enabled = 0
		self.settings.save()
		frappe.db.delete("TV Rights Outbox")
		factories.make_subscription("Active")
		self.assertEqual(frappe.db.count("TV Rights Outbox"), 0)
		self.settings.activation_enabled = 1
		self.settings.save()
		self.assertIn(version, noted_offers())
