"""The report that puts versions of an offer side by side."""

from subscriber_tv.flows.contracts.change_lines import change_lines
from subscriber_tv.subscriber_tv.report.tv_offer_versions_compared.tv_offer_versions_compared import execute
from subscriber_tv.tests import factories
from subscriber_tv.tests.contract_case import ContractCase


class TestCompareVersions(ContractCase):
	def test_sold_served_ended_and_revenue_of_each_version(self):
		old = factories.make_offer_version("COMPARED-TV", charges=[factories.charge(unit_price=30)])
		new = factories.make_offer_version("COMPARED-TV", charges=[factories.charge(unit_price=24)])

		def sell(version: str, quantity: int, state: str = "Active") -> str:
			lines = [{"offer_version": version, "quantity": quantity}]
			return factories.make_subscription(state, lines=lines, activated_on="2026-10-01")

		sell(old, 2)
		sell(old, 1, "Cancelled")
		moved = sell(old, 4)
		change_lines(subscription=moved, steps=[{"line_id": "L1", "offer_version": new}])
		sell(new, 5, "Draft")
		_columns, rows, _message, chart = execute({"offer": "COMPARED-TV"})
		found = [
			tuple(
				row[field] for field in ("version", "sold", "served", "ended", "kept", "outlets", "monthly")
			)
			for row in rows
		]
		self.assertEqual(found, [(old, 3, 1, 2, 33.3, 2, 60), (new, 1, 1, 0, 100, 4, 96)])
		self.assertEqual([row["per_outlet"] for row in rows], [30, 24])
		self.assertEqual(chart["data"]["labels"], [old, new])
