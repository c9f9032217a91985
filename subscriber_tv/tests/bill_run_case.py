"""What the tests of bill runs share: a payer with an address or without, approval switched on, people with roles."""

from contextlib import contextmanager

import frappe

from subscriber_tv.flows.billing import start_run
from subscriber_tv.tests import factories
from subscriber_tv.tests.billing_case import COMPANY, TODAY, BillingTestCase

NEXT_MONTH = "2026-12-22"


class ApprovalTestCase(BillingTestCase):
	"""A payer with one TV from 1 November: 80.00, of which 30.00 recur."""

	def setUp(self):
		self.customer = factories.make_customer()
		frappe.db.commit()
		self.addCleanup(set_approval, "Never")

	def with_address(self) -> None:
		add_address(self.customer)

	def submitted(self, until: str = TODAY, payer: str | None = None) -> str:
		return start_run.new_run(
			company=COMPANY, posting_date=TODAY, bill_until=until, payer=payer or self.customer
		)

	def status(self, name: str) -> tuple:
		return frappe.db.get_value("TV Bill Run", name, ["status", "approval"])

	def invoices(self, name: str) -> int:
		return frappe.db.count("Sales Invoice", {"tv_bill_run": name})


def set_approval(policy: str) -> None:
	"""Call it once everything is made: the factories switch the approval off."""
	frappe.db.rollback()
	frappe.db.set_single_value("TV Settings", "run_approval", policy)
	frappe.clear_document_cache("TV Settings")
	frappe.db.commit()


def add_address(customer: str) -> None:
	frappe.get_doc(
		{
			"doctype": "Address",
			"address_title": customer,
			"address_type": "Billing",
			"address_line1": "1 rue de la Paix",
			"city": "Lille",
			"country": "France",
			"links": [{"link_doctype": "Customer", "link_name": customer}],
		}
	).insert()
	frappe.db.commit()


def person(email: str, *roles: str) -> str:
	"""A user with exactly these roles."""
	if not frappe.db.exists("User", email):
		user = frappe.get_doc({"doctype": "User", "email": email, "first_name": email.split("@")[0]})
		user.flags.no_welcome_mail = True
		user.insert()
	user = frappe.get_doc("User", email)
	user.set("roles", [{"role": role} for role in roles])
	user.save()
	frappe.clear_cache(user=email)
	frappe.db.commit()
	return email


@contextmanager
def signed_in(email: str, *roles: str):
	user = person(email, *roles)
	frappe.set_user(user)
	try:
		yield user
	finally:
		frappe.set_user("Administrator")
