"""Subscriptions opened, changed and ended, on a real site."""

from datetime import date, timedelta

import frappe
from frappe.utils import add_days, getdate

from subscriber_tv.core.contracts.states import EVENTS, STATES, allowed_events
from subscriber_tv.flows.contracts import timeline
from subscriber_tv.flows.contracts.change_state import IllegalChange, change_state
from subscriber_tv.flows.contracts.end_due import end_due
from subscriber_tv.flows.contracts.open_subscription import open_subscription
from subscriber_tv.flows.contracts.today import day_in
from subscriber_tv.flows.settings import PhaseOff
from subscriber_tv.tests import factories
from subscriber_tv.tests.contract_case import ContractCase, make_user, state_of


class TestOpening(ContractCase):
	def form(self, **values):
		"""A new subscription as the form sends it."""
		customer = values.pop("customer", None) or factories.make_customer()
		return frappe.get_doc(
			{
				"doctype": "TV Subscription",
				"customer": customer,
				"site": values.pop("site", None) or factories.make_site(customer),
				"company": factories.COMPANY,
				"lines": [{"offer_version": factories.make_offer_version(), "quantity": 3}],
				**values,
			}
		)

	def test_saving_the_form_records_change_number_one(self):
		doc = self.form()
		frappe.set_user(make_user("TV Sales"))
		doc.insert()
		change = frappe.get_doc("TV Subscription Change", doc.last_change)
		self.assertEqual((change.name, change.docstatus), (f"{doc.name}-C1", 1))
		self.assertEqual((change.event, change.from_state, change.to_state), ("create", None, "Draft"))
		self.assertEqual(change.author, frappe.session.user)
		self.assertEqual([(row.line_id, row.quantity) for row in change.lines], [("L1", 3)])
		doc.reload()
		self.assertEqual((doc.state, doc.change_count, doc.currency), ("Draft", 1, "EUR"))
		self.assertEqual((doc.payer, doc.state_since), (doc.customer, day_in("Europe/Paris")))

	def test_the_flow_and_the_form_make_the_same(self):
		form = self.form().insert()
		name = open_subscription(
			customer=form.customer,
			site=form.site,
			lines=[{"offer_version": factories.make_offer_version(), "quantity": 3}],
		)
		flow = frappe.get_doc("TV Subscription", name)
		form.reload()
		for field in ("state", "payer", "company", "currency", "change_count", "state_since"):
			self.assertEqual(flow.get(field), form.get(field), field)

	def test_what_the_form_sends_as_state_is_not_believed(self):
		doc = self.form(
			state="Active", activated_on="2020-01-01", end_date="2099-01-01", change_count=9
		).insert()
		doc.reload()
		self.assertEqual(
			(doc.state, doc.activated_on, doc.end_date, doc.change_count), ("Draft", None, None, 1)
		)

	def test_sales_cannot_give_months_away_by_an_opening_position(self):
		months_ahead = add_days(getdate(), 60)
		kept = {}
		for role in ("TV Sales", "TV Back Office"):
			doc = self.form(billed_through=months_ahead)
			frappe.set_user(make_user(role))
			doc.insert()
			kept[role] = frappe.db.get_value("TV Subscription", doc.name, "billed_through")
			frappe.set_user("Administrator")
		self.assertEqual(kept, {"TV Sales": None, "TV Back Office": months_ahead})

	def refuse(self, part, **values):
		with self.assertRaises(frappe.ValidationError) as refused:
			self.form(**values).insert()
		self.assertIn(part, str(refused.exception))

	def test_a_site_of_somebody_else_is_refused(self):
		self.refuse("belongs to customer", site=factories.make_site())

	def test_a_disabled_site_is_refused(self):
		customer = factories.make_customer()
		site = factories.make_site(customer, disabled=1)
		self.refuse("disabled", customer=customer, site=site)

	def test_what_is_missing_is_named(self):
		for field, label in (("customer", "Customer"), ("site", "Site"), ("lines", "Lines")):
			doc = self.form()
			doc.set(field, None)
			with self.assertRaises(frappe.MandatoryError) as refused:
				doc.insert()
			self.assertIn(label, str(refused.exception))
		self.refuse("Offer Version", lines=[{"quantity": 1}])
		with self.assertRaises(frappe.MandatoryError):
			frappe.get_doc(doctype="TV Site", site_name="Nobody's", outlet_type="Room").insert()

	def test_an_opening_position_that_bills_nothing_for_ever_is_refused(self):
		self.refuse("2099", billed_through="2099-01-01")

	def test_an_offer_version_that_is_not_submitted_is_refused(self):
		draft = factories.make_offer_version(submit=False, fresh=True)
		self.refuse("not submitted", lines=[{"offer_version": draft, "quantity": 1}])

	def test_an_offer_of_another_segment_is_refused(self):
		offer = factories.make_offer("PRISON-ONLY", segments=[{"segment": factories.make_segment("Prison")}])
		version = factories.make_offer_version(offer)
		self.refuse("segment", lines=[{"offer_version": version, "quantity": 1}])
		inmate = factories.make_customer(customer_group="Prison")
		site = factories.make_site(inmate, segment="Prison")
		self.form(customer=inmate, site=site, lines=[{"offer_version": version, "quantity": 1}]).insert()

	def test_an_offer_off_sale_is_refused_unless_the_contract_is_taken_over(self):
		old = factories.make_offer_version(fresh=True, valid_from="2020-01-01", valid_upto="2020-12-31")
		lines = [{"offer_version": old, "quantity": 1}]
		self.refuse("on sale until", lines=lines)
		self.form(lines=lines, billed_through="2026-11-01").insert()

	def test_no_outlets_no_subscription(self):
		version = factories.make_offer_version()
		self.refuse("at least 1", lines=[{"offer_version": version, "quantity": 0}])

	def test_a_billing_day_is_a_day_of_the_month(self):
		self.refuse("between 1 and 31", anchor_day=32)

	def test_a_day_in_the_future_is_refused(self):
		tomorrow = add_days(day_in("Europe/Paris"), 1)
		with self.assertRaises(frappe.ValidationError):
			factories.make_subscription("Draft", start_on=tomorrow)

	def test_orders_switched_off_means_nothing_is_opened(self):
		running = factories.make_subscription("Active")
		settings = frappe.get_doc("TV Settings")
		self.addCleanup(frappe.clear_document_cache, "TV Settings", "TV Settings")
		settings.orders_enabled = 0
		settings.save()
		with self.assertRaises(PhaseOff) as refused:
			self.form().insert()
		self.assertIn("TV Settings", str(refused.exception))
		change_state(subscription=running, event="suspend")
		self.assertEqual(state_of(running), "Suspended")


