"""What the tests of disputes share: an invoice of ours, and the steps of a dispute on it."""

import frappe

from subscriber_tv.core.money import money
from subscriber_tv.flows.collections.decide_dispute import decide_dispute
from subscriber_tv.flows.collections.payer_claims import claim_on
from subscriber_tv.flows.collections.raise_dispute import raise_dispute
from subscriber_tv.flows.collections.show_invoice import disputable_rows
from subscriber_tv.tests.billing_case import BillingTestCase

REASON = "The reception's screen was black for a week."


class DisputeCase(BillingTestCase):
	"""An invoice of 50.00 at 20 % (activation) and 30.00 at 10 % (November): 93.00 with taxes."""

	def setUp(self):
		self.subscription = self.subscribe("2026-11-01")
		self.invoice = self.bill(self.subscription)
		self.fee, self.base = self.invoice.items
		self.addCleanup(frappe.set_user, "Administrator")

	def dispute(self, *rows, invoice=None) -> str:
		name = raise_dispute(
			invoice=(invoice or self.invoice).name,
			ground="Service Interrupted",
			reason=REASON,
			rows=[(row, money(amount)) for row, amount in rows] if rows else None,
		)
		frappe.db.commit()
		return name

	def decide(self, dispute: str, event: str, **granted) -> str:
		amounts = {name: money(amount) for name, amount in granted.items()} or None
		state = decide_dispute(dispute=dispute, event=event, note="Looked into", granted=amounts)
		frappe.db.commit()
		return state

	def left(self) -> list[str]:
		return [row["left"] for row in disputable_rows(self.invoice.name)]

	def waits(self) -> tuple:
		claim = claim_on(frappe.get_doc("Sales Invoice", self.invoice.name))
		return tuple(float(part) for part in (claim.due + claim.not_due, claim.disputed))

	def outstanding(self) -> float:
		return frappe.db.get_value("Sales Invoice", self.invoice.name, "outstanding_amount")
