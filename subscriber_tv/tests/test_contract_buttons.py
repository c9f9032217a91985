"""Who may change a subscription, by which button, and what happens when two do at once."""

import threading

import frappe

from subscriber_tv.api import contracts as api
from subscriber_tv.core.contracts.states import STATES
from subscriber_tv.flows.contracts import timeline
from subscriber_tv.flows.contracts.change_state import IllegalChange, change_state
from subscriber_tv.tests import factories
from subscriber_tv.tests.contract_case import ContractCase, make_user, state_of


class TestHandsOff(ContractCase):
	def refuse(self, doc, part):
		with self.assertRaises(frappe.ValidationError) as refused:
			doc.save()
		self.assertIn(part, str(refused.exception))

	def test_state_lines_and_dates_are_not_edited_by_hand(self):
		name = factories.make_subscription("Active")
		for field, value in (
			("state", "Suspended"),
			("activated_on", "2020-01-01"),
			("end_date", "2027-01-01"),
		):
			doc = frappe.get_doc("TV Subscription", name)
			doc.set(field, value)
			self.refuse(doc, "Actions")
		doc = frappe.get_doc("TV Subscription", name)
		doc.lines[0].quantity = 99
		self.refuse(doc, "Change Lines")
		doc.reload()
		doc.append("lines", {"offer_version": doc.lines[0].offer_version, "quantity": 1})
		self.refuse(doc, "Change Lines")
		self.assertEqual(state_of(name), "Active")

	def test_who_pays_is_fixed_at_the_opening(self):
		doc = frappe.get_doc("TV Subscription", factories.make_subscription("Draft"))
		doc.payer = factories.make_customer()
		with self.assertRaises(frappe.ValidationError):
			doc.save()

	def test_saving_without_an_edit_keeps_the_count_of_bound_tvs(self):
		name = factories.make_subscription("Active")
		doc = frappe.get_doc("TV Subscription", name)
		frappe.db.set_value("TV Subscription Line", doc.lines[0].name, "bound", 1)
		doc.lines[0].bound = 0
		doc.save()
		self.assertEqual(frappe.db.get_value("TV Subscription Line", doc.lines[0].name, "bound"), 1)

	def test_a_draft_nothing_happened_to_can_be_deleted_with_its_change(self):
		name = factories.make_subscription("Draft")
		frappe.set_user(make_user("TV Sales"))
		frappe.delete_doc("TV Subscription", name)
		self.assertFalse(frappe.db.exists("TV Subscription", name))
		self.assertFalse(frappe.db.exists("TV Subscription Change", {"subscription": name}))

	def test_a_subscription_with_a_history_is_not_deleted(self):
		name = factories.make_subscription("Awaiting Documents")
		with self.assertRaises(frappe.ValidationError) as refused:
			frappe.delete_doc("TV Subscription", name)
		self.assertIn("history", str(refused.exception))

	def test_changes_are_neither_made_nor_edited_nor_cancelled_by_hand(self):
		name = factories.make_subscription("Active")
		change = frappe.get_doc("TV Subscription Change", f"{name}-C5")
		with self.assertRaises(frappe.ValidationError) as refused:
			change.cancel()
		self.assertIn("never cancelled", str(refused.exception))
		change.reload()
		change.effective_date = "2020-01-01"
		with self.assertRaises(frappe.ValidationError):
			change.save()
		with self.assertRaises(frappe.ValidationError):
			frappe.delete_doc("TV Subscription Change", change.name)
		forged = frappe.copy_doc(change)
		forged.update({"docstatus": 0, "change_no": 6, "event": "suspend", "to_state": "Suspended"})
		with self.assertRaises(frappe.ValidationError) as refused:
			forged.insert()
		self.assertIn("buttons", str(refused.exception))


