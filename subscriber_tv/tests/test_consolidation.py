"""One invoice for what belongs together, and a contract that fails holds up nobody else's."""

from decimal import Decimal

import frappe

from subscriber_tv.core.billing.groups import ONE_FOR_ALL, PER_SITE, PER_SUBSCRIPTION
from subscriber_tv.flows.billing.bill_payer import Outcome, settle
from subscriber_tv.flows.billing.lock import under_payer_lock
from subscriber_tv.flows.billing.run import run
from subscriber_tv.flows.billing.start_run import new_run
from subscriber_tv.tests import factories
from subscriber_tv.tests.billing_case import COMPANY, TODAY, BillingTestCase, ledger


class ConsolidationCase(BillingTestCase):
	def setUp(self):
		self.payer = factories.make_customer()
		frappe.db.commit()

	def contract(self, since: str = "2026-11-01", site: str | None = None, **values) -> str:
		"""A subscription of a customer of its own that our payer pays for; `values` are its invoicing fields."""
		holder = frappe.db.get_value("TV Site", site, "customer") if site else factories.make_customer()
		version = values.pop("version", None)
		name = self.subscribe(since, customer=holder, payer=self.payer, site=site, version=version)
		if values:
			frappe.get_doc("TV Subscription", name).update(values).save()
			frappe.db.commit()
		return name

	def run_bill(self, until: str = TODAY, posting_date: str = TODAY) -> Outcome:
		outcome = under_payer_lock(
			self.payer,
			lambda: settle(
				payer=self.payer,
				company=COMPANY,
				posting_date=frappe.utils.getdate(posting_date),
				bill_until=frappe.utils.getdate(until),
			),
		)
		frappe.db.commit()
		return outcome

	def invoices(self, outcome: Outcome) -> list:
		return [frappe.get_doc("Sales Invoice", name) for name in outcome.invoices]

	def assert_groups(self, outcome: Outcome, expected: list[set[str]]) -> None:
		"""Which subscriptions stand on each invoice, in any order of the invoices."""
		found = [{row.tv_subscription for row in doc.items} for doc in self.invoices(outcome)]
		self.assertCountEqual(found, expected)
		self.assertEqual(outcome.refused, ())

	def in_dollars(self) -> str:
		"""A submitted offer version of 30.00 USD a TV and month."""
		if not frappe.db.exists("Currency Exchange", {"from_currency": "USD", "date": TODAY}):
			frappe.get_doc(
				doctype="Currency Exchange",
				from_currency="USD",
				to_currency="EUR",
				date=TODAY,
				exchange_rate=0.9,
			).insert()
		charges = [factories.charge(item="TV-SUBSCRIPTION", unit_price=30)]
		name = frappe.db.get_value(
			"TV Offer", "BILLING-USD", "current_version"
		) or factories.make_offer_version("BILLING-USD", currency="USD", charges=charges)
		frappe.db.commit()
		return name

	def choose(self, choice: str) -> None:
		frappe.db.set_value("Customer", self.payer, "tv_invoicing", choice)
		frappe.db.commit()


