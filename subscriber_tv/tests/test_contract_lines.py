"""Plan, quantity, option and price of a running contract, changed on any day, and what the next bill makes of it."""

from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from unittest.mock import patch

import frappe
from frappe.utils import add_to_date

from subscriber_tv.core.contracts.states import OTHER_EVENTS, WITHDRAWABLE
from subscriber_tv.core.pricing.discount import Discount
from subscriber_tv.core.pricing.models import Free, PerUnit
from subscriber_tv.flows.activation import bind
from subscriber_tv.flows.contracts import timeline
from subscriber_tv.flows.contracts.change_lines import change_lines
from subscriber_tv.flows.contracts.change_state import IllegalChange, change_state, lock
from subscriber_tv.flows.contracts.change_terms import change_anchor, grant_discount, withdraw_change
from subscriber_tv.flows.contracts.follow_lines import follow_lines
from subscriber_tv.flows.contracts.record_change import read_current
from subscriber_tv.flows.contracts.words import event_label
from subscriber_tv.tests import factories
from subscriber_tv.tests.billing_case import VAT_10, VAT_20, BillingTestCase, ledger, money
from subscriber_tv.tests.contract_case import ContractCase
from subscriber_tv.tests.processes import on_own_connections


def lines_of(subscription: str) -> list[tuple]:
	return frappe.get_all(
		"TV Subscription Line",
		{"parent": subscription},
		["line_id", "offer_version", "quantity", "from_date", "to_date"],
		order_by="idx",
		as_list=True,
	)


@contextmanager
def line_writes(verb: str = "update"):
	"""The statements of that kind on the lines of subscriptions that run inside."""
	run, seen = frappe.db.sql, []

	def watch(query, *args, **kwargs):
		if str(query).lower().lstrip().startswith(verb) and "`tabTV Subscription Line`" in str(query):
			seen.append(str(query))
		return run(query, *args, **kwargs)

	with patch.object(frappe.db, "sql", watch):
		yield seen