class TestButtons(ContractCase):
	def test_each_event_takes_its_role(self):
		name = factories.make_subscription("Active")
		frappe.set_user(make_user("TV Support"))
		with self.assertRaises(frappe.PermissionError):
			api.change_state(subscription=name, event="end")
		self.assertEqual(api.change_state(subscription=name, event="suspend")["state"], "Suspended")
		with self.assertRaises(frappe.PermissionError):
			api.change_state(subscription=name, event="resume")
		frappe.set_user("Administrator")
		frappe.set_user(make_user("TV Back Office"))
		self.assertEqual(api.change_state(subscription=name, event="resume")["state"], "Active")

	def test_who_may_not_read_subscriptions_learns_nothing(self):
		name = factories.make_subscription("Active")
		frappe.set_user(make_user("Stock User"))
		for subscription in (name, "no such"):
			with self.assertRaises(frappe.PermissionError):
				api.overview(subscription=subscription)
			with self.assertRaises(frappe.PermissionError):
				api.change_state(subscription=subscription, event="suspend")

	def test_unknown_subscriptions_and_events_are_refused_clearly(self):
		name = factories.make_subscription("Active")
		with self.assertRaises(frappe.DoesNotExistError):
			api.overview(subscription="'; drop table tabUser; --")
		with self.assertRaises(frappe.ValidationError) as refused:
			api.change_state(subscription=name, event="explode")
		self.assertIn("suspend", str(refused.exception))
		with self.assertRaises(frappe.ValidationError):
			api.change_state(subscription=name, event="create")

	def test_the_overview_offers_what_state_and_roles_allow(self):
		name = factories.make_subscription("Awaiting Activation", quantity=2)
		seen = api.overview(subscription=name)
		self.assertEqual([action["event"] for action in seen["events"]], ["activate", "end"])
		self.assertEqual((seen["primary"], seen["can_bind"], seen["can_deliver"]), ("bind", True, True))
		self.assertEqual([change["change_no"] for change in seen["changes"]], [4, 3, 2, 1])
		frappe.set_user(make_user("TV Marketing"))
		seen = api.overview(subscription=name)
		self.assertEqual((seen["events"], seen["can_bind"], seen["can_deliver"]), ([], False, False))

	def test_a_cancellation_that_is_due_offers_its_end_on_the_day_agreed(self):
		name = factories.make_subscription(
			"Cancelling", activated_on="2026-01-01", changed_on="2026-01-01", end_date="2026-01-20"
		)
		seen = api.overview(subscription=name)
		self.assertEqual([action["event"] for action in seen["events"]], ["end"])
		self.assertEqual((seen["primary"], str(seen["over_since"])), ("end", "2026-01-20"))
		with self.assertRaisesRegex(IllegalChange, "End Now with that day"):
			api.change_state(subscription=name, event="end", effective_date=str(seen["today"]))
		api.change_state(subscription=name, event="end", effective_date=str(seen["over_since"]))
		self.assertEqual(state_of(name), "Cancelled")

	def test_every_state_has_an_overview(self):
		for state in STATES:
			seen = api.overview(subscription=factories.make_subscription(state))
			self.assertEqual(seen["state"], state)
			self.assertTrue(seen["hint"])
			self.assertNotIn("{0}", seen["hint"])


class TestTwoUsersAtOnce(ContractCase):
	"""Real connections: what one user commits the other must see, whatever it has read before."""

	def committed(self, state="Active"):
		name = factories.make_subscription(state)
		frappe.db.commit()
		self.addCleanup(self.remove, name)
		return name

	def remove(self, name):
		frappe.db.rollback()
		frappe.db.delete("TV Subscription Change Line", {"parent": ("like", f"{name}-C%")})
		frappe.db.delete("TV Subscription Change", {"subscription": name})
		frappe.db.delete("TV Subscription Line", {"parent": name})
		frappe.db.delete("TV Rights Outbox", {"subject": name})
		frappe.db.delete("TV Subscription", {"name": name})
		frappe.db.commit()

	def test_of_two_who_suspend_at_once_one_is_refused_with_the_reason(self):
		name = self.committed()
		site, sites_path = frappe.local.site, frappe.local.sites_path
		start, answers = threading.Barrier(2), []

		def suspend():
			frappe.init(site=site, sites_path=sites_path)
			frappe.connect()
			try:
				state_of(name)
				start.wait(timeout=20)
				answers.append(change_state(subscription=name, event="suspend"))
				frappe.db.commit()
			except Exception as refused:
				frappe.db.rollback()
				answers.append(refused)
			finally:
				frappe.destroy()

		users = [threading.Thread(target=suspend) for _ in range(2)]
		for user in users:
			user.start()
		for user in users:
			user.join(timeout=60)
		frappe.db.rollback()
		refused = [answer for answer in answers if isinstance(answer, Exception)]
		self.assertEqual(len(answers), 2)
		self.assertEqual([type(answer) for answer in refused], [IllegalChange], answers)
		self.assertIn("Resume", str(refused[0]))
		self.assertEqual(frappe.db.count("TV Subscription Change", {"subscription": name}), 6)
		self.assertEqual(state_of(name), "Suspended")

	def test_a_stale_snapshot_does_not_decide(self):
		name = self.committed()
		self.assertEqual(state_of(name), "Active")
		# The outer one only restores the connection: the inner, at its first use, does not.
		with self.primary_connection(), self.secondary_connection():
			change_state(subscription=name, event="suspend")
			frappe.db.commit()
		self.assertEqual(state_of(name), "Active", "this transaction should still read its old snapshot")
		change = change_state(subscription=name, event="resume")
		frappe.db.commit()
		self.assertEqual(change, f"{name}-C7")
		self.assertEqual(state_of(name), "Active")
		self.assertEqual(timeline.load(name).state, "Active")
