"""Traps of days: trials, missed nights, months of 31 days, ends, long and back-dated periods (docs/traps.md)."""

import frappe

from subscriber_tv.flows.contracts.change_state import IllegalChange
from subscriber_tv.tests import factories
from subscriber_tv.tests.trap_case import TrapCase, flat_version


class TestTrapsOfTime(TrapCase):
	def test_t1_a_trial_ends_and_billing_goes_on(self):
		"""Fourteen free days from 1 Jul; a hundred and twenty nights later every month since is billed."""
		subscription = self.subscribe(
			"2026-07-01", version=flat_version("TRAP-TRIAL", 31), anchor_day=15, terms={"trial_days": 14}
		)
		payer = self.payer_of(subscription)
		self.nights(payer, "2026-07-01", "2026-10-28")
		self.assertEqual(
			self.billed(payer),
			[
				("2026-07-15", "2026-07-15", "2026-08-15", "31.00"),
				("2026-08-15", "2026-08-15", "2026-09-15", "31.00"),
				("2026-09-15", "2026-09-15", "2026-10-15", "31.00"),
				("2026-10-15", "2026-10-15", "2026-11-15", "31.00"),
			],
		)

	def test_t2_missed_nights_lose_no_period_and_move_no_anchor(self):
		"""The nights on which a period begins and ends are missed: each period is billed by the next run, as it is."""
		subscription = self.subscribe("2026-02-01", version=flat_version("TRAP-NIGHTS", 30))
		payer = self.payer_of(subscription)
		missed = [f"2026-02-{day:02}" for day in (1, 28)] + [f"2026-03-{day:02}" for day in range(1, 5)]
		self.nights(payer, "2026-01-31", "2026-04-02", missed)
		self.assertEqual(
			self.billed(payer),
			[
				("2026-02-02", "2026-02-01", "2026-03-01", "30.00"),
				("2026-03-05", "2026-03-01", "2026-04-01", "30.00"),
				("2026-04-01", "2026-04-01", "2026-05-01", "30.00"),
			],
		)

	def test_t3_the_anchor_of_the_31st_does_not_drift(self):
		subscription = self.subscribe("2026-01-31", version=flat_version("TRAP-ANCHOR", 30), anchor_day=31)
		payer = self.payer_of(subscription)
		self.nights(payer, "2026-01-31", "2026-05-31")
		self.assertEqual(
			self.billed(payer),
			[
				("2026-01-31", "2026-01-31", "2026-02-28", "30.00"),
				("2026-02-28", "2026-02-28", "2026-03-31", "30.00"),
				("2026-03-31", "2026-03-31", "2026-04-30", "30.00"),
				("2026-04-30", "2026-04-30", "2026-05-31", "30.00"),
				("2026-05-31", "2026-05-31", "2026-06-30", "30.00"),
			],
		)

	def test_t5_a_cancellation_without_its_day_is_refused_and_one_with_it_is_served_out(self):
		subscription = self.subscribe("2026-09-01", version=flat_version("TRAP-CANCEL", 30))
		payer = self.payer_of(subscription)
		with self.assertRaisesRegex(IllegalChange, "first day that is no longer served"):
			self.change(subscription, "cancel_at_date", "2026-09-10")
		frappe.db.rollback()
		self.assertEqual(frappe.db.get_value("TV Subscription", subscription, "state"), "Active")
		self.nights(payer, "2026-09-01", "2026-09-12")
		self.change(subscription, "cancel_at_date", "2026-09-12", end="2026-11-01")
		self.nights(payer, "2026-09-13", "2026-11-05")
		self.assertEqual(
			[row[1:] for row in self.billed(payer)],
			[("2026-09-01", "2026-10-01", "30.00"), ("2026-10-01", "2026-11-01", "30.00")],
		)

	def test_t8_a_price_for_two_years_is_the_price_of_two_years(self):
		"""240.00 for 24 months, not twelve times ten: billed once for the two years, credited by their actual days."""
		subscription = self.subscribe(
			"2024-11-01", version=flat_version("TRAP-TWO-YEARS", 240, 24), anchor_day=1
		)
		payer = self.payer_of(subscription)
		for day in ("2024-11-01", "2025-11-01", "2026-10-31", "2026-11-01", "2026-11-02"):
			self.night(payer, day)
		self.assertEqual(
			self.billed(payer),
			[
				("2024-11-01", "2024-11-01", "2026-11-01", "240.00"),
				("2026-11-01", "2026-11-01", "2028-11-01", "240.00"),
			],
		)
		# 21 days are served of the 731 (2028 has a 29 February): 240 x 21 / 731 = 6.894.., and 240 - 6.89 comes back.
		self.change(subscription, "end", "2026-11-22")
		self.night(payer, "2026-11-22")
		self.assertEqual(self.billed(payer)[-1], ("2026-11-22", "2026-11-22", "2028-11-01", "-233.11"))

	def test_t14_a_back_dated_start_is_billed_from_its_first_day(self):
		subscription = self.subscribe("2026-08-15", version=flat_version("TRAP-BACK-DATED", 31))
		payer = self.payer_of(subscription)
		self.nights(payer, "2026-10-10", "2026-10-12")
		self.assertEqual(
			self.billed(payer),
			[
				("2026-10-10", "2026-08-15", "2026-09-01", "17.00"),
				("2026-10-10", "2026-09-01", "2026-10-01", "31.00"),
				("2026-10-10", "2026-10-01", "2026-11-01", "31.00"),
			],
		)

	def test_t14_cycles_may_be_mixed_in_one_contract(self):
		charges = [
			factories.charge("MONTHLY", item="TV-SUBSCRIPTION", unit_price=10),
			factories.charge("YEARLY", item="TV-SUBSCRIPTION", unit_price=60, interval_months=12),
		]
		version = factories.make_offer_version("TRAP-CYCLES", charges=charges)
		payer = self.payer_of(self.subscribe("2026-09-01", version=version))
		self.nights(payer, "2026-09-01", "2026-09-03")
		self.nights(payer, "2026-10-01", "2026-10-02")
		self.assertEqual(
			self.billed(payer),
			[
				("2026-09-01", "2026-09-01", "2026-10-01", "10.00"),
				("2026-09-01", "2026-09-01", "2027-09-01", "60.00"),
				("2026-10-01", "2026-10-01", "2026-11-01", "10.00"),
			],
		)
