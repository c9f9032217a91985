"""The tax that the core works out is the tax that ERPNext adds: on a thousand varied invoices, and on posted ones.

Nearly all of the thousand are left unsaved and only calculated, by ERPNext's own `calculate_taxes_and_totals`, so that
the suite stays short; what is posted for real is compared with the preview of the same bill.
"""

import itertools
import random
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal

import frappe
from erpnext.controllers.taxes_and_totals import calculate_taxes_and_totals
from frappe.utils import getdate

from subscriber_tv.core.billing.tax import BANKERS, BANKERS_LEGACY, COMMERCIAL, TaxedRow, taxes
from subscriber_tv.core.money import money
from subscriber_tv.flows.billing.bill_payer import decide_for
from subscriber_tv.flows.billing.tax import tax_of
from subscriber_tv.ledger import taxation
from subscriber_tv.tests import factories
from subscriber_tv.tests.billing_case import COMPANY, TODAY, BillingTestCase

SEED = 20261122
INVOICES = 1000
MOST_ROWS = 10
RATES = ("10", "20", "5.5", "0")
VAT = {"10": "445710", "20": "445720", "5.5": "445755"}
NUMBER_FORMATS = {0: "#,###", 2: "#,###.##", 3: "#,###.###"}
CURRENCIES = {0: "JPY", 2: "EUR", 3: "TND"}


@dataclass(frozen=True)
class Made:
	"""One invoice of the thousand: its rows as (percent, net amount in units of the smallest coin)."""

	rows: tuple[tuple[str, int], ...]
	credit: bool

	def nets(self, places: int) -> list[Decimal]:
		sign = -1 if self.credit else 1
		return [sign * Decimal(coins).scaleb(-places) for _percent, coins in self.rows]


def invent(dice: random.Random) -> Made:
	"""Odd amounts, from a cent to the price of a hospital, often those that come to half a coin of tax."""
	rows = []
	for _row in range(dice.randint(1, MOST_ROWS)):
		coins = dice.choice((dice.randint(1, 99), dice.randint(100, 99999), dice.randint(1, 400) * 10 + 5))
		rows.append((dice.choice(RATES), coins))
	return Made(tuple(rows), credit=dice.random() < 0.25)


class TaxCase(BillingTestCase):
	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.accounts = {rate: vat_account(rate) for rate in VAT}
		cls.templates = {rate: item_tax_template(rate, cls.accounts) for rate in RATES}
		cls.item = factories.make_item("TV-TAX-ANY")
		frappe.db.commit()