class TestGroups(ConsolidationCase):
	def test_a_parent_gets_one_invoice_for_all_sites(self):
		contracts = {self.contract(), self.contract("2026-11-11"), self.contract("2026-10-01")}
		outcome = self.run_bill()
		self.assert_groups(outcome, [contracts])
		[invoice] = self.invoices(outcome)
		self.assertEqual(invoice.customer, self.payer)
		# One after the other, so that each can have its section and subtotal.
		order = [row.tv_subscription for row in invoice.items]
		self.assertEqual(order, sorted(order))
		self.assertEqual(Decimal(str(invoice.net_total)), outcome.net)
		self.assertEqual(self.run_bill(), Outcome())

	def test_nothing_chosen_means_one_for_all(self):
		for choice in (None, ONE_FOR_ALL):
			with self.subTest(choice):
				self.setUp()
				self.choose(choice)
				self.assert_groups(self.run_bill_of([self.contract(), self.contract()]), [set(self.made)])

	def test_one_invoice_per_subscription(self):
		self.choose(PER_SUBSCRIPTION)
		first, second = self.contract(), self.contract()
		self.assert_groups(self.run_bill(), [{first}, {second}])

	def test_one_invoice_per_site(self):
		self.choose(PER_SITE)
		site = factories.make_site()
		first, second, other = self.contract(site=site), self.contract(site=site), self.contract()
		self.assert_groups(self.run_bill(), [{first, second}, {other}])

	def test_mode_of_payment_and_purchase_order_and_a_contract_that_stands_alone(self):
		plain = {self.contract(), self.contract()}
		debit = self.contract(mode_of_payment=frappe.db.get_value("Mode of Payment", {"enabled": 1}))
		ordered = {self.contract(po_no="PO-7"), self.contract(po_no=" PO-7 ")}
		alone = self.contract(separate_invoice=1)
		outcome = self.run_bill()
		self.assert_groups(outcome, [plain, {debit}, ordered, {alone}])
		numbers = {
			frozenset(r.tv_subscription for r in doc.items): (doc.po_no or None, doc.tv_mode_of_payment)
			for doc in self.invoices(outcome)
		}
		self.assertEqual(numbers[frozenset(ordered)], ("PO-7", None))
		mode = frappe.db.get_value("TV Subscription", debit, "mode_of_payment")
		self.assertEqual(numbers[frozenset({debit})], (None, mode))

	def test_another_currency_is_another_invoice(self):
		dollars, euros = self.contract(version=self.in_dollars()), self.contract()
		outcome = self.run_bill()
		self.assert_groups(outcome, [{euros}, {dollars}])
		self.assertEqual({doc.currency for doc in self.invoices(outcome)}, {"EUR", "USD"})

	def test_a_choice_that_changes_takes_effect_with_the_next_bill_and_bills_nothing_again(self):
		first, second = self.contract("2026-10-01"), self.contract("2026-10-01")
		self.assert_groups(self.run_bill("2026-10-01"), [{first, second}])
		self.choose(PER_SUBSCRIPTION)
		outcome = self.run_bill("2026-11-01")
		self.assert_groups(outcome, [{first}, {second}])
		self.assertEqual(outcome.net, Decimal(60))

	def test_one_credit_note_for_each_corrected_invoice(self):
		first, second = self.contract(), self.contract()
		[invoice] = self.run_bill().invoices
		self.choose(PER_SUBSCRIPTION)
		for name in (first, second):
			self.change(name, "end", "2026-11-16")
		outcome = self.run_bill()
		self.assertEqual((len(outcome.credit_notes), outcome.invoices), (1, ()))
		note = frappe.get_doc("Sales Invoice", outcome.credit_notes[0])
		self.assertEqual((note.return_against, note.net_total, len(note.items)), (invoice, -30, 2))
		self.assertEqual(self.run_bill(), Outcome())

	def run_bill_of(self, contracts: list[str]) -> Outcome:
		self.made = contracts
		return self.run_bill()


