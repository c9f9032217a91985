"""Usage, percentages, deposits, arrears, whole periods, minimums and shared tiers on a real site, to the ledgers."""

import json

import frappe

from subscriber_tv.core.pricing.models import Flat, PercentOf
from subscriber_tv.flows.billing.preview import preview
from subscriber_tv.flows.contracts.change_lines import change_lines
from subscriber_tv.flows.devices.deliver import deliver
from subscriber_tv.flows.usage.receive import receive
from subscriber_tv.setup.accounts import DEPOSITS_RECEIVED
from subscriber_tv.tests import factories
from subscriber_tv.tests.billing_case import (
	COMPANY,
	DEFERRED,
	INCOME,
	RECEIVABLE,
	TODAY,
	VAT_10,
	VAT_20,
	BillingTestCase,
	ledger,
	money,
)
from subscriber_tv.tests.test_devices import bring_back
from subscriber_tv.tests.usage_case import film, make_profile

DEPOSIT_ACCOUNT = DEPOSITS_RECEIVED
OCTOBER, NOVEMBER = ("2026-10-01", "2026-11-01"), ("2026-11-01", "2026-12-01")


def charge(code: str, **values) -> dict:
	return factories.charge(code, **{"item": "TV-SUBSCRIPTION", **values})


def usage_charge(**values) -> dict:
	"""20.00 a month hold 100 units, each further one is 0.50."""
	return charge(
		"HOURS",
		**{
			"charge_kind": "Usage",
			"price_model": "Usage",
			"item": "TV-OPTION",
			"unit_price": 20,
			"allowance": 100,
			**values,
		},
	)


OVERAGE = {"charge_code": "HOURS", "unit_price": 0.5}
SERVICE = {"price_model": "Percent Of", "unit_price": 0, "percent": 10, "of_charges": "base"}
DEPOSIT = {"charge_kind": "Deposit", "item": "TV-DEPOSIT", "unit_price": 40}


def make_version(*charges: dict, tiers=(), **values) -> str:
	offer = f"KINDS-{frappe.generate_hash(length=6)}".upper()
	return factories.make_offer_version(offer, charges=list(charges), tiers=list(tiers), **values)


