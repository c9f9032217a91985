"""The printed invoice and credit note, in both languages, as HTML and as PDF."""

import html
import re
from decimal import Decimal

import frappe
from frappe.utils import strip_html
from frappe.utils.print_format import download_pdf

from subscriber_tv.core.billing.terms import Discount
from subscriber_tv.flows.contracts.change_terms import grant_discount
from subscriber_tv.setup.print_formats import SETTER, make_default, remove_default
from subscriber_tv.tests import factories
from subscriber_tv.tests.billing_case import COMPANY
from subscriber_tv.tests.print_case import PrintCase

ENGLISH = (
	"Invoice date",
	"Customer number",
	"Service dates",
	"Unit price excl. VAT",
	"Remains to pay",
	"Subtotal",
)
FRENCH = ("Date de facture", "Numéro de client", "Période", "Prix unitaire HT", "Reste à payer", "Sous-total")


class TestInvoicePrint(PrintCase):
	def test_french_and_english_by_the_language_of_the_document(self):
		for language, wanted, unwanted in (("fr", FRENCH, ENGLISH), ("en", ENGLISH, FRENCH)):
			with self.subTest(language):
				self.setUp()
				self.read(language)
				self.contract()
				[name] = self.run_bill().invoices
				frappe.local.lang = "en" if language == "fr" else "fr"  # whoever prints it
				text = self.text(name)
				for word in wanted:
					self.assertIn(word, text)
				for word in unwanted:
					self.assertNotIn(word, text)

	def test_all_that_must_stand_on_it(self):
		site = factories.make_site(site_name="Hôtel du Port, Nord")
		name = self.contract("2026-11-11", site=site, po_no="PO-7")
		[invoice] = self.run_bill().invoices
		text = self.text(invoice)
		for wanted in (
			f"Facture {invoice}",
			"SIREN : 552 100 554",
			"N° TVA FR32552100554",
			"RCS Lille 552 100 554",
			"SAS au capital de 100 000 €",
			"SIREN : 404 833 048",
			"12 rue des Antennes",
			"3 place <du> Marché",
			"Votre bon de commande PO-7",
			"Prestations du – au 11/11/2026 – 30/11/2026",
			"Échéance 22/12/2026",
			"Conditions de paiement 30 jours",
			"Nature de l'opération Prestation de services",
			"Hôtel du Port, Nord",
			f"Abonnement {name}",
			"20 jours sur 30",
			"Total HT 70,00",
			"TVA 12,00",
			"Total TTC 82,00 €",
			"Reste à payer 82,00 €",
			"Merci de régler 82,00 € au plus tard le 22/12/2026",
			"indemnité forfaitaire de recouvrement de 40 €",
			"Pas d'escompte",
		):
			self.assertIn(wanted, text)
		# VAT by rate: 2.00 on 20.00 and 10.00 on 50.00.
		self.assertIn("10 20,00 2,00 20 50,00 10,00", text)
		# Text, dates, quantity, unit price, VAT, amount of the prorated row.
		self.assertRegex(text, r"20 jours sur 30 11/11/2026 – 30/11/2026 1 30,00 10 20,00")

	def test_a_section_and_a_subtotal_per_contract(self):
		contracts = [
			self.contract(site=factories.make_site(site_name=f"Site n° {number}")) for number in (1, 2, 3)
		]
		[invoice] = self.run_bill().invoices
		text = self.text(invoice)
		self.assertEqual(text.count("Sous-total"), 3)
		for number, name in enumerate(contracts, start=1):
			self.assertIn(f"Site n° {number} Abonnement {name}", text)
			self.assertIn(f"Sous-total Site n° {number} 80,00", text)
		self.assertIn("Total HT 240,00", text)

	def test_units_and_tiers_tell_how_the_amount_was_made(self):
		tiers = [
			{"charge_code": "TIERED", "up_to": 5, "unit_price": 10, "tier_no": 1},
			{"charge_code": "TIERED", "up_to": 0, "unit_price": 8, "tier_no": 2},
		]
		charges = [
			factories.charge("UNITS", item="TV-SUBSCRIPTION", unit_price=7.4193),
			factories.charge("TIERED", item="TV-SUBSCRIPTION", price_model="Graduated", unit_price=0),
		]
		for tier in tiers:
			tier.pop("tier_no")
		version = factories.make_offer_version(
			f"PRINT-{frappe.generate_hash(length=5)}", charges=charges, tiers=tiers
		)
		self.subscribe("2026-11-16", customer=self.payer, version=version, quantity=100)
		[invoice] = self.run_bill().invoices
		text = self.text(invoice)
		self.assertRegex(text, r"15 jours sur 30 16/11/2026 – 30/11/2026 100 7,4193 10 370,97")
		tiered = "Prix de la période entière : 810,00 15 jours sur 30 16/11/2026 – 30/11/2026 100 10 405,00"
		self.assertIn(tiered, text)

	def test_discounts_are_told(self):
		subscription = self.contract("2026-11-16")
		discount = Discount(percent=Decimal(10), label="Bienvenue")
		grant_discount(subscription=subscription, discounts=[discount], effective_date="2026-11-16")
		frappe.db.commit()
		[invoice] = self.run_bill().invoices
		told = "Prix de la période entière : 30,00 Remise Bienvenue : −3,00 sur la période entière 15 jours sur 30"
		self.assertIn(f"{told} 16/11/2026 – 30/11/2026 1 30,00 10 13,50", self.text(invoice))

	def test_the_language_chosen_in_the_print_view_wins(self):
		self.contract()
		[invoice] = self.run_bill().invoices
		# Looked up then: printing puts another dict in its place.
		self.addCleanup(lambda: frappe.form_dict.pop("_lang", None))
		frappe.form_dict["_lang"] = "en"
		self.assertIn("Remains to pay €93.00", self.text(invoice))

	def test_another_currency_tells_its_vat_at_home(self):
		self.advance(1)  # the account must hold euros before ERPNext takes dollars on it
		self.contract(version=self.in_dollars())
		[invoice] = self.run_bill().invoices
		text = self.text(invoice)
		self.assertIn("Montant HT USD", text)
		self.assertIn("Total TTC 33,00 $US", text)
		self.assertIn("TVA dans la monnaie de l'entreprise : 2,70 €", text)

	def test_rows_without_vat_say_why(self):
		account = frappe.db.get_value("Account", {"account_number": "445720", "company": COMPANY})
		title = f"Exonéré art. 261-{frappe.generate_hash(length=4)}"
		template = frappe.get_doc(
			doctype="Item Tax Template",
			title=title,
			company=COMPANY,
			taxes=[{"tax_type": account, "tax_rate": 0}],
		).insert()
		item = factories.make_item(f"TV-{title}", taxes=[{"item_tax_template": template.name}])
		charges = [factories.charge("EXEMPT", item=item, unit_price=12)]
		self.contract(version=factories.make_offer_version(f"P-{item[-4:]}", charges=charges))
		[invoice] = self.run_bill().invoices
		text = self.text(invoice)
		self.assertIn(f"0 12,00 0,00 Hors TVA : {title}", text)
		self.assertIn("Total TTC 12,00 €", text)

	def test_each_instalment_has_its_date_and_amount(self):
		name = "30 et 60 jours"
		if not frappe.db.exists("Payment Terms Template", name):
			terms = [
				{
					"invoice_portion": 50,
					"due_date_based_on": "Day(s) after invoice date",
					"credit_days": days,
					"description": f"50 % à {days} jours",
				}
				for days in (30, 60)
			]
			frappe.get_doc(doctype="Payment Terms Template", template_name=name, terms=terms).insert()
		frappe.db.set_value("Customer", self.payer, "payment_terms", name)
		frappe.clear_document_cache("Customer", self.payer)
		self.contract()
		[invoice] = self.run_bill().invoices
		text = self.text(invoice)
		for wanted in (
			"Échéance 22/12/2026 · 46,50 €",
			"Échéance 21/01/2027 · 46,50 €",
			"Conditions de paiement 50 % à 30 jours, 50 % à 60 jours",
			"Merci de régler 93,00 € aux échéances ci-dessus",
		):
			self.assertIn(wanted, text)

	def test_what_credit_has_settled_and_what_remains(self):
		payment = self.advance(50, "2026-10-03")
		self.contract()
		[invoice] = self.run_bill().invoices
		text = self.text(invoice)
		self.assertIn(f"Paiement {payment} 03/10/2026 −50,00 €", text)
		self.assertIn("Reste à payer 43,00 €", text)
		self.pay(invoice)
		self.assertIn("Cette facture est réglée", self.text(invoice))

	def test_nothing_about_late_payment_to_a_private_person(self):
		frappe.db.set_value("Customer", self.payer, "customer_type", "Individual")
		frappe.clear_document_cache("Customer", self.payer)
		self.contract()
		[invoice] = self.run_bill().invoices
		self.assertNotIn("recouvrement", self.text(invoice))

	def test_the_operator_may_have_terms_of_his_own(self):
		frappe.db.set_single_value(
			"TV Settings", "late_payment_terms", "Pénalités : trois fois le taux légal."
		)
		frappe.clear_document_cache("TV Settings", "TV Settings")
		self.addCleanup(self.forget_terms)
		self.contract()
		[invoice] = self.run_bill().invoices
		text = self.text(invoice)
		self.assertIn("trois fois le taux légal", text)
		self.assertNotIn("Banque centrale", text)

	def forget_terms(self) -> None:
		frappe.db.set_single_value("TV Settings", "late_payment_terms", None)
		frappe.clear_document_cache("TV Settings", "TV Settings")
		frappe.db.commit()

	def test_an_invoice_that_is_not_ours_prints_as_well(self):
		doc = frappe.get_doc(
			doctype="Sales Invoice", customer=self.payer, company=COMPANY, payment_terms_template="30 jours"
		)
		doc.append(
			"items",
			{"item_code": "TV-ACTIVATION", "qty": 2, "rate": 12.5, "description": "Câble <b>HDMI</b>"},
		)
		doc.insert().submit()
		text = self.text(doc.name)
		self.assertIn("Autres articles", text)
		self.assertRegex(text, r"Câble HDMI 2 12,50 20 25,00")

	def test_what_a_user_typed_is_text_and_not_markup(self):
		site = factories.make_site(site_name="<b>Hôtel</b> & <script>alert(1)</script>")
		self.contract(site=site)
		[invoice] = self.run_bill().invoices
		shown = self.html(invoice)
		self.assertNotIn("<script>alert", shown)
		self.assertNotIn("<du>", shown)
		self.assertIn("3 place &lt;du&gt; Marché", shown)

	def test_pdf_of_one_contract(self):
		self.contract()
		[invoice] = self.run_bill().invoices
		[page] = self.pdf(invoice)
		for wanted in (invoice, "RCS Lille", "Sous-total", "93,00 €", "Reste à payer"):
			self.assertIn(wanted, page)
		self.assertIn('id="footer-html"', self.html(invoice))

	def test_pdf_of_forty_contracts(self):
		for _number in range(40):
			self.contract()
		[invoice] = self.run_bill().invoices
		pages = self.pdf(invoice)
		self.assertTrue(4 <= len(pages) <= 8, len(pages))
		for page in pages:
			# Each page names its columns, and no contract is cut in two: as many heads as subtotals.
			self.assertGreater(page.count("Désignation"), 0)
			self.assertEqual(page.count("Désignation"), page.count("Sous-total"))
		self.assertEqual(sum(page.count("Sous-total") for page in pages), 40)
		self.assertIn("3 720,00 €", pages[-1])


