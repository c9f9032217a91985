"""The next offer for a subscriber: the rule that fits comes with the change that records it."""

import frappe

from subscriber_tv.api import contract_terms, contracts
from subscriber_tv.flows.contracts.change_lines import change_lines
from subscriber_tv.tests import factories
from subscriber_tv.tests.contract_case import ContractCase, make_user


def rule(name: str, proposes: str, **values) -> None:
	doc = {"doctype": "TV Next Offer Rule", "rule_name": name, "proposes": proposes, **values}
	frappe.get_doc(doc).insert()


class TestSuggestOffers(ContractCase):
	def setUp(self):
		super().setUp()
		frappe.db.delete("TV Next Offer Rule")
		self.premium = factories.make_offer_version("PREMIUM-TV")
		self.sport = factories.make_offer_version("SPORT-TV")
		self.name = factories.make_subscription("Active", quantity=10, activated_on="2025-06-01")

	def suggested(self) -> list[tuple]:
		found = contract_terms.suggest_offers(self.name)
		return [(row["rule"], bool(row["steps"]), len(row["reasons"])) for row in found]

	def test_a_proposal_is_recorded_by_its_own_steps_and_then_no_longer_made(self):
		rule("Upgrade", "PREMIUM-TV", replaces="HOTEL-TV", least_months=12, least_outlets=5, priority=2)
		rule("Sport", "SPORT-TV", segment="Hotel", priority=1)
		rule("Big", "SPORT-TV", least_outlets=100, least_usage=50)
		self.assertEqual(self.suggested(), [("Upgrade", True, 0), ("Sport", True, 0), ("Big", False, 2)])
		for proposal in contract_terms.suggest_offers(self.name)[:2]:
			change_lines(subscription=self.name, steps=proposal["steps"])
		lines = frappe.get_all(
			"TV Subscription Line",
			{"parent": self.name},
			["offer_version", "quantity", "option_of"],
			order_by="idx",
			as_list=True,
		)
		self.assertEqual(lines, ((self.premium, 10, None), (self.sport, 10, "L1")))
		self.assertFalse(any(steps for _rule, steps, _reasons in self.suggested()))

	def test_nobody_is_sold_anything_while_suspended(self):
		rule("Sport", "SPORT-TV")
		frappe.db.set_value("TV Subscription", self.name, "state", "Suspended")
		self.assertEqual(self.suggested(), [("Sport", False, 1)])

	def test_an_offer_is_not_proposed_in_its_own_place(self):
		with self.assertRaises(frappe.ValidationError) as refused:
			rule("Circle", "SPORT-TV", replaces="SPORT-TV")
		self.assertIn("its own place", str(refused.exception))

	def test_only_those_who_sell_may_ask(self):
		frappe.set_user(make_user("TV Logistics"))
		with self.assertRaises(frappe.PermissionError):
			contract_terms.suggest_offers(self.name)
		self.assertFalse(contracts.overview(self.name)["can_suggest"])
		frappe.set_user("Administrator")
		frappe.set_user(make_user("TV Support"))
		# Whoever has the subscriber on the line may propose, though somebody else records it.
		self.assertTrue(contracts.overview(self.name)["can_suggest"])
		self.assertFalse(contracts.overview(self.name)["can_change_lines"])
		contract_terms.suggest_offers(self.name)