class TestChargeKinds(BillingTestCase):
	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.profile = make_profile()
		frappe.db.commit()

	def codes(self, document) -> list[tuple[str, str, str]]:
		"""Charge, first day and amount of the rows."""
		return [(row.tv_line.split("/")[-1], str(row.tv_from), f"{row.amount:.2f}") for row in document.items]

	def line_of(self, subscription: str) -> str:
		return frappe.get_doc("TV Subscription", subscription).lines[0].line_id

	def refuse(self, *said: str, charges=(), tiers=()) -> None:
		frappe.clear_messages()
		with self.assertRaises(frappe.ValidationError) as refused:
			make_version(*charges, tiers=tiers)
		told = str(refused.exception) + "".join(str(message) for message in frappe.get_message_log())
		for text in said:
			self.assertIn(text, told)

	def report(self, subscription: str, *used: tuple[str, int], **values) -> list[str]:
		"""Report units of a day each, as a source does; the keys of the records. Commits."""
		keys = [frappe.generate_hash(length=12) for _ in used]
		receive(
			profile=self.profile,
			records=[
				film(key, subscription, day, charge="HOURS", quantity=quantity, **values)
				for key, (day, quantity) in zip(keys, used, strict=True)
			],
		)
		frappe.db.commit()
		return keys

	def test_usage_is_charged_when_its_month_closes_and_late_records_stand_alone(self):
		subscription = self.subscribe("2026-10-01", version=make_version(usage_charge(), tiers=[OVERAGE]))
		keys = self.report(subscription, ("2026-10-05", 60), ("2026-10-20", 70), ("2026-11-02", 500))
		invoice = self.bill(subscription)
		self.assert_rows(invoice, [("HOURS", *OCTOBER, "35.00")])
		row = invoice.items[0]
		self.assertEqual((row.tv_kind, row.enable_deferred_revenue), ("usage", 0))
		self.assertIn("130 × ", row.description)
		self.assertEqual(
			ledger(invoice.name), {RECEIVABLE: money("42"), INCOME: money("-35"), VAT_20: money("-7")}
		)
		self.assert_nothing_due(subscription)

		self.report(subscription, ("2026-10-31", 10))
		late = self.bill(subscription)
		self.assert_rows(late, [("HOURS", *OCTOBER, "5.00")])
		self.assertEqual(late.items[0].tv_revision, 1)
		self.assert_nothing_due(subscription)

		receive(
			profile=self.profile, records=[{"key": key, "version": 2, "cancelled": True} for key in keys[:2]]
		)
		frappe.db.commit()
		note = self.bill(subscription)  # 10 units are within the allowance: 20.00 of 40.00 stay
		self.assertTrue(note.is_return)
		self.assertEqual(self.net_billed(subscription), money("20.00"))
		self.assert_nothing_due(subscription)

	def test_a_share_of_reported_amounts_has_its_minimum_by_days(self):
		share = usage_charge(
			price_model="Percentage", unit_price=0, allowance=0, percent=10, minimum=62, item="TV-OPTION"
		)
		subscription = self.subscribe("2026-10-16", version=make_version(share))
		self.report(subscription, ("2026-10-20", 100), ("2026-11-02", 900))
		# 10.00 of October, at least 16/31 of 62.00; November is at 90.00 and closes with the service.
		self.assert_rows(self.bill(subscription), [("HOURS", "2026-10-16", "2026-11-01", "32.00")])
		self.change(subscription, "end", "2026-11-16")
		self.assert_rows(self.bill(subscription), [("HOURS", "2026-11-01", "2026-11-16", "90.00")])
		self.assert_nothing_due(subscription)

	def net_billed(self, subscription: str):
		rows = frappe.get_all(
			"Sales Invoice Item", {"tv_subscription": subscription, "docstatus": 1}, pluck="net_amount"
		)
		return sum(money(str(amount)) for amount in rows)

	def test_arrears_whole_periods_and_a_minimum(self):
		version = make_version(
			charge("BASE", unit_price=30, timing="Arrears"),
			charge("WHOLE", unit_price=12, proration="None"),
			charge("LEAST", unit_price=5, minimum=8),
		)
		subscription = self.subscribe("2026-10-16", version=version)
		# October: 16/31 of 30.00 when it closes; 12.00 whole; 16/31 of 5.00 and what is missing to 16/31 of 8.00.
		self.assert_rows(
			self.bill(subscription, until="2026-10-31"),
			[("LEAST", "2026-10-16", "2026-11-01", "2.58"), ("WHOLE", "2026-10-16", "2026-11-01", "12.00")],
		)
		november = self.bill(subscription)
		self.assertEqual(
			self.codes(november),
			[
				("BASE", "2026-10-16", "15.48"),
				("LEAST", "2026-11-01", "5.00"),
				("LEAST:MINIMUM", "2026-10-16", "1.55"),
				("WHOLE", "2026-11-01", "12.00"),
			],
		)
		self.change(subscription, "end", "2026-11-16")
		end = self.bill(subscription)
		self.assertEqual(
			self.codes(end), [("BASE", "2026-11-01", "15.00"), ("LEAST:MINIMUM", "2026-11-01", "1.50")]
		)
		self.assert_nothing_due(subscription)
		self.assertEqual(self.net_billed(subscription), money("15.48") + 15 + 12 + 12 + money("4.13") + 4)

	def test_a_minimum_above_a_monthly_and_a_yearly_charge_is_one_a_month(self):
		version = make_version(
			charge("BASE", unit_price=30), charge("YEAR", unit_price=365, interval_months=12)
		)
		subscription = self.subscribe("2026-10-01", version=version, terms={"minimum": 2000})
		# 2000.00 less 30.00 and 31.00 for October; held against the year too, the payer would be parked.
		self.assertEqual(
			self.codes(self.bill(subscription)),
			[
				("MINIMUM", "2026-10-01", "1939.00"),
				("BASE", "2026-10-01", "30.00"),
				("BASE", "2026-11-01", "30.00"),
				("YEAR", "2026-10-01", "365.00"),
			],
		)
		self.assert_nothing_due(subscription)

	def test_a_whole_period_begun_in_another_system_is_left_to_it(self):
		version = make_version(
			charge("BASE", unit_price=31), charge("WHOLE", unit_price=12, proration="None")
		)
		subscription = self.subscribe("2025-01-01", version=version, billed_through="2026-10-16")
		self.confirm_first_bill(subscription)
		self.assertEqual(
			self.codes(self.bill(subscription)),
			[
				("BASE", "2026-10-16", "16.00"),
				("BASE", "2026-11-01", "31.00"),
				("WHOLE", "2026-11-01", "12.00"),
			],
		)
		self.assert_nothing_due(subscription)

	def confirm_first_bill(self, subscription: str) -> None:
		values = {"doctype": "TV First Bill", "subscription": subscription, "status": "Confirmed"}
		values |= {"payer": frappe.db.get_value("TV Subscription", subscription, "payer"), "currency": "EUR"}
		frappe.get_doc(values).insert()
		frappe.db.commit()

	def test_a_percentage_follows_a_change_of_its_base(self):
		version = make_version(charge("BASE", unit_price=30), charge("SERVICE", **SERVICE))
		subscription = self.subscribe("2026-11-01", version=version, quantity=10)
		payer = frappe.db.get_value("TV Subscription", subscription, "payer")
		shown = preview(company=COMPANY, bill_until=TODAY, payer=payer)
		self.assertEqual([row["amount"] for row in shown["rows"]], ["300.00", "30.00"])
		invoice = self.bill(subscription)
		self.assert_rows(invoice, [("BASE", *NOVEMBER, "300.00"), ("SERVICE", *NOVEMBER, "30.00")])
		facts = json.loads(invoice.items[1].tv_facts)
		self.assertEqual(facts["of"], [[f"{subscription}/{self.line_of(subscription)}/BASE", "300", 1]])
		self.assertEqual(
			ledger(invoice.name),
			{RECEIVABLE: money("363"), DEFERRED: money("-330"), VAT_10: money("-33")},
		)
		change_lines(
			subscription=subscription,
			steps=[{"line_id": self.line_of(subscription), "quantity": 12}],
			effective_date="2026-11-16",
		)
		frappe.db.commit()
		after = self.bill(subscription)
		self.assertEqual(
			self.codes(after), [("BASE", "2026-11-16", "180.00"), ("SERVICE", "2026-11-16", "18.00")]
		)
		self.assertEqual(self.net_billed(subscription), money("363.00"))
		self.assert_nothing_due(subscription)

	def test_a_negotiated_price_fits_its_charge(self):
		version = make_version(
			charge("BASE", unit_price=30), charge("SERVICE", **SERVICE), charge("BOX", **DEPOSIT)
		)
		subscription = self.subscribe("2026-11-01", version=version)
		self.bill(subscription)
		line = self.line_of(subscription)
		for code, model in (("BOX", Flat(money("5"))), ("BASE", PercentOf(money("5")))):
			with self.subTest(code=code), self.assertRaises(frappe.ValidationError) as refused:
				change_lines(subscription=subscription, steps=[{"line_id": line, "prices": {code: model}}])
			self.assertIn(code, str(refused.exception))
		change_lines(
			subscription=subscription,
			steps=[{"line_id": line, "prices": {"SERVICE": PercentOf(money("4"))}}],
			effective_date="2026-11-16",
		)
		frappe.db.commit()
		self.assertEqual(self.codes(self.bill(subscription)), [("SERVICE", "2026-11-16", "0.60")])
		self.assertEqual(self.balance(subscription, "SERVICE"), money("2.10"))
		self.assert_nothing_due(subscription)

	def test_a_deposit_is_a_debt_without_vat_and_goes_back_by_units(self):
		version = make_version(charge("BASE", unit_price=30), charge("BOX", **DEPOSIT))
		subscription = self.subscribe("2026-11-01", version=version, quantity=3)
		invoice = self.bill(subscription)
		self.assertEqual(
			self.codes(invoice), [("BASE", "2026-11-01", "90.00"), ("BOX", "2026-11-01", "120.00")]
		)
		self.assertEqual(
			ledger(invoice.name),
			{
				RECEIVABLE: money("219"),
				DEFERRED: money("-90"),
				VAT_10: money("-9"),
				DEPOSIT_ACCOUNT: money("-120"),
			},
		)
		row = invoice.items[1]
		self.assertEqual((row.tv_kind, row.enable_deferred_revenue), ("deposit", 0))
		change_lines(
			subscription=subscription,
			steps=[{"line_id": self.line_of(subscription), "quantity": 2}],
			effective_date="2026-11-16",
		)
		frappe.db.commit()
		self.bill(subscription)
		self.assertEqual(self.balance(subscription, "BOX"), money("80"))
		self.change(subscription, "end", "2026-11-20")
		self.bill(subscription)
		self.assertEqual(self.balance(subscription, "BOX"), money("0"))
		self.assert_nothing_due(subscription)
		self.assertEqual(self.held(subscription), money("0"))

	def test_a_deposit_waits_for_the_tv_to_come_back(self):
		subscription = self.subscribe(
			"2026-11-01", version=make_version(charge("BOX", **DEPOSIT)), quantity=2
		)
		serials = factories.receive_devices(1)
		deliver(subscription=subscription, serials=serials)
		delivered = {"parent": serials[0], "event": "Delivered"}
		frappe.db.set_value("TV Device Event Line", delivered, "at", "2026-11-05 10:00:00")
		frappe.db.commit()
		self.assert_rows(self.bill(subscription), [("BOX", "2026-11-01", "2026-11-02", "80.00")])
		self.change(subscription, "end", "2026-11-20")
		self.assert_rows(self.bill(subscription), [("BOX", "2026-11-01", "2026-11-02", "-40.00")])
		self.assert_nothing_due(subscription)
		bring_back(serials[0])
		frappe.db.commit()
		self.assert_rows(self.bill(subscription), [("BOX", "2026-11-01", "2026-11-02", "-40.00")])
		self.assertEqual((self.held(subscription), self.balance(subscription, "BOX")), (0, 0))
		self.assert_nothing_due(subscription)

	def balance(self, subscription: str, code: str):
		rows = frappe.get_all(
			"Sales Invoice Item",
			{"tv_line": ("like", f"{subscription}/%/{code}"), "docstatus": 1},
			pluck="net_amount",
		)
		return sum(money(str(amount)) for amount in rows)

	def held(self, subscription: str):
		"""Debit less credit of the account of deposits over all documents of the subscription."""
		documents = set(
			frappe.get_all(
				"Sales Invoice Item", {"tv_subscription": subscription, "docstatus": 1}, pluck="parent"
			)
		)
		return sum(ledger(name).get(DEPOSIT_ACCOUNT, money("0")) for name in documents)

	def test_tiers_count_over_the_payer_and_over_his_group(self):
		tiers = [
			{"charge_code": "BASE", "up_to": 10, "unit_price": 5},
			{"charge_code": "BASE", "unit_price": 4},
		]
		item = factories.make_item(f"TIER-{frappe.generate_hash(length=6)}")
		template = frappe.db.get_value("Item Tax", {"parent": "TV-SUBSCRIPTION"}, "item_tax_template")
		doc = frappe.get_doc("Item", item)
		doc.append("taxes", {"item_tax_template": template})
		doc.save()

		def version(over):
			return make_version(
				charge("BASE", item=item, price_model="Volume", unit_price=0, counts_over=over), tiers=tiers
			)

		payer = version("Payer")
		first = self.subscribe("2026-11-01", version=payer, quantity=8)
		customer = frappe.db.get_value("TV Subscription", first, "payer")
		self.assert_rows(self.bill(first), [("BASE", *NOVEMBER, "40.00")])
		self.subscribe("2026-11-16", customer=customer, version=payer, quantity=7)
		again = self.bill(first)
		self.assertEqual(
			sorted(self.codes(again)), [("BASE", "2026-11-16", "14.00"), ("BASE", "2026-11-16", "16.00")]
		)
		self.assertEqual(self.net_billed(first), money("36.00"))  # 20.00 and 16.00
		self.assert_nothing_due(first)

		group = version("Group")
		one = self.subscribe("2026-11-01", version=group, quantity=8)
		other = self.subscribe("2026-11-01", version=group, quantity=7)
		head = factories.make_customer()
		for subscription in (one, other):
			name = frappe.db.get_value("TV Subscription", subscription, "payer")
			frappe.db.set_value("Customer", name, "tv_parent", head)
		frappe.db.commit()
		self.assert_rows(self.bill(one), [("BASE", *NOVEMBER, "32.00")])
		self.assert_rows(self.bill(other), [("BASE", *NOVEMBER, "28.00")])
		self.change(other, "end", "2026-11-16")
		self.bill(other)
		# The next run of the first payer knows that the group is smaller from the 16th.
		self.bill(one)
		self.assertEqual(self.net_billed(one), money("36.00"))
		self.assert_nothing_due(one)

	def test_what_does_not_fit_a_charge_is_refused_by_its_row(self):
		base = charge("BASE", unit_price=30)
		self.refuse(
			"row 2", "not for this kind", charges=[base, charge("BOX", **DEPOSIT | {"price_model": "Flat"})]
		)
		self.refuse("row 1", "no tiers", charges=[usage_charge()])
		self.refuse("row 1", "Allowance", "Empty it", charges=[charge("BASE", unit_price=30, allowance=5)])
		self.refuse("row 2", "no percentage", charges=[base, charge("S", **SERVICE | {"percent": 0})])
		self.refuse(
			"row 2", "enter the codes", charges=[base, charge("S", **SERVICE | {"of_charges": " , "})]
		)
		self.refuse("row 2", "NOBODY", charges=[base, charge("S", **SERVICE | {"of_charges": "nobody"})])
		self.refuse("row 2", "of itself", charges=[base, charge("S", **SERVICE | {"of_charges": "BASE, S"})])
		self.refuse(
			"row 3",
			"different intervals",
			charges=[
				base,
				charge("YEAR", unit_price=99, interval_months=12),
				charge("S", **SERVICE | {"of_charges": "BASE,YEAR"}),
			],
		)
