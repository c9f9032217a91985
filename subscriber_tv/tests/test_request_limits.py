"""What endpoints answer to values that no form sends: refused in words, never a traceback, and by role and company."""

import frappe

from subscriber_tv.api import billing, contract_terms, disputes, explain, promotions, simulator
from subscriber_tv.tests import factories
from subscriber_tv.tests.billing_case import COMPANY, BillingTestCase
from subscriber_tv.tests.contract_case import make_user


class TestRequestLimits(BillingTestCase):
	def setUp(self):
		self.addCleanup(frappe.set_user, "Administrator")

	def refused(self, part: str, call, *args, **values) -> None:
		with self.assertRaises(frappe.ValidationError) as refused:
			call(*args, **values)
		self.assertIn(part, str(refused.exception))

	def test_steps_that_are_none(self):
		name = self.subscribe("2026-11-01")
		for steps, part in (
			("nonsense", "Steps must be a list"),
			("[" * 5000, "Steps must be a list"),
			([1], "unknown 1"),
			([{"line_id": "L1", "prices": [1]}], "prices are an object"),
			([{"line_id": "L1", "prices": {"BASE": {"kind": "flat", "amount": "NaN"}}}], "cannot be read"),
			([{"line_id": "L1", "quantity": -3}], "at least 1"),
		):
			with self.subTest(steps=str(steps)[:60]):
				self.refused(part, contract_terms.change_lines, name, steps=steps)

	def test_offers_that_are_none(self):
		good = {"lines": [{"offer_version": self.version}], "start_on": "2027-01-01"}
		for values, part in (
			({"lines": "x"}, "between 1 and"),
			({"lines": [{"offer_version": {"docstatus": 1}}]}, "submitted offer version"),
			({"minimum": float("nan")}, "too large"),
			({"minimum": float("inf")}, "too large"),
			({"trial_days": 10**9}, "too large"),
			({"discount_periods": -5}, "below zero"),
			({"start_on": "0001-01-01"}, "no day between"),
			({"start_on": "9999-12-31"}, "no day between"),
		):
			with self.subTest(**values):
				self.refused(part, simulator.offer, **{**good, **values})

	def test_days_and_amounts_that_are_none(self):
		self.refused("no day between", billing.preview, COMPANY, "9999-12-31")
		name = self.subscribe("2026-11-01")
		self.bill(name, "2026-11-01", "2026-11-01")
		invoice = frappe.db.get_value("Sales Invoice Item", {"tv_subscription": name}, "parent")
		for rows in ("x", "{}", [1]):
			self.refused("Rows are a list", disputes.raise_dispute, invoice, "Other", "so", rows=rows)
		self.refused("or enter its code", promotions.grant_promotion, name)

	def test_a_name_from_an_address_is_no_markup(self):
		with self.assertRaises(frappe.DoesNotExistError) as refused:
			explain.line("<img src=x onerror=alert(1)>")
		self.assertNotIn("<img", str(refused.exception))

	def test_the_roles_it_takes_are_named(self):
		frappe.set_user(make_user("TV Logistics"))
		with self.assertRaises(frappe.PermissionError) as refused:
			billing.preview(COMPANY, "2026-12-01")
		self.assertIn("TV Billing", str(refused.exception))

	def test_a_company_kept_from_a_clerk_is_not_previewed(self):
		other = frappe.db.get_value("Company", {"name": ("!=", COMPANY)}) or self._other_company()
		payer = factories.make_customer()
		clerk = make_user("TV Billing")
		allowed = {"doctype": "User Permission", "user": clerk, "allow": "Company", "for_value": other}
		permission = frappe.get_doc(allowed).insert()
		self.addCleanup(frappe.clear_cache, user=clerk)
		self.addCleanup(frappe.db.delete, "User Permission", {"name": permission.name})
		frappe.clear_cache(user=clerk)
		frappe.set_user(clerk)
		with self.assertRaises(frappe.PermissionError):
			billing.preview(COMPANY, "2026-12-01", payer=payer)
		with self.assertRaises(frappe.PermissionError):
			simulator.offer(lines=[{"offer_version": self.version}], start_on="2027-01-01")

	def _other_company(self) -> str:
		doc = frappe.get_doc(
			{
				"doctype": "Company",
				"name": "Antenne Rouge",
				"company_name": "Antenne Rouge",
				"abbr": "AR",
				"default_currency": "EUR",
			}
		)
		doc.db_insert()
		self.addCleanup(frappe.db.delete, "Company", {"name": doc.name})
		return doc.name