class TestInvoiceDownload(PrintCase):
	"""What Frappe's own button answers, made by whatever wkhtmltopdf the machine has."""

	def download(self, name: str) -> list[str]:
		self.addCleanup(frappe.local.response.clear)
		download_pdf("Sales Invoice", name, format="TV Invoice")
		self.assertEqual((frappe.local.response.type, frappe.local.response.filename), ("pdf", f"{name}.pdf"))
		return self.pages_of(frappe.local.response.filecontent)

	def test_three_pages_name_their_invoice_and_lose_no_contract(self):
		for number in range(1, 17):
			self.contract(site=factories.make_site(site_name=f"Hôtel n° {number}"))
		[invoice] = self.run_bill().invoices
		pages = self.download(invoice)
		self.assertEqual(len(pages), 3)
		found = [re.findall(rf"{invoice} · (\d+)/16", page) for page in pages]
		self.assertTrue(all(found))
		self.assertEqual([int(one) for page in found for one in page], list(range(1, 17)))
		for page in pages:
			self.assertEqual(page.count("Désignation"), page.count("Sous-total"))
		# The total stands with the terms of its payment.
		for part in ("Total TTC 1 488,00 €", f"en rappelant {invoice}", "indemnité forfaitaire"):
			self.assertEqual([part in page for page in pages], [False, False, True])

	def test_a_contract_longer_than_a_page_goes_on_under_its_name(self):
		code = frappe.generate_hash(length=5).upper()
		charges = [
			factories.charge(f"C{number:02}", item="TV-SUBSCRIPTION", unit_price=10) for number in range(40)
		]
		version = factories.make_offer_version(f"LONG-{code}", charges=charges)
		self.contract(version=version, site=factories.make_site(site_name=f"Clinique {code}"))
		[invoice] = self.run_bill().invoices
		pages = self.download(invoice)
		self.assertEqual(len(pages), 2)
		self.assertEqual("".join(pages).count(f"Clinique {code} (suite)"), 3)
		for page in pages:
			self.assertIn(f"Clinique {code}", page)
			self.assertIn("Désignation", page)
			self.assertIn(invoice, page)
		self.assertTrue(pages[1].startswith(f"Clinique {code} (suite)"), pages[1][:60])
		self.assertEqual("".join(pages).count("Sous-total"), 1)
		self.assertIn(f"Sous-total Clinique {code} 400,00", pages[1])


