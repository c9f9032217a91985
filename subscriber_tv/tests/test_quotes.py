"""A quotation with TV lines: what it shows, what becomes of it, and that the bill is what it showed."""

import frappe
from frappe.utils import flt

from subscriber_tv.api import quotes
from subscriber_tv.flows.contracts.change_lines import change_lines
from subscriber_tv.flows.contracts.change_parties import move
from subscriber_tv.subscriber_tv.report.tv_quote_and_bill.tv_quote_and_bill import execute
from subscriber_tv.tests import factories
from subscriber_tv.tests.billing_case import TODAY
from subscriber_tv.tests.quote_case import QuoteCase


class TestQuotes(QuoteCase):
	"""50.00 once at 20 %, 30.00 a TV and month at 10 %."""

	def test_the_items_are_the_first_bill_and_the_table_the_next_ones(self):
		# 16 to 30 November: 15/30 x 120.00 = 60.00 at 10 %, 50.00 at 20 %.
		quote = self.quote()
		self.assertEqual(
			[(row.tv_line, row.amount) for row in quote.items],
			[
				("OFFER/L1/ACTIVATION", 50),
				("OFFER/L1/BASE", 60),
			],
		)
		self.assertEqual((quote.net_total, quote.total_taxes_and_charges, quote.grand_total), (110, 16, 126))
		self.assertEqual(
			[(str(row.day), row.net, row.tax, row.total) for row in quote.tv_bills],
			[
				("2026-11-16", 110, 16, 126),
				("2026-12-01", 120, 12, 132),
				("2027-01-01", 120, 12, 132),
			],
		)
		quote.tv_lines[0].quantity = 5
		quote.save()
		self.assertEqual([flt(row.amount) for row in quote.items], [50, 75])

	def test_the_bill_is_the_quote_and_a_report_proves_it(self):
		lines = [{"site": self.site, "offer_version": self.version, "quantity": 4, "negotiated_price": 27.5}]
		quote = self.quote(lines=lines, tv_discount_percent=10, tv_trial_days=5)
		name = self.opened(quote)
		self.activate(name, "2026-11-16")
		self.bill(name, "2026-11-21", "2026-11-21")
		self.bill(name, "2026-12-01", TODAY)
		# 110.00 a month less 10 % is 99.00; free until the 21st: 10/30 are 33.00.
		self.assertEqual(
			self.compared(quote),
			[
				("L1/ACTIVATION", "2026-11-16", 50, 50),
				("L1/BASE", "2026-11-21", 33, 33),
				("L1/BASE", "2026-12-01", 99, 99),
			],
		)
		*_ignored, summary = execute({"quotation": quote.name})
		self.assertEqual([entry["value"] for entry in summary], [3, 0, 0, 0])

	def test_a_later_start_is_billed_from_its_day_and_still_the_quote(self):
		quote = self.quote()
		name = self.opened(quote)
		self.activate(name, "2026-11-20")
		self.bill(name)
		self.assertEqual(self.compared(quote)[1], ("L1/BASE", "2026-11-20", 44, 44))

	def test_a_change_of_the_contract_ends_the_comparison(self):
		quote = self.quote()
		name = self.opened(quote)
		self.activate(name, "2026-11-16")
		change_lines(subscription=name, steps=[{"line_id": "L1", "quantity": 6}], effective_date="2026-12-01")
		frappe.db.commit()
		self.bill(name, "2026-12-01")
		self.assertEqual([row[1] for row in self.compared(quote)], ["2026-11-16", "2026-11-16"])

	def test_a_contract_that_has_moved_is_still_compared(self):
		quote = self.quote()
		name = self.opened(quote)
		self.activate(name, "2026-11-16")
		self.bill(name)
		move(subscription=name, site=factories.make_site(self.customer))
		frappe.db.commit()
		# The move ends the comparison on its day, and with it that of the month it falls into.
		self.assertEqual([row[2:] for row in self.compared(quote)], [(50, 50)])

	def test_a_bill_that_is_not_the_quote_shows(self):
		quote = self.quote()
		name = self.opened(quote)
		self.activate(name, "2026-11-16")
		frappe.db.set_value("TV Quote Line", {"parent": quote.name}, "quantity", 5)
		frappe.db.commit()
		self.bill(name)
		_columns, rows, *_rest, summary = execute({"quotation": quote.name, "only_differences": 1})
		self.assertEqual([(row["line"], row["difference"]) for row in rows], [("L1/BASE", -15)])
		self.assertEqual(summary[1]["value"], 1)

	def test_a_lead_gets_a_quote_and_two_sites_become_two_contracts(self):
		lead = frappe.get_doc(
			{"doctype": "Lead", "lead_name": "Hôtel Neuf", "company_name": "Hôtel Neuf"}
		).insert()
		lines = [{"offer_version": self.version, "quantity": 2}]
		quote = self.quote(quotation_to="Lead", party_name=lead.name, lines=lines)
		self.assertEqual(quote.grand_total, 93)
		other = factories.make_site(self.customer)
		quote = self.quote(
			lines=[
				{"site": site, "offer_version": self.version, "quantity": 1} for site in (self.site, other)
			]
		)
		self.assertEqual(quote.net_total, 130)
		quote.submit()
		names = quotes.open_subscriptions(quote.name)
		self.assertEqual(
			{frappe.db.get_value("TV Subscription", name, "site") for name in names}, {self.site, other}
		)
		with self.assertRaises(frappe.ValidationError) as refused:
			quotes.open_subscriptions(quote.name)
		self.assertIn(names[0], str(refused.exception))

	def test_what_cannot_be_quoted_is_told_by_row(self):
		for values, part in (
			({"lines": [{"offer_version": self.version, "quantity": 0}]}, "row 1"),
			(
				{"lines": [{"offer_version": self.version, "quantity": 1, "negotiated_price": -1}]},
				"below zero",
			),
			({"currency": "USD", "conversion_rate": 1}, "is sold by"),
			({"additional_discount_percentage": 10}, "the first bill"),
		):
			with self.assertRaises(frappe.ValidationError) as refused:
				self.quote(**values)
			self.assertIn(part, str(refused.exception))

	def test_terms_that_no_contract_could_have_are_refused(self):
		for field, value in (
			("tv_discount_percent", 150),
			("tv_discount_percent", -5),
			("tv_trial_days", -1),
			("tv_trial_days", 10**8),
			("tv_minimum", -1),
			("tv_anchor_day", 32),
		):
			with self.subTest(field=field, value=value), self.assertRaises(frappe.ValidationError):
				self.quote(**{field: value})

	def test_only_a_submitted_quote_of_a_customer_with_sites_becomes_a_contract(self):
		quote = self.quote(lines=[{"offer_version": self.version, "quantity": 1}])
		for prepare, part in ((lambda: None, "Submit"), (quote.submit, "choose the site")):
			prepare()
			with self.assertRaises(frappe.ValidationError) as refused:
				quotes.open_subscriptions(quote.name)
			self.assertIn(part, str(refused.exception))
