"""What sales may grant by themselves: in a quotation, on the form of a subscription, and with a promotion by hand."""

import frappe

from subscriber_tv.api import promotions, quotes
from subscriber_tv.flows.contracts.sales_limits import BeyondLimits
from subscriber_tv.tests import factories
from subscriber_tv.tests.billing_case import COMPANY
from subscriber_tv.tests.contract_case import make_user
from subscriber_tv.tests.quote_case import QuoteCase

SALES = ("TV Sales", "Sales User")


class TestSalesLimits(QuoteCase):
	"""20 percent and 30 days at most; 30.00 a TV and month is the price of the offer."""

	def setUp(self):
		super().setUp()
		self.addCleanup(frappe.clear_document_cache, "TV Settings", "TV Settings")
		self.addCleanup(frappe.db.rollback)
		self.addCleanup(setattr, frappe.local, "lang", frappe.local.lang)
		self.addCleanup(frappe.set_user, "Administrator")
		self.limit(20, 30)

	def limit(self, percent: float, days: int, on: int = 1) -> None:
		settings = frappe.get_doc("TV Settings")
		settings.update(
			{"limit_sales": on, "sales_discount_percent": percent, "sales_trial_days": days}
		).save()

	def as_user(self, *roles: str) -> str:
		frappe.set_user("Administrator")
		user = make_user(*roles)
		frappe.set_user(user)
		return user

	def refused(self, call) -> str:
		with self.assertRaises(BeyondLimits) as refused:
			call()
		return str(refused.exception)

	def line(self, price: float) -> list[dict]:
		return [
			{"site": self.site, "offer_version": self.version, "quantity": 1},
			{"site": self.site, "offer_version": self.version, "quantity": 1, "negotiated_price": price},
		]

	def test_sales_submit_and_order_within_the_limits(self):
		self.as_user(*SALES)
		quote = self.quote(tv_discount_percent=20, tv_trial_days=30)
		quote.submit()
		self.assertFalse(quote.tv_approved_by)
		self.assertEqual(len(quotes.open_subscriptions(quote.name)), 1)

	def test_beyond_them_the_error_names_quotation_row_limit_and_who_may(self):
		self.as_user(*SALES)
		for values, parts in (
			({"tv_discount_percent": 20.5}, ("The discount is 20.5%, the limit 20%",)),
			({"tv_trial_days": 31}, ("The trial lasts 31 days, the limit is 30",)),
			({"lines": self.line(23.99)}, ("row 2: the price lies 20.03% below", "the limit is 20%")),
			({"lines": self.line(27), "tv_discount_percent": 15}, ("row 2: the price lies 23.5% below",)),
		):
			with self.subTest(values=values):
				quote = self.quote(**values)
				message = self.refused(quote.submit)
				for part in (quote.name, *parts, "TV Back Office", "TV Billing"):
					self.assertIn(part, message)
				self.assertEqual(frappe.db.get_value("Quotation", quote.name, "docstatus"), 0)

	def test_in_french(self):
		self.as_user(*SALES)
		quote = self.quote(tv_trial_days=31, lines=self.line(20))
		frappe.local.lang = "fr"
		message = self.refused(quote.submit)
		self.assertIn("L'essai dure 31 jours, la limite est de 30.", message)
		self.assertIn("Lignes TV, ligne 2 : le prix est inférieur de 33,33 %", message)
		self.assertIn(f"Le devis <strong>{quote.name}</strong>", message)

	def test_back_office_and_billing_submit_what_sales_may_not_and_sales_order_it(self):
		for role in ("TV Back Office", "TV Billing"):
			with self.subTest(role=role):
				frappe.set_user("Administrator")
				quote = self.quote(tv_discount_percent=50, lines=self.line(10))
				user = self.as_user(role, "Sales User")
				quote = frappe.get_doc("Quotation", quote.name)
				quote.submit()
				self.assertEqual(quote.reload().tv_approved_by, user)
				self.as_user(*SALES)
				self.assertEqual(len(quotes.open_subscriptions(quote.name)), 1)

	def test_nobody_approves_by_writing_the_field(self):
		user = self.as_user(*SALES)
		quote = self.quote(tv_discount_percent=50, tv_approved_by=user)
		self.refused(quote.submit)
		small = self.quote(tv_discount_percent=5, tv_approved_by="Administrator")
		small.submit()
		self.assertFalse(small.reload().tv_approved_by)

	def test_a_quotation_submitted_before_the_limits_is_ordered_by_who_may(self):
		self.limit(0, 0, on=0)
		self.as_user(*SALES)
		quote = self.quote(tv_discount_percent=50)
		quote.submit()
		frappe.set_user("Administrator")
		self.limit(20, 30)
		self.as_user(*SALES)
		message = self.refused(lambda: quotes.open_subscriptions(quote.name))
		self.assertIn("make a contract of it", message)
		self.as_user("TV Back Office", "Sales User")
		self.assertEqual(len(quotes.open_subscriptions(quote.name)), 1)

	def test_without_limits_sales_grant_anything_and_with_zero_nothing(self):
		self.limit(0, 0, on=0)
		self.as_user(*SALES)
		self.quote(tv_discount_percent=100, tv_trial_days=300).submit()
		frappe.set_user("Administrator")
		self.limit(0, 0)
		self.as_user(*SALES)
		self.quote().submit()
		self.refused(self.quote(tv_trial_days=1).submit)

	def test_the_form_of_a_subscription_is_no_way_round(self):
		def opened(days: int):
			return frappe.get_doc(
				{
					"doctype": "TV Subscription",
					"customer": self.customer,
					"site": self.site,
					"company": COMPANY,
					"trial_days": days,
					"lines": [{"offer_version": self.version, "quantity": 1}],
				}
			).insert()

		self.as_user(*SALES)
		self.assertIn("31 days", self.refused(lambda: opened(31)))
		opened(30)
		self.as_user("TV Back Office", "Sales User")
		opened(31)

	def test_a_promotion_given_by_hand_is_held_to_the_limit_and_one_by_code_is_not(self):
		name = factories.make_subscription("Active", activated_on="2026-11-01", anchor_day=1)
		version = frappe.db.get_value("TV Subscription Line", {"parent": name}, "offer_version")
		self.assertTrue(version)
		by_hand, amount, small, by_code = (
			self.promotion("By Hand", percent=50),
			self.promotion("By Hand", discount_kind="Amount", amount=5),
			self.promotion("By Hand", percent=20),
			self.promotion("By Code", percent=50, code=frappe.generate_hash(length=6)),
		)
		self.as_user(*SALES)
		for promotion in (by_hand, amount):
			message = self.refused(lambda promotion=promotion: promotions.grant_promotion(name, promotion))
			self.assertIn("up to 20%", message)
		# A code beside it does not lift the rule.
		self.refused(lambda: promotions.grant_promotion(name, by_hand, code="ANY"))
		shown = {one["promotion"]: bool(one["reasons"]) for one in promotions.choices(name)}
		self.assertEqual(
			[shown[one] for one in (by_hand, amount, small, by_code)], [True, True, False, False]
		)
		promotions.grant_promotion(name, small)
		promotions.grant_promotion(name, by_code)
		self.as_user("TV Billing")
		promotions.grant_promotion(name, by_hand)

	def promotion(self, given: str, **values) -> str:
		doc = {
			"doctype": "TV Promotion",
			"promotion_name": frappe.generate_hash(length=8),
			"label": "Welcome",
			"company": COMPANY,
			"currency": "EUR",
			"given": given,
			"discount_kind": "Percent",
			"duration": "Ever",
			"combinable": 1,
			"valid_from": "2020-01-01",
		}
		return frappe.get_doc({**doc, **values}).insert().name