class TestFailures(ConsolidationCase):
	"""What ERPNext refuses of one contract."""

	def setUp(self):
		super().setUp()
		item = factories.make_item("TV-UNTAXED")
		self.untaxed = factories.make_offer_version(
			"BILLING-UNTAXED", charges=[factories.charge("UNTAXED", item=item, unit_price=9)], fresh=True
		)
		self.tax(item, taxed=False)
		self.addCleanup(self.tax, item, taxed=True)

	def tax(self, item: str, *, taxed: bool) -> None:
		"""An item whose template names one VAT account twice over is refused by our guard, as one taxed twice."""
		accounts = frappe.get_all("Account", {"account_number": ("in", ("445710", "445720"))}, pluck="name")
		title = "Twice"
		name = frappe.db.get_value("Item Tax Template", {"title": title, "company": COMPANY})
		if not name:
			rows = [{"tax_type": account, "tax_rate": 10} for account in accounts]
			name = (
				frappe.get_doc(doctype="Item Tax Template", title=title, company=COMPANY, taxes=rows)
				.insert()
				.name
			)
		doc = frappe.get_doc("Item", item)
		doc.set("taxes", [] if taxed else [{"item_tax_template": name}])
		doc.save()
		frappe.db.commit()

	def test_the_failing_contract_waits_and_the_others_are_billed(self):
		good, other, bad = self.contract(), self.contract(), self.contract(version=self.untaxed)
		series = frappe.get_all("Sales Invoice", pluck="name")
		outcome = self.run_bill()
		self.assertEqual(len(outcome.invoices), 1)
		self.assertEqual({row.tv_subscription for row in self.invoices(outcome)[0].items}, {good, other})
		[reason] = outcome.refused
		self.assertIn(bad, reason)
		self.assertIn("taxed twice", reason)
		self.assertEqual(outcome.net, Decimal(160))
		# Nothing is left of the attempt: no claim, no document, no number.
		self.assertFalse(frappe.db.exists("TV Billed Period", {"subscription": bad}))
		self.assertEqual(len(frappe.get_all("Sales Invoice", pluck="name")), len(series) + 1)
		self.assert_gapless(outcome.invoices[0], series)
		ledger(outcome.invoices[0])

		item = frappe.db.get_value("TV Offer Charge Line", {"parent": self.untaxed}, "item")
		self.tax(item, taxed=True)
		outcome = self.run_bill()
		self.assertEqual((outcome.refused, outcome.net), ((), Decimal(9)))
		self.assertEqual(self.run_bill(), Outcome())

	def test_a_failing_group_does_not_stop_the_other_groups(self):
		good, bad = self.contract(), self.contract(version=self.untaxed, po_no="PO-BAD")
		outcome = self.run_bill()
		self.assertEqual({row.tv_subscription for row in self.invoices(outcome)[0].items}, {good})
		self.assertEqual(len(outcome.refused), 1)
		self.assertIn(bad, outcome.refused[0])

	def test_a_contract_that_waits_is_not_half_done(self):
		"""Its credit, which could be posted, waits with the charge that cannot."""
		bad, good = self.contract(version=self.untaxed), self.contract()
		self.tax("TV-UNTAXED", taxed=True)
		[invoice] = self.run_bill().invoices
		for name in (bad, good):
			self.change(name, "end", "2026-11-16")
			self.change(name, "reactivate", "2026-11-20")
			self.change(name, "activate", "2026-11-20")
		self.tax("TV-UNTAXED", taxed=False)
		outcome = self.run_bill(until="2026-12-01")
		notes = [frappe.get_doc("Sales Invoice", name) for name in outcome.credit_notes]
		self.assertEqual([(n.return_against, n.net_total) for n in notes], [(invoice, -4)])
		self.assertEqual({row.tv_subscription for n in notes for row in n.items}, {good})
		self.assertEqual(outcome.net, Decimal(26))
		self.assertEqual(len(outcome.refused), 1)
		self.tax("TV-UNTAXED", taxed=True)
		outcome = self.run_bill(until="2026-12-01")
		self.assertEqual((len(outcome.credit_notes), outcome.net), (1, Decimal("7.80")))

	def test_a_run_counts_all_documents_of_a_payer_and_a_retry_adds_to_them(self):
		self.contract(), self.contract(po_no="PO-1"), self.contract(version=self.untaxed, po_no="PO-2")
		name = new_run(company=COMPANY, posting_date=TODAY, bill_until=TODAY, payer=self.payer)
		run(bill_run=name)
		self.assert_run(name, "Completed with Errors", "Parked", 2, 160)
		first = frappe.db.get_value("TV Bill Run Line", {"parent": name}, "invoice")
		self.tax("TV-UNTAXED", taxed=True)
		frappe.db.set_value("TV Bill Run Line", {"parent": name}, {"outcome": "Pending", "reason": None})
		frappe.db.commit()
		run(bill_run=name)
		self.assert_run(name, "Completed", "Invoiced", 3, 169)
		self.assertEqual(frappe.db.get_value("TV Bill Run Line", {"parent": name}, "invoice"), first)
		self.assertEqual(frappe.db.count("Sales Invoice", {"tv_bill_run": name, "docstatus": 1}), 3)

	def assert_run(self, name: str, status: str, outcome: str, documents: int, net: float) -> None:
		doc = frappe.get_doc("TV Bill Run", name)
		self.assertEqual((doc.status, doc.invoices, doc.net_total), (status, documents, net))
		[line] = doc.payers
		self.assertEqual((line.outcome, line.documents, line.net_amount), (outcome, documents, net))

	def test_what_is_wrong_with_the_payer_is_said_once(self):
		self.contract(), self.contract()
		frappe.db.set_value("Customer", self.payer, "disabled", 1)
		frappe.db.commit()
		outcome = self.run_bill()
		self.assertEqual((outcome.invoices, len(outcome.refused)), ((), 1))
		self.assertIn("disabled", outcome.refused[0])

	def assert_gapless(self, invoice: str, before: list[str]) -> None:
		prefix = invoice[:-5]
		numbers = [int(name[-5:]) for name in before if name.startswith(prefix) and name[-5:].isdigit()]
		self.assertEqual(int(invoice[-5:]), max(numbers, default=0) + 1)