class TestCreditNotePrint(PrintCase):
	def setUp(self):
		super().setUp()
		self.subscription = self.contract()
		[self.invoice] = self.run_bill().invoices

	def credit(self) -> str:
		self.change(self.subscription, "end", "2026-11-16")
		[note] = self.run_bill().credit_notes
		return note

	def test_what_it_corrects_row_by_row(self):
		note = self.credit()
		text = self.text(note, "TV Credit Note")
		for wanted in (
			f"Avoir {note}",
			f"Corrige Facture {self.invoice} du 22/11/2026",
			"Corrige la ligne 2 de la facture",
			"16/11/2026 – 30/11/2026",
			"15 jours sur 30",
			"10 -15,00 -1,50",
			"Sous-total",
			"Avoir TTC -16,50 €",
			f"Employé pour la facture {self.invoice}",
			"Reste sur votre compte 0,00 €",
		):
			self.assertIn(wanted, text)
		self.assertEqual(len(self.pdf(note, "TV Credit Note")), 1)

	def test_what_stays_on_the_account(self):
		self.pay(self.invoice)
		note = self.credit()
		text = self.text(note, "TV Credit Note")
		self.assertIn("16,50 € restent sur votre compte", text)
		self.contract("2026-11-20")
		[following] = self.run_bill().invoices
		self.assertIn(f"Employé pour la facture {following}", self.text(note, "TV Credit Note"))
		self.assertIn(f"Avoir {note}", self.text(following))

	def test_either_format_prints_a_document_as_what_it_is(self):
		note = self.credit()
		self.assertIn(f"Avoir {note}", self.text(note, "TV Invoice"))
		self.assertIn(f"Facture {self.invoice}", self.text(self.invoice, "TV Credit Note"))

	def test_ours_is_the_default_unless_the_site_has_chosen(self):
		self.addCleanup(frappe.clear_cache, doctype="Sales Invoice")
		remove_default()
		make_default()
		self.assertEqual(frappe.get_meta("Sales Invoice").default_print_format, "TV Invoice")
		self.assertIn("Désignation", frappe.get_print("Sales Invoice", self.invoice))
		frappe.db.set_value("Property Setter", SETTER, "value", "Sales Invoice Print")
		frappe.clear_cache(doctype="Sales Invoice")
		make_default()
		self.assertEqual(frappe.get_meta("Sales Invoice").default_print_format, "Sales Invoice Print")
		remove_default()
		self.assertTrue(frappe.db.exists("Property Setter", SETTER))
		frappe.db.rollback()

	def test_english(self):
		self.read("en")
		text = self.text(self.credit(), "TV Credit Note")
		for wanted in (
			"Credit note",
			"Corrects row 2 of the invoice",
			"16 Nov 2026 – 30 Nov 2026",
			"-€16.50",
		):
			self.assertIn(wanted, text)
		self.assertNotIn("Avoir", text)


class TestLetter(PrintCase):
	TEMPLATE = """
	{%- from "subscriber_tv/templates/print/document.html" import letter with context -%}
	{%- set around = tv_letter(company, customer, "2026-12-01") -%}
	{%- call letter(around, "Prix <2027>", "TVR-1") -%}<p>Nouveau prix : {{ around.words.total(31.5) }}</p>{%- endcall -%}
	"""

	def test_a_letter_has_its_head_and_its_text(self):
		shown = frappe.render_template(self.TEMPLATE, {"company": COMPANY, "customer": self.payer})
		text = html.unescape(strip_html(re.sub(r"<style.*?</style>", "", shown, flags=re.S))).replace(
			"\u00a0", " "
		)
		for wanted in (
			"Antenne Bleue",
			"RCS Lille",
			"3 place <du> Marché",
			"01/12/2026",
			"Prix <2027>",
			"31,50 €",
		):
			self.assertIn(wanted, text)
		self.assertNotIn("<2027>", shown)