class TestChanges(ContractCase):
	def test_each_state_can_be_reached_and_refuses_what_its_table_does_not_know(self):
		for state in STATES:
			with self.subTest(state=state):
				name = factories.make_subscription(state)
				self.assertEqual(state_of(name), state)
				count = frappe.db.count("TV Subscription Change", {"subscription": name})
				for event in set(EVENTS) - set(allowed_events(state)):
					with self.assertRaises(IllegalChange) as refused:
						change_state(subscription=name, event=event)
					self.assertIn(name, str(refused.exception))
				self.assertEqual(frappe.db.count("TV Subscription Change", {"subscription": name}), count)
				self.assertEqual(state_of(name), state)

	def test_a_refusal_names_the_state_and_what_is_possible(self):
		name = factories.make_subscription("Draft")
		with self.assertRaises(IllegalChange) as refused:
			change_state(subscription=name, event="activate")
		for part in ("Activate", name, "Draft", "Request Documents", "End Now"):
			self.assertIn(part, str(refused.exception))

	def test_effective_day_and_recorded_day_are_two_things(self):
		today = day_in("Europe/Paris")
		name = factories.make_subscription("Active", activated_on=today - timedelta(days=10))
		change = frappe.get_doc(
			"TV Subscription Change",
			change_state(
				subscription=name,
				event="suspend",
				effective_date=today - timedelta(days=2),
				reason="Lost remote",
			),
		)
		self.assertEqual(getdate(change.effective_date), today - timedelta(days=2))
		self.assertEqual(getdate(change.known_on), getdate(frappe.utils.now_datetime()))
		self.assertEqual((change.reason, change.author), ("Lost remote", frappe.session.user))
		self.assertEqual(
			frappe.db.get_value("TV Subscription", name, "state_since"), today - timedelta(days=2)
		)

	def test_dates_that_do_not_fit_are_refused_with_the_day(self):
		today = day_in("Europe/Paris")
		name = factories.make_subscription("Active")
		for event, dates in (
			("suspend", {"effective_date": today + timedelta(days=1)}),
			("suspend", {"effective_date": today - timedelta(days=1)}),
			("cancel_at_date", {}),
			("cancel_at_date", {"end_date": today}),
		):
			with self.assertRaises(IllegalChange):
				change_state(subscription=name, event=event, **dates)

	def test_the_cache_is_what_the_changes_make(self):
		today = day_in("Europe/Paris")
		start, end = today - timedelta(days=40), today + timedelta(days=5)
		name = factories.make_subscription("Cancelling", activated_on=start, changed_on=today, end_date=end)
		contract = timeline.load(name)
		doc = frappe.get_doc("TV Subscription", name)
		self.assertEqual(
			(doc.state, doc.state_since, doc.activated_on, doc.end_date), ("Cancelling", today, start, end)
		)
		self.assertEqual(contract.served(), ((start, end),))
		self.assertEqual([line.line_id for line in contract.lines], ["L1"])
		self.assertEqual(contract.anchor_day, start.day)
		change_state(subscription=name, event="withdraw_cancellation")
		doc.reload()
		self.assertEqual((doc.state, doc.end_date), ("Active", None))

	def test_a_cancelled_suspension_stays_dark_and_returns_to_it(self):
		name = factories.make_subscription("Suspended")
		today = day_in("Europe/Paris")
		change_state(subscription=name, event="cancel_at_date", end_date=today + timedelta(days=9))
		self.assertEqual(timeline.load(name).state_on(today), "Suspended")
		change_state(subscription=name, event="withdraw_cancellation")
		self.assertEqual(state_of(name), "Suspended")

	def test_each_change_is_noted_for_the_publisher_in_its_transaction(self):
		name = factories.make_subscription("Active")
		frappe.db.delete("TV Rights Outbox")
		change_state(subscription=name, event="suspend")
		noted = frappe.get_all("TV Rights Outbox", fields=["subject_type", "subject"], as_list=True)
		self.assertEqual(list(noted), [("Subscription", name)])

	def test_many_contracts_load_in_few_queries(self):
		names = [factories.make_subscription("Active", quantity=number) for number in (1, 2, 3)]
		# Contracts, changes, and three tables below these.
		with self.assertQueryCount(5):
			contracts = timeline.load_many(names)
		self.assertEqual([contracts[name].lines[0].quantity for name in names], [1, 2, 3])
		self.assertEqual(timeline.load_many(["no such"]), {})
		with self.assertRaises(frappe.DoesNotExistError):
			timeline.load("no such")

	def test_the_day_is_the_day_at_the_site(self):
		# 23:30 in Paris on 31 March is already 1 April in Auckland, and still 31 March in Martinique.
		with self.freeze_time("2026-03-31 23:30:00"):
			for zone, day in (
				("Europe/Paris", date(2026, 3, 31)),
				("Pacific/Auckland", date(2026, 4, 1)),
				("America/Martinique", date(2026, 3, 31)),
			):
				site = factories.make_site(time_zone=zone)
				name = factories.make_subscription("Active", site=site)
				self.assertEqual(frappe.db.get_value("TV Subscription", name, "activated_on"), day)