class TestChangeLines(ContractCase):
	def setUp(self):
		super().setUp()
		self.version = factories.make_offer_version()
		self.name = factories.make_subscription("Active", quantity=10, activated_on="2026-10-01")

	def change(self, day: str | None = None, **step) -> str:
		return change_lines(
			subscription=self.name, steps=[{"line_id": "L1", **step}], effective_date=day, reason="asked"
		)

	def refuse(self, part: str, *, error=frappe.ValidationError, **step) -> None:
		with self.assertRaises(error) as refused:
			self.change(**step)
		self.assertIn(part, str(refused.exception))

	def test_more_outlets_from_a_past_day_are_a_recorded_change(self):
		change = frappe.get_doc("TV Subscription Change", self.change("2026-11-01", quantity=12))
		self.assertEqual(
			(change.event, change.from_state, change.to_state), ("change_lines", "Active", "Active")
		)
		self.assertEqual([(row.line_id, row.quantity) for row in change.lines], [("L1", 12)])
		self.assertEqual(lines_of(self.name), ((("L1", self.version, 12, date(2026, 11, 1), None)),))

	def test_a_plan_ahead_shows_on_its_day_even_after_missed_nights(self):
		other = factories.make_offer_version("OTHER-TV")
		self.change("2026-12-01", offer_version=other)
		self.assertEqual(lines_of(self.name)[0][1], self.version)
		due = frappe.db.get_value("TV Subscription", self.name, "next_change_on")
		self.assertEqual(due, date(2026, 12, 1))
		frappe.db.delete("TV Rights Outbox")
		self.assertEqual(follow_lines(today=date(2026, 11, 30)), 0)
		self.assertGreaterEqual(follow_lines(today=date(2026, 12, 5)), 1)
		self.assertEqual(lines_of(self.name), (("L1", other, 10, date(2026, 12, 1), None),))
		self.assertIn(self.name, frappe.get_all("TV Rights Outbox", pluck="subject"))
		self.assertEqual(follow_lines(today=date(2026, 12, 5)), 0)

	def test_an_option_is_a_line_of_its_own_and_ends_by_itself(self):
		sport = factories.make_offer_version("SPORT-TV")
		option = {"offer_version": sport, "quantity": 10, "option_of": "L1"}
		change_lines(subscription=self.name, steps=[option], effective_date="2026-11-01")
		change_lines(
			subscription=self.name, steps=[{"line_id": "L2", "ends": True}], effective_date="2026-12-01"
		)
		self.assertEqual(lines_of(self.name)[1], ("L2", sport, 10, date(2026, 11, 1), date(2026, 12, 1)))
		self.assertEqual(timeline.load(self.name).lines[1].option_of, "L1")

	def test_taking_back_makes_the_lines_what_they_were(self):
		before = timeline.load(self.name).lines
		self.change("2026-11-01", quantity=12)
		number = frappe.db.get_value("TV Subscription", self.name, "change_count")
		withdraw_change(subscription=self.name, change_no=number, reason="typing error")
		self.assertEqual(timeline.load(self.name).lines, before)
		self.assertEqual(lines_of(self.name)[0][2], 10)
		with self.assertRaises(IllegalChange):
			withdraw_change(subscription=self.name, change_no=number)

	def test_the_refusal_names_what_can_be_taken_back(self):
		with self.assertRaises(IllegalChange) as refused:
			withdraw_change(subscription=self.name, change_no=1)
		kinds = ", ".join(event_label(event) for event in WITHDRAWABLE)
		self.assertIn(f"only {kinds}. Change a holder or a site anew instead.", str(refused.exception))
		for event in set(OTHER_EVENTS) - {*WITHDRAWABLE, "withdraw"}:
			self.assertNotIn(event_label(event), str(refused.exception))

	def test_only_rows_that_become_others_are_written(self):
		change_lines(
			subscription=self.name, steps=[{"offer_version": factories.make_offer_version("SPORT-TV")}]
		)
		with line_writes() as written:
			change_state(subscription=self.name, event="suspend")
		self.assertEqual(written, [])
		with line_writes() as written:
			self.change(quantity=12)
		self.assertEqual(len(written), 1)
		self.assertEqual([row[2] for row in lines_of(self.name)], [12, 1])

	def test_lines_are_read_past_a_snapshot_that_somebody_overtook(self):
		facts = lock(self.name)
		with line_writes("select") as read:
			read_current(self.name, facts)
			read_current(self.name, {"modified": add_to_date(facts.modified, seconds=1)})
		self.assertEqual(["FOR UPDATE" in statement.upper() for statement in read], [False, False, True])

	def test_a_new_line_taken_back_leaves_no_row(self):
		option = {"offer_version": factories.make_offer_version("SPORT-TV"), "option_of": "L1"}
		change_lines(subscription=self.name, steps=[option])
		number = frappe.db.get_value("TV Subscription", self.name, "change_count")
		withdraw_change(subscription=self.name, change_no=number)
		self.assertEqual([row[0] for row in lines_of(self.name)], ["L1"])

	def test_a_new_line_with_a_tv_stays_when_taken_back_whatever_its_figure_says(self):
		"""Who binds a TV while another waits to take the line back is seen by the latter in the TVs alone."""
		[serial] = factories.receive_devices()
		option = {"offer_version": factories.make_offer_version("SPORT-TV"), "option_of": "L1"}
		change_lines(subscription=self.name, steps=[option])
		frappe.db.set_value("TV Device", serial, {"subscription": self.name, "line_id": "L2"})
		number = frappe.db.get_value("TV Subscription", self.name, "change_count")
		withdraw_change(subscription=self.name, change_no=number)
		self.assertEqual([row[0] for row in lines_of(self.name)], ["L1", "L2"])
		self.assertIsNotNone(lines_of(self.name)[1][4])

	def test_outlets_are_held_against_the_tvs_that_are_bound_whatever_the_line_says(self):
		"""The figure on the line may be older than the lock: somebody bound a TV while we waited for it."""
		for serial in factories.receive_devices(2):
			frappe.db.set_value("TV Device", serial, {"subscription": self.name, "line_id": "L1"})
		self.assertFalse(frappe.db.get_value("TV Subscription Line", {"parent": self.name}, "bound"))
		self.refuse("2 TVs are bound", quantity=1)
		self.change(quantity=2)

	def test_a_tv_is_bound_to_the_outlets_left_whatever_our_snapshot_says(self):
		for serial in factories.receive_devices(3):
			frappe.db.set_value("TV Device", serial, {"subscription": self.name, "line_id": "L1"})
		frappe.db.commit()
		frappe.get_all("TV Subscription Line", {"parent": self.name})  # takes the snapshot
		[change] = on_own_connections(lambda: self.change(quantity=3))
		self.assertIsInstance(change, str)
		with self.assertRaises(bind.BindRefused) as refused:
			bind._check_line(bind._lock_subscription(self.name), "L1")
		self.assertIn("All 3 outlets", str(refused.exception))

	def test_what_cannot_be_is_refused_by_name(self):
		self.refuse("at least 1", quantity=0)
		self.refuse("no line", line_id="L9", quantity=2)
		self.refuse("Nothing would change", quantity=10)
		self.refuse("NOPE", prices={"NOPE": PerUnit(Decimal(1))})
		self.refuse("missing or zero", prices={"BASE": PerUnit(Decimal(0))})
		self.refuse("when the contract was opened", error=IllegalChange, day="2026-09-30", quantity=12)
		self.refuse("planned for a day after", error=IllegalChange, day="2036-01-01", quantity=12)
		draft = factories.make_offer_version("DRAFT-TV", submit=False)
		self.refuse("is not submitted", offer_version=draft)
		with self.assertRaises(frappe.ValidationError) as refused:
			change_lines(subscription=self.name, steps=[{"offer_version": self.version, "option_of": "L7"}])
		self.assertIn("no line of this contract", str(refused.exception))
		self.assertEqual(frappe.db.get_value("TV Subscription", self.name, "change_count"), 5)

	def test_a_contract_that_is_over_gets_no_new_lines(self):
		change_state(subscription=self.name, event="end")
		self.refuse("Change Lines", error=IllegalChange, quantity=12)

	def test_a_price_negotiated_in_full_is_read_back_as_it_was_written(self):
		self.change("2026-11-01", prices={"BASE": PerUnit(Decimal("8.4193")), "ACTIVATION": Free()})
		self.assertEqual(
			timeline.load(self.name).lines[1].prices,
			(("ACTIVATION", Free()), ("BASE", PerUnit(Decimal("8.4193")))),
		)
		self.change("2026-12-01", prices={"BASE": None, "ACTIVATION": None})
		self.assertEqual(timeline.load(self.name).lines[-1].prices, ())


