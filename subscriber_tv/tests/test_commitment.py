"""Commitment on a real site: terms at the opening, tacit renewals, the notice, leaving and what it costs on the bill."""

import json
from datetime import date

import frappe

from subscriber_tv.api import contracts as api
from subscriber_tv.api.leaving import exit_options
from subscriber_tv.flows.contracts.change_state import change_state
from subscriber_tv.flows.contracts.leave import agree_on_end
from subscriber_tv.flows.contracts.renew_due import list_notices, renew_due
from subscriber_tv.tests import factories
from subscriber_tv.tests.billing_case import BillingTestCase
from subscriber_tv.tests.contract_case import make_user

LEGAL, ALL = "Consumer Exit", "Business Exit"


def make_rule(name: str, **values) -> str:
	if not frappe.db.exists("TV Exit Rule", name):
		frappe.get_doc(
			{
				"doctype": "TV Exit Rule",
				"rule_name": name,
				"description": "Early exit fee",
				"item": factories.make_item("TV-ACTIVATION"),
				"currency": "EUR",
				**values,
			}
		).insert().submit()
	return name


class TestCommitment(BillingTestCase):
	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		make_rule(LEGAL, first_months=12, percent_within=100, percent_after=20, most_months=24)
		make_rule(ALL, first_months=0, percent_within=0, percent_after=100, renewed_terms=1)
		frappe.db.commit()

	def tearDown(self):
		super().tearDown()
		frappe.set_user("Administrator")

	def bound(self, activated_on: str, *, consumer: bool = False, **terms) -> str:
		customer = factories.make_customer(customer_type="Individual" if consumer else "Company")
		defaults = {"commitment_months": 24, "renewal": "Tacit", "renewal_months": 12, "notice_months": 2}
		rule = LEGAL if consumer else ALL
		return self.subscribe(activated_on, customer=customer, terms={**defaults, "exit_rule": rule, **terms})

	def term_end(self, subscription: str) -> str:
		return str(frappe.db.get_value("TV Subscription", subscription, "term_end"))

	def test_the_form_shows_until_when_it_binds(self):
		self.assertEqual(self.term_end(self.bound("2026-03-15")), "2028-03-15")
		self.assertEqual(self.term_end(self.subscribe("2026-03-15")), "None")

	def test_what_the_law_refuses_a_consumer_is_refused_at_the_opening(self):
		for terms, why in (
			({"commitment_months": 36}, "24 months at most"),
			({"exit_rule": ALL}, "more than the law allows"),
			({"commitment_months": 61}, "1 to 60 months"),
		):
			with self.assertRaisesRegex(frappe.ValidationError, why):
				self.bound("2026-03-15", consumer=True, **terms)
			frappe.db.rollback()

	def test_renewals_are_recorded_once_their_refusal_is_over_even_after_missed_nights(self):
		name = self.bound("2023-01-01", commitment_months=12, renewal_months=12)
		other = self.bound("2026-01-01", commitment_months=12, renewal_months=12)
		renew_due(today=date(2026, 11, 1))
		changes = frappe.get_all(
			"TV Subscription Change",
			{"subscription": name, "event": "renew"},
			["effective_date", "end_date"],
			order_by="change_no",
		)
		self.assertEqual(
			[(str(row.effective_date), str(row.end_date)) for row in changes],
			[("2024-01-01", "2025-01-01"), ("2025-01-01", "2026-01-01"), ("2026-01-01", "2027-01-01")],
		)
		self.assertEqual((self.term_end(name), self.term_end(other)), ("2027-01-01", "2027-01-01"))
		count = frappe.db.get_value("TV Subscription", name, "change_count")
		renew_due(today=date(2026, 11, 1))
		self.assertEqual(frappe.db.get_value("TV Subscription", name, "change_count"), count)
		renew_due(today=date(2026, 11, 2))
		self.assertEqual((self.term_end(name), self.term_end(other)), ("2028-01-01", "2028-01-01"))

	def test_who_refused_in_time_is_not_renewed(self):
		name = self.bound("2025-01-01")
		self.change(name, "cancel_at_date", "2026-10-01", "2027-01-01")
		renew_due(today=date(2026, 12, 1))
		self.assertEqual(self.term_end(name), "2027-01-01")

	def test_the_letters_due_are_listed_once_and_those_not_sent_are_missed(self):
		name = self.bound("2025-01-01", consumer=True)
		list_notices(today=date(2026, 7, 31))
		self.assertFalse(frappe.db.exists("TV Renewal Notice", {"subscription": name}))
		list_notices(today=date(2026, 8, 1))
		list_notices(today=date(2026, 8, 2))
		notice = frappe.get_doc("TV Renewal Notice", {"subscription": name})
		self.assertEqual(
			[str(notice.get(field)) for field in ("term_end", "renewed_until", "send_until", "last_refusal")],
			["2027-01-01", "2028-01-01", "2026-10-01", "2026-11-01"],
		)
		self.assertEqual((notice.status, notice.consumer), ("Due", 1))
		list_notices(today=date(2026, 10, 2))
		notice.reload()
		self.assertEqual(notice.status, "Missed")

	def test_a_consumer_nobody_told_leaves_a_renewed_term_at_once_and_freely(self):
		name = self.bound("2024-06-01", consumer=True)
		renew_due(today=date(2026, 11, 22))
		self.assertEqual(self.term_end(name), "2027-06-01")
		with self.freeze_time("2026-11-22"):
			found = exit_options(name)
			self.assertEqual((str(found["earliest"]), found["fee"]), ("2026-11-22", "0"))
			self.assertTrue(agree_on_end(name, "cancel_at_date", "2026-12-24", free=False, may_choose=False))

	def test_a_consumer_with_new_prices_leaves_freely_for_four_months(self):
		name = self.bound("2026-01-01", consumer=True)
		target = frappe.get_doc(
			{
				"doctype": "TV Campaign Target",
				"campaign_doctype": "TV Price Revision",
				"campaign": "TVR-OF-ANOTHER-YEAR",
				"subscription": name,
				"outcome": "Applied",
				"effective_date": "2026-08-01",
			}
		)
		target.flags.ignore_links = True
		target.insert()
		for day, earliest in (("2026-11-30", "2026-11-30"), ("2026-12-01", "2028-01-01")):
			with self.freeze_time(day):
				found = exit_options(name)
				self.assertEqual((str(found["earliest"]), found["fee"]), (earliest, "0"))

	def test_the_dialog_proposes_the_agreed_end_and_tells_the_fee_of_another(self):
		name = self.bound("2026-01-01", consumer=True)
		with self.freeze_time("2026-11-22"):
			found = exit_options(name)
			self.assertEqual((str(found["earliest"]), found["fee"]), ("2028-01-01", "0"))
			early = exit_options(name, "2026-12-01")
		self.assertEqual(early["fee"], "102.00")  # one month of 30.00, and a fifth of twelve
		self.assertEqual(early["fee_facts"]["rest_after"], "360")

	def test_an_early_end_takes_a_role_and_brings_its_fee_on_the_next_bill(self):
		name = self.bound("2026-01-01", consumer=True)
		self.bill(name)
		office, billing = make_user("TV Back Office"), make_user("TV Back Office", "TV Billing")
		frappe.db.commit()
		leaving = {"subscription": name, "event": "cancel_at_date", "reason": "He moves abroad"}
		with self.freeze_time("2026-11-22"):
			frappe.set_user(office)
			with self.assertRaisesRegex(frappe.PermissionError, "bound until"):
				api.change_state(**leaving, end_date="2026-12-01")
			frappe.set_user(billing)
			api.change_state(**leaving, end_date="2026-12-01")
			frappe.set_user("Administrator")
			frappe.db.commit()
		invoice = self.bill(name, until="2026-12-01")
		self.assert_rows(invoice, [("EXIT", "2026-12-01", "2028-01-01", "102.00")])
		row = invoice.items[0]
		self.assertEqual(
			(row.tv_kind, row.item_code, row.enable_deferred_revenue), ("exit-fee", "TV-ACTIVATION", 0)
		)
		self.assertEqual(json.loads(row.tv_facts)["why"]["rule"], LEGAL)
		self.assertEqual(f"{invoice.total_taxes_and_charges:.2f}", "20.40")
		self.assert_nothing_due(name)

	def test_a_cancellation_withdrawn_gives_the_fee_back(self):
		name = self.bound("2026-01-01")
		self.bill(name)
		self.change(name, "cancel_at_date", "2026-11-22", "2026-12-01")
		self.bill(name, until="2026-12-01")
		with self.freeze_time("2026-11-23"):
			change_state(subscription=name, event="withdraw_cancellation")
			frappe.db.commit()
		back = self.bill(name, until="2026-12-01")
		codes = {row.tv_line.split("/")[-1]: row.tv_kind for row in back.items}
		self.assertEqual(codes.get("BASE"), "recurring")
		credit = frappe.get_last_doc("Sales Invoice", {"is_return": 1, "customer": back.customer})
		self.assertEqual(
			[(row.tv_line.split("/")[-1], f"{row.amount:.2f}") for row in credit.items], [("EXIT", "-390.00")]
		)

	def test_who_leaves_the_same_term_again_pays_the_flat_part_once(self):
		rule = make_rule("Flat Fee Exit", first_months=0, percent_after=10, flat_amount=100)
		name = self.bound("2026-01-01", commitment_months=12, exit_rule=rule)
		for event, day in (("end", "2026-10-01"), ("reactivate", "2026-11-01"), ("activate", "2026-11-01")):
			self.change(name, event, day)
		# October between the two, 10 % of 30.00, and the flat part; then December alone.
		fees = self.fees(self.bill(name))
		self.assertEqual(fees, [("2026-10-01", "2026-11-01", "103.00")])
		self.change(name, "cancel_at_date", "2026-11-22", "2026-12-01")
		self.assertEqual(
			self.fees(self.bill(name, until="2026-12-01")), [("2026-12-01", "2027-01-01", "3.00")]
		)
		self.assert_nothing_due(name)

	def fees(self, invoice) -> list[tuple]:
		return [
			(str(row.tv_from), str(row.tv_to), f"{row.amount:.2f}")
			for row in invoice.items
			if row.tv_kind == "exit-fee"
		]

	def test_management_may_let_somebody_go_without_the_fee(self):
		name = self.bound("2026-01-01")
		self.bill(name)
		frappe.set_user(make_user("TV Management", "TV Back Office"))
		with self.freeze_time("2026-11-22"):
			api.change_state(name, "cancel_at_date", end_date="2026-12-01", exit_free=1)
		frappe.set_user("Administrator")
		frappe.db.commit()
		self.assertIsNone(self.bill(name, until="2026-12-01"))

	def test_an_end_that_was_agreed_is_recorded_by_whoever_ends_contracts(self):
		name = self.bound("2026-01-01")
		self.change(name, "cancel_at_date", "2026-10-01", "2026-11-01")
		frappe.set_user(make_user("TV Back Office"))
		api.change_state(name, "end", effective_date="2026-11-01")
		self.assertEqual(frappe.db.get_value("TV Subscription", name, "state"), "Cancelled")

	def test_who_did_not_refuse_in_time_is_bound_for_another_term(self):
		name = self.bound("2025-12-15", commitment_months=12)
		with self.freeze_time("2026-11-22"):
			free = agree_on_end(name, "cancel_at_date", "2026-12-15", free=False, may_choose=True)
			self.assertFalse(free)
		self.assertEqual(self.term_end(name), "2027-12-15")

	def test_a_rule_in_use_stands(self):
		self.bound("2026-01-01")
		with self.assertRaisesRegex(frappe.ValidationError, "were opened with"):
			frappe.get_doc("TV Exit Rule", ALL).cancel()
