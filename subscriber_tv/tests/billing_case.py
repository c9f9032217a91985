"""What the billing tests share: a payer with subscriptions, and the books of what was posted for him."""

from decimal import Decimal

import frappe
from frappe.tests.utils import FrappeTestCase
from frappe.utils import getdate

from subscriber_tv.flows.billing.bill_payer import Outcome, settle
from subscriber_tv.flows.billing.lock import under_payer_lock
from subscriber_tv.flows.contracts.change_state import change_state
from subscriber_tv.flows.settings import require_phase
from subscriber_tv.ledger.party import tax_template
from subscriber_tv.ledger.posting.totals import count_sales
from subscriber_tv.tests import factories

COMPANY = factories.COMPANY
TODAY = "2026-11-22"
RECEIVABLE, DEFERRED, INCOME = "4111", "487", "706"
VAT_10, VAT_20 = "445710", "445720"


def make_version(offer: str = "BILLING-TV", **overrides) -> str:
	"""Activation fee 50.00 at 20 % and 30.00 a TV and month at 10 %, deferred."""
	charges = [
		factories.activation_fee(item="TV-ACTIVATION"),
		factories.charge(item="TV-SUBSCRIPTION", unit_price=30),
	]
	return factories.make_offer_version(offer, **{"charges": charges, **overrides})


def set_tax_rates(rates: dict[str, float]) -> dict[str, float]:
	"""Save the company's default tax template with other rates by account, as its form does; commits, returns those before."""
	frappe.db.rollback()
	template = frappe.get_doc("Sales Taxes and Charges Template", tax_template(COMPANY))
	before = {row.account_head: row.rate for row in template.taxes}
	for row in template.taxes:
		row.rate = rates.get(row.account_head, row.rate)
	template.save()
	frappe.db.commit()
	return before


def bill_payer(*, payer: str, company: str, posting_date: str, bill_until: str) -> str | None:
	"""Bill one payer as a run does, and commit nothing: the invoice (else the credit note), or None. Who is refused raises."""
	require_phase("billing")

	def unit() -> Outcome:
		outcome = settle(
			payer=payer, company=company, posting_date=getdate(posting_date), bill_until=getdate(bill_until)
		)
		if outcome.refused:
			frappe.throw("<br>".join(outcome.refused))
		count_sales()
		return outcome

	return under_payer_lock(payer, unit).document


def make_promotion(**values):
	"""A promotion by a code of its own, half off one period; commits."""
	code = frappe.generate_hash(length=6).upper()
	doc = {
		"doctype": "TV Promotion",
		"promotion_name": f"P {code}",
		"label": f"Welcome {code}",
		"company": COMPANY,
		"currency": "EUR",
		"given": "By Code",
		"code": code,
		"discount_kind": "Percent",
		"percent": 50,
		"duration": "One Period",
		"valid_from": "2020-01-01",
	}
	found = frappe.get_doc({**doc, **values}).insert()
	frappe.db.commit()
	return found


class BillingTestCase(FrappeTestCase):
	"""Commits what a test sets up: taking the payer's lock rolls the open transaction back."""

	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		factories.make_operator()
		cls.version = frappe.db.get_value("TV Offer", "BILLING-TV", "current_version") or make_version()
		frappe.db.commit()

	def tearDown(self):
		frappe.db.rollback()
		frappe.clear_messages()

	def subscribe(self, activated_on: str, customer: str | None = None, version=None, **values) -> str:
		"""An active subscription to one TV, billed on the 1st; commits."""
		values = {"anchor_day": 1, "quantity": 1, **values}
		name = factories.make_subscription(
			"Active",
			customer=customer,
			activated_on=activated_on,
			lines=[{"offer_version": version or self.version, "quantity": values.pop("quantity")}],
			**values,
		)
		frappe.db.commit()
		return name

	def change(self, subscription: str, event: str, day: str, end: str | None = None) -> None:
		change_state(subscription=subscription, event=event, effective_date=day, end_date=end)
		frappe.db.commit()

	def bill(self, subscription: str, until: str = TODAY, posting_date: str = TODAY):
		"""Bill the payer of a subscription and commit; the invoice (else the credit note), or None."""
		name = bill_payer(
			payer=frappe.db.get_value("TV Subscription", subscription, "payer"),
			company=COMPANY,
			posting_date=posting_date,
			bill_until=until,
		)
		frappe.db.commit()
		return frappe.get_doc("Sales Invoice", name) if name else None

	def assert_nothing_due(self, subscription: str) -> None:
		self.assertIsNone(self.bill(subscription))
		self.assertIsNone(self.bill(subscription))

	def assert_rows(self, invoice, expected: list[tuple]) -> None:
		"""Compare charge code, from, to and posted amount of the rows."""
		rows = [
			(row.tv_line.split("/")[-1], str(row.tv_from), str(row.tv_to), f"{row.amount:.2f}")
			for row in invoice.items
		]
		self.assertEqual(rows, expected)


def ledger(voucher: str) -> dict[str, Decimal]:
	"""Debit less credit by account number, as posted for one voucher; refuses an unbalanced one."""
	entries = frappe.get_all(
		"GL Entry", {"voucher_no": voucher, "is_cancelled": 0}, ["account", "debit", "credit", "party"]
	)
	sums: dict[str, Decimal] = {}
	for entry in entries:
		number = frappe.get_cached_value("Account", entry.account, "account_number")
		amount = Decimal(str(entry.debit)) - Decimal(str(entry.credit))
		sums[number] = sums.get(number, Decimal(0)) + amount
	assert entries and sum(sums.values()) == 0, f"{voucher} is not balanced: {sums}"
	return sums


def money(text: str) -> Decimal:
	return Decimal(text)