class TestLanguageAndTaxes(ConsolidationCase):
	def test_rows_speak_the_language_of_the_payer(self):
		for payer_reads, worker_reads, word in (("fr", "en", " au "), ("en", "fr", " to ")):
			with self.subTest(payer_reads):
				self.setUp()
				frappe.db.set_value("Customer", self.payer, "language", payer_reads)
				name = self.contract()
				self.addCleanup(setattr, frappe.local, "lang", frappe.local.lang)
				frappe.local.lang = worker_reads
				[invoice] = self.invoices(self.run_bill())
				self.assertIn(f"01/11/2026{word}30/11/2026", invoice.items[1].description)
				self.assertEqual(invoice.language, payer_reads)
				self.change(name, "end", "2026-11-16")
				[note] = self.run_bill().credit_notes
				text = frappe.get_doc("Sales Invoice", note).items[0].description
				self.assertTrue(text.startswith("Avoir" if payer_reads == "fr" else "Credit"), text)

	def test_a_tax_rule_chooses_the_taxes_as_on_an_ordinary_invoice(self):
		category = "Outside VAT"
		if not frappe.db.exists("Tax Category", category):
			frappe.get_doc(doctype="Tax Category", title=category).insert()
		account = frappe.db.get_value("Account", {"account_number": "445720", "company": COMPANY})
		template = frappe.get_doc(
			{
				"doctype": "Sales Taxes and Charges Template",
				"title": f"Exempt {frappe.generate_hash(length=6)}",
				"company": COMPANY,
				"taxes": [
					{
						"charge_type": "On Net Total",
						"account_head": account,
						"rate": 0,
						"description": "0 %",
					}
				],
			}
		).insert()
		exempt = frappe.get_doc(
			{
				"doctype": "Item Tax Template",
				"title": f"Exempt {frappe.generate_hash(length=6)}",
				"company": COMPANY,
				"taxes": [{"tax_type": account, "tax_rate": 0}],
			}
		).insert()
		rule = frappe.get_doc(
			doctype="Tax Rule", tax_type="Sales", tax_category=category, sales_tax_template=template.name
		).insert()
		item = factories.make_item("TV-EXEMPT-ABROAD")
		doc = frappe.get_doc("Item", item)
		doc.set("taxes", [{"item_tax_template": exempt.name, "tax_category": category}])
		doc.save()
		self.addCleanup(lambda: (rule.delete(), frappe.db.commit()))
		frappe.db.set_value("Customer", self.payer, "tax_category", category)
		version = factories.make_offer_version(
			"BILLING-EXEMPT", charges=[factories.charge("EXEMPT", item=item, unit_price=30)], fresh=True
		)
		self.contract(version=version)
		[invoice] = self.invoices(self.run_bill())
		self.assertEqual(
			(invoice.taxes_and_charges, invoice.tax_category, invoice.grand_total),
			(template.name, category, 30),
		)
		ordinary = frappe.get_doc(
			doctype="Sales Invoice",
			customer=self.payer,
			company=COMPANY,
			posting_date=TODAY,
			set_posting_time=1,
		)
		ordinary.append("items", {"item_code": item, "qty": 1, "rate": 30})
		ordinary.insert()
		self.assertEqual(ordinary.taxes_and_charges, invoice.taxes_and_charges)
		self.assertEqual(
			[(tax.account_head, tax.rate) for tax in ordinary.taxes],
			[(tax.account_head, tax.rate) for tax in invoice.taxes],
		)
		ordinary.delete()