class TestTaxOfTheCore(TaxCase):
	def test_a_thousand_varied_invoices(self):
		dice = random.Random(SEED)
		ways = list(
			itertools.product((0, 1), NUMBER_FORMATS, (COMMERCIAL, COMMERCIAL, BANKERS, BANKERS_LEGACY))
		)
		per_way = -(-INVOICES // len(ways))
		compared, taxed = 0, 0
		for by_row, places, method in ways:
			with site_rounds(by_row, places, method):
				rounding = taxation.rounding_of_site()
				self.assertEqual(
					(rounding.by_row, rounding.places, rounding.method), (bool(by_row), places, method)
				)
				for made in (invent(dice) for _n in range(per_way)):
					expected = self.by_erpnext(made, places)
					found = taxes(self.rows_of(made, places), rounding)
					self.assertEqual(sum(found), expected, (SEED, by_row, places, method, made))
					compared += 1
					taxed += expected != 0
		self.assertGreaterEqual(compared, INVOICES)
		self.assertGreater(taxed, compared * 0.9)

	def rows_of(self, made: Made, places: int) -> list[TaxedRow]:
		return [
			TaxedRow(
				"",
				net,
				tuple(
					(account, Decimal(rate if rate == percent else 0))
					for rate, account in self.accounts.items()
				),
			)
			for (percent, _coins), net in zip(made.rows, made.nets(places), strict=True)
		]

	def by_erpnext(self, made: Made, places: int) -> Decimal:
		doc = frappe.get_doc(
			{
				"doctype": "Sales Invoice",
				"company": COMPANY,
				"currency": CURRENCIES[places],
				"conversion_rate": 1 if CURRENCIES[places] == "EUR" else 0.0061,
				"is_return": int(made.credit),
				"items": [
					{
						"item_code": self.item,
						# As we post them: a credit has quantity zero and its amount as the rate.
						"qty": 0 if made.credit else 1,
						"rate": float(abs(net)),
						"item_tax_template": self.templates[percent],
					}
					for (percent, _coins), net in zip(made.rows, made.nets(places), strict=True)
				],
				"taxes": [
					{"charge_type": "On Net Total", "account_head": account, "rate": 0, "description": rate}
					for rate, account in self.accounts.items()
				],
			}
		)
		calculate_taxes_and_totals(doc)
		self.assertEqual(money(doc.net_total), sum(made.nets(places)))
		return money(doc.total_taxes_and_charges)


class TestTaxOfThePreview(TaxCase):
	"""Offers that split their price between rates; bills and credit notes posted through the engine."""

	def test_posted_documents_have_the_tax_of_the_preview(self):
		dice = random.Random(SEED)
		documents = 0
		with master_with(self.accounts):
			for number, by_row in itertools.product(range(4), (0, 1)):
				with site_rounds(by_row, 2, COMMERCIAL):
					documents += self.bill_and_credit(dice, f"TAX-SPLIT-{number}-{by_row}")
		self.assertEqual(documents, 16)

	def bill_and_credit(self, dice: random.Random, offer: str) -> int:
		version = factories.make_offer_version(offer, charges=[self.charge(dice, n) for n in range(5)])
		subscription = self.subscribe("2026-11-01", version=version, quantity=dice.randint(1, 40))
		self.assert_as_previewed(subscription)
		self.change(subscription, "end", f"2026-11-{dice.randint(2, 21):02}")
		self.assert_as_previewed(subscription)
		self.assert_nothing_due(subscription)
		return 2

	def charge(self, dice: random.Random, number: int) -> dict:
		rate = RATES[number % len(RATES)]
		item = factories.make_item(f"TV-TAX-{rate}", taxes=[{"item_tax_template": self.templates[rate]}])
		return factories.charge(f"C{number}", item=item, unit_price=dice.randint(1, 3000) / 100)

	def assert_as_previewed(self, subscription: str) -> None:
		payer = frappe.db.get_value("TV Subscription", subscription, "payer")
		(bill,) = decide_for(payer, COMPANY, getdate(TODAY)).bills
		previewed = tax_of(bill, payer=payer, company=COMPANY, posting_date=getdate(TODAY))
		posted = self.bill(subscription)
		self.assertEqual(money(posted.net_total), bill.net)
		self.assertEqual(money(posted.total_taxes_and_charges), previewed.total)
		self.assertEqual(money(posted.grand_total), bill.net + previewed.total)
		self.assertNotEqual(previewed.total, 0)


@contextmanager
def site_rounds(by_row: int, places: int, method: str):
	"""The settings of the site for a while; committed, as billing rolls back what is open."""
	before = taxation.rounding_of_site()
	set_rounding(by_row, places, method)
	try:
		yield
	finally:
		frappe.db.rollback()
		set_rounding(int(before.by_row), before.places, before.method)


def set_rounding(by_row: int, places: int, method: str) -> None:
	"""As saving the two settings does, without emptying every cache of the site."""
	frappe.db.set_single_value("Accounts Settings", "round_row_wise_tax", by_row)
	frappe.db.set_single_value("System Settings", "rounding_method", method)
	frappe.clear_document_cache("System Settings", "System Settings")
	frappe.local.system_settings = frappe._dict()
	frappe.db.set_default("number_format", NUMBER_FORMATS[places])
	frappe.db.commit()


@contextmanager
def master_with(accounts: dict[str, str]):
	"""The company's sales tax master with a row for each of these VAT accounts, for a while; committed."""
	doc = frappe.get_doc("Sales Taxes and Charges Template", taxation.tax_template(COMPANY))
	added = [
		account for account in accounts.values() if account not in {row.account_head for row in doc.taxes}
	]
	for account in added:
		doc.append(
			"taxes",
			{"charge_type": "On Net Total", "account_head": account, "rate": 0, "description": "VAT"},
		)
	doc.save()
	frappe.db.commit()
	try:
		yield
	finally:
		frappe.db.rollback()
		doc.reload()
		doc.taxes = [row for row in doc.taxes if row.account_head not in added]
		doc.save()
		frappe.db.commit()


def vat_account(rate: str) -> str:
	"""The VAT account of a rate; the one at 5.5 % is not among those of the operator."""
	found = frappe.db.get_value("Account", {"company": COMPANY, "account_number": VAT[rate]})
	return found or (
		frappe.get_doc(
			doctype="Account",
			company=COMPANY,
			parent_account=frappe.db.get_value(
				"Account", {"company": COMPANY, "account_number": "44571", "is_group": 1}
			),
			account_number=VAT[rate],
			account_name=f"TVA {rate}% Collectée",
			account_type="Tax",
		)
		.insert()
		.name
	)


def item_tax_template(rate: str, accounts: dict[str, str]) -> str:
	"""An Item Tax Template that names all VAT accounts, the others at zero."""
	title = f"Tax test {rate} %"
	name = frappe.db.get_value("Item Tax Template", {"title": title, "company": COMPANY})
	return name or (
		frappe.get_doc(
			doctype="Item Tax Template",
			title=title,
			company=COMPANY,
			taxes=[
				{"tax_type": account, "tax_rate": float(rate) if other == rate else 0}
				for other, account in accounts.items()
			],
		)
		.insert()
		.name
	)
