"""Usage on a real site: sent by messages and files, billed beyond its allowance, late, changed, taken back, put right."""

import json
from datetime import datetime
from unittest.mock import patch

import frappe
from frappe.utils import add_days, formatdate, getdate

from subscriber_tv.flows.billing import facts
from subscriber_tv.flows.billing.preview import preview
from subscriber_tv.flows.billing.watch import quiet_payers
from subscriber_tv.flows.usage import decide, replay
from subscriber_tv.flows.usage.facts import usage_of
from subscriber_tv.tests import factories
from subscriber_tv.tests.billing_case import COMPANY, INCOME, RECEIVABLE, TODAY, VAT_20, ledger, money
from subscriber_tv.tests.processes import on_own_connections
from subscriber_tv.tests.test_activation import bound_tv
from subscriber_tv.tests.usage_case import RECORD, UsageTestCase, film, french_profile, make_profile

OCTOBER = ("2026-10-01", "2026-11-01")


class TestUsageIsBilled(UsageTestCase):
	def subscribed(self) -> str:
		"""Served since October, its subscription fees billed: only films are left to bill."""
		subscription = self.subscribe("2026-10-01", version=self.version)
		self.assert_rows(
			self.bill(subscription),
			[("BASE", *OCTOBER, "30.00"), ("BASE", "2026-11-01", "2026-12-01", "30.00")],
		)
		return subscription

	def test_the_story(self):
		subscription = self.subscribed()
		keys = [f"{subscription}-{number}" for number in range(14)]
		self.assertEqual(set(self.post(*(film(key, subscription) for key in keys[:8]))), {"accepted"})
		self.assert_nothing_due(subscription)  # eight films are within the allowance

		# By file: five films of 90 minutes, one of them at half past midnight on 1 November in Paris.
		profile = french_profile()
		lines = [
			f"{key};{subscription};90,0;{day:02}/10/2026;20:15" for day, key in enumerate(keys[8:12], 20)
		]
		lines.append(f"{keys[12]};{subscription};90,0;01/11/2026;00:30")
		loaded = self.load(
			profile, "\r\n".join(["Référence;Abonné;Minutes;Date;Heure", *lines]).encode("cp1252")
		)
		self.assertEqual((loaded.status, loaded.accepted, loaded.rejected), ("Completed", 5, 0))
		self.assertEqual(str(self.record(keys[12], profile).day), "2026-11-01")

		payer = frappe.db.get_value("TV Subscription", subscription, "payer")
		shown = preview(company=COMPANY, bill_until=TODAY, payer=payer)
		self.assertEqual([row["amount"] for row in shown["rows"]], ["0.40"])
		invoice = self.bill(subscription)
		self.assert_rows(invoice, [("VOD", *OCTOBER, "0.40")])  # twelve films, ten of them free
		self.assertEqual(
			ledger(invoice.name), {RECEIVABLE: money("0.48"), INCOME: money("-0.40"), VAT_20: money("-0.08")}
		)
		self.assertEqual(self.state(keys[0]), "Billed")
		self.assertEqual(self.record(keys[11], profile).invoice_row, invoice.items[0].name)
		self.assertEqual(self.state(keys[12], profile), "Accepted")  # November is not over
		self.assert_nothing_due(subscription)

		# A record that comes late is billed by the next run, for its old period, and only itself.
		self.assertEqual(self.post(film(keys[13], subscription, "2026-10-31", quantity="2.5")), ["accepted"])
		late = self.bill(subscription)
		self.assert_rows(late, [("VOD", *OCTOBER, "0.50")])
		self.assertEqual(self.record(keys[13]).invoice, late.name)
		self.assert_nothing_due(subscription)

		# The source takes one back: what it cost is credited.
		self.assertEqual(self.post({"key": keys[13], "version": 2, "cancelled": True}), ["cancelled"])
		note = self.bill(subscription)
		self.assertTrue(note.is_return)
		self.assertEqual(ledger(note.name)[RECEIVABLE], money("-0.60"))
		self.assert_nothing_due(subscription)
		before = self.record(keys[13], state="Replaced")
		self.assertEqual((before.invoice, before.quantity), (late.name, 2.5))

	def test_a_higher_version_is_charged_or_credited(self):
		subscription = self.subscribed()
		self.post(film("v", subscription, quantity=20))
		invoice = self.bill(subscription)
		self.assert_rows(invoice, [("VOD", *OCTOBER, "2.00")])
		self.assertEqual(self.post(film("v", subscription, quantity=25, version=2)), ["accepted"])
		self.assert_rows(self.bill(subscription), [("VOD", *OCTOBER, "1.00")])
		self.assertEqual(self.post(film("v", subscription, quantity=24, version=2)), ["conflict"])
		self.assert_nothing_due(subscription)
		self.assertEqual(self.post(film("v", subscription, quantity=11, version=3)), ["accepted"])
		self.bill(subscription)  # a note on each of the two invoices: 0.20 of 3.00 stay
		rows = {"tv_subscription": subscription, "tv_line": ("like", "%/VOD"), "docstatus": 1}
		amounts = frappe.get_all("Sales Invoice Item", rows, pluck="net_amount")
		self.assertEqual(sum(money(str(amount)) for amount in amounts), money("0.20"))
		self.assertTrue(frappe.db.get_value("Sales Invoice", self.record("v").invoice, "is_return"))
		self.assert_nothing_due(subscription)
		# An old version that comes late changes nothing.
		self.assertEqual(self.post(film("v", subscription, quantity=20)), ["superseded"])
		self.assertEqual(self.record("v").quantity, 11)
		self.assert_nothing_due(subscription)

	def test_a_cancelled_invoice_frees_its_records(self):
		subscription = self.subscribed()
		self.post(film("freed", subscription, quantity=20))
		invoice = self.bill(subscription)
		invoice.reload()
		invoice.cancel()
		frappe.db.commit()
		self.assertEqual((self.state("freed"), self.record("freed").invoice), ("Accepted", None))
		again = self.bill(subscription)
		self.assert_rows(again, [("VOD", *OCTOBER, "2.00")])
		self.assertEqual(self.record("freed").invoice, again.name)

	def test_late_usage_wakes_a_payer_who_had_nothing_due(self):
		subscription = self.subscribed()
		payer = frappe.db.get_value("TV Subscription", subscription, "payer")
		self.assert_nothing_due(subscription)
		self.assertIn(payer, quiet_payers(COMPANY, getdate(TODAY)))
		self.post(film("late", subscription, quantity=20))
		self.assertNotIn(payer, quiet_payers(COMPANY, getdate(TODAY)))
		self.assert_rows(self.bill(subscription), [("VOD", *OCTOBER, "2.00")])
		self.assert_nothing_due(subscription)
		self.assertIn(payer, quiet_payers(COMPANY, getdate(TODAY)))
		decide.cancel(self.record("late").name, "Film interrompu")
		frappe.db.commit()
		self.assertNotIn(payer, quiet_payers(COMPANY, getdate(TODAY)))
		self.assertTrue(self.bill(subscription).is_return)

	def test_sums_by_line_charge_and_day_are_exact(self):
		subscription, other = self.subscribed(), self.subscribed()
		quantities = ["0.1", "0.2", "0.000000001"]
		self.post(*(film(f"x{n}", subscription, quantity=text) for n, text in enumerate(quantities)))
		self.post(film("y", subscription, "2026-10-06"), film("z", other), film("gone", other))
		self.post({"key": "gone", "cancelled": 1})
		found = usage_of([subscription, other])
		self.assertEqual(
			[(str(use.day), use.charge, use.quantity) for use in found[subscription]],
			[("2026-10-05", "VOD", money("0.300000001")), ("2026-10-06", "VOD", money("1"))],
		)
		self.assertEqual([use.quantity for use in found[other]], [1])
		self.assertEqual(usage_of([]), {})

	def test_a_mark_waits_for_what_the_bill_has_seen(self):
		"""A record committed while its payer is being billed is not on that bill, and is not said to be."""
		subscription = self.subscribed()
		self.post(film("seen", subscription, quantity=20))
		loaded = facts.load

		def slowly(*args):
			found = loaded(*args)
			(posted,) = on_own_connections(lambda: self.post(film("unseen", subscription, quantity=5)))
			self.assertEqual(posted, ["accepted"])
			return found

		with patch.object(facts, "load", slowly):
			first = self.bill(subscription)
		self.assert_rows(first, [("VOD", *OCTOBER, "2.00")])
		self.assertEqual((self.state("seen"), self.state("unseen")), ("Billed", "Accepted"))
		second = self.bill(subscription)
		self.assert_rows(second, [("VOD", *OCTOBER, "1.00")])
		self.assertEqual(self.record("unseen").invoice, second.name)


