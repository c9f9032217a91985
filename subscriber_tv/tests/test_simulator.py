"""The offer simulator on a site: what it shows is what a run posts, tax included."""

import frappe

from subscriber_tv.api import contract_terms, simulator
from subscriber_tv.flows.contracts.change_lines import change_lines
from subscriber_tv.flows.contracts.change_state import IllegalChange
from subscriber_tv.tests import factories
from subscriber_tv.tests.billing_case import COMPANY, TODAY, BillingTestCase
from subscriber_tv.tests.contract_case import make_user


def shown(bills: list[dict]) -> list[tuple]:
	return [(bill["day"], bill["net"], bill["tax"], bill["total"]) for bill in bills]


class TestSimulator(BillingTestCase):
	"""50.00 once at 20 %, 30.00 a TV and month at 10 %."""

	def test_an_offer_shows_today_and_then(self):
		# From 15 January, billed on the 1st: 50.00 + 17/31 x 60.00 = 32.90; VAT 10.00 + 3.29.
		found = simulator.offer(
			lines=[{"offer_version": self.version, "quantity": 2}],
			start_on="2027-01-15",
			anchor_day=1,
			months=2,
		)
		self.assertEqual(
			shown(found["after"]),
			[
				("2027-01-15", "82.90", "13.29", "96.19"),
				("2027-02-01", "60.00", "6.00", "66.00"),
				("2027-03-01", "60.00", "6.00", "66.00"),
			],
		)
		self.assertEqual(found["after"][0]["refused"], [])

	def test_terms_of_an_offer_are_played(self):
		# A week free, 10 % off: 1 January to 8 January free, then 24/31 x 27.00 = 20.90.
		found = simulator.offer(
			lines=[{"offer_version": self.version}],
			start_on="2027-01-01",
			trial_days=7,
			discount_percent=10,
			months=2,
		)
		self.assertEqual(
			[(bill["day"], bill["net"]) for bill in found["after"]],
			# Two months: the bill of 1 March would be for the third.
			[("2027-01-01", "50.00"), ("2027-01-08", "20.90"), ("2027-02-01", "27.00")],
		)

	def test_a_change_shown_before_is_what_the_run_bills_after(self):
		name = self.subscribe("2026-11-01", quantity=10)
		self.bill(name, "2026-11-01", "2026-11-01")
		steps = [{"line_id": "L1", "quantity": 12}]
		found = simulator.change(name, steps=steps, effective_date="2026-11-16", months=1)
		# 180.00 charged and 150.00 credited on the 22nd; from December on 360.00 instead of 300.00.
		self.assertEqual(shown(found["before"]), [("2026-12-01", "300.00", "30.00", "330.00")])
		self.assertEqual(
			shown(found["after"]),
			[(TODAY, "30.00", "3.00", "33.00"), ("2026-12-01", "360.00", "36.00", "396.00")],
		)
		self.assertEqual(frappe.db.get_value("TV Subscription", name, "change_count"), 5)
		change_lines(subscription=name, steps=steps, effective_date="2026-11-16")
		frappe.db.commit()
		self.bill(name)
		posted = frappe.get_all(
			"Sales Invoice",
			{"customer": frappe.db.get_value("TV Subscription", name, "payer"), "posting_date": TODAY},
			["net_total", "grand_total"],
		)
		self.assertEqual(sum(row.net_total for row in posted), 30)
		self.assertEqual(sum(row.grand_total for row in posted), 33)

	def test_a_contract_not_active_yet_is_shown_as_from_today(self):
		name = factories.make_subscription(
			"Draft", lines=[{"offer_version": self.version, "quantity": 1}], anchor_day=22
		)
		found = simulator.change(name, months=2)
		self.assertEqual(
			[(bill["day"], bill["net"]) for bill in found["before"]],
			[(TODAY, "80.00"), ("2026-12-22", "30.00")],
		)

	def test_what_cannot_be_is_told_like_the_change_itself(self):
		name = self.subscribe("2026-11-01")
		with self.assertRaises(IllegalChange):
			simulator.change(name, steps=[{"line_id": "L1", "quantity": 2}], effective_date="2020-01-01")
		for steps, part in (
			([{"line": "L1"}], "unknown line"),
			([{"line_id": "L1", "prices": {"BASE": {"kind": "flat"}}}], "cannot be read"),
			("[[]]", "Step 1"),
		):
			with self.assertRaises(frappe.ValidationError) as refused:
				simulator.change(name, steps=steps)
			self.assertIn(part, str(refused.exception))
		for values, part in (
			({"lines": []}, "between 1 and"),
			({"lines": [{"offer_version": "NOPE"}]}, "Line 1"),
			({"lines": [{"offer_version": self.version}], "months": 99}, "between 1 and 60"),
			({"lines": [{"offer_version": self.version}], "discount_percent": 101}, "between 0 and 100"),
		):
			with self.assertRaises(frappe.ValidationError) as refused:
				simulator.offer(start_on="2027-01-01", **values)
			self.assertIn(part, str(refused.exception))

	def test_only_staff_may_ask_and_only_keepers_set_prices(self):
		name = self.subscribe("2026-11-01")
		frappe.db.set_value("TV Subscription", name, "company", COMPANY)
		self.addCleanup(frappe.set_user, "Administrator")
		frappe.set_user(make_user("TV Logistics"))
		with self.assertRaises(frappe.PermissionError):
			simulator.change(name)
		frappe.set_user("Administrator")
		frappe.set_user(make_user("TV Sales"))
		negotiated = [{"line_id": "L1", "prices": {"BASE": {"kind": "per_unit", "unit_price": "25"}}}]
		with self.assertRaises(frappe.PermissionError):
			contract_terms.change_lines(name, steps=negotiated)
		contract_terms.change_lines(name, steps=[{"line_id": "L1", "quantity": 3}])
		with self.assertRaises(frappe.PermissionError):
			contract_terms.withdraw(name, change_no=6, reason="no")
		frappe.set_user("Administrator")
		frappe.set_user(make_user("TV Back Office"))
		contract_terms.withdraw(name, change_no=6, reason="typing error")
		contract_terms.change_lines(name, steps=negotiated)
