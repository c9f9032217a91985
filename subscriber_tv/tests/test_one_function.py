"""Simulator, preview, run and quote ask one function: what changes it changes all of them, what breaks it breaks all."""

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from unittest.mock import patch

import frappe
from frappe.utils import getdate

from subscriber_tv.core.billing import bill as engine
from subscriber_tv.core.money import money
from subscriber_tv.core.scenario.simulate import simulate
from subscriber_tv.flows.billing.forecast import forecast
from subscriber_tv.flows.billing.preview import preview
from subscriber_tv.flows.billing.upcoming import of_subscription
from subscriber_tv.tests import factories
from subscriber_tv.tests.billing_case import COMPANY, TODAY
from subscriber_tv.tests.trap_case import TrapCase, flat_version

START = "2026-11-16"
PRICE = Decimal("30.00")
DUE = Decimal("60.00")  # four TVs for 15 of November's 30 days
SCENARIO = {
	"currency": "EUR",
	"contracts": [
		{
			"id": "HOTEL",
			"start": START,
			"anchor_day": 1,
			"lines": [{"id": "L1", "price": {"kind": "per_unit", "unit_price": str(PRICE)}, "quantity": 4}],
		}
	],
	"invoice_runs": [TODAY],
}


class Broken(Exception):
	"""Raised instead of deciding."""


@contextmanager
def for_twice_the_tvs():
	"""The one rule of what should be charged, with twice as many TVs as there are."""
	rule = engine.expected_charges

	def doubled(*args, **kwargs):
		rows = rule(*args, **kwargs)
		return tuple(replace(row, price=replace(row.price, quantity=row.price.quantity * 2)) for row in rows)

	with patch.object(engine, "expected_charges", doubled):
		yield


@contextmanager
def broken():
	def fail(*args, **kwargs):
		raise Broken("nobody knows what is expected")

	with patch.object(engine, "expected_charges", fail):
		yield


class TestOneFunction(TrapCase):
	def setUp(self):
		self.version = flat_version("ONE-FUNCTION", float(PRICE))
		self.customer = factories.make_customer()
		self.site = factories.make_site(self.customer)
		self.subscription = self.subscribe(
			START, customer=self.customer, site=self.site, version=self.version, quantity=4
		)
		self.ways: dict[str, Callable[[], Decimal]] = {
			"simulate": self.simulated,
			"desk simulator": self.played_ahead,
			"preview": self.previewed,
			"preview of a run": self.forecast,
			"quote": self.quoted,
		}

	def test_all_of_them_say_the_same(self):
		self.assertEqual({name: way() for name, way in self.ways.items()}, dict.fromkeys(self.ways, DUE))
		self.assertEqual(self.billed_by_a_run(), DUE)

	def test_what_changes_it_changes_all_of_them(self):
		with for_twice_the_tvs():
			found = {name: way() for name, way in self.ways.items()}
			self.assertEqual(found, dict.fromkeys(self.ways, DUE * 2))
			self.assertEqual(self.billed_by_a_run(), DUE * 2)

	def test_what_breaks_it_breaks_all_of_them(self):
		with broken():
			for name, way in self.ways.items():
				with self.subTest(name), self.assertRaises(Broken):
					way()
				frappe.db.rollback()
			row = self.night(self.customer, TODAY)
		self.assertEqual(row.outcome, "Parked")
		self.assertIn("nobody knows what is expected", row.reason)
		self.assertFalse(frappe.db.exists("Sales Invoice", {"customer": self.customer}))

	def simulated(self) -> Decimal:
		(run,) = simulate(SCENARIO)["runs"]
		return Decimal(run["net"])

	def played_ahead(self) -> Decimal:
		with self.freeze_time(f"{TODAY} 09:00:00"):
			return Decimal(of_subscription(self.subscription, months=1)["before"][0]["net"])

	def previewed(self) -> Decimal:
		return Decimal(preview(company=COMPANY, bill_until=TODAY, payer=self.customer)["totals"]["EUR"])

	def forecast(self) -> Decimal:
		day = getdate(TODAY)
		found = forecast(company=COMPANY, posting_date=day, bill_until=day, payer=self.customer)
		return found.net["EUR"]

	def quoted(self) -> Decimal:
		quote = frappe.get_doc(
			{
				"doctype": "Quotation",
				"quotation_to": "Customer",
				"party_name": self.customer,
				"company": COMPANY,
				"currency": "EUR",
				"transaction_date": TODAY,
				"tv_start_on": START,
				"tv_anchor_day": 1,
				"tv_months": 1,
				"tv_lines": [{"site": self.site, "offer_version": self.version, "quantity": 4}],
			}
		).insert()
		return money(quote.net_total)

	def billed_by_a_run(self) -> Decimal:
		row = self.night(self.customer, TODAY)
		self.assertEqual(row.outcome, "Invoiced", row.reason)
		return money(frappe.db.get_value("Sales Invoice", row.invoice, "net_total"))
