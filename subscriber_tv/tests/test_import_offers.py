"""Offers from a CSV file: the example of the documentation with each price model, and what is wrong by its cell."""

import csv
import io
from decimal import Decimal as D
from pathlib import Path

import frappe
from frappe.tests.utils import FrappeTestCase

from subscriber_tv.core.imports.offer_rows import COLUMNS, VERSION_COLUMNS
from subscriber_tv.core.imports.parse import columns as parse_columns
from subscriber_tv.core.imports.rows import KINDS
from subscriber_tv.core.pricing.price import price_of
from subscriber_tv.flows.billing.offers import offers_of
from subscriber_tv.flows.catalogue.words import _charge_sentences, _version_sentences
from subscriber_tv.flows.imports.load_file import load_file, worded
from subscriber_tv.tests import factories

#: Charge -> what it is priced for, and the amount, net.
PRICES = {
	"FEE": (D(30), "90"),
	"BASE": (D(30), "195"),
	# 50 at 2.00, 150 at 1.80, 10 at 1.50
	"STEPS": (D(210), "385"),
	# The tier of 51 to 200 outlets costs 550.00 whole.
	"SIZE": (D(60), "550"),
	# 26 less 5 free are two blocks of 20.
	"PACKS": (D(26), "50"),
	# The fee, 400 above the allowance at 0.50 and 10 at 0.40.
	"HOURS": (D(510), "224"),
	"SERVICE": ([D(1000)], "40"),
	"SHARE": ([D(80), D(20)], "12.5"),
	"CAUTION": (D(1), "40"),
	"GIFT": (D(30), "0"),
}


