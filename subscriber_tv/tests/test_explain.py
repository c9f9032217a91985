"""Explain this line on a real site: every kind of row, what stands behind it, and who may ask."""

import json
from decimal import Decimal
from unittest.mock import patch

import frappe
from erpnext.controllers.sales_and_purchase_return import make_return_doc
from frappe.utils import getdate

from subscriber_tv.api import explain as api
from subscriber_tv.core.billing.usage import Usage
from subscriber_tv.core.money import money
from subscriber_tv.core.pricing.models import PerUnit
from subscriber_tv.flows.billing.explain_line import explain_line
from subscriber_tv.flows.billing.trail_of_row import trail_of_row
from subscriber_tv.flows.collections.decide_dispute import decide_dispute
from subscriber_tv.flows.collections.raise_dispute import raise_dispute
from subscriber_tv.flows.contracts.change_lines import change_lines
from subscriber_tv.tests import factories
from subscriber_tv.tests.billing_case import BillingTestCase
from subscriber_tv.tests.contract_case import make_user


class ExplainCase(BillingTestCase):
	def setUp(self):
		self.addCleanup(frappe.set_user, "Administrator")

	def explain(self, invoice, index=0) -> dict:
		return explain_line(invoice.items[index].name)

	def trail(self, invoice, index=0) -> dict:
		return trail_of_row(invoice.items[index].name)

	def assert_all_agree(self, invoice) -> None:
		for row in invoice.items:
			explained = explain_line(row.name)
			self.assertIs(explained["agrees"], True, (row.tv_line, row.tv_kind, explained))


def names(records: list[dict]) -> list[str]:
	return [record["name"] for record in records]


