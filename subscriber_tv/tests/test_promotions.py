"""Promotions on a real site: at the opening, by code, by button, counted by two at once, shown on the bill."""

import json

import frappe

from subscriber_tv.api import promotions as api
from subscriber_tv.flows.contracts.change_terms import withdraw_change
from subscriber_tv.flows.contracts.timeline import load
from subscriber_tv.flows.promotions.give import NotEligible, promotions_at_opening, uses
from subscriber_tv.flows.promotions.grant import grant_promotion
from subscriber_tv.tests import factories
from subscriber_tv.tests.billing_case import BillingTestCase, make_promotion
from subscriber_tv.tests.contract_case import make_user
from subscriber_tv.tests.processes import on_own_connections


def make_channel(code: str = "WEB") -> str:
	if not frappe.db.exists("TV Sales Channel", code):
		frappe.get_doc(
			{"doctype": "TV Sales Channel", "channel_name": code.title(), "channel_code": code}
		).insert()
	return code


class TestPromotions(BillingTestCase):
	def tearDown(self):
		super().tearDown()
		frappe.set_user("Administrator")
		# An automatic promotion must not reach the contracts of other tests.
		frappe.db.set_value("TV Promotion", {"given": "Automatically"}, "disabled", 1)
		frappe.db.commit()

	def promotion(self, **values):
		return make_promotion(**values)

	def facts(self, row) -> list:
		return json.loads(row.tv_facts).get("discounts", [])

	def test_a_code_at_the_opening_is_a_discount_on_the_first_bill_with_its_label(self):
		promotion = self.promotion()
		name = self.subscribe("2026-10-01", terms={"promotion_code": promotion.code.lower()})
		invoice = self.bill(name)
		rows = [(row.tv_line.split("/")[-1], str(row.tv_from), f"{row.amount:.2f}") for row in invoice.items]
		self.assertIn(("BASE", "2026-10-01", "15.00"), rows)
		self.assertIn(("BASE", "2026-11-01", "30.00"), rows)
		half = next(row for row in invoice.items if row.amount == 15)
		self.assertEqual(self.facts(half), [[promotion.label, "15"]])
		self.assertEqual(promotion.reload().uses, 1)

	def test_a_code_that_is_not_for_this_contract_is_refused_with_every_reason(self):
		promotion = self.promotion(
			segments=[{"segment": "Prison"}],
			sales_channels=[{"sales_channel": make_channel("WEB")}],
			minimum_quantity=5,
		)
		with self.assertRaises(NotEligible) as refused:
			self.subscribe("2026-10-01", terms={"promotion_code": promotion.code})
		for part in ("segment Prison", "sales channel WEB", "at least 5 outlets"):
			self.assertIn(part, str(refused.exception))
		frappe.db.rollback()
		with self.assertRaisesRegex(NotEligible, "no promotion with the code"):
			self.subscribe("2026-10-01", terms={"promotion_code": "NOBODY"})

	def test_automatic_ones_are_given_by_channel_and_segment(self):
		promotion = self.promotion(
			given="Automatically", sales_channels=[{"sales_channel": make_channel("WEB")}], duration="Ever"
		)
		web = self.subscribe("2026-11-01", terms={"sales_channel": "WEB"})
		shop = self.subscribe("2026-11-01")
		amounts = [
			[f"{row.amount:.2f}" for row in self.bill(name).items if row.tv_kind == "recurring"]
			for name in (web, shop)
		]
		self.assertEqual(amounts, [["15.00"], ["30.00"]])
		self.assertEqual(promotion.reload().uses, 1)

	def test_what_was_agreed_in_a_quotation_or_elsewhere_is_billed_as_agreed(self):
		self.promotion(given="Automatically", duration="Ever")
		taken_over = self.subscribe("2026-01-01", billed_through="2026-11-01")
		self.assertEqual(load(taken_over).discounts, ())
		doc = frappe.get_doc("TV Subscription", self.subscribe("2026-11-01"))
		self.assertEqual(len(promotions_at_opening(doc, doc.activated_on)), 1)
		doc.quotation = "SAL-QTN-1"
		self.assertEqual(promotions_at_opening(doc, doc.activated_on), ())

	def test_one_that_stands_alone_keeps_automatic_ones_away(self):
		self.promotion(given="Automatically", combinable=1, percent=10, duration="Ever")
		alone, with_others = self.promotion(duration="Ever"), self.promotion(duration="Ever", combinable=1)
		for promotion, amount in ((alone, "15.00"), (with_others, "13.50")):
			name = self.subscribe("2026-11-01", terms={"promotion_code": promotion.code})
			found = [f"{row.amount:.2f}" for row in self.bill(name).items if row.tv_kind == "recurring"]
			self.assertEqual(found, [amount])

	def test_given_later_it_is_a_change_with_its_source_and_may_be_taken_back(self):
		promotion = self.promotion(duration="Ever", discount_kind="Amount", amount=5)
		name = self.subscribe("2026-10-01")
		self.bill(name)
		change = grant_promotion(subscription=name, code=promotion.code, effective_date="2026-11-01")
		frappe.db.commit()
		doc = frappe.get_doc("TV Subscription Change", change)
		self.assertEqual(
			(doc.event, doc.source_doctype, doc.source_name),
			("grant_discount", "TV Promotion", promotion.name),
		)
		self.assert_rows(self.bill(name), [("BASE", "2026-11-01", "2026-12-01", "25.00")])
		with self.assertRaisesRegex(NotEligible, "has it already"):
			grant_promotion(subscription=name, promotion=promotion.name)
		frappe.db.rollback()
		withdraw_change(subscription=name, change_no=doc.change_no, reason="Wrong customer")
		frappe.db.commit()
		self.assertEqual(promotion.reload().uses, 0)
		self.assert_rows(self.bill(name), [("BASE", "2026-11-01", "2026-12-01", "30.00")])

	def test_off_the_lines_of_an_offer_alone(self):
		other = factories.make_offer_version("PROMOTED-TV")
		promotion = self.promotion(
			scope="Lines of These Offers", offers=[{"offer": "PROMOTED-TV"}], duration="Ever"
		)
		name = factories.make_subscription(
			activated_on="2026-11-01",
			anchor_day=1,
			lines=[{"offer_version": self.version}, {"offer_version": other}],
			terms={"promotion_code": promotion.code},
		)
		frappe.db.commit()
		rows = [row for row in self.bill(name).items if row.tv_kind == "recurring"]
		amounts = {row.tv_line.split("/")[1]: f"{row.amount:.2f}" for row in rows}
		self.assertEqual(amounts, {"L1": "30.00", "L2": "5.00"})

	def test_of_two_at_once_only_one_gets_the_last_use(self):
		promotion = self.promotion(max_uses=1)
		names = [self.subscribe("2026-10-01") for _n in range(2)]
		results = on_own_connections(
			*(
				lambda name=name: grant_promotion(subscription=name, promotion=promotion.name)
				for name in names
			)
		)
		frappe.db.rollback()
		self.assertEqual(sum(isinstance(result, NotEligible) for result in results), 1, results)
		self.assertEqual(uses(promotion.name), 1)

	def test_the_button_offers_what_is_possible_and_says_why_the_rest_is_not(self):
		good, late = self.promotion(), self.promotion(valid_upto="2020-12-31")
		name = self.subscribe("2026-10-01")
		frappe.set_user(make_user("TV Sales"))
		found = {row["promotion"]: row["reasons"] for row in api.choices(name)}
		self.assertEqual(found[good.name], [])
		self.assertIn("on offer until", found[late.name][0])
		frappe.set_user("Administrator")
		frappe.set_user(make_user("TV Marketing"))
		self.assertRaises(frappe.PermissionError, api.grant_promotion, name, good.name)

	def test_a_promotion_in_use_is_not_deleted(self):
		promotion = self.promotion()
		self.subscribe("2026-10-01", terms={"promotion_code": promotion.code})
		with self.assertRaisesRegex(frappe.ValidationError, "Disable it"):
			promotion.reload().delete()

	def test_a_promotion_that_takes_nothing_off_is_refused(self):
		for values in (
			{"percent": 0},
			{"percent": 101},
			{"discount_kind": "Amount"},
			{"duration": "Periods"},
		):
			with self.assertRaises(frappe.ValidationError):
				self.promotion(**values)
			frappe.db.rollback()