class TestImportOffers(FrappeTestCase):
	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		factories.make_operator()
		factories.make_bouquet("ESSENTIEL", channels=("IMPC",))
		frappe.db.commit()
		root = Path(frappe.get_app_path("subscriber_tv")).parent
		cls.example = (root / "docs" / "examples" / "offers-every-price-model.csv").read_text()

	def setUp(self):
		self.addCleanup(frappe.db.rollback)
		self.addCleanup(setattr, frappe.local, "lang", frappe.local.lang)
		# Versions are numbered by the offer: each test has one of its own.
		self.offer = frappe.generate_hash(length=8).upper()

	def file(self, **cells) -> str:
		"""The example for this test's offer; `cells` are other values by CHARGE__column."""
		rows = list(csv.DictReader(io.StringIO(self.example)))
		for row in rows:
			row["offer_code"] = self.offer
			for place, value in cells.items():
				charge, column = place.split("__")
				if row["charge_code"] == charge:
					row[column] = value
		text = io.StringIO()
		writer = csv.DictWriter(text, list(rows[0]))
		writer.writeheader()
		writer.writerows(rows)
		return text.getvalue()

	def load(self, text: str):
		return load_file("offers", text.encode(), "offers.csv", checkpoint=lambda: None)

	def version(self) -> str:
		return frappe.db.get_value("TV Offer Version", {"offer": self.offer, "docstatus": 1})

	def problem(self, **cells) -> dict:
		"""The one bad cell; the other rows of the version are left out for it, and nothing is stored."""
		report = self.load(self.file(**cells))
		self.assertEqual((report.loaded, self.version()), (0, None))
		self.assertEqual(len(report.problems), len(PRICES))
		[bad] = [problem for problem in report.problems if problem.code != "incomplete"]
		return worded(bad)

	def test_the_example_holds_every_price_model_and_each_prices_as_it_says(self):
		report = self.load(self.file())
		self.assertEqual([worded(p) for p in report.problems], [])
		charges = {charge.code: charge for charge in offers_of([self.version()])[self.version()]}
		self.assertEqual(set(charges), set(PRICES))
		for code, (given, amount) in PRICES.items():
			with self.subTest(code=code):
				self.assertEqual(price_of(charges[code].pricing, given).amount, D(amount))
		options = frappe.get_meta("TV Offer Charge Line").get_field("price_model").options.split("\n")
		stored = frappe.get_all("TV Offer Charge Line", {"parent": self.version()}, pluck="price_model")
		self.assertEqual(set(stored), set(options))

	def test_what_is_no_price_is_stored_too(self):
		self.load(self.file())
		charges = {charge.code: charge for charge in offers_of([self.version()])[self.version()]}
		self.assertEqual((charges["STEPS"].arrears, charges["STEPS"].counts_over), (True, "Payer"))
		self.assertEqual((charges["SIZE"].prorate, charges["SIZE"].interval_months), (False, 3))
		self.assertEqual((charges["BASE"].minimum, charges["SERVICE"].of), (D(100), ("BASE", "PACKS")))
		self.assertTrue(charges["GIFT"].free)
		self.assertFalse(charges["STEPS"].free)

	def test_a_spreadsheet_in_french_is_read_alike(self):
		rows = list(csv.reader(io.StringIO(self.file(STEPS__tiers="50:2,00 | 200 : 1,80|*:1,5"))))
		text = io.StringIO()
		writer = csv.writer(text, delimiter=";")
		for row in rows:
			writer.writerow([cell.replace("90.00", "90,00") for cell in row])
		self.assertEqual(self.load(text.getvalue()).problems, [])
		self.assertEqual(self.load(self.file()).unchanged, 1)

	def test_loaded_again_it_changes_nothing_and_other_prices_are_refused(self):
		self.load(self.file())
		self.assertEqual(self.load(self.file()).unchanged, 1)
		for cells in (
			{"STEPS__tiers": "50:2.00|200:1.80|*:1.60"},
			{"STEPS__counts_over": "Line"},
			{"PACKS__free_units": "6"},
			{"SERVICE__of_charges": "BASE"},
			{"SERVICE__maximum": ""},
			{"HOURS__allowance": "99"},
			{"SHARE__percent": "12"},
			{"SIZE__interval_months": "1"},
		):
			with self.subTest(cells=cells):
				report = self.load(self.file(**cells))
				self.assertIn("never changes", report.problems[0].value)

	def test_what_is_wrong_is_told_by_file_line_and_column(self):
		for cells, line, column, part in (
			({"STEPS__tiers": "50:2.00|many:1.80"}, 4, "tiers", "many:1.80 is not a tier"),
			({"STEPS__tiers": ""}, 4, "tiers", "STEPS has no tiers"),
			({"SIZE__tiers": "50:0+300|40:0+500|*:3"}, 5, "tiers", "Tiers, row 2"),
			({"HOURS__tiers": "400:0.50"}, 7, "tiers", "Tiers, row 1: the last tier of HOURS"),
			({"BASE__unit_price": ""}, 3, "unit_price", "The cell is empty"),
			({"BASE__unit_price": "-1"}, 3, "unit_price", "too small"),
			({"BASE__price_model": "Cheap"}, 3, "price_model", "Cheap is not possible"),
			({"BASE__allowance": "5"}, 3, "allowance", "is not read for this kind"),
			({"PACKS__block_size": ""}, 6, "block_size", "row 6: PACKS is sold by blocks"),
			({"SERVICE__of_charges": "BASE|NOWHERE"}, 8, "of_charges", "no charge has the code NOWHERE"),
			({"SERVICE__percent": ""}, 8, "percent", "has no percentage"),
			({"SERVICE__maximum": "10"}, 8, "maximum", "is below its minimum"),
			({"CAUTION__price_model": "Flat"}, 10, "price_model", "is not for this kind"),
			({"SIZE__interval_months": "61"}, 5, "interval_months", "between 1 and 60"),
		):
			with self.subTest(cells=cells):
				found = self.problem(**cells)
				self.assertEqual(
					(found["file"], found["line"], found["column"]), ("offers.csv", line, column)
				)
				self.assertIn(part, found["reason"])
				self.assertTrue(found["next_step"])

	def test_the_corrected_file_is_loaded_again_and_a_good_version_beside_a_bad_one_is_kept(self):
		bad = self.file(STEPS__tiers="")
		good = self.offer
		self.offer = frappe.generate_hash(length=8).upper()
		both = bad + "".join(self.file().splitlines(keepends=True)[1:])
		report = self.load(both)
		self.assertEqual((report.loaded, len(report.problems)), (1, len(PRICES)))
		fixed = both.replace(
			f"{good},Every price model,1,2026-01-01,ESSENTIEL,STEPS,,TV-OPTION,Graduated,,,",
			f"{good},Every price model,1,2026-01-01,ESSENTIEL,STEPS,,TV-OPTION,Graduated,,50:2.00|*:1.50,",
		)
		report = self.load(fixed)
		self.assertEqual((report.loaded, report.unchanged, report.problems), (1, 1, []))

	def test_rows_that_disagree_on_the_version_are_told_by_cell(self):
		found = self.problem(SIZE__valid_from="2026-02-01")
		self.assertEqual((found["line"], found["column"]), (5, "valid_from"))

	def test_every_problem_of_a_charge_has_its_column(self):
		columns = set(parse_columns(KINDS["offers"]))
		self.assertEqual(set(COLUMNS) | {"unused_field"}, set(_charge_sentences()))
		self.assertLessEqual({*COLUMNS.values(), *VERSION_COLUMNS.values(), "tiers"}, columns)
		elsewhere = {code for code in _version_sentences() if "tier" not in code} - {"no_charges"}
		self.assertEqual(set(VERSION_COLUMNS), elsewhere)

	def test_in_french(self):
		frappe.local.lang = "fr"
		found = self.problem(STEPS__tiers="50 à 2")
		self.assertIn("50 à 2 n'est pas un palier", found["reason"])
		self.assertIn("50:6.50|200:5.80|*:5.00", found["next_step"])