class TestSteps(ExplainCase):
	def test_a_part_of_the_first_period(self):
		subscription = self.subscribe("2026-11-11", quantity=4)
		invoice = self.bill(subscription)
		explained = self.explain(invoice, 1)
		steps = [(step["what"], step["how"]) for step in explained["steps"]]
		self.assertEqual([how for _, how in steps][-1:], [""])
		self.assertEqual(steps[0][0], "Units")
		self.assertRegex(steps[0][1], r"^4 × .*30[.,]00")
		self.assertIn(("Days charged", "× 20 / 30"), steps)
		self.assertRegex(explained["steps"][-1]["amount"], "80[.,]00")
		self.assertEqual((explained["posted"], explained["agrees"]), ("80", True))
		self.assertEqual(
			explained["bar"],
			{
				"from": "2026-11-01",
				"to": "2026-12-01",
				"days": 30,
				"segments": [{"kind": "charged", "from": "2026-11-11", "to": "2026-12-01"}],
			},
		)
		fee = self.explain(invoice)
		self.assertEqual((fee["kind"], fee["bar"], fee["agrees"]), ("one-off", None, True))

	def test_what_is_given_back(self):
		subscription = self.subscribe("2026-11-01")
		invoice = self.bill(subscription)
		self.change(subscription, "end", "2026-11-16")
		note = self.bill(subscription)
		explained, billed = self.explain(note), self.explain(invoice, 1)
		self.assertEqual((explained["kind"], explained["posted"]), ("correction", "-15"))
		self.assertEqual([step["how"] for step in explained["steps"]][-1], "× 15 / 30")
		self.assertIs(explained["agrees"], True)
		given_back = {"kind": "given_back", "from": "2026-11-16", "to": "2026-12-01"}
		self.assertIn(given_back, explained["bar"]["segments"])
		self.assertIn(given_back, billed["bar"]["segments"])

	def test_what_was_granted_caps_what_is_given_back(self):
		subscription = self.subscribe("2026-11-01")
		invoice = self.bill(subscription)
		note = make_return_doc("Sales Invoice", invoice.name)
		note.items = [item for item in note.items if item.sales_invoice_item == invoice.items[1].name]
		note.items[0].rate = 8
		note.submit()
		frappe.db.commit()
		self.change(subscription, "end", "2026-11-06")  # 25 of 30 unserved, 22 left on the row
		correction = self.bill(subscription)
		explained = self.explain(correction)
		self.assertEqual((explained["posted"], explained["agrees"]), ("-22", True))
		self.assertEqual(explained["steps"][-1]["what"], "No more than was left of the row")
		self.assertEqual(names(self.trail(invoice, 1)["concessions"]), [note.name])

	def test_an_amount_changed_by_hand_is_told(self):
		subscription = self.subscribe("2026-11-01")
		invoice = self.bill(subscription)
		invoice.cancel()
		amended = frappe.copy_doc(invoice)
		amended.amended_from = invoice.name
		amended.items[1].rate = 25
		amended.submit()
		frappe.db.commit()
		explained = self.explain(amended, 1)
		self.assertIs(explained["agrees"], False)
		self.assertRegex(explained["verdict"], "30[.,]00.*25[.,]00")
		self.assertIs(self.explain(invoice, 1)["agrees"], True)

	def test_every_kind_of_charge(self):
		"""Tiers, blocks, a minimum, a percentage, a deposit and cents that do not divide, billed, changed and ended."""
		charges = [
			factories.activation_fee(item="TV-ACTIVATION"),
			factories.charge(item="TV-SUBSCRIPTION", price_model="Graduated", unit_price=0),
			factories.charge("OPTION", item="TV-SUBSCRIPTION", unit_price=7.4193, minimum=500),
			factories.charge(
				"PACK", item="TV-SUBSCRIPTION", price_model="Package", unit_price=9.99, block_size=5
			),
			factories.charge(
				"CARE",
				item="TV-SUBSCRIPTION",
				price_model="Percent Of",
				unit_price=0,
				percent=3.5,
				of_charges="BASE",
			),
			factories.charge("BOX", item="TV-DEPOSIT", charge_kind="Deposit", unit_price=40),
		]
		tiers = [
			{"charge_code": "BASE", "up_to": 10, "unit_price": 5},
			{"charge_code": "BASE", "unit_price": 4.33, "flat_fee": 7},
		]
		version = factories.make_offer_version("EXPLAIN-ALL", fresh=True, charges=charges, tiers=tiers)
		subscription = self.subscribe("2026-10-07", version=version, quantity=13)
		for until in ("2026-10-07", "2026-11-01", "2026-12-01"):
			self.assert_all_agree(self.bill(subscription, until=until, posting_date="2026-12-01"))
		kinds = {row["kind"] for row in api.rows(subscription=subscription)}
		self.assertLessEqual({"one-off", "recurring", "minimum", "deposit"}, kinds)
		self.change(subscription, "cancel_at_date", "2026-11-20", end="2026-12-11")
		while note := self.bill(subscription, until="2026-12-20", posting_date="2026-12-20"):
			self.assert_all_agree(note)
		kinds = {row["kind"] for row in api.rows(subscription=subscription)}
		self.assertIn("correction", kinds)

	def test_usage_and_a_record_that_came_late(self):
		charge = factories.charge(
			"HOURS",
			charge_kind="Usage",
			price_model="Usage",
			item="TV-OPTION",
			unit_price=20,
			allowance=100,
		)
		tiers = [{"charge_code": "HOURS", "unit_price": 0.5}]
		version = factories.make_offer_version("EXPLAIN-USE", fresh=True, charges=[charge], tiers=tiers)
		subscription = self.subscribe("2026-11-01", version=version)
		line = frappe.get_doc("TV Subscription", subscription).lines[0].line_id
		used = [Usage(line, "HOURS", getdate("2026-11-05"), Decimal(130))]
		reading = "subscriber_tv.flows.billing.facts.usage_of"
		with patch(reading, lambda names: {name: tuple(used) for name in names}):
			first = self.bill(subscription, until="2026-12-01", posting_date="2026-12-01")
			used.append(Usage(line, "HOURS", getdate("2026-11-06"), Decimal(10)))
			late = self.bill(subscription, until="2026-12-02", posting_date="2026-12-02")
		self.assertEqual([row.amount for row in (*first.items, *late.items)], [35, 5])
		self.assert_all_agree(first)
		self.assert_all_agree(late)
		steps = {step["what"]: step["how"] for step in self.explain(late)["steps"]}
		self.assertEqual(steps["Free"], "100")
		self.assertRegex(steps["Tier 1: Units"], r"^40 × .*0[.,]50")
		self.assertIn("Billed before", steps)