class TestBillsOfChangedLines(BillingTestCase):
	"""30.00 a TV and month at 10 %, 50.00 once, billed on the 1st."""

	def rows(self, invoice) -> list[tuple]:
		return [
			(row.tv_line.split("/", 1)[1], str(row.tv_from), str(row.tv_to), f"{row.amount:.2f}")
			for row in invoice.items
		]

	def test_an_upgrade_learnt_late_credits_the_rest_and_charges_the_new_state(self):
		# November: 10 TVs billed on the 1st, 300.00. From the 16th 12 TVs, learnt on the 20th.
		# Credit 15/30 x 300.00 = 150.00, charge 15/30 x 360.00 = 180.00.
		name = self.subscribe("2026-11-01", quantity=10)
		self.assert_rows(
			self.bill(name, "2026-11-01", "2026-11-01"),
			[
				("ACTIVATION", "2026-11-01", "2026-11-02", "50.00"),
				("BASE", "2026-11-01", "2026-12-01", "300.00"),
			],
		)
		change_lines(
			subscription=name, steps=[{"line_id": "L1", "quantity": 12}], effective_date="2026-11-16"
		)
		frappe.db.commit()
		invoice = self.bill(name)
		self.assertEqual(self.rows(invoice), [("L1/BASE", "2026-11-16", "2026-12-01", "180.00")])
		note = frappe.get_last_doc("Sales Invoice", {"is_return": 1, "customer": invoice.customer})
		self.assertEqual(self.rows(note), [("L1/BASE", "2026-11-16", "2026-12-01", "-150.00")])
		self.assertEqual(frappe.parse_json(invoice.items[0].tv_facts)["change"], 6)
		self.assert_nothing_due(name)

	def test_a_plan_of_the_same_price_with_another_item_is_billed_with_its_vat(self):
		# From the 16th on demand: 15.00 of November are taken back at 10 % and billed at 20 %.
		name = self.subscribe("2026-11-01")
		self.bill(name, "2026-11-01", "2026-11-01")
		charges = [factories.charge(item="TV-OPTION", unit_price=30)]
		other = factories.make_offer_version(
			f"DEMAND-{frappe.generate_hash(length=6)}".upper(), charges=charges
		)
		change_lines(
			subscription=name, steps=[{"line_id": "L1", "offer_version": other}], effective_date="2026-11-16"
		)
		frappe.db.commit()
		invoice = self.bill(name)
		self.assertEqual(self.rows(invoice), [("L1/BASE", "2026-11-16", "2026-12-01", "15.00")])
		self.assertEqual((invoice.items[0].item_code, f"{invoice.grand_total:.2f}"), ("TV-OPTION", "18.00"))
		note = frappe.get_last_doc("Sales Invoice", {"is_return": 1, "customer": invoice.customer})
		self.assertEqual(self.rows(note), [("L1/BASE", "2026-11-16", "2026-12-01", "-15.00")])
		self.assertEqual((note.items[0].item_code, f"{note.grand_total:.2f}"), ("TV-SUBSCRIPTION", "-16.50"))
		self.assertEqual(ledger(invoice.name)[VAT_20], money("-3.00"))
		self.assertEqual(ledger(note.name)[VAT_10], money("1.50"))
		self.assert_nothing_due(name)

	def test_taking_the_change_back_puts_the_bill_back(self):
		name = self.subscribe("2026-11-01", quantity=10)
		change_lines(
			subscription=name, steps=[{"line_id": "L1", "quantity": 12}], effective_date="2026-11-16"
		)
		frappe.db.commit()
		self.bill(name)
		withdraw_change(subscription=name, change_no=6)
		frappe.db.commit()
		invoice = self.bill(name)
		self.assertEqual(self.rows(invoice), [("L1/BASE", "2026-11-16", "2026-12-01", "150.00")])
		note = frappe.get_last_doc("Sales Invoice", {"is_return": 1, "customer": invoice.customer})
		self.assertEqual(self.rows(note), [("L1/BASE", "2026-11-16", "2026-12-01", "-180.00")])
		self.assert_nothing_due(name)

	def test_a_suspension_without_charge_is_credited_and_its_end_billed_again(self):
		# Suspended from 11 to 21 November: 10 of 30 days free.
		name = self.subscribe("2026-11-01")
		self.bill(name, "2026-11-01", "2026-11-01")
		change_state(
			subscription=name,
			event="suspend",
			effective_date="2026-11-11",
			reason="works",
			billing_stops=True,
		)
		frappe.db.commit()
		self.assertEqual(self.rows(self.bill(name)), [("L1/BASE", "2026-11-11", "2026-12-01", "-20.00")])
		change_state(subscription=name, event="resume", effective_date="2026-11-21")
		frappe.db.commit()
		self.assertEqual(self.rows(self.bill(name)), [("L1/BASE", "2026-11-21", "2026-12-01", "10.00")])
		self.assert_nothing_due(name)

	def test_trial_calendar_minimum_and_discount_come_from_the_contract(self):
		# Active since 5 October, 7 trial days: charged from the 12th, 20 of 31 days of 30.00 = 19.35, less 10 % for ever
		# = 17.42 (27.00 x 20 / 31). The minimum of 40.00 is owed for 20 of 31 days: 25.81, so 8.39 are missing.
		name = self.subscribe(
			"2026-10-05",
			anchor_day=None,
			terms={"trial_days": 7, "calendar_aligned": 1, "minimum": 40},
			discounts=[Discount(percent=Decimal(10), label="Welcome")],
		)
		invoice = self.bill(name, "2026-11-01", "2026-11-01")
		self.assertEqual(
			self.rows(invoice),
			[
				("*/MINIMUM", "2026-10-12", "2026-11-01", "8.39"),
				("L1/ACTIVATION", "2026-10-05", "2026-10-06", "50.00"),
				("L1/BASE", "2026-10-12", "2026-11-01", "17.42"),
				("L1/BASE", "2026-11-01", "2026-12-01", "27.00"),
			],
		)
		self.assertEqual(frappe.parse_json(invoice.items[3].tv_facts)["discounts"], [["Welcome", "3"]])

	def test_a_discount_granted_later_holds_from_its_day(self):
		# From 16 November 6.00 off a month, off the line: 15/30 x 24.00 = 12.00 instead of 15.00.
		name = self.subscribe("2026-11-01")
		self.bill(name, "2026-11-01", "2026-11-01")
		grant_discount(
			subscription=name,
			discounts=[Discount(amount=Decimal(6), line="L1", label="Goodwill")],
			effective_date="2026-11-16",
		)
		frappe.db.commit()
		invoice = self.bill(name)
		self.assertEqual(self.rows(invoice), [("L1/BASE", "2026-11-16", "2026-12-01", "12.00")])
		self.assert_nothing_due(name)

	def test_a_moved_billing_day_begins_with_a_part_of_its_period(self):
		# Billed on the 1st; from 16 November on the 16th: new period 16 November - 16 December.
		name = self.subscribe("2026-11-01")
		self.bill(name, "2026-11-01", "2026-11-01")
		change_anchor(subscription=name, anchor_day=16, effective_date="2026-11-16")
		frappe.db.commit()
		invoice = self.bill(name)
		self.assertEqual(self.rows(invoice), [("L1/BASE", "2026-11-16", "2026-12-16", "30.00")])
		self.assert_nothing_due(name)
