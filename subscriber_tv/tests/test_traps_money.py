"""Traps of prices: lists, pricing rules, prepaid exits, currencies, rounding (docs/traps.md)."""

import json
from contextlib import contextmanager

import frappe

from subscriber_tv.flows.billing.preview import preview
from subscriber_tv.flows.contracts.change_lines import change_lines
from subscriber_tv.tests import factories, test_tax
from subscriber_tv.tests.billing_case import COMPANY
from subscriber_tv.tests.trap_case import TrapCase, flat_version


class TestTrapsOfMoney(TrapCase):
	def test_t6_a_contract_in_arrears_can_be_cancelled_and_is_billed_to_its_last_day(self):
		charge = factories.charge(item="TV-SUBSCRIPTION", unit_price=30, timing="Arrears")
		version = factories.make_offer_version("TRAP-ARREARS", charges=[charge])
		subscription = self.subscribe("2026-09-01", version=version)
		payer = self.payer_of(subscription)
		self.nights(payer, "2026-09-01", "2026-10-09")
		self.change(subscription, "end", "2026-10-11")
		self.nights(payer, "2026-10-10", "2026-11-03")
		self.assertEqual(
			self.billed(payer),
			[
				("2026-10-01", "2026-09-01", "2026-10-01", "30.00"),
				("2026-10-11", "2026-10-01", "2026-10-11", "9.68"),  # 30 x 10 / 31
			],
		)

	def test_t9_the_price_is_that_of_the_offer_version_whatever_price_lists_say(self):
		"""Item Prices of other dates, customers and units stand first in ERPNext's list; none is read."""
		item = factories.make_item("TV-TRAP-LISTED")
		price_list = frappe.db.get_single_value("Selling Settings", "selling_price_list")
		for values in (
			{"valid_from": "2020-01-01", "valid_upto": "2020-12-31"},
			{"valid_from": "2031-01-01"},
		):
			if not frappe.db.exists("Item Price", {"item_code": item, **values}):
				frappe.get_doc(
					doctype="Item Price", item_code=item, price_list=price_list, price_list_rate=1, **values
				).insert()
		payer = self.payer_of(
			self.subscribe("2026-10-01", version=flat_version("TRAP-LISTED", 30, item=item))
		)
		self.nights(payer, "2026-10-01", "2026-11-02")
		self.assertEqual([row[-1] for row in self.billed(payer)], ["30.00", "30.00"])

	def test_t9_no_price_is_an_error_that_names_the_record_never_a_row_of_zero(self):
		version = flat_version("TRAP-NO-PRICE", 30)
		subscription = self.subscribe("2026-10-01", version=version)
		payer = self.payer_of(subscription)
		# Submitting such a version is refused; here it is lost afterwards.
		frappe.db.set_value("TV Offer Charge Line", {"parent": version}, "unit_price", 0)
		frappe.db.commit()
		outcome = self.night(payer, "2026-10-01")
		self.assertEqual(outcome.outcome, "Parked")
		for record in (subscription, version, "BASE"):
			self.assertIn(record, outcome.reason)
		self.assertEqual(self.billed(payer), [])
		with self.assertRaisesRegex(frappe.ValidationError, "has no price"):
			flat_version("TRAP-NO-PRICE-2", 0)

	def test_t10_pricing_rules_do_not_half_the_price_a_second_time(self):
		"""What ERPNext's rules would grant is neither granted nor lost between two runs: the offer decides."""
		item = factories.make_item("TV-TRAP-RULE")
		if not frappe.db.exists("Pricing Rule", {"title": "Trap half"}):
			frappe.get_doc(
				doctype="Pricing Rule",
				title="Trap half",
				apply_on="Item Code",
				items=[{"item_code": item}],
				selling=1,
				currency="EUR",
				company=COMPANY,
				rate_or_discount="Discount Percentage",
				discount_percentage=50,
			).insert()
		payer = self.payer_of(self.subscribe("2026-10-01", version=flat_version("TRAP-RULE", 30, item=item)))
		self.nights(payer, "2026-10-01", "2026-11-02")
		self.assertEqual([row[-1] for row in self.billed(payer)], ["30.00", "30.00"])

	def test_t10_a_promotion_is_the_engines_own_and_stands_in_the_facts_of_the_row(self):
		"""Half the price by a code for two periods, then the price; the row says what it was and why it is less."""
		code = frappe.generate_hash(length=6).upper()
		frappe.get_doc(
			doctype="TV Promotion",
			promotion_name=f"Trap {code}",
			label="Welcome",
			company=COMPANY,
			currency="EUR",
			given="By Code",
			code=code,
			discount_kind="Percent",
			percent=50,
			duration="Periods",
			periods=2,
			valid_from="2020-01-01",
		).insert()
		subscription = self.subscribe(
			"2026-09-01", version=flat_version("TRAP-WELCOME", 30), terms={"promotion_code": code}
		)
		payer = self.payer_of(subscription)
		self.nights(payer, "2026-09-01", "2026-11-02")
		self.assertEqual([row[-1] for row in self.billed(payer)], ["15.00", "15.00", "30.00"])
		first = frappe.get_last_doc("Sales Invoice", {"customer": payer, "posting_date": "2026-09-01"})
		facts = json.loads(first.items[0].tv_facts)
		self.assertEqual((facts["unit_price"], facts["discounts"]), ("30", [["Welcome", "15"]]))

	def test_t13_who_leaves_a_prepaid_year_gets_the_rest_back(self):
		subscription = self.subscribe("2026-01-01", version=flat_version("TRAP-PREPAID", 365, 12))
		payer = self.payer_of(subscription)
		self.nights(payer, "2026-01-01", "2026-01-05")
		self.change(subscription, "end", "2026-04-11")
		self.nights(payer, "2026-04-11", "2026-04-15")
		self.assertEqual(
			self.billed(payer),
			[
				("2026-01-01", "2026-01-01", "2027-01-01", "365.00"),
				("2026-04-11", "2026-04-11", "2027-01-01", "-265.00"),  # 100 of 365 days are served
			],
		)
		invoice = frappe.get_last_doc("Sales Invoice", {"customer": payer, "is_return": 0})
		self.assertEqual(invoice.outstanding_amount, 110)  # 100.00 with 10 %

	def test_t14_from_monthly_to_yearly_in_the_middle_of_a_period(self):
		"""
		monthly, 30.00   |1 Oct ......|16 Oct ... 1 Nov|     the rest, 16 of 31 days, comes back: 15.48
		yearly, 360.00                |16 Oct ................. 1 Oct 2027|  350 of 365 days: 345.21
		"""
		subscription = self.subscribe("2026-09-01", version=flat_version("TRAP-MONTHLY", 30))
		payer = self.payer_of(subscription)
		yearly = flat_version("TRAP-YEARLY", 360, 12)
		self.nights(payer, "2026-09-01", "2026-10-15")
		change_lines(
			subscription=subscription,
			steps=[{"line_id": "L1", "offer_version": yearly}],
			effective_date="2026-10-16",
		)
		frappe.db.commit()
		self.nights(payer, "2026-10-16", "2026-11-02")
		self.assertEqual(
			self.billed(payer),
			[
				("2026-09-01", "2026-09-01", "2026-10-01", "30.00"),
				("2026-10-01", "2026-10-01", "2026-11-01", "30.00"),
				("2026-10-16", "2026-10-16", "2026-11-01", "-15.48"),
				("2026-10-16", "2026-10-16", "2027-10-01", "345.21"),
			],
		)

	def test_t14_contracts_of_one_payer_may_be_in_several_currencies(self):
		if not frappe.db.exists("Currency Exchange", {"from_currency": "CHF", "to_currency": "EUR"}):
			frappe.get_doc(
				doctype="Currency Exchange",
				date="2026-01-01",
				from_currency="CHF",
				to_currency="EUR",
				exchange_rate=1.05,
				for_selling=1,
			).insert()
		payer = factories.make_customer()
		self.subscribe("2026-10-01", customer=payer, version=flat_version("TRAP-EURO", 30))
		self.subscribe("2026-10-01", customer=payer, version=flat_version("TRAP-FRANC", 40, currency="CHF"))
		with one_account_for_all_currencies():
			self.nights(payer, "2026-10-01", "2026-10-03")
		invoices = frappe.get_all(
			"Sales Invoice",
			{"customer": payer, "docstatus": 1},
			["currency", "net_total", "base_net_total"],
			order_by="currency",
		)
		self.assertEqual(
			[(row.currency, row.net_total, row.base_net_total) for row in invoices],
			[("CHF", 40, 42), ("EUR", 30, 30)],
		)

	def test_t27_amounts_do_not_hang_on_the_rounding_method_of_the_site(self):
		"""30.05 for half of a 30-day month is 15.025: 15.03 by every method, and the parts make up the whole."""
		for method in ("Banker's Rounding", "Banker's Rounding (legacy)", "Commercial Rounding"):
			with self.subTest(method), test_tax.site_rounds(0, 2, method):
				payer = self.payer_of(
					self.subscribe("2026-09-16", version=flat_version("TRAP-HALF-CENT", 30.05))
				)
				self.nights(payer, "2026-09-16", "2026-09-18")
				self.assertEqual(self.billed(payer), [("2026-09-16", "2026-09-16", "2026-10-01", "15.03")])

	def test_t27_what_a_thousand_units_cost_is_multiplied_before_it_is_rounded(self):
		version = flat_version("TRAP-FLOAT", 7.4193)
		payer = self.payer_of(self.subscribe("2026-10-01", version=version, quantity=1000))
		expected = preview(company=COMPANY, bill_until="2026-10-01", payer=payer)
		self.nights(payer, "2026-10-01", "2026-10-02")
		self.assertEqual(self.billed(payer)[0][-1], "7419.30")  # not 7.42 x 1000
		self.assertEqual(expected["rows"][0]["amount"], "7419.30")


@contextmanager
def one_account_for_all_currencies():
	"""ERPNext's own switch for invoices of several currencies on one receivable account, for a while."""
	switch = "allow_multi_currency_invoices_against_single_party_account"
	frappe.db.set_single_value("Accounts Settings", switch, 1)
	frappe.db.commit()
	try:
		yield
	finally:
		frappe.db.rollback()
		frappe.db.set_single_value("Accounts Settings", switch, 0)
		frappe.db.commit()