class TestTrail(ExplainCase):
	def test_the_event_behind_a_correction_and_the_rows_both_ways(self):
		subscription = self.subscribe("2026-11-01")
		invoice = self.bill(subscription)
		self.change(subscription, "end", "2026-11-16")
		note = self.bill(subscription)
		trail = self.trail(note)
		last = frappe.get_last_doc("TV Subscription Change", {"subscription": subscription})
		self.assertEqual(names(trail["cause"]), [last.name])
		self.assertIn("End Now", trail["cause"][0]["text"])
		self.assertEqual(trail["corrects"][0]["row"], invoice.items[1].name)
		self.assertEqual(self.trail(invoice, 1)["corrected_by"][0]["row"], note.items[0].name)
		claims = frappe.get_all("TV Billed Period", {"invoice_row": note.items[0].name}, pluck="name")
		self.assertEqual(names(trail["claim"]), claims)
		self.assertEqual(len(claims), 1)

	def test_a_price_agreed_in_the_contract(self):
		subscription = self.subscribe("2026-11-01")
		change_lines(
			subscription=subscription,
			steps=[{"line_id": "L1", "prices": {"BASE": PerUnit(Decimal("27.5"))}}],
			effective_date="2026-11-01",
		)
		frappe.db.commit()
		invoice = self.bill(subscription)
		fee, base = self.trail(invoice, 0)["price"][0], self.trail(invoice, 1)["price"][0]
		self.assertEqual((fee["name"], fee["text"]), (self.version, "Charge ACTIVATION"))
		self.assertIn("agreed in the contract", base["text"])
		self.assertIn("Change Lines", self.trail(invoice, 1)["cause"][0]["text"])
		explained = self.explain(invoice, 1)
		self.assertEqual((explained["posted"], explained["agrees"]), ("27.5", True))

	def test_the_change_kept_on_the_row(self):
		invoice = self.bill(self.subscribe("2026-11-01"))
		row = invoice.items[1]
		facts = json.loads(row.tv_facts) | {"change": 5}
		frappe.db.set_value("Sales Invoice Item", row.name, "tv_facts", json.dumps(facts))
		trail = trail_of_row(row.name)
		change = frappe.get_doc("TV Subscription Change", trail["cause"][0]["name"])
		self.assertEqual((change.subscription, change.change_no), (row.tv_subscription, 5))
		facts.pop("change")
		frappe.db.set_value("Sales Invoice Item", row.name, "tv_facts", json.dumps(facts))
		self.assertIn("Activate", trail_of_row(row.name)["cause"][0]["text"])
		frappe.db.set_value("Sales Invoice Item", row.name, "tv_from", "2026-11-02")
		self.assertEqual(trail_of_row(row.name)["cause"], [])

	def test_a_dispute_and_what_was_granted_on_it(self):
		invoice = self.bill(self.subscribe("2026-11-01"))
		row = invoice.items[1]
		dispute = raise_dispute(
			invoice=invoice.name, ground="Other", reason="Dark", rows=[(row.name, money("12"))]
		)
		frappe.db.commit()
		decide_dispute(dispute=dispute, event="accept")
		frappe.db.commit()
		note = frappe.get_doc("Sales Invoice", frappe.db.get_value("TV Dispute", dispute, "credit_note"))
		trail = trail_of_row(row.name)
		self.assertEqual(names(trail["disputes"]), [dispute])
		self.assertEqual((names(trail["concessions"]), trail["corrected_by"]), ([note.name], []))
		granted = explain_line(trail["concessions"][0]["row"])
		self.assertEqual((granted["kind"], granted["posted"], granted["agrees"]), ("concession", "-12", None))
		self.assertEqual(names(self.trail(note)["cause"]), [dispute])
		self.assertEqual(self.trail(note)["corrects"][0]["row"], row.name)


class TestEndpoints(ExplainCase):
	def test_support_explains_what_a_subscription_was_billed(self):
		subscription = self.subscribe("2026-11-01")
		invoice = self.bill(subscription)
		user = make_user("TV Support")
		frappe.set_user(user)
		self.assertEqual(
			[row["row"] for row in api.rows(subscription=subscription)], [row.name for row in invoice.items]
		)
		self.assertEqual(len(api.rows(invoice=invoice.name)), 2)
		answer = api.line(invoice.items[1].name)
		self.assertEqual((answer["agrees"], answer["can_dispute"]), (True, True))
		frappe.set_user("Administrator")
		frappe.set_user(make_user("Accounts User"))
		self.assertIs(api.line(invoice.items[1].name)["can_dispute"], False)

	def test_others_are_refused(self):
		invoice = self.bill(self.subscribe("2026-11-01"))
		frappe.set_user(make_user("Stock User"))
		for call in (
			lambda: api.line(invoice.items[0].name),
			lambda: api.rows(invoice=invoice.name),
			lambda: api.rows(subscription=invoice.items[0].tv_subscription),
		):
			with self.assertRaises(frappe.PermissionError):
				call()

	def test_what_cannot_be_explained_says_why(self):
		invoice = self.bill(self.subscribe("2026-11-01"))
		row = invoice.items[1].name
		other = frappe.get_doc(
			doctype="Sales Invoice",
			company=invoice.company,
			customer=invoice.customer,
			items=[{"item_code": factories.make_item("TV-REPAIR"), "qty": 1, "rate": 5}],
		).insert()
		with self.assertRaisesRegex(frappe.DoesNotExistError, "no invoice row"):
			api.line("no such")
		with self.assertRaisesRegex(frappe.DoesNotExistError, "quantity times its rate"):
			api.line(other.items[0].name)
		with self.assertRaisesRegex(frappe.ValidationError, "Name an invoice"):
			api.rows()
		self.assertEqual(api.rows(invoice=other.name), [])
		for damaged in ("", "{", "{}", '{"quantity": 1}'):
			frappe.db.set_value("Sales Invoice Item", row, "tv_facts", damaged)
			with self.assertRaisesRegex(frappe.ValidationError, "lost its billing facts"):
				api.line(row)

	def test_the_words_are_those_of_the_reader(self):
		invoice = self.bill(self.subscribe("2026-11-11"))
		frappe.local.lang, before = "fr", frappe.local.lang
		try:
			explained = explain_line(invoice.items[1].name)
		finally:
			frappe.local.lang = before
		self.assertIn("facturé du", explained["headline"])
		self.assertIn("Jours facturés", [step["what"] for step in explained["steps"]])
		self.assertIn("comme sur la facture", explained["verdict"])
