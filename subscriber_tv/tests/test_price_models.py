"""Offers priced by tiers, volume and blocks on a real site: what the form refuses, what is billed and credited."""

import json

import frappe

from subscriber_tv.flows.billing.preview import preview
from subscriber_tv.tests import factories
from subscriber_tv.tests.billing_case import (
	COMPANY,
	DEFERRED,
	INCOME,
	RECEIVABLE,
	TODAY,
	VAT_10,
	BillingTestCase,
	ledger,
	money,
)

TIERS = (
	{"charge_code": "BASE", "up_to": 10, "unit_price": 5, "flat_fee": 20},
	{"charge_code": "BASE", "up_to": 50, "unit_price": 4},
	{"charge_code": "BASE", "unit_price": 3.5},
)


def tiered(model: str = "Graduated", **overrides) -> dict:
	"""A recurring charge whose price stands in tiers."""
	return factories.charge(item="TV-SUBSCRIPTION", price_model=model, **{"unit_price": 0, **overrides})


def make_version(charge: dict, tiers=(), **values) -> str:
	offer = f"PRICED-{frappe.generate_hash(length=6)}".upper()
	return factories.make_offer_version(offer, charges=[charge], tiers=list(tiers), **values)


class TestPriceModels(BillingTestCase):
	def refuse(self, charge: dict, tiers, *said: str) -> None:
		frappe.clear_messages()
		with self.assertRaises(frappe.ValidationError) as refused:
			make_version(charge, tiers)
		told = str(refused.exception) + "".join(str(message) for message in frappe.get_message_log())
		for text in said:
			self.assertIn(text, told)

	def test_a_graduated_price_is_billed_and_credited(self):
		subscription = self.subscribe("2026-11-01", version=make_version(tiered(), TIERS), quantity=60)
		payer = frappe.db.get_value("TV Subscription", subscription, "payer")
		shown = preview(company=COMPANY, bill_until=TODAY, payer=payer)
		self.assertEqual([row["amount"] for row in shown["rows"]], ["265.00"])
		invoice = self.bill(subscription)
		self.assert_rows(invoice, [("BASE", "2026-11-01", "2026-12-01", "265.00")])
		self.assertEqual(
			ledger(invoice.name),
			{RECEIVABLE: money("291.5"), DEFERRED: money("-265"), VAT_10: money("-26.5")},
		)
		facts = json.loads(invoice.items[0].tv_facts)
		self.assertEqual((facts["model"], facts["full_amount"], facts["quantity"]), ("Graduated", "265", 60))
		self.assertEqual([tier["up_to"] for tier in facts["scheme"]["tiers"]], ["10", "50", None])
		self.assert_nothing_due(subscription)

		self.change(subscription, "end", "2026-11-16")
		note = self.bill(subscription)
		self.assert_rows(note, [("BASE", "2026-11-16", "2026-12-01", "-132.50")])
		self.assertEqual(note.return_against, invoice.name)
		self.assertEqual(
			ledger(note.name), {RECEIVABLE: money("-145.75"), INCOME: money("132.5"), VAT_10: money("13.25")}
		)
		self.assert_nothing_due(subscription)

	def test_a_part_of_a_month_is_rounded_once(self):
		subscription = self.subscribe("2026-11-12", version=make_version(tiered(), TIERS), quantity=51)
		# 10 × 5 + 20 + 40 × 4 + 3.5 = 233.50 for 30 days; 19 of them
		self.assert_rows(self.bill(subscription), [("BASE", "2026-11-12", "2026-12-01", "147.88")])

	def test_volume_and_package(self):
		volume = make_version(tiered("Volume"), TIERS)
		package = make_version(tiered("Package", unit_price=9, block_size=10, free_units=5))
		for version, quantity, amount in (
			(volume, 10, "70.00"),
			(volume, 11, "44.00"),
			(volume, 51, "178.50"),
			(package, 15, "9.00"),
			(package, 16, "18.00"),
		):
			with self.subTest(version=version, quantity=quantity):
				invoice = self.bill(self.subscribe("2026-11-01", version=version, quantity=quantity))
				self.assert_rows(invoice, [("BASE", "2026-11-01", "2026-12-01", amount)])

	def test_outlets_within_the_free_units_make_no_invoice(self):
		version = make_version(tiered("Package", unit_price=9, block_size=10, free_units=5))
		self.assertIsNone(self.bill(self.subscribe("2026-11-01", version=version, quantity=5)))

	def test_rows_billed_before_there_were_schemes_are_credited(self):
		subscription = self.subscribe("2026-11-01")
		row = self.bill(subscription).items[1]
		self.assertNotIn("scheme", json.loads(row.tv_facts))
		self.change(subscription, "end", "2026-11-16")
		self.assert_rows(self.bill(subscription), [("BASE", "2026-11-16", "2026-12-01", "-15.00")])

	def test_a_table_with_gaps_is_refused(self):
		self.refuse(tiered(), (), "row 1", "no tiers")
		self.refuse(tiered(), TIERS[:2], "Tiers, row 2", "without an upper bound")
		self.refuse(tiered(), (TIERS[1], TIERS[0], TIERS[2]), "Tiers, row 2", "must rise")
		self.refuse(tiered(), (TIERS[2], TIERS[2]), "Tiers, row 1", "only the last")
		self.refuse(tiered(), (*TIERS[:2], {"charge_code": "BASE"}), "Tiers, row 3", "no price")

	def test_tiers_belong_to_a_tiered_charge(self):
		self.refuse(tiered("Flat", unit_price=9), TIERS[2:], "Tiers, row 1", "not priced in tiers")
		self.refuse(tiered(), (*TIERS, {**TIERS[2], "charge_code": "X"}), "Tiers, row 4", "no charge")
		self.refuse(tiered(unit_price=9), TIERS, "row 1", "stands in the tiers")
		self.refuse(tiered("Package", unit_price=9), (), "row 1", "how many units")

	def test_codes_of_tiers_are_written_in_capitals(self):
		version = make_version(tiered(), [{**tier, "charge_code": " base "} for tier in TIERS])
		doc = frappe.get_doc("TV Offer Version", version)
		self.assertEqual([row.charge_code for row in doc.tiers], ["BASE"] * 3)

	def test_a_copy_takes_its_tiers_along(self):
		version = make_version(tiered(), TIERS)
		copy = frappe.copy_doc(frappe.get_doc("TV Offer Version", version)).insert()
		self.assertEqual([row.up_to for row in copy.tiers], [10, 50, 0])