class TestEndDue(ContractCase):
	def test_only_what_is_due_ends_and_on_the_day_agreed(self):
		today = day_in("Europe/Paris")
		start = today - timedelta(days=40)
		missed = factories.make_subscription(
			"Cancelling", activated_on=start, changed_on=start, end_date=today - timedelta(days=3)
		)
		due = factories.make_subscription("Cancelling", activated_on=start, changed_on=start, end_date=today)
		later = factories.make_subscription("Cancelling", activated_on=start, changed_on=start)
		frappe.db.set_value("TV Subscription", later, "end_date", today + timedelta(days=1))
		self.assertEqual(timeline.load(missed).state_on(today), "Cancelled")
		self.assertGreaterEqual(end_due(today=today), 2)
		self.assertEqual(
			[state_of(name) for name in (missed, due, later)], ["Cancelled"] * 2 + ["Cancelling"]
		)
		self.assertEqual(
			frappe.db.get_value("TV Subscription", missed, "end_date"), today - timedelta(days=3)
		)
		self.assertEqual(end_due(today=today), 0)

	def test_the_end_comes_with_the_day_of_the_site(self):
		with self.freeze_time("2026-03-30 12:00:00"):
			names = {
				zone: factories.make_subscription(
					"Cancelling",
					site=factories.make_site(time_zone=zone),
					activated_on="2026-03-01",
					end_date="2026-04-01",
				)
				for zone in ("Pacific/Auckland", "America/Martinique")
			}
		with self.freeze_time("2026-03-31 23:30:00"):
			end_due()
		self.assertEqual(state_of(names["Pacific/Auckland"]), "Cancelled")
		self.assertEqual(state_of(names["America/Martinique"]), "Cancelling")

	def test_one_broken_contract_does_not_keep_the_others(self):
		today = day_in("Europe/Paris")
		values = {"activated_on": today - timedelta(days=9), "changed_on": today - timedelta(days=9)}
		broken = factories.make_subscription("Cancelling", end_date=today, **values)
		sound = factories.make_subscription("Cancelling", end_date=today, **values)
		frappe.db.set_value("TV Subscription Change", f"{broken}-C1", "docstatus", 0)
		frappe.db.set_value("TV Subscription Change", {"subscription": broken}, "docstatus", 0)
		end_due(today=today)
		self.assertEqual((state_of(broken), state_of(sound)), ("Cancelling", "Cancelled"))
		self.assertTrue(frappe.db.exists("Error Log", {"reference_name": broken}))
