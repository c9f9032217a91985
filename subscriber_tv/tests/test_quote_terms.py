"""The commitment and the promotion code of a quotation: shown with their effect, carried into the contract, billed."""

import frappe

from subscriber_tv.api import quotes
from subscriber_tv.flows.contracts.timeline import load
from subscriber_tv.flows.promotions.give import NotEligible
from subscriber_tv.subscriber_tv.report.tv_quote_and_bill.tv_quote_and_bill import execute
from subscriber_tv.tests import factories
from subscriber_tv.tests.billing_case import TODAY, make_promotion
from subscriber_tv.tests.processes import on_own_connections
from subscriber_tv.tests.quote_case import QuoteCase
from subscriber_tv.tests.test_commitment import ALL, LEGAL, make_rule

BOUND = {
	"tv_commitment_months": 24,
	"tv_renewal": "Tacit",
	"tv_renewal_months": 12,
	"tv_notice_months": 2,
	"tv_exit_rule": ALL,
}


class TestQuoteTerms(QuoteCase):
	"""50.00 once at 20 %, 30.00 a TV and month at 10 %; the code takes half off three periods."""

	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		make_rule(LEGAL, first_months=12, percent_within=100, percent_after=20, most_months=24)
		make_rule(ALL, first_months=0, percent_within=0, percent_after=100, renewed_terms=1)
		frappe.db.commit()

	def setUp(self):
		super().setUp()
		frappe.db.set_value("Customer", self.customer, "language", "en")

	def promotion(self, **values):
		return make_promotion(**{"label": "Half price", "duration": "Periods", "periods": 3, **values})

	def refused(self, call) -> str:
		with self.assertRaises(NotEligible) as refused:
			call()
		return str(refused.exception)

	def report(self, quote, **filters) -> tuple[list, list]:
		_columns, rows, *_rest, summary = execute({"quotation": quote.name, **filters})
		return rows, [entry["value"] for entry in summary]

	def test_the_quote_shows_what_the_code_takes_off_and_how_long_it_binds(self):
		promotion = self.promotion()
		quote = self.quote(tv_promotion_code=promotion.code.lower(), tv_months=5, **BOUND)
		# 16 to 30 November: half of 60.00; half of 120.00 twice, then 120.00.
		self.assertEqual([row.net for row in quote.tv_bills], [80, 60, 60, 120, 120, 120])
		self.assertEqual(quote.net_total, 80)
		lines = quote.tv_summary.split("\n")
		self.assertEqual(len(lines), 5)
		for part in ("€93.00 on the first day, then 2 times €66.00", "then 3 times €132.00"):
			self.assertIn(part, lines[0])
		self.assertIn(f"{promotion.code} takes €150.00 off", lines[1])
		self.assertIn("Bound for 24 months: until 16 Nov 2028 when served from 16 Nov 2026", lines[2])
		self.assertIn("renewed by 12 months unless cancelled with 2 months", lines[3])
		self.assertIn("Early exit fee", lines[4])

	def test_without_them_the_quote_says_only_what_is_paid(self):
		quote = self.quote()
		self.assertEqual(len(quote.tv_summary.split("\n")), 1)
		self.assertNotIn("Bound", quote.tv_summary)

	def test_it_speaks_as_the_customer_reads_whoever_writes_it(self):
		frappe.db.set_value("Customer", self.customer, "language", "fr")
		quote = self.quote(tv_promotion_code=self.promotion().code, **BOUND)
		summary = quote.tv_summary.replace("\u00a0", " ")
		for part in (
			"À payer, TVA comprise : 93,00 € le premier jour, puis 2 fois 66,00 € à partir du 01/12/2026",
			"retire",
			"Engagement de 24 mois",
		):
			self.assertIn(part, summary)
		self.assertIn("16/11/2026 au 30/11/2026", quote.items[1].description)

	def test_the_contract_is_bound_and_billed_as_quoted_and_the_report_proves_it(self):
		promotion = self.promotion()
		quote = self.quote(tv_promotion_code=promotion.code, tv_discount_percent=10, **BOUND)
		name = self.opened(quote)
		self.assertIsNone(frappe.db.get_value("TV Subscription", name, "term_end"))
		self.activate(name, "2026-11-20")
		doc = frappe.get_doc("TV Subscription", name)
		self.assertEqual(
			[doc.commitment_months, doc.renewal, doc.renewal_months, doc.notice_months, doc.exit_rule],
			list(BOUND.values()),
		)
		self.assertEqual((str(doc.term_end), doc.promotion_code), ("2028-11-20", promotion.code))
		[bound] = load(name).bounds()
		self.assertEqual((str(bound.start), str(bound.end)), ("2026-11-20", "2028-11-20"))
		self.assertEqual(promotion.reload().uses, 1)
		self.bill(name)
		# 20 to 30 November: 11/30 of 120.00, less 10 and 50 percent as the bill takes them.
		self.bill(name, "2026-12-01")
		rows, summary = self.report(quote)
		self.assertEqual([row["difference"] for row in rows], [0, 0, 0])
		self.assertLess(rows[1]["billed"], 44 * 0.9)
		self.assertEqual(summary, [3, 0, 0, 0])
		self.assertEqual(
			{(row["promotion"], str(row["quoted_end"]), str(row["agreed_end"])) for row in rows},
			{(promotion.code, "2028-11-20", "2028-11-20")},
		)

	def test_the_quoted_discount_is_billed_though_the_promotion_was_changed_since(self):
		promotion = self.promotion()
		quote = self.quote(tv_promotion_code=promotion.code)
		quote.submit()
		promotion.update({"percent": 5, "periods": 1}).save()
		name = self.opened(quote)
		self.activate(name, "2026-11-16")
		self.bill(name)
		self.assertEqual(self.compared(quote)[1], ("L1/BASE", "2026-11-16", 30, 30))

	def test_the_report_tells_other_terms(self):
		quote = self.quote(tv_promotion_code=self.promotion().code, **BOUND)
		name = self.opened(quote)
		self.activate(name, "2026-11-16")
		self.bill(name)
		self.assertEqual(self.report(quote, only_differences=1)[0], [])
		frappe.db.set_value("TV Subscription", name, "commitment_months", 12)
		rows, summary = self.report(quote, only_differences=1)
		self.assertEqual({str(row["agreed_end"]) for row in rows}, {"2027-11-16"})
		self.assertEqual((summary[1], summary[2]), (0, 1))

	def test_a_code_that_is_unknown_over_or_used_up_is_refused_at_the_quote(self):
		used = self.promotion(max_uses=1)
		self.opened(self.quote(tv_promotion_code=used.code))
		over = self.promotion(valid_upto="2026-11-01")
		long = self.promotion(minimum_commitment=24)
		for code, part in (
			("NOBODY", "no promotion with the code"),
			(used.code, "used up"),
			(over.code, "on offer until"),
			(long.code, "commitment of at least 24 months"),
		):
			with self.subTest(part=part):
				message = self.refused(lambda code=code: self.quote(tv_promotion_code=code))
				self.assertIn(part, message)
		self.quote(tv_promotion_code=long.code, **BOUND)

	def test_two_contracts_of_one_quote_use_a_promotion_twice(self):
		sites = [self.site, factories.make_site(self.customer)]
		lines = [{"site": site, "offer_version": self.version, "quantity": 1} for site in sites]
		for limit in ({"max_uses": 1}, {"once_per_customer": 1}):
			code = self.promotion(**limit).code
			self.refused(lambda code=code: self.quote(lines=lines, tv_promotion_code=code))
		twice = self.promotion(max_uses=2)
		quote = self.quote(lines=lines, tv_promotion_code=twice.code)
		quote.submit()
		self.assertEqual(len(quotes.open_subscriptions(quote.name)), 2)
		self.assertEqual(twice.reload().uses, 2)

	def test_it_is_checked_again_when_the_order_is_made_and_nothing_is_opened(self):
		for change, part in (({"valid_upto": "2026-11-01"}, "on offer until"), ({"disabled": 1}, "disabled")):
			promotion = self.promotion()
			quote = self.quote(tv_promotion_code=promotion.code)
			quote.submit()
			promotion.update(change).save()
			frappe.db.commit()
			[refused] = on_own_connections(lambda name=quote.name: quotes.open_subscriptions(name))
			self.assertIsInstance(refused, NotEligible)
			message = str(refused)
			for expected in (quote.name, part, "without the promotion code"):
				self.assertIn(expected, message)
			self.assertFalse(frappe.db.exists("TV Subscription", {"quotation": quote.name}))

	def test_of_two_orders_at_once_one_gets_the_last_use(self):
		promotion = self.promotion(max_uses=1)
		orders = []
		for _turn in range(2):
			quote = self.quote(
				tv_promotion_code=promotion.code,
				lines=[
					{
						"site": factories.make_site(self.customer),
						"offer_version": self.version,
						"quantity": 1,
					}
				],
			)
			quote.submit()
			orders.append(quote.name)
		frappe.db.commit()
		answers = on_own_connections(*(lambda name=name: quotes.open_subscriptions(name) for name in orders))
		self.assertEqual(sorted(isinstance(answer, NotEligible) for answer in answers), [False, True])
		self.assertEqual(promotion.reload().uses, 1)

	def test_what_cannot_bind_is_refused_at_the_quote(self):
		consumer = factories.make_customer(customer_type="Individual")
		lines = [{"offer_version": self.version, "quantity": 1}]
		for values, part in (
			({"tv_commitment_months": 61}, "1 to 60 months"),
			({"tv_commitment_months": -1}, "below zero"),
			({"party_name": consumer, "tv_commitment_months": 36, "lines": lines}, "24 months at most"),
			({**BOUND, "party_name": consumer, "lines": lines}, "more than the law allows"),
			({**BOUND, "tv_notice_months": 13}, "is a slip"),
		):
			with self.subTest(part=part), self.assertRaisesRegex(frappe.ValidationError, part):
				self.quote(**values)

	def test_a_lead_sees_them_too_and_a_copy_is_noted_anew(self):
		promotion = self.promotion()
		lead = frappe.get_doc({"doctype": "Lead", "lead_name": "Hôtel", "company_name": "Hôtel"}).insert()
		quote = self.quote(
			quotation_to="Lead",
			party_name=lead.name,
			lines=[{"offer_version": self.version, "quantity": 4}],
			tv_promotion_code=promotion.code,
			**BOUND,
		)
		self.assertEqual(quote.net_total, 80)
		promotion.update({"percent": 25}).save()
		copy = frappe.copy_doc(quote, ignore_no_copy=False)
		self.assertFalse(copy.tv_promised)
		self.assertEqual(copy.insert().net_total, 95)
		self.assertEqual(str(copy.transaction_date), TODAY)