class TestInbox(UsageTestCase):
	def setUp(self):
		self.subscription = self.subscribe("2026-10-01", version=self.version)

	def test_the_same_comes_again(self):
		batch = [film(f"{self.subscription}-{n}", self.subscription) for n in range(3)]
		self.assertEqual(self.post(*batch, batch[0]), ["accepted"] * 3 + ["known"])
		self.assertEqual(self.post(*batch), ["known"] * 3)
		self.assertEqual(usage_of([self.subscription])[self.subscription][0].quantity, 3)
		# Another source may use the same keys.
		self.assertEqual(self.post(*batch, profile=make_profile()), ["accepted"] * 3)

	def test_a_contradiction_waits_for_a_person(self):
		self.post(film("c", self.subscription))
		changed = film("c", self.subscription, quantity=3)
		self.assertEqual(self.post(changed), ["conflict"])
		self.assertEqual(self.post(changed), ["conflict"])
		waiting = self.record("c", state="Conflict")
		self.assertEqual(waiting.problem, "contradicts")
		self.assertEqual(self.record("c").quantity, 1)
		head = decide.accept_conflict(waiting.name)
		frappe.db.commit()
		self.assertEqual(self.record("c").name, head)
		self.assertEqual((self.state("c"), self.record("c").quantity), ("Accepted", 3))
		self.assertEqual(self.post(changed), ["known"])

		self.assertEqual(self.post(film("c", self.subscription, quantity=4)), ["conflict"])
		other = self.record("c", state="Conflict").name
		self.assertEqual(decide.dismiss([other], "Erreur de la source"), 1)
		frappe.db.commit()
		self.assertEqual(self.post(film("c", self.subscription, quantity=4)), ["known"])
		with self.assertRaises(decide.NotPossible):
			decide.accept_conflict(other)

	def test_a_cancellation_before_its_record(self):
		self.assertEqual(self.post({"key": "early", "cancelled": "yes"}), ["cancelled"])
		self.assertEqual(self.post(film("early", self.subscription)), ["superseded"])
		self.assertEqual(self.state("early"), "Cancelled")
		self.assertNotIn(self.subscription, usage_of([self.subscription]))

	def test_staff_take_a_record_back(self):
		self.post(film("back", self.subscription))
		decide.cancel(self.record("back").name, "Film interrompu")
		frappe.db.commit()
		self.assertEqual((self.state("back"), self.record("back").reason), ("Cancelled", "Film interrompu"))
		self.assertNotIn(self.subscription, usage_of([self.subscription]))
		with self.assertRaises(decide.NotPossible):
			decide.cancel(self.record("back").name, "encore")

	def test_reasons_name_the_record_and_the_next_step(self):
		draft = factories.make_subscription("Draft")
		taken_over = self.subscribe("2026-09-01", version=self.version, billed_through="2026-10-01")
		(stocked,) = factories.receive_devices()
		tomorrow = str(add_days(getdate(), 2))
		cases = (
			(film("1", "TVS-NONE"), "unknown_subscription", "TVS-NONE"),
			(film("2", serial="TV-NONE"), "unknown_serial", "TV-NONE"),
			(film("3", serial=stocked), "not_bound", stocked),
			(film("4", draft), "never_activated", draft),
			(film("5", self.subscription, "2026-09-30"), "before_activation", "2026-10-01"),
			(film("6", taken_over, "2026-09-30"), "before_opening", "2026-10-01"),
			(film("7", self.subscription, tomorrow), "future", tomorrow),
			(film("8", self.subscription, quantity=-2), "not_positive", "-2"),
			(film("9", self.subscription, charge="BASE"), "no_charge", "VOD"),
			(film("10", self.subscription, line="L9"), "unknown_line", "L9"),
			(film("11", self.subscription, quantity="many"), "number", "many"),
			(film("12", self.subscription, "31.10.2026"), "time", "ISO 8601"),
			(
				{"key": "13", "charge": "VOD", "quantity": 1, "day": "2026-10-05"},
				"no_subject",
				"subscription",
			),
		)
		self.assertEqual(self.post(*(told for told, _, _ in cases)), ["rejected"] * len(cases))
		for told, code, named in cases:
			with self.subTest(code=code):
				kept = self.record(told["key"])
				self.assertEqual((kept.state, kept.problem), ("Rejected", code))
				self.assertIn(formatdate(named) if named[:2] == "20" else named, kept.reason)
				self.assertEqual(json.loads(kept.raw)["key"], told["key"])

	def test_a_tv_is_followed_through_its_bindings(self):
		tv = bound_tv(
			factories.make_subscription("Awaiting Activation", lines=[{"offer_version": self.version}])
		)
		bound = frappe.db.get_value("TV Device", tv.serial, ["subscription", "line_id"], as_dict=True)
		frappe.db.commit()
		told = film("tv", serial=tv.serial, day="", at=datetime.now().astimezone().isoformat())
		self.assertEqual(self.post(told), ["accepted"])
		self.assertEqual((self.record("tv").subscription, self.record("tv").line_id), tuple(bound.values()))
		yesterday = film("tv2", serial=tv.serial, day=str(add_days(getdate(), -1)))
		self.assertEqual(self.post(yesterday), ["rejected"])
		self.assertEqual(self.record("tv2").problem, "not_bound")

	def test_rejected_records_are_tried_again(self):
		reference = f"EXT-{frappe.generate_hash(length=6)}"
		self.post(film("r1", reference), film("r2", reference, quantity="oops"))
		self.assertEqual(replay.replay([self.record("r1").name]), {"rejected": 1})
		frappe.db.set_value("TV Subscription", self.subscription, "external_reference", reference)
		frappe.db.commit()
		total = replay.replay_all(source=self.profile)
		self.assertGreaterEqual(total["accepted"], 1)
		self.assertEqual((self.state("r1"), self.state("r2")), ("Accepted", "Rejected"))
		# By hand: the form of a rejected record, tried when it is saved.
		doc = self.record("r2")
		doc.quantity, doc.day = 2, "2026-10-06"
		doc.save()
		frappe.db.commit()
		self.assertEqual((self.state("r2"), self.record("r2").corrected_by), ("Accepted", "Administrator"))
		# The source repeats what it sent: it is known, though something else was made of it.
		self.assertEqual(self.post(film("r2", reference, quantity="oops")), ["known"])
		# Sending the corrected record does the same without a person.
		self.post(film("r3", "TVS-NONE"))
		self.assertEqual(self.post(film("r3", self.subscription)), ["accepted"])

	def test_a_profile_that_is_put_right_reads_again_what_it_refused(self):
		profile = french_profile()
		heading = "Référence;Abonné;Minutes;Date;Heure\n"
		row = f"k1;{self.subscription};90;2026-10-05;20:15\n"
		loaded = self.load(profile, (heading + row).encode("cp1252"))
		self.assertEqual((loaded.status, loaded.rejected), ("Completed with Errors", 1))
		self.assertEqual(self.record("k1", profile).problem, "time")
		doc = frappe.get_doc("TV Import Profile", profile)
		doc.date_format = "YYYY-MM-DD HH:mm"
		doc.save()
		frappe.db.commit()
		self.assertEqual(replay.replay_all(tv_import=loaded.name), {"accepted": 1})
		self.assertEqual(self.state("k1", profile), "Accepted")

	def test_records_wait_while_billing_is_switched_off(self):
		settings = frappe.get_doc("TV Settings")
		settings.db_set("billing_enabled", 0)
		frappe.clear_document_cache("TV Settings", "TV Settings")
		try:
			self.assertEqual(self.post(film("w", self.subscription)), ["received"])
		finally:
			settings.db_set("billing_enabled", 1)
			frappe.clear_document_cache("TV Settings", "TV Settings")
			frappe.db.commit()
		self.assertNotIn(self.subscription, usage_of([self.subscription]))
		self.assertGreaterEqual(replay.judge_received()["accepted"], 1)
		self.assertEqual(self.state("w"), "Accepted")

	def test_nobody_writes_what_counts(self):
		self.post(film("fixed", self.subscription))
		doc = self.record("fixed")
		doc.quantity = 100
		self.assertRaises(frappe.ValidationError, doc.save)
		self.assertRaises(frappe.ValidationError, self.record("fixed").delete)
		self.assertRaises(frappe.ValidationError, frappe.get_doc({"doctype": RECORD, "name": "x"}).insert)
		self.post(film("bad", "TVS-NONE"))
		doc = self.record("bad")
		doc.update(
			{"state": "Accepted", "subscription": self.subscription, "line_id": "L1", "charge_code": "VOD"}
		)
		doc.save()
		self.assertEqual((doc.state, doc.subscription), ("Rejected", None))
